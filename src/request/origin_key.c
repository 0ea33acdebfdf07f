/* SPDX-License-Identifier: MIT */
/* The normal form of a URL's origin; see origin_key.h. No judge of URLs: that is url.c. */
#include "request/origin_key.h"

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

int stook__origin_key_ends(const char *rest)
{
    return *rest == '\0' || *rest == '/' || *rest == '?' || *rest == '#';
}

/* How long the scheme is; 0: it is neither. */
static size_t scheme_of(const char *url, int *ret_tls)
{
    *ret_tls = has_prefix(url, "https://");
    return *ret_tls ? 8 : has_prefix(url, "http://") ? 7 : 0;
}

/* Where the port's digits begin in a key so far; NULL: there is no colon for them. */
static char *port_of(char *key, size_t scheme, size_t size)
{
    char *host = key + scheme;
    char *bracket = memchr(host, ']', size - scheme); /* colons before it are of an address */
    if (bracket != NULL)
        host = bracket;
    char *colon = memchr(host, ':', (size_t)(key + size - host));
    return colon != NULL ? colon + 1 : NULL;
}

size_t stook__origin_key(const char *url, char key[STOOK__ORIGIN_KEY_MAX], size_t *ret_size)
{
    int tls;
    size_t scheme = scheme_of(url, &tls), size = scheme + strcspn(url + scheme, "/?#");
    *ret_size = 0;
    if (scheme == 0 || size == scheme || size > STOOK__ORIGIN_KEY_MAX - PORT_ROOM)
        return 0;
    *ret_size = size;
    for (size_t i = 0; i < size; i++)
        key[i] = lower(url[i]);
    char *port = port_of(key, scheme, size);
    if (port == NULL)
        key[size++] = ':';
    if (port == NULL || port == key + size) {
        memcpy(key + size, tls ? "443" : "80", tls ? 3 : 2);
        return size + (tls ? 3 : 2);
    }
    size_t zeros = 0, digits = (size_t)(key + size - port);
    while (zeros + 1 < digits && port[zeros] == '0')
        zeros++;
    memmove(port, port + zeros, digits - zeros);
    return size - zeros;
}
