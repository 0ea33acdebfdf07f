/* SPDX-License-Identifier: MIT */
/*
 * Trust: how peers are verified and how we authenticate to them, that is the CA certificates, the
 * pinned key, the client certificate with its key and password, the proxy on the way with its user
 * name and password, whether cookies are on, and which addresses may be connected to. What was
 * established under one trust is never used under another: connections, TLS sessions, pooled easy
 * handles.
 *
 * libcurl compares only a part of this when it looks for a connection or a session, and it compares
 * pinned keys without regard to case. So each trust has its own CURLMs, CURLSH and origins.
 */
#ifndef STOOK_CURL_TRUST_H
#define STOOK_CURL_TRUST_H

#include <curl/curl.h>

#include "curl/origin.h"
#include "util/list.h"
#include "util/map.h"

struct stook__engine;
struct stook__multi;

struct stook__trust {
    struct stook__node node; /* in engine->trusts */
    struct stook__engine *engine;
    struct stook__link unused; /* in engine->unused_trusts */
    size_t n_users;            /* origins with a request, and holders of a reference */
    struct stook__way way;
    /* DNS entries and TLS sessions; with cookies that of cookies.h. No locks: there is one
       thread. */
    CURLSH *share;
    int has_cookies;
    int64_t pruned_at;            /* when libcurl last dropped its expired DNS entries */
    struct stook__multi **multis; /* NULL where none was needed yet */
    size_t n_multis;
    /* By what may be negotiated: 0: HTTP/1.1, 1: HTTP/2, 2: HTTP/3; 3: those that only connect */
    struct stook__map origins[4];
    char key[];
};

/* Returns the trust with this key, which is created if need be. The key contains all of the above
   and may be secret; `way` and `has_cookies` follow from it. Returns NULL if there is no memory. */
struct stook__trust *stook__trust_get(struct stook__engine *engine, const char *key, size_t size,
                                      const struct stook__way *way, int has_cookies);
/* Takes or drops a reference. A trust without references stays for later requests; the longest
   unused one is destroyed if there are more than 64. Must not be called from inside a callback of
   libcurl. */
void stook__trust_ref(struct stook__trust *trust);
void stook__trust_unref(struct stook__trust *trust);
/* Returns a multi handle, which is created if need be; NULL if there is no memory. */
struct stook__multi *stook__trust_multi(struct stook__trust *trust, size_t index);
/* Destroys all trusts with their pooled easy handles, origins and multi handles. */
void stook__trusts_free(struct stook__engine *engine);

#endif
