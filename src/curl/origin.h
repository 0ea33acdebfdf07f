/* SPDX-License-Identifier: MIT */
/*
 * What the engine knows of one origin under one trust: its pool of easy handles, which of its multi
 * handles carry how many requests, and its connect gate (connect_gate.h).
 *
 * Its key is that of the shared origin (origin/origin.h). Requests that may negotiate HTTP/2 and
 * requests that may not belong to two origins, with separate multi handles, because libcurl would
 * let one kind use the connections of the other.
 */
#ifndef STOOK_CURL_ORIGIN_H
#define STOOK_CURL_ORIGIN_H

#include <stddef.h>
#include <stdint.h>

#include "origin/origin.h"
#include "util/list.h"
#include "util/map.h"
#include "util/metadata.h"
#include "util/timer_heap.h"

struct stook__easy;
struct stook__engine;

/* The table of origins whose handles only connect. */
enum { STOOK__CURL_DIRECT = 3 };

/* The way of a trust to its peers, as far as the engine has to know it. */
struct stook__way {
    int public_only; /* addresses are judged by address_filter.c */
    int proxied;
    int is_name; /* the proxy's host is looked up */
    int tls;     /* the proxy speaks TLS */
};

/*
 * What quirks/dropped_lookups.c has put into libcurl's cache for an origin.
 *
 *   NONE --> ADDED --> FAILED --> ADDED      and from all to NONE when libcurl looks the name up
 */
enum stook__dns_entry {
    STOOK__DNS_ENTRY_NONE,   /* nothing is there: libcurl has looked the name up itself */
    STOOK__DNS_ENTRY_ADDED,  /* an address was added, and may still be there */
    STOOK__DNS_ENTRY_FAILED, /* it failed: the next start removes it */
};

struct stook__curl_origin {
    struct stook__node node;      /* in `table`, by the key of `shared` */
    struct stook__map *table;     /* of its trust, for what may be negotiated */
    struct stook__origin *shared; /* with what the scheduler knows of it; a reference */
    struct stook__engine *engine;
    struct stook__link pool;   /* pooled easy handles, the last used first */
    struct stook__link unused; /* in engine->unused, if no request is in flight */
    unsigned short *load;      /* requests in flight per multi handle, from `home` on */
    size_t n_load, in_flight;
    unsigned home; /* index of its first multi handle */
    int tls;       /* the socket carries TLS, to the origin or to the proxy */
    int proxied;   /* a proxy is on the way: its name is looked up, with socks5 the host's too */
    int h2;        /* what may be negotiated: 0: HTTP/1.1, 1: HTTP/2, 2: HTTP/3 */
    int direct;    /* its handles only connect, and keep their connections (direct.c) */
    int literal;   /* nothing needs a look-up; follows from key and trust, and never changes */
    int protocol;  /* 0: not known yet, 11: HTTP/1.1, 20: HTTP/2 */
    int directory; /* its certificate needs libcurl's default directory of CA certificates */

    /* connect_gate.c */
    struct stook__link gated;              /* easy handles that wait at the gate */
    struct stook__link ready;              /* in engine->ready: the gate may be open now */
    struct stook__link waiting_for_dns;    /* easy handles that wait for another handle's look-up */
    struct stook__link waiting_for_lookup; /* in engine->waiting_for_lookup */
    /* The easy handle that started first, or looks the name up, until it has connected or ended. */
    struct stook__easy *probe;
    struct stook__timer cap; /* when the others stop waiting for the probe */
    int64_t free_until;      /* nobody waits for a probe until then */
    size_t connecting;       /* easy handles without a connection */
    /* A look-up was refused because the client has too many. It is independent of the probe: an
       origin that grows cold meanwhile gets one at its gate. */
    int lookup_limited;

    /* quirks/dropped_lookups.c */
    char found[STOOK__REMOTE_MAX]; /* an address that libcurl may have dropped; "": none */
    int64_t found_at;
    enum stook__dns_entry dns_entry;
};

/* Returns what the engine knows of the origin under one trust, which is created if need be; NULL if
   there is no memory. `tables` are the tables of the trust, and `kind` is the number of one:
   STOOK__CURL_DIRECT, or what may be negotiated. `way` is the trust's. */
struct stook__curl_origin *stook__curl_origin_get(struct stook__engine *engine,
                                                  struct stook__map *tables,
                                                  const struct stook__way *way,
                                                  struct stook__origin *shared, int kind);
/* Returns what is known; NULL: nothing. */
struct stook__curl_origin *stook__curl_origin_find(struct stook__map *tables,
                                                   const struct stook__origin *shared, int kind);
/* Takes the last used easy handle from the pool of the origin. Returns NULL if there is none.
   Connections that are too old are given up. */
struct stook__easy *stook__curl_origin_pop(struct stook__map *tables,
                                           const struct stook__origin *shared, int kind,
                                           int64_t now);
/* Puts an easy handle into the pool. The longest unused handle of all origins is destroyed if there
   are too many. */
void stook__curl_origin_push(struct stook__curl_origin *origin, struct stook__easy *easy);

/* Takes an easy handle out of its pool and frees it; one with a connection is put into
   engine->dead instead, because it is in a CURLM. */
void stook__curl_origin_drop(struct stook__easy *easy);

/* Chooses the multi handle for one more request and counts the request there, which
   stook__curl_origin_leave ends with the same index. Returns the number of that multi handle in the
   trust; SIZE_MAX if there is no memory. */
size_t stook__curl_origin_enter(struct stook__curl_origin *origin, unsigned *ret_index);
void stook__curl_origin_leave(struct stook__curl_origin *origin, unsigned index);
/* Takes or drops a reference. Every easy handle that is not pooled has one. Returns 1 if it is the
   first, or was the last: the caller does the same with the trust then. */
int stook__curl_origin_ref(struct stook__curl_origin *origin);
int stook__curl_origin_unref(struct stook__curl_origin *origin);

/* Destroys all origins of a table with their pooled easy handles, and the table. */
void stook__curl_origins_free(struct stook__engine *engine, struct stook__map *table);

#endif
