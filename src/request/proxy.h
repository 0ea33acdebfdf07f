/* SPDX-License-Identifier: MIT */
/*
 * Proxies: which one leads to an origin, and whether the text that names it is valid. The URL of a
 * proxy is given to libcurl as it is, with its user name and password.
 *
 * Whether `no_proxy` names a host is decided here, by curl's rules, and not by libcurl: the trust,
 * the connect gate and the errors of a request depend on it before libcurl has begun. And so the
 * rules are the same with every version: CURLOPT_NOPROXY has known CIDR since 7.86, and separates
 * names at blanks up to 8.8 only.
 */
#ifndef STOOK_REQUEST_PROXY_H
#define STOOK_REQUEST_PROXY_H

#include <stddef.h>

#include "request/settings.h"

enum stook__proxy_kind {
    STOOK__PROXY_HTTP,    /* CONNECT for https, the absolute form for http (RFC 9110 9.3.6) */
    STOOK__PROXY_HTTPS,   /* the same over TLS */
    STOOK__PROXY_SOCKS5,  /* RFC 1928; the name of the origin is looked up here */
    STOOK__PROXY_SOCKS5H, /* the same; the proxy looks it up */
    STOOK__PROXY_UNKNOWN  /* of another scheme */
};

/* The kind of a proxy, by the scheme of its URL. Without a scheme it is HTTP. */
enum stook__proxy_kind stook__proxy_kind(const char *url);

/* Checks the URL of a proxy, which may be NULL or "". `guess`: 1: it need not have a scheme, as in
   the environment. 0, or STOOK_EARG with *ret_why set to a static string. */
int stook__proxy_validate(const char *url, int guess, const char **ret_why);

/* 0, or STOOK_EARG with *ret_why set to a static string. NULL is valid. */
int stook__no_proxy_validate(const char *no_proxy, const char **ret_why);

/* 1: the host of the proxy is an address, so that it needs no look-up. */
int stook__proxy_is_literal(const char *url);

/* 1: `no_proxy` names the host of the origin with this key. */
int stook__proxy_is_bypassed(const char *no_proxy, const char *key, size_t key_size);

/* Reads the proxies of the environment: http_proxy in lower case alone, because a CGI program gets
   HTTP_PROXY from its client; https_proxy, all_proxy and no_proxy in both cases, the lower case
   first. Sets the members of `peer` that are NULL. The texts belong to the environment.
   Returns 1 if the proxies are those of the environment. */
int stook__proxy_from_env(struct stook__peer *peer);

/* Writes the URL of a proxy with REDACTED in place of its password; if that does not fit, only
   "REDACTED". */
void stook__proxy_redact(const char *url, char *text, size_t size);

/* Bytes of a proxy's URL that are accepted, with the NUL. */
enum { STOOK__PROXY_MAX = 4096 };

#endif
