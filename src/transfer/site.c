/* SPDX-License-Identifier: MIT */
/* The origin of a URL as limits know it; see site.h. No judge of URLs: that is url.c. */
#include "transfer/site.h"

#include <string.h>

enum { PORT_ROOM = 8 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static int has_prefix(const char *text, const char *prefix)
{
    while (*prefix != '\0' && lower(*text) == *prefix)
        text++, prefix++;
    return *prefix == '\0';
}

int stook__site_ends(const char *rest)
{
    return *rest == '\0' || *rest == '/' || *rest == '?' || *rest == '#';
}

size_t stook__site_of(const char *url, char key[STOOK__SITE_MAX], size_t *ret_size)
{
    *ret_size = 0;
    int tls = has_prefix(url, "https://");
    if (!tls && !has_prefix(url, "http://"))
        return 0;
    size_t size = 0, scheme = tls ? 8 : 7, digits = 0;
    int port = 0; /* a colon was seen behind the name; one inside brackets is part of an address */
    for (; size < scheme || !stook__site_ends(url + size); size++) {
        if (size >= STOOK__SITE_MAX - PORT_ROOM)
            return 0;
        char c = key[size] = lower(url[size]);
        if (c == ']' || (c == ':' && size >= scheme))
            port = c == ':', digits = 0;
        else
            digits++;
    }
    if (size == scheme)
        return 0;
    *ret_size = size;
    if (!port)
        key[size++] = ':';
    if (!port || digits == 0) {
        memcpy(key + size, tls ? "443" : "80", tls ? 3 : 2);
        size += tls ? 3 : 2;
    }
    return size;
}
