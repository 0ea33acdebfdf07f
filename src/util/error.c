/* SPDX-License-Identifier: MIT */
/* Names and texts of the errors, made from the list in stook/base.h, and the version. Public. */
#include <stook.h>

const char *stook_strerror(int error)
{
    switch (error) {
    case STOOK_OK:
        return "OK";
#define TEXT(name, number, text) \
    case number:                 \
        return text;
        STOOK_ERROR_MAP(TEXT)
#undef TEXT
    default:
        return "unknown error";
    }
}

const char *stook_err_name(int error)
{
    switch (error) {
    case STOOK_OK:
        return "STOOK_OK";
#define NAME(name, number, text) \
    case number:                 \
        return "STOOK_E" #name;
        STOOK_ERROR_MAP(NAME)
#undef NAME
    default:
        return "STOOK_UNKNOWN";
    }
}

const char *stook_version(void)
{
    return STOOK_VERSION;
}
