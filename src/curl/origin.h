/* SPDX-License-Identifier: MIT */
/*
 * What is known of one origin under one trust. Its key is the normal form that limits go by too
 * (request/url.h), "https://example.com:443", and behind it where else it is, if that was said:
 * " /socket" or ">192.0.2.1". Requests that may speak HTTP/2 and those that may not are two origins,
 * in multi handles apart: libcurl would have the one use the connections of the other. It holds the pooled
 * easy handles of that origin, knows which multi handles carry its requests, and owns its gate (connect_gate.h).
 */
#ifndef STOOK_CURL_ORIGIN_H
#define STOOK_CURL_ORIGIN_H

#include "curl/trust.h"
#include "util/map.h"
#include "util/timer_heap.h"

/*
 * What dns.c has put into libcurl's cache for an origin.
 *
 *   NONE --> ADDED --> FAILED --> ADDED      and from all to NONE when libcurl looks the name up
 */
enum stook__dns_entry {
    STOOK__DNS_NONE,   /* nothing is there: libcurl has looked the name up itself */
    STOOK__DNS_ADDED,  /* an address was added, and may still be there */
    STOOK__DNS_FAILED, /* it failed: the next start removes it */
};

struct stook__curl_origin {
    struct stook__node node;
    struct stook__engine *engine;
    struct stook__trust *trust;
    struct stook__link pool;   /* easy handles at rest, the hottest first */
    struct stook__link unused; /* among the engine's that nobody uses, the oldest first */
    unsigned short *load;      /* requests in flight, by multi handle, counted from its home */
    size_t n_load, in_flight;
    unsigned home;
    int tls, h2;   /* h2: may be agreed, 2: or HTTP/3 */
    int literal;   /* its host needs no look-up; follows from the key, and never changes */
    int protocol;  /* 0: not known yet, 11, 20 */
    int directory; /* its certificate needs the directory of authorities */

    /* connect_gate.c */
    struct stook__link gated;              /* easy handles that wait */
    struct stook__link ready;              /* among the engine's whose gate may be open now */
    struct stook__link waiting_for_dns;    /* easy handles for whom somebody looks the name up */
    struct stook__link waiting_for_lookup; /* among the engine's that want to look up a name */
    /* The easy handle that started first, or looks the name up, until it has connected or ended. */
    struct stook__easy *probe;
    struct stook__timer cap;
    int64_t free_until; /* nobody waits for a probe until then */
    size_t connecting;
    /* A look-up was refused because the client has too many. It is independent of the probe: an
       origin that grows cold meanwhile gets one at its gate. */
    int lookup_limited;

    /* dns.c */
    char found[STOOK__REMOTE_MAX]; /* an address that libcurl may have forgotten; "": none */
    int64_t found_at;
    enum stook__dns_entry dns_entry;
    char key[];
};

/* NULL: no memory. */
struct stook__curl_origin *stook__curl_origin_get(struct stook__trust *trust, const char *key,
                                                  size_t size, int h2);
/* A easy handle at rest, or NULL; by what its key's hash is. */
struct stook__easy *stook__curl_origin_pop(struct stook__trust *trust,
                                           const struct stook__node *key, int h2);
/* A easy handle to rest. The oldest of all goes if there are too many. */
void stook__curl_origin_push(struct stook__curl_origin *origin, struct stook__easy *easy);

/* The multi handle for one more request, now counted; NULL: no memory. *ret_nth is for stook__curl_origin_leave. */
struct stook__multi *stook__curl_origin_enter(struct stook__curl_origin *origin, unsigned *ret_nth);
void stook__curl_origin_leave(struct stook__curl_origin *origin, unsigned nth);
/* Slots hold on to their origin. */
void stook__curl_origin_ref(struct stook__curl_origin *origin);
void stook__curl_origin_unref(struct stook__curl_origin *origin);

/* All of a trust that nobody uses, with their easy handles at rest. */
void stook__curl_origins_free(struct stook__trust *trust);

#endif
