/* SPDX-License-Identifier: MIT */
/*
 * What is known of one origin under one trust. Its key is the normal form that limits go by too
 * (transfer/site.h), "https://example.com:443", and behind it where else it is, if that was said:
 * " /socket" or ">192.0.2.1". Requests that may speak HTTP/2 and those that may not are two origins,
 * in lanes apart: libcurl would have the one use the connections of the other. It holds the pooled
 * slots of that origin, knows which lanes carry its requests, and owns its gate (gate.h).
 */
#ifndef STOOK_ENGINE_ORIGIN_H
#define STOOK_ENGINE_ORIGIN_H

#include "base/clock.h"
#include "base/map.h"
#include "engine/trust.h"

struct stook__origin {
    struct stook__node node;
    struct stook__engine *engine;
    struct stook__trust *trust;
    struct stook__link pool;   /* slots at rest, the hottest first */
    struct stook__link unused; /* among the engine's that nobody uses, the oldest first */
    unsigned short *load;      /* requests in flight, by lane, counted from its home */
    size_t n_load, in_flight;
    unsigned home;
    int tls, h2, literal; /* h2: may be agreed, 2: or HTTP/3; literal: no name to be looked up */
    int protocol;     /* 0: not known yet, 11, 20 */
    int directory;    /* its certificate needs the directory of authorities */

    /* gate.c */
    struct stook__link gated;  /* slots that wait */
    struct stook__link ready;  /* among the engine's whose gate may be open now */
    struct stook__link nameless; /* slots for whom somebody looks the name up */
    struct stook__link thirsty; /* among the engine's that want to look up a name */
    struct stook__slot *leader; /* the one that went first, until it is connected or gone */
    struct stook__timer cap;
    int64_t free_until; /* nobody waits for a leader until then */
    size_t connecting;
    int dry; /* its name is to be looked up, when one more may be */

    /* names.c */
    char found[STOOK__REMOTE_MAX]; /* an address that libcurl may have forgotten; "": none */
    int64_t found_at;
    int told, doubted; /* libcurl knows that address alone; and is to forget it */
    char key[];
};

/* NULL: no memory. */
struct stook__origin *stook__origin_get(struct stook__trust *trust, const char *key, size_t size, int h2);
/* A slot at rest, or NULL; by what its key's hash is. */
struct stook__slot *stook__origin_pop(struct stook__trust *trust, const struct stook__node *key, int h2);
/* A slot to rest. The oldest of all goes if there are too many. */
void stook__origin_push(struct stook__origin *origin, struct stook__slot *slot);

/* The lane for one more request, now counted; NULL: no memory. *ret_nth is for stook__origin_leave. */
struct stook__lane *stook__origin_enter(struct stook__origin *origin, unsigned *ret_nth);
void stook__origin_leave(struct stook__origin *origin, unsigned nth);
/* Slots hold on to their origin. */
void stook__origin_hold(struct stook__origin *origin);
void stook__origin_let_go(struct stook__origin *origin);

/* All of a trust that nobody uses, with their slots at rest. */
void stook__origins_free(struct stook__trust *trust);

#endif
