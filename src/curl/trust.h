/* SPDX-License-Identifier: MIT */
/*
 * Trust: by which authorities and pin a peer is known, and by which certificate we are known to it. What was
 * made under one trust is never used under another: connections, TLS sessions and easy handles at rest.
 * libcurl compares only a part of it when it looks for a connection or a session, and pins without regard
 * to case; so each trust has CURLMs and a CURLSH of its own, and origins, which know what is at rest.
 */
#ifndef STOOK_CURL_TRUST_H
#define STOOK_CURL_TRUST_H

#include "curl/multi.h"
#include "util/map.h"

struct stook__trust {
    struct stook__node node; /* among the engine's */
    struct stook__engine *engine;
    struct stook__link unused; /* among the engine's that nobody uses, the oldest first */
    size_t n_users;            /* origins with a request in flight, and who holds it */
    CURLSH *share; /* names and TLS sessions of all its multi handles. One thread, so no locks */
    struct stook__multi **multis; /* made when first needed */
    size_t n_multis;
    struct stook__map
        origins[3]; /* [1]: those whose connections may speak HTTP/2; [2]: or HTTP/3 */
    char key[];
};

/* The trust of these bytes, which say all of it and may be secret; made if need be. NULL: no memory. */
struct stook__trust *stook__trust_get(struct stook__engine *engine, const char *key, size_t size);
/* While somebody uses it, it stays. The oldest that nobody uses goes if there are too many: not from
   inside a libcurl callback. */
void stook__trust_ref(struct stook__trust *trust);
void stook__trust_unref(struct stook__trust *trust);
/* Made if need be; NULL: no memory. */
struct stook__multi *stook__trust_multi(struct stook__trust *trust, size_t index);

/* At the end: all of them, with their easy handles at rest, origins and multi handles. */
void stook__trusts_free(struct stook__engine *engine);

#endif
