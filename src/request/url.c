/* SPDX-License-Identifier: MIT */
/* Which URLs may be requested, and the key of their origin; see url.h. RFC 3986, and RFC 9110 4.2
   for http and https. */
#include "request/url.h"

#include <string.h>
#include <strings.h>

#include <curl/curl.h>
#include <stook.h>

enum { URL_MAX = 65536, NAME_MAX_BYTES = 253, LABEL_MAX = 63, PORT_ROOM = 8 };

/* ------------------------------------------------------------------- origin key */

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

/* Bytes of "http://" or "https://"; 0: the URL begins with neither. */
static size_t scheme_size(const char *url, int *ret_tls)
{
    *ret_tls = has_prefix(url, "https://");
    return *ret_tls ? 8 : has_prefix(url, "http://") ? 7 : 0;
}

/* Returns the first digit of the port in a key, or NULL if there is no colon before a port. */
static char *find_port(char *key, size_t scheme, size_t size)
{
    char *host = key + scheme;
    char *bracket =
        memchr(host, ']', size - scheme); /* the colons before it belong to an IPv6 address */
    if (bracket != NULL)
        host = bracket;
    char *colon = memchr(host, ':', (size_t)(key + size - host));
    return colon != NULL ? colon + 1 : NULL;
}

size_t stook__origin_key(const char *url, char key[STOOK__ORIGIN_KEY_MAX], size_t *ret_size)
{
    int tls;
    size_t scheme = scheme_size(url, &tls), size = scheme + strcspn(url + scheme, "/?#");
    *ret_size = 0;
    if (scheme == 0 || size == scheme || size > STOOK__ORIGIN_KEY_MAX - PORT_ROOM ||
        memchr(url + scheme, '@', size - scheme) != NULL)
        return 0;
    *ret_size = size;
    for (size_t i = 0; i < size; i++)
        key[i] = lower(url[i]);
    char *port = find_port(key, scheme, size);
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

/* ------------------------------------------------------------------- validation */

static int refuse(int error, const char *why, const char **ret_why)
{
    *ret_why = why;
    return error;
}

/* libcurl encodes, strips or guesses at these bytes. Where two parsers differ, a filter that uses
   one of them can be passed. */
static int validate_bytes(const char *text, const char **ret_why)
{
    if (strlen(text) > URL_MAX)
        return refuse(STOOK_EURL, "it is longer than 65536 bytes", ret_why);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c < 0x20 || *c == 0x7f)
            return refuse(STOOK_EURL, "it contains a control byte", ret_why);
        if (*c == ' ')
            return refuse(STOOK_EURL, "it contains a space; write %20", ret_why);
        if (*c == '\\')
            return refuse(STOOK_EURL, "it contains a backslash; write / or %5C", ret_why);
    }
    return 0;
}

static int is_scheme_char(unsigned char c, int first)
{
    int alpha = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    return alpha || (!first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
}

static int validate_scheme(const char *text, const char **ret_why, char *scheme)
{
    size_t length = 0;
    while (is_scheme_char((unsigned char)text[length], length == 0))
        length++;
    if (text[0] == '\0')
        return refuse(STOOK_EURL, "it is empty", ret_why);
    if (length == 0 || strncmp(text + length, "://", 3) != 0) {
        /* In "mailto:x" a scheme stands before the colon, in "example.com:80" a host: one text for
           both. */
        return refuse(STOOK_EURL, "it has no scheme; it must start with http:// or https://",
                      ret_why);
    }
    int http = (length == 4 && strncasecmp(text, "http", 4) == 0) ||
               (length == 5 && strncasecmp(text, "https", 5) == 0);
    if (!http) {
        size_t shown = length < STOOK__SCHEME_MAX - 1 ? length : STOOK__SCHEME_MAX - 1;
        memcpy(scheme, text, shown);
        scheme[shown] = '\0';
        return refuse(STOOK_EPOLICY, "only http and https are allowed", ret_why);
    }
    const char *host = text + length + 3;
    if (*host == '\0' || *host == '/' || *host == '?' || *host == '#')
        return refuse(STOOK_EURL, "it has no host", ret_why);
    return 0;
}

static int has_part(CURLU *url, CURLUPart part)
{
    char *value = NULL;
    int there = curl_url_get(url, part, &value, 0) == CURLUE_OK;
    curl_free(value);
    return there;
}

static int port_is_zero(CURLU *url)
{
    char *port = NULL;
    int zero = curl_url_get(url, CURLUPART_PORT, &port, 0) == CURLUE_OK &&
               strspn(port, "0") == strlen(port);
    curl_free(port);
    return zero;
}

/* Checks a host name by the limits of RFC 1035 2.3.4. A resolver refuses longer names, but libcurl
   resolves any name that ends in ".localhost" itself. Names in other scripts are checked once they
   are encoded. */
static const char *validate_name(const char *name)
{
    size_t size = strlen(name), label = 0;
    if (name[0] == '[')
        return NULL;
    if (size > 1 && name[size - 1] == '.')
        size--;
    if (size > NAME_MAX_BYTES)
        return "its host is longer than 253 bytes";
    for (size_t i = 0; i <= size; i++) {
        if ((unsigned char)name[i] >= 0x80)
            return NULL;
        if (i < size && name[i] != '.') {
            label++;
            continue;
        }
        if (label == 0 || label > LABEL_MAX)
            return label == 0 ? "its host has an empty label"
                              : "its host has a label of more than 63 bytes";
        label = 0;
    }
    return NULL;
}

int stook__url_is_ascii(const char *text)
{
    while (*text != '\0' && (unsigned char)*text < 0x80)
        text++;
    return *text == '\0';
}

/* 1: the encoded name has a label that needs another script ("xn--"). A name that maps to ASCII
   alone is an address, a slash or another spelling of an ASCII name, which a filter would not
   recognise. */
static int is_encoded_name(const char *name)
{
    static const char ascii[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return name[strspn(name, ascii)] == '\0' &&
           (strncasecmp(name, "xn--", 4) == 0 || strcasestr(name, ".xn--") != NULL);
}

/* Checks a name in another script in the form in which it is looked up (RFC 5891). If libcurl was
   built without IDN support, its lookup fails and reports that. */
static const char *validate_encoded(CURLU *url)
{
    char *name = NULL;
    CURLUcode code = curl_url_get(url, CURLUPART_HOST, &name, CURLU_PUNYCODE);
    const char *why = code == CURLUE_OK          ? validate_name(name)
                      : code == CURLUE_LACKS_IDN ? NULL
                                                 : "its host is not valid";
    if (code == CURLUE_OK && why == NULL && !is_encoded_name(name))
        why = "its host is an ASCII name in other letters; write it in ASCII";
    curl_free(name);
    return why;
}

static int validate_host(CURLU *url, const char *text, const char **ret_why)
{
    char key[STOOK__ORIGIN_KEY_MAX], *host = NULL;
    const char *written = strstr(text, "://") + 3;
    size_t size;
    /* libcurl decodes the host, so one host would have many names, and "%303" would be an address.
       The zone of an IPv6 address is the exception: it follows "%25". */
    if (written[0] != '[' && memchr(written, '%', strcspn(written, "/?#")) != NULL)
        return refuse(STOOK_EURL, "its host is %-encoded; write it without %", ret_why);
    CURLUcode code = curl_url_get(url, CURLUPART_HOST, &host, 0);
    if (code == CURLUE_OUT_OF_MEMORY)
        return refuse(STOOK_ENOMEM, "out of memory", ret_why);
    const char *why = code == CURLUE_OK ? validate_name(host) : "its host is not valid";
    if (why == NULL && !stook__url_is_ascii(host))
        why = validate_encoded(url);
    curl_free(host);
    if (why == NULL && stook__origin_key(text, key, &size) == 0)
        why = "its host and port are longer than 285 bytes";
    return why != NULL ? refuse(STOOK_EURL, why, ret_why) : 0;
}

static const char *why_of(CURLUcode code)
{
    switch (code) {
    case CURLUE_BAD_PORT_NUMBER:
        return "its port is not a number from 1 to 65535";
    case CURLUE_BAD_IPV6:
        return "its IPv6 address is not valid";
    case CURLUE_BAD_HOSTNAME:
    case CURLUE_NO_HOST:
        return "its host is not valid";
    default:
        return "it cannot be parsed";
    }
}

/* Longer ones are left to the parser, which refuses URLs of more than URL_MAX bytes. */
enum { PLAIN_PATH_MAX = 512, PLAIN_MAX = 8192 };

/* 1: libcurl does not change this byte in a path or in a query; '.' is decided by its place. */
static const unsigned char plain[256] = {
    ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1,  ['7'] = 1,
    ['8'] = 1, ['9'] = 1, ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1,  ['F'] = 1,
    ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1, ['K'] = 1, ['L'] = 1, ['M'] = 1,  ['N'] = 1,
    ['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1,  ['V'] = 1,
    ['W'] = 1, ['X'] = 1, ['Y'] = 1, ['Z'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1,  ['d'] = 1,
    ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1,  ['l'] = 1,
    ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1,  ['t'] = 1,
    ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1, ['-'] = 1,  ['_'] = 1,
    ['~'] = 1, ['/'] = 1, ['='] = 1, ['&'] = 1, ['+'] = 1, [':'] = 1, [','] = 1,  [';'] = 1,
    ['@'] = 1, ['!'] = 1, ['$'] = 1, ['('] = 1, [')'] = 1, ['*'] = 1, ['\''] = 1,
};

/* Returns the end of the plain bytes. */
static const unsigned char *skip_plain(const unsigned char *c)
{
    while (plain[*c])
        c++;
    return c;
}

int stook__url_is_plain(const char *rest)
{
    const unsigned char *begin = (const unsigned char *)rest, *c = begin;
    if (*c != '/')
        return 0;
    /* "/." may begin a dot segment. */
    while (*(c = skip_plain(c)) == '.')
        if (*(c++ - 1) == '/')
            return 0;
    if (c - begin >= PLAIN_PATH_MAX)
        return 0;
    if (*c == '?') {
        const unsigned char *query = ++c;
        while (*(c = skip_plain(c)) == '.')
            c++;
        if (c == query)
            return 0;
    }
    return *c == '\0' && c - begin <= PLAIN_MAX;
}

int stook__url_set_path(CURLU *url, const char *rest)
{
    char path[PLAIN_PATH_MAX];
    size_t size = strcspn(rest, "?");
    memcpy(path, rest, size);
    path[size] = '\0';
    return curl_url_set(url, CURLUPART_PATH, path, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_QUERY, rest[size] == '?' ? rest + size + 1 : NULL, 0) ==
               CURLUE_OK;
}

int stook__url_parse(CURLU *url, const char *text, const char **ret_why,
                     char scheme[STOOK__SCHEME_MAX])
{
    scheme[0] = '\0';
    int error = validate_bytes(text, ret_why);
    if (error == 0)
        error = validate_scheme(text, ret_why, scheme);
    if (error != 0)
        return error;
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_URLENCODE);
    if (code == CURLUE_OUT_OF_MEMORY)
        return refuse(STOOK_ENOMEM, "out of memory", ret_why);
    if (code != CURLUE_OK)
        return refuse(STOOK_EURL, why_of(code), ret_why);
    if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
        return refuse(STOOK_EPOLICY, "a user name or password in a URL is not allowed", ret_why);
    if (port_is_zero(url))
        return refuse(STOOK_EURL, "its port is not a number from 1 to 65535", ret_why);
    return validate_host(url, text, ret_why);
}
