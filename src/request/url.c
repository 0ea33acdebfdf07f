/* SPDX-License-Identifier: MIT */
/* What is a URL that may be fetched; see url.h. RFC 3986, and RFC 9110 4.2 for http and https. */
#include "request/url.h"

#include <string.h>
#include <strings.h>

#include <stook.h>

#include "request/origin_key.h"

enum { URL_MAX = 65536, SCHEME_SIZE = 16, NAME_MAX_BYTES = 253, LABEL_MAX = 63 };

static int refuse(int error, const char *why, const char **ret_why)
{
    *ret_why = why;
    return error;
}

/* libcurl encodes, strips or guesses at these; two parsers that differ are how filters are passed. */
static int check_bytes(const char *text, const char **ret_why)
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
    int message = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    return message || (!first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
}

static int check_scheme(const char *text, const char **ret_why, char *scheme)
{
    size_t length = 0;
    while (is_scheme_char((unsigned char)text[length], length == 0))
        length++;
    if (text[0] == '\0')
        return refuse(STOOK_EURL, "it is empty", ret_why);
    if (length == 0 || strncmp(text + length, "://", 3) != 0) {
        /* "mailto:x" has a scheme, "example.com:80" only looks as if. */
        return refuse(STOOK_EURL, "it has no scheme; it must start with http:// or https://",
                      ret_why);
    }
    int http = (length == 4 && strncasecmp(text, "http", 4) == 0) ||
               (length == 5 && strncasecmp(text, "https", 5) == 0);
    if (!http) {
        size_t shown = length < SCHEME_SIZE - 1 ? length : SCHEME_SIZE - 1;
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

/* A name as RFC 1035 2.3.4 has it. No resolver would find another; but what ends in ".localhost" libcurl
   finds by itself, whatever is before it. Of names in other scripts the labels are counted when they are encoded. */
static const char *judge_name(const char *name)
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

/* Whether it is a name that another script was needed for. What is mapped to ASCII alone is an address, a slash or
   a name that is written otherwise, and filters see something else in it. */
static int is_encoded_name(const char *name)
{
    static const char defaults[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return name[strspn(name, defaults)] == '\0' &&
           (strncasecmp(name, "xn--", 4) == 0 || strcasestr(name, ".xn--") != NULL);
}

/* A name in another script, as it is looked up (RFC 5891). A libcurl that cannot encode it tells by its look-up. */
static const char *judge_encoded(CURLU *url)
{
    char *name = NULL;
    CURLUcode code = curl_url_get(url, CURLUPART_HOST, &name, CURLU_PUNYCODE);
    const char *why = code == CURLUE_OK          ? judge_name(name)
                      : code == CURLUE_LACKS_IDN ? NULL
                                                 : "its host is not valid";
    if (code == CURLUE_OK && why == NULL && !is_encoded_name(name))
        why = "its host is another one in other letters; write it as it is";
    curl_free(name);
    return why;
}

static int check_host(CURLU *url, const char *text, const char **ret_why)
{
    char key[STOOK__ORIGIN_KEY_MAX], *host = NULL;
    const char *written = strstr(text, "://") + 3;
    size_t size;
    /* libcurl decodes it, so that one host has many names and "%303" is an address; but a zone stands behind its "%25". */
    if (written[0] != '[' && memchr(written, '%', strcspn(written, "/?#")) != NULL)
        return refuse(STOOK_EURL, "its host is %-encoded; write it as it is", ret_why);
    CURLUcode code = curl_url_get(url, CURLUPART_HOST, &host, 0);
    if (code == CURLUE_OUT_OF_MEMORY)
        return refuse(STOOK_ENOMEM, "out of memory", ret_why);
    const char *why = code == CURLUE_OK ? judge_name(host) : "its host is not valid";
    if (why == NULL && !stook__url_is_ascii(host))
        why = judge_encoded(url);
    curl_free(host);
    if (why == NULL && stook__origin_key(text, key, &size) == 0)
        why = "its host and port are written in more than 285 bytes";
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

size_t stook__url_origin(const char *text)
{
    const char *host = strstr(text, "://");
    return host != NULL ? (size_t)(host + 3 - text) + strcspn(host + 3, "/?#") : 0;
}

/* Bytes that libcurl leaves as they are, in a path and in a query. */
static int is_plain(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c != '\0' && strchr("-_~/=&+:,;@!$()*'", c) != NULL);
}

int stook__url_move(CURLU *url, const char *rest)
{
    char path[512];
    size_t size = 0, dots = 0;
    while (is_plain((unsigned char)rest[size]) || rest[size] == '.')
        /* "/." may be a step that has to be taken, RFC 3986 5.2.4. */
        if (rest[size++] == '.' && (size < 2 || rest[size - 2] == '/'))
            dots++;
    if (rest[0] != '/' || dots > 0 || size >= sizeof path)
        return 0;
    const char *query = NULL;
    if (rest[size] == '?') {
        query = rest + size + 1;
        size_t query_size = 0;
        while (is_plain((unsigned char)query[query_size]) || query[query_size] == '.')
            query_size++;
        if (query_size == 0 || query[query_size] != '\0')
            return 0;
    } else if (rest[size] != '\0') {
        return 0;
    }
    memcpy(path, rest, size);
    path[size] = '\0';
    return curl_url_set(url, CURLUPART_PATH, path, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_QUERY, query, 0) == CURLUE_OK;
}

int stook__url_parse(CURLU *url, const char *text, const char **ret_why, char *scheme)
{
    scheme[0] = '\0';
    int error = check_bytes(text, ret_why);
    if (error == 0)
        error = check_scheme(text, ret_why, scheme);
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
    return check_host(url, text, ret_why);
}
