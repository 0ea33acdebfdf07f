/* SPDX-License-Identifier: MIT */
/*
 * The peer of a request, where it is not what the URL and libcurl's defaults say: the proxy and the
 * address to connect to, authorities, certificates, credentials. Called by easy_options.c, and
 * after a failure in TLS by error_map.c.
 */
#include "http/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curl/trust.h"
#include "origin/origin.h"
#include "request/proxy.h"
#include "request/resolve.h"

/* ---------------------------------------------------------------------------- address */

static const char *unix_socket(const struct stook__attempt *attempt)
{
    return attempt->spec->optional != NULL ? attempt->spec->optional->unix_socket : NULL;
}

const char *stook__peer_proxy(const struct stook__attempt *attempt)
{
    const struct stook__peer *peer = attempt->settings->peer;
    const struct stook__node *origin = &attempt->origin->node;
    const char *proxy = peer != NULL ? peer->proxies[stook__attempt_is_https(attempt)] : NULL;
    if (proxy == NULL || *proxy == '\0' || unix_socket(attempt) != NULL ||
        stook__proxy_is_bypassed(peer->no_proxy, origin->key, origin->key_size))
        return NULL;
    return proxy;
}

/* Looks up the host and port of the URL in `resolve`. Returns 1 if they are there. */
static int find_address(const struct stook__attempt *attempt, CURLU *url,
                        struct stook__resolve *ret_address)
{
    const struct stook__peer *peer = attempt->settings->peer;
    char *host = NULL, *port = NULL;
    int found = 0;
    if (peer == NULL || peer->resolve == NULL || unix_socket(attempt) != NULL)
        return 0;
    if (curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        size_t size = strlen(host);
        char *name = host;
        if (name[0] == '[' && name[size - 1] == ']') {
            name[size - 1] = '\0';
            name++;
        }
        found = stook__resolve_find(peer->resolve, name, (int)strtol(port, NULL, 10), ret_address);
    }
    curl_free(host);
    curl_free(port);
    return found;
}

/* Requests with an address of their own share a connect gate by origin and address. A Unix socket
   is already part of the origin's key. */
int stook__peer_join(struct stook__attempt *attempt, int h2, int may_pool)
{
    struct stook__origin *origin = attempt->origin;
    struct stook__resolve address;
    if (may_pool || !find_address(attempt, stook__easy_settings(attempt->easy)->url, &address))
        return stook__easy_join(attempt->easy, origin, h2, may_pool);
    char *key = stook__format(attempt->allocator, "%.*s>%s", (int)origin->node.key_size,
                              origin->node.key, address.address);
    if (key == NULL)
        return STOOK_ENOMEM;
    struct stook__origin *there = stook__origin_get(origin->origins, key, strlen(key));
    stook__free(attempt->allocator, key);
    if (there == NULL)
        return STOOK_ENOMEM;
    int error = stook__easy_join(attempt->easy, there, h2, may_pool);
    stook__origin_unref(there);
    return error;
}

/* -------------------------------------------------------------------- trust, certificates */

/* The key of a trust has every byte of what libcurl is given, because libcurl compares some of it
   without regard to case, and some not at all, before it reuses a connection. */
struct stook__trust *stook__peer_make_trust(const struct stook__defaults *defaults,
                                            const struct stook__settings *settings,
                                            const char *proxy, int ipv6_behind_proxy)
{
    static const struct stook__peer nothing;
    const struct stook__peer *peer = settings->peer != NULL ? settings->peer : &nothing;
    int has_cookies = settings->cookies == 1, public_only = settings->public_only == 1;
    const char *const texts[] = {settings->ca_file,
                                 peer->ca_data,
                                 peer->client_cert,
                                 peer->client_key,
                                 peer->key_password,
                                 peer->pinned_key,
                                 proxy,
                                 has_cookies ? "" : NULL,
                                 public_only ? "" : NULL,
                                 ipv6_behind_proxy ? "" : NULL};
    struct stook__way way = {.proxied = proxy != NULL, .public_only = public_only};
    if (proxy != NULL) {
        way.is_name = !stook__proxy_is_literal(proxy);
        way.tls = stook__proxy_kind(proxy) == STOOK__PROXY_HTTPS;
    }
    struct stook__buffer key = {0};
    struct stook__trust *trust = NULL;
    int error = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && error == 0; i++) {
        error = stook__buffer_append(&key, defaults->allocator, texts[i] != NULL ? "+" : "-", 1);
        if (error == 0 && texts[i] != NULL)
            error = stook__buffer_append(&key, defaults->allocator, texts[i], strlen(texts[i]) + 1);
    }
    if (error == 0)
        trust = stook__trust_get(defaults->engine, key.data, key.size, &way, has_cookies);
    stook__buffer_free(&key, defaults->allocator);
    return trust;
}

int stook__peer_is_relayed(const struct stook__attempt *attempt)
{
    return attempt->proxy != NULL && stook__proxy_kind(attempt->proxy) <= STOOK__PROXY_HTTPS &&
           !stook__attempt_is_https(attempt);
}

/* A connection to an HTTP proxy serves several http origins. Up to 8.14 libcurl writes the Host
   field of an IPv6 address without its brackets if the connection was made for a name, and that of
   a name in brackets if it was made for an IPv6 address. So these addresses have connections
   apart. */
static int is_ipv6_behind_proxy(const struct stook__attempt *attempt)
{
    return stook__peer_is_relayed(attempt) && attempt->origin->node.key_size > 8 &&
           attempt->origin->node.key[7] == '[';
}

struct stook__trust *stook__peer_trust(const struct stook__attempt *attempt)
{
    const struct stook__defaults *defaults = attempt->defaults;
    const struct stook__settings *settings = attempt->settings, *own = defaults->settings;
    int ipv6 = is_ipv6_behind_proxy(attempt);
    if (!ipv6 && settings->peer == own->peer && settings->ca_file == own->ca_file &&
        settings->cookies == own->cookies && settings->public_only == own->public_only)
        return defaults->trusts[attempt->proxy == NULL ? 0 : 1 + stook__attempt_is_https(attempt)];
    return stook__peer_make_trust(defaults, settings, attempt->proxy, ipv6);
}

int stook__peer_connect_to(const struct stook__attempt *attempt, CURLU *url,
                           char text[STOOK__CONNECT_TO_MAX])
{
    struct stook__resolve address;
    if (!find_address(attempt, url, &address))
        return 0;
    snprintf(text, STOOK__CONNECT_TO_MAX,
             address.is_ipv6 ? "::[%.*s]:" : "::%.*s:", (int)address.address_size, address.address);
    return 1;
}

/* Not CURLOPT_RESOLVE, which writes to the DNS cache that all requests share. */
static void set_address(struct stook__attempt *attempt)
{
    struct stook__easy_settings *state = stook__easy_settings(attempt->easy);
    char text[STOOK__CONNECT_TO_MAX];
    if (!stook__peer_connect_to(attempt, state->url, text))
        return;
    state->connect_to = curl_slist_append(NULL, text);
    if (state->connect_to == NULL)
        stook__easy_note(attempt->easy, CURLE_OUT_OF_MEMORY, "CURLOPT_CONNECT_TO");
    else
        stook__easy_set(attempt->easy, CURLOPT_CONNECT_TO, state->connect_to);
}

static void set_certificates(struct stook__attempt *attempt)
{
    struct stook__easy *easy = attempt->easy;
    const struct stook__peer *peer = attempt->settings->peer;
    if (peer->ca_data != NULL) {
        /* The client's data outlives its handles; that of a request may not. */
        unsigned flags =
            peer == attempt->defaults->settings->peer ? CURL_BLOB_NOCOPY : CURL_BLOB_COPY;
        struct curl_blob blob = {(void *)peer->ca_data, strlen(peer->ca_data), flags};
        stook__easy_set(easy, CURLOPT_CAINFO_BLOB, &blob);
    }
    if (peer->client_cert != NULL) {
        const char *password =
            peer->key_password != NULL ? peer->key_password : attempt->defaults->no_password;
        stook__easy_set(easy, CURLOPT_SSLCERT, peer->client_cert);
        if (password != NULL)
            stook__easy_set(easy, CURLOPT_KEYPASSWD, password);
    }
    if (peer->client_key != NULL)
        stook__easy_set(easy, CURLOPT_SSLKEY, peer->client_key);
    if (peer->pinned_key != NULL)
        stook__easy_set(easy, CURLOPT_PINNEDPUBLICKEY, peer->pinned_key);
}

/* Authorities of the settings are those of an https proxy too. An empty CURLOPT_NOPROXY and,
   without a proxy, an empty CURLOPT_PROXY: else libcurl would read the environment. */
static void set_proxy(struct stook__attempt *attempt)
{
    struct stook__easy *easy = attempt->easy;
    const struct stook__settings *settings = attempt->settings;
    if (attempt->proxy == NULL) {
        stook__easy_switch_off(easy, CURLOPT_PROXY, "");
        stook__easy_switch_off(easy, CURLOPT_NOPROXY, "*");
        return;
    }
    stook__easy_set(easy, CURLOPT_PROXY, attempt->proxy);
    stook__easy_set(easy, CURLOPT_NOPROXY, "");
    /* For HTTP, Basic is libcurl's default; on_easy may have set another scheme. */
    if (attempt->defaults->call_easy == NULL)
        stook__easy_set(easy, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
    /* The fields of the request are for its origin: a CONNECT has none of them, and the response to
       it is not the request's. */
    stook__easy_set(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    stook__easy_set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (stook__proxy_kind(attempt->proxy) != STOOK__PROXY_HTTPS)
        return;
    stook__easy_set(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (settings->ca_file != NULL)
        stook__easy_set(easy, CURLOPT_PROXY_CAINFO, settings->ca_file);
    if (settings->peer->ca_data != NULL) {
        struct curl_blob blob = {(void *)settings->peer->ca_data, strlen(settings->peer->ca_data),
                                 CURL_BLOB_COPY};
        stook__easy_set(easy, CURLOPT_PROXY_CAINFO_BLOB, &blob);
    }
    if (stook__peer_own_authorities(settings))
        stook__easy_switch_off(easy, CURLOPT_PROXY_CAPATH, NULL);
}

void stook__peer_set(struct stook__attempt *attempt)
{
    struct stook__easy *easy = attempt->easy;
    set_proxy(attempt);
    const struct stook__optional *optional = attempt->spec->optional;
    if (unix_socket(attempt) != NULL)
        stook__easy_set(easy, CURLOPT_UNIX_SOCKET_PATH, unix_socket(attempt));
    if (optional != NULL && optional->username != NULL) {
        stook__easy_set(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_DIGEST);
        stook__easy_set(easy, CURLOPT_USERNAME, optional->username);
        if (optional->password != NULL)
            stook__easy_set(easy, CURLOPT_PASSWORD, optional->password);
    }
    if (attempt->settings->peer != NULL)
        set_certificates(attempt);
    set_address(attempt);
}

/* ------------------------------------------------------ files that could not be used */

/*
 * libcurl reads files of certificates and keys when it connects. It reports most failures as a bad
 * certificate, and does not always name the file. So the files are checked after a failure, which
 * costs nothing as long as all is well.
 */
enum { CHECKED_BYTES = 65536 }; /* a larger file passes, because only its beginning is read */

/* Returns 1 if the file has no "-----BEGIN", which every PEM file has (RFC 7468 2). */
static int has_no_pem(int fd)
{
    static const char mark[] = "-----BEGIN ";
    char bytes[CHECKED_BYTES];
    size_t size = 0;
    ssize_t got;
    while (size < sizeof bytes && (got = read(fd, bytes + size, sizeof bytes - size)) > 0)
        size += (size_t)got;
    for (size_t i = 0; i + sizeof mark - 1 <= size; i++)
        if (memcmp(bytes + i, mark, sizeof mark - 1) == 0)
            return 0;
    return size < sizeof bytes;
}

/* Returns why a file cannot be used; NULL: it seems fine, or there are no descriptors to open
   it. */
static const char *fault_of(const char *path, int is_pem, int *ret_os_error)
{
    struct stat stat;
    /* O_NONBLOCK: the file may be a pipe without a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int os_error = fd < 0 || fstat(fd, &stat) != 0 ? errno : S_ISDIR(stat.st_mode) ? EISDIR : 0;
    int wrong = os_error == 0 && is_pem && S_ISREG(stat.st_mode) && has_no_pem(fd);
    if (fd >= 0)
        close(fd);
    if (os_error == EMFILE || os_error == ENFILE)
        return NULL;
    *ret_os_error = os_error;
    return os_error != 0 ? strerror(os_error) : wrong ? "it is not PEM" : NULL;
}

char *stook__peer_file_fault(struct stook__attempt *attempt, CURLcode code)
{
    static const struct stook__peer nothing;
    const struct stook__settings *settings = attempt->settings;
    const struct stook__peer *peer = settings->peer != NULL ? settings->peer : &nothing;
    int own = stook__peer_own_authorities(settings);
    char *file = NULL;
    if (!own)
        curl_easy_getinfo(stook__easy_curl(attempt->easy), CURLINFO_CAINFO, &file);
    const char *pin = peer->pinned_key;
    const struct {
        const char *member, *path;
        int is_pem;
    } files[] = {
        {own ? "ca_file" : "libcurl's file of authorities", own ? settings->ca_file : file, 1},
        {"client_cert", peer->client_cert, 1},
        {"client_key", peer->client_key, 1},
        {"pinned_key", pin != NULL && strncmp(pin, "sha256//", 8) != 0 ? pin : NULL, 0}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int os_error = 0;
        const char *why =
            files[i].path != NULL ? fault_of(files[i].path, files[i].is_pem, &os_error) : NULL;
        if (why == NULL && i == 0 && files[i].path != NULL && code == CURLE_SSL_CACERT_BADFILE)
            why = "no certificate in it can be read";
        if (why == NULL)
            continue;
        attempt->answer.os_error = (int16_t)os_error;
        return stook__format(attempt->allocator, "%s %s: %s", files[i].member, files[i].path, why);
    }
    return NULL;
}
