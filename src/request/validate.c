/* SPDX-License-Identifier: MIT */
/* Checks of structs, numbers and texts; see validate.h. */
#include "request/validate.h"

#include <string.h>

enum {
    STRUCT_MAX = 65536, /* no struct of ours will be larger, so a larger size is a mistake */
    LIMIT_MAX = 1000000
};

int stook__validate_size(const void *theirs)
{
    size_t size;
    memcpy(&size, theirs, sizeof size);
    return size >= sizeof size && size <= STRUCT_MAX;
}

void stook__fill_struct(void *theirs, const void *ours, size_t our_size)
{
    size_t size;
    memcpy(&size, theirs, sizeof size);
    memset(theirs, 0, size);
    memcpy(theirs, ours, size < our_size ? size : our_size);
    memcpy(theirs, &size, sizeof size);
}

int stook__validate_struct(void *ours, size_t our_size, const void *theirs)
{
    size_t size;
    memset(ours, 0, our_size);
    if (theirs == NULL)
        return 0;
    if (!stook__validate_size(theirs))
        return STOOK_EARG;
    memcpy(&size, theirs, sizeof size);
    for (size_t i = our_size; i < size; i++)
        if (((const unsigned char *)theirs)[i] != 0)
            return STOOK_EUNSUPPORTED;
    memcpy(ours, theirs, size < our_size ? size : our_size);
    return 0;
}

int stook__validate_number(int64_t value, int64_t inherited, int none, int64_t max,
                           int64_t *ret_value)
{
    if (value == 0)
        value = inherited;
    else if (value > max || (value < 0 && !(none && value == STOOK_NONE)))
        return STOOK_EARG;
    *ret_value = value;
    return 0;
}

int stook__validate_limit(int64_t value, size_t *ret_limit)
{
    int64_t limit;
    if (stook__validate_number(value, STOOK_NONE, 1, LIMIT_MAX, &limit) != 0)
        return STOOK_EARG;
    *ret_limit = limit < 0 ? SIZE_MAX : (size_t)limit;
    return 0;
}

int stook__validate_timeout(int64_t timeout_ms)
{
    return timeout_ms >= STOOK_NONE && timeout_ms <= (int64_t)1 << 53;
}

int stook__validate_control(const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return 1;
    return 0;
}

/* tchar of RFC 9110 5.6.2 */
static int is_token_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

size_t stook__validate_token(const char *text)
{
    size_t size = 0;
    while (is_token_char((unsigned char)text[size]))
        size++;
    return size;
}

int stook__validate_refuse(const char *why, const char **ret_why)
{
    *ret_why = why;
    return STOOK_EARG;
}
