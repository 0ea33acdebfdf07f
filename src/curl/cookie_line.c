/* SPDX-License-Identifier: MIT */
/*
 * Lines of a cookie file; see cookie_line.h. libcurl takes them with fewer checks than Set-Cookie:
 * a domain may be a public suffix, so that its cookie is sent to other domains; a control byte may
 * be in a value, up to 8.22; empty fields are skipped, up to 8.11.
 */
#include "curl/cookie_line.h"

#include <string.h>
#include <strings.h>

#define HTTP_ONLY "#HttpOnly_"

enum {
    DOMAIN_MAX = 253,     /* RFC 1035 2.3.4 */
    PAIR_MAX = 4096,      /* bytes of name and value; RFC 6265 6.1 and libcurl's own limit */
    PATH_MAX_BYTES = 1024 /* RFC 6265bis 5.6: longer attributes are ignored */
};

/* 1: `size` digits, at least one, that fit. libcurl writes any 64 bits that a server chooses. */
static int read_number(const char *text, size_t size, int64_t *ret_number)
{
    int64_t number = 0;
    if (size == 0)
        return 0;
    for (size_t i = 0; i < size; i++) {
        int digit = text[i] - '0';
        if (digit < 0 || digit > 9 || number > (INT64_MAX - digit) / 10)
            return 0;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return 1;
}

int stook__cookie_line_split(const char *line, size_t size, struct stook__cookie_line *ret_line)
{
    const char *end = line + size;
    if (size >= sizeof HTTP_ONLY - 1 && memcmp(line, HTTP_ONLY, sizeof HTTP_ONLY - 1) == 0)
        line += sizeof HTTP_ONLY - 1;
    if (line < end && *line == '.')
        line++;
    for (int i = 0; i < STOOK__COOKIE_FIELDS; i++) {
        const char *tab = memchr(line, '\t', (size_t)(end - line));
        if ((tab == NULL) != (i == STOOK__COOKIE_VALUE))
            return 0;
        ret_line->at[i] = line;
        ret_line->size[i] = (size_t)((tab != NULL ? tab : end) - line);
        line = tab != NULL ? tab + 1 : end;
    }
    return read_number(ret_line->at[STOOK__COOKIE_EXPIRES], ret_line->size[STOOK__COOKIE_EXPIRES],
                       &ret_line->expires);
}

int stook__cookie_line_is(const struct stook__cookie_line *line, enum stook__cookie_field field,
                          const char *text)
{
    return line->size[field] == strlen(text) &&
           strncasecmp(line->at[field], text, line->size[field]) == 0;
}

static int is_boolean(const struct stook__cookie_line *line, enum stook__cookie_field field)
{
    return stook__cookie_line_is(line, field, "TRUE") ||
           stook__cookie_line_is(line, field, "FALSE");
}

/* 1: no control byte, and none of the bytes in `others`. */
static int is_clean(const struct stook__cookie_line *line, enum stook__cookie_field field,
                    const char *others)
{
    for (size_t i = 0; i < line->size[field]; i++) {
        unsigned char c = (unsigned char)line->at[field][i];
        if (c < 0x20 || c == 0x7f || strchr(others, c) != NULL)
            return 0;
    }
    return 1;
}

/* 1: a name in ASCII, or an IP address. */
static int is_host(const char *text, size_t size)
{
    if (size == 0 || size > DOMAIN_MAX || text[0] == '.' || text[size - 1] == '.')
        return 0;
    for (size_t i = 0; i < size; i++) {
        int letter = (text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z';
        int digit = text[i] >= '0' && text[i] <= '9';
        if (!letter && !digit && memchr("-._:", text[i], 4) == NULL)
            return 0;
        if (text[i] == '.' && text[i - 1] == '.')
            return 0;
    }
    return 1;
}

/* 1: cookies may be for all of its subdomains: it is no address, and no top-level domain. The last
   label of a name has a letter (WHATWG URL 3.5: "ends in a number"). */
static int has_subdomains(const char *text, size_t size)
{
    const char *dot = memrchr(text, '.', size);
    if (dot == NULL || memchr(text, ':', size) != NULL)
        return 0;
    return dot[1] < '0' || dot[1] > '9';
}

static int has_prefix(const struct stook__cookie_line *line, const char *prefix)
{
    size_t size = strlen(prefix);
    return line->size[STOOK__COOKIE_NAME] >= size &&
           strncasecmp(line->at[STOOK__COOKIE_NAME], prefix, size) == 0;
}

/* The prefixes of RFC 6265bis 4.1.3. */
static int keeps_prefix(const struct stook__cookie_line *line)
{
    int secure = stook__cookie_line_is(line, STOOK__COOKIE_SECURE, "TRUE");
    if (has_prefix(line, "__Host-"))
        return secure && stook__cookie_line_is(line, STOOK__COOKIE_SUBDOMAINS, "FALSE") &&
               stook__cookie_line_is(line, STOOK__COOKIE_PATH, "/");
    return secure || !has_prefix(line, "__Secure-");
}

int stook__cookie_line_is_valid(const struct stook__cookie_line *line)
{
    const char *domain = line->at[STOOK__COOKIE_DOMAIN], *path = line->at[STOOK__COOKIE_PATH];
    size_t domain_size = line->size[STOOK__COOKIE_DOMAIN];
    size_t path_size = line->size[STOOK__COOKIE_PATH];
    if (!is_host(domain, domain_size) || !is_boolean(line, STOOK__COOKIE_SUBDOMAINS) ||
        !is_boolean(line, STOOK__COOKIE_SECURE))
        return 0;
    if (stook__cookie_line_is(line, STOOK__COOKIE_SUBDOMAINS, "TRUE") &&
        !has_subdomains(domain, domain_size))
        return 0;
    if (path_size == 0 || path_size > PATH_MAX_BYTES || path[0] != '/' ||
        !is_clean(line, STOOK__COOKIE_PATH, ";"))
        return 0;
    if (line->size[STOOK__COOKIE_NAME] == 0 || !is_clean(line, STOOK__COOKIE_NAME, "=;") ||
        !is_clean(line, STOOK__COOKIE_VALUE, ";") ||
        line->size[STOOK__COOKIE_NAME] + line->size[STOOK__COOKIE_VALUE] > PAIR_MAX)
        return 0;
    return keeps_prefix(line);
}
