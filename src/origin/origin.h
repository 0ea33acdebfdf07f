/* SPDX-License-Identifier: MIT */
/*
 * An origin: scheme, host and port (RFC 9110 4.3.1), and the Unix socket or address that a request
 * names instead. The client has one struct for each. The scheduler, the connect gate, the pools of
 * easy handles and the dump share it, and each keeps there, or finds by it, what it knows of the
 * origin.
 *
 * The key is the normal form, such as "https://example.com:443" (request/url.h). After it comes
 * " PATH" of a Unix socket or ">ADDRESS". A URL that names no origin has an empty key, and no
 * limit.
 *
 * An origin is counted by references. The scheduler holds one while it has a queue for the origin,
 * the engine one for each pool, and the table one for each of the origins that it remembers. All
 * belong to the loop's thread.
 */
#ifndef STOOK_ORIGIN_ORIGIN_H
#define STOOK_ORIGIN_ORIGIN_H

#include "origin/gate.h"
#include "util/map.h"

struct stook__origins {
    struct stook__allocator *allocator;
    struct stook__map map;         /* by `key` */
    struct stook__link remembered; /* origins of which something is remembered, the oldest first */
    size_t n_remembered;
};

/* What is remembered of an origin after its last use. */
struct stook__origin_memory {
    struct stook__link link; /* in `remembered` */
    int64_t broken_until;    /* until then it is no good as a mirror; 0: nothing is known */
    int64_t http1_until;     /* until then its downloads do without HTTP/2 */
    int64_t http2_lost_at;   /* when an HTTP/2 connection of a download was lost last */
    unsigned http2_losses;   /* how often in a row */
};

/* What the scheduler counts and keeps. Only sched/ changes it. */
struct stook__sched_origin {
    struct stook__link all;          /* in `origins` of the scheduler, while it holds the origin */
    struct stook__gate gate;         /* its limit, and its circuit */
    struct stook__target target;     /* of requests without a rate_key */
    struct stook__origin_flow *flow; /* what few clients need; NULL: nothing is known yet */
    struct stook__link queues;       /* those that have jobs, or are still in the table */
    size_t n_running, n_waiting;
    size_t n_queues; /* and targets; 0: it is kept for what is known of it */
};

struct stook__origin {
    struct stook__node node; /* in origins->map, by the key */
    struct stook__origins *origins;
    size_t refs;
    struct stook__sched_origin sched;
    struct stook__origin_memory memory;
    char text[]; /* what node.key points to */
};

void stook__origins_init(struct stook__origins *origins, struct stook__allocator *allocator);
/* Forgets what is remembered, and frees the table. No origin is left. */
void stook__origins_free(struct stook__origins *origins);

/* Returns the origin with that key, which is created if need be, and a reference to it. NULL:
   out of memory. */
struct stook__origin *stook__origin_get(struct stook__origins *origins, const char *key,
                                        size_t size);
/* Returns the origin with that key, without a reference. NULL: there is none. */
struct stook__origin *stook__origin_find(const struct stook__origins *origins, const char *key,
                                         size_t size);
/* Keeps an origin for the sake of its memory, until 256 others were remembered after it. */
void stook__origin_remember(struct stook__origin *origin);
struct stook__origin *stook__origin_ref(struct stook__origin *origin);
/* Gives a reference back, and frees the origin with the last one. */
void stook__origin_unref(struct stook__origin *origin);

#endif
