/* SPDX-License-Identifier: MIT */
/* Texts of the library: errors, their names, the version. */
#include <stdio.h>
#include <string.h>

#include <stook.h>

#include "support/harness.h"

static const struct {
    int error, number;
    const char *name, *text;
} errors[] = {
#define ROW(name, number, text) {STOOK_E##name, number, "STOOK_E" #name, text},
    STOOK_ERROR_MAP(ROW)
#undef ROW
};

TEST(errors_are_named)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        CHECK_EQ_INT(errors[i].error, -20001 - (int)i); /* appended, never renumbered */
        CHECK_EQ_INT(errors[i].number, errors[i].error);
        CHECK_STR(stook_err_name(errors[i].error), errors[i].name);
        CHECK_STR(stook_strerror(errors[i].error), errors[i].text);
        CHECK(errors[i].text[strlen(errors[i].text) - 1] != '.');
    }
    CHECK_EQ_SIZE(sizeof errors / sizeof errors[0], 29);
}

TEST(other_numbers)
{
    static const int foreign[] = {1, -1, -4095, -20000, -20030, -2147483647 - 1, 2147483647};
    CHECK_STR(stook_err_name(0), "STOOK_OK");
    CHECK_STR(stook_strerror(0), "OK");
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        CHECK_STR(stook_err_name(foreign[i]), "STOOK_UNKNOWN");
        CHECK_STR(stook_strerror(foreign[i]), "unknown error");
    }
}

TEST(version_is_that_of_the_header)
{
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", STOOK_VERSION_MAJOR, STOOK_VERSION_MINOR,
             STOOK_VERSION_PATCH);
    CHECK_STR(stook_version(), version);
    CHECK_EQ_INT(STOOK_VERSION_NUMBER, STOOK_VERSION_MAJOR * 65536 + STOOK_VERSION_MINOR * 256 +
                                           STOOK_VERSION_PATCH);
}
