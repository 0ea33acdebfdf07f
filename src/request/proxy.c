/* SPDX-License-Identifier: MIT */
/* Proxies of a client's or a request's options, and of the environment; see proxy.h. */
#include "request/proxy.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "request/validate.h"
#include "util/cidr.h"

enum { NO_PROXY_MAX = 65536 };

/* ------------------------------------------------------------------------------- the URL */

static const char *after_scheme(const char *url)
{
    const char *end = strstr(url, "://");
    return end != NULL ? end + 3 : url;
}

enum stook__proxy_kind stook__proxy_kind(const char *url)
{
    static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};
    if (after_scheme(url) == url)
        return STOOK__PROXY_HTTP;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
            return (enum stook__proxy_kind)i;
    return STOOK__PROXY_UNKNOWN;
}

/* Where host and port begin, behind a user name and a password. */
static const char *host_of(const char *url)
{
    const char *authority = after_scheme(url);
    const char *at = strrchr(authority, '@');
    return at != NULL ? at + 1 : authority;
}

static int has_odd_byte(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f || *text == '\\')
            return 1;
    return 0;
}

/* The value of a hexadecimal digit; -1: it is none. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/*
 * User name and password, %-encoded. A byte that ends an authority would make libcurl see another
 * host than we do, and a control byte, which it decodes, would make it use no proxy at all without
 * a word (up to 8.14).
 */
static int are_credentials(const char *text, const char *end)
{
    for (; text < end; text++) {
        if (strchr("/?#@", *text) != NULL)
            return 0;
        if (*text != '%')
            continue;
        int high = hex_digit(text[1]), low = high >= 0 ? hex_digit(text[2]) : -1;
        if (low < 0 || high * 16 + low < 0x20)
            return 0;
        text += 2;
    }
    return 1;
}

/* A host, a port, and at most a "/" behind them. libcurl would take more, and ignore it. */
static int is_host_and_port(const char *host)
{
    size_t size = strcspn(host, "/?#%");
    return size > 0 && *host != ':' && (host[size] == '\0' || strcmp(host + size, "/") == 0);
}

/* libcurl's parser decides about host and port. It knows no "socks5", and would take a path of it
   for a host. */
static int parses(const char *url)
{
    char text[STOOK__PROXY_MAX + 8]; /* the length is checked */
    CURLU *parsed = curl_url();
    if (parsed == NULL)
        return 1; /* libcurl checks it once more when it connects */
    snprintf(text, sizeof text, "http://%s", host_of(url));
    int valid = curl_url_set(parsed, CURLUPART_URL, text, 0) == CURLUE_OK;
    curl_url_cleanup(parsed);
    return valid;
}

int stook__proxy_validate(const char *url, int guess, const char **ret_why)
{
    const char *why = NULL;
    if (url == NULL || *url == '\0')
        return 0;
    if (strlen(url) >= STOOK__PROXY_MAX)
        why = STOOK__ARG("proxy is longer than 4095 bytes");
    else if (has_odd_byte(url))
        why = STOOK__ARG("proxy contains a blank, a backslash, a control byte or one that is not "
                         "ASCII");
    else if (stook__proxy_kind(url) == STOOK__PROXY_UNKNOWN || (!guess && after_scheme(url) == url))
        why = STOOK__ARG("proxy does not begin with http://, https://, socks5:// or socks5h://");
    else if (host_of(url) > after_scheme(url) &&
             !are_credentials(after_scheme(url), host_of(url) - 1))
        why = STOOK__ARG("proxy has a user name or password with /, ?, #, @ or a control byte, "
                         "or that is not %-encoded");
    else if (!is_host_and_port(host_of(url)) || !parses(url))
        why = STOOK__ARG("proxy is not a scheme, maybe a user name and a password, a host and a "
                         "port");
    return why != NULL ? stook__validate_refuse(why, ret_why) : 0;
}

void stook__proxy_redact(const char *url, char *text, size_t size)
{
    const char *authority = after_scheme(url), *host = host_of(url);
    const char *colon = memchr(authority, ':', (size_t)(host - authority));
    int length = colon == NULL ? snprintf(text, size, "%s", url)
                               : snprintf(text, size, "%.*sREDACTED%s", (int)(colon + 1 - url), url,
                                          host - 1);
    if (length < 0 || (size_t)length >= size)
        snprintf(text, size, "REDACTED");
}

/* ------------------------------------------------------------------------------- addresses */

/* An IP address. `size` is 4 or 16, or 0: it is a name. */
struct address {
    unsigned char bytes[16];
    size_t size;
};

/* Reads a host, in brackets or not. libcurl takes "127.1" and "0x7f000001" for 127.0.0.1, and so
   does inet_aton(). */
static struct address read_address(const char *host, size_t size)
{
    struct address address = {.size = 0};
    struct in_addr in;
    char text[64];
    if (size > 1 && host[0] == '[' && host[size - 1] == ']') {
        host++;
        size -= 2;
    }
    if (size == 0 || size >= sizeof text)
        return address;
    memcpy(text, host, size);
    text[size] = '\0';
    if (inet_pton(AF_INET6, text, address.bytes) == 1) {
        address.size = 16;
    } else if (inet_aton(text, &in) != 0) {
        memcpy(address.bytes, &in, 4);
        address.size = 4;
    }
    return address;
}

/* The bytes of "host:port" before the port. */
static size_t host_size(const char *host, size_t size)
{
    const char *bracket = size > 0 && *host == '[' ? memchr(host, ']', size) : NULL;
    const char *from = bracket != NULL ? bracket : host;
    const char *colon = memchr(from, ':', size - (size_t)(from - host));
    return colon != NULL ? (size_t)(colon - host) : size;
}

int stook__proxy_is_literal(const char *url)
{
    const char *host = host_of(url);
    size_t size = host_size(host, strcspn(host, "/"));
    /* libcurl resolves localhost itself. */
    return read_address(host, size).size != 0 ||
           (size == 9 && strncasecmp(host, "localhost", size) == 0);
}

/* --------------------------------------------------------------------------------- no_proxy */

int stook__no_proxy_validate(const char *no_proxy, const char **ret_why)
{
    if (no_proxy == NULL)
        return 0;
    if (strlen(no_proxy) > NO_PROXY_MAX)
        return stook__validate_refuse(STOOK__ARG("no_proxy is longer than 64 KiB"), ret_why);
    for (const char *c = no_proxy; *c != '\0'; c++)
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
            return stook__validate_refuse(STOOK__ARG("no_proxy contains a control byte"), ret_why);
    return 0;
}

/* The number of bits of "/24"; -1: it is not a number up to `max`. */
static int read_bits(const char *text, size_t size, int max)
{
    int bits = 0;
    for (size_t i = 0; i < size && bits <= max; i++)
        bits = text[i] >= '0' && text[i] <= '9' ? bits * 10 + (text[i] - '0') : INT_MAX / 16;
    return size > 0 && bits <= max ? bits : -1;
}

/* An entry that is an address names only this one, or with "/BITS" a network. */
static int names_address(const char *entry, size_t size, const struct address *host)
{
    const char *slash = memchr(entry, '/', size);
    struct address network = read_address(entry, slash != NULL ? (size_t)(slash - entry) : size);
    int all = (int)host->size * 8, bits = all;
    if (network.size != host->size)
        return 0;
    if (slash != NULL)
        bits = read_bits(slash + 1, size - (size_t)(slash + 1 - entry), all);
    return bits >= 0 && stook__bits_equal(host->bytes, network.bytes, (unsigned)bits);
}

static size_t without_last_dot(const char *text, size_t size)
{
    return size > 0 && text[size - 1] == '.' ? size - 1 : size;
}

/* An entry that is a name names that host and all below it; a leading dot changes nothing. */
static int names_host(const char *entry, size_t size, const char *host, size_t length)
{
    if (size > 0 && *entry == '.')
        entry++, size--;
    size = without_last_dot(entry, size);
    if (size == 0 || size > length || strncasecmp(host + length - size, entry, size) != 0)
        return 0;
    return size == length || host[length - size - 1] == '.';
}

int stook__proxy_is_bypassed(const char *no_proxy, const char *key, size_t key_size)
{
    static const char separators[] = ", \t";
    const char *host = memchr(key, ':', key_size);
    if (no_proxy == NULL || host == NULL || key_size - (size_t)(host - key) < 4)
        return 0;
    if (strcmp(no_proxy, "*") == 0)
        return 1;
    host += 3;
    size_t length = host_size(host, key_size - (size_t)(host - key));
    struct address address = read_address(host, length);
    length = without_last_dot(host, length);
    for (const char *entry = no_proxy; *entry != '\0';) {
        size_t size = strcspn(entry, separators);
        if (address.size != 0 ? names_address(entry, size, &address)
                              : names_host(entry, size, host, length))
            return 1;
        entry += size + (entry[size] != '\0');
    }
    return 0;
}

/* ------------------------------------------------------------------------------ environment */

/* The first of these variables that is not empty, or NULL. */
static const char *variable(const char *lower, const char *upper)
{
    const char *value = getenv(lower);
    if ((value == NULL || *value == '\0') && upper != NULL)
        value = getenv(upper);
    return value != NULL && *value != '\0' ? value : NULL;
}

int stook__proxy_from_env(struct stook__peer *peer)
{
    const char *all = variable("all_proxy", "ALL_PROXY");
    const char *proxies[] = {variable("http_proxy", NULL), variable("https_proxy", "HTTPS_PROXY")};
    if (peer->no_proxy == NULL)
        peer->no_proxy = variable("no_proxy", "NO_PROXY");
    if (peer->proxies[0] != NULL || peer->proxies[1] != NULL)
        return 0;
    for (size_t i = 0; i < 2; i++)
        peer->proxies[i] = proxies[i] != NULL ? proxies[i] : all;
    return 1;
}
