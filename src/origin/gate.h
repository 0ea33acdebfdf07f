/* SPDX-License-Identifier: MIT */
/*
 * Gates and targets: what the scheduler keeps with an origin. Plain data; sched/gate.h explains
 * it, and only sched/ changes it.
 */
#ifndef STOOK_ORIGIN_GATE_H
#define STOOK_ORIGIN_GATE_H

#include <stddef.h>
#include <stdint.h>

#include "util/list.h"
#include "util/timer_heap.h"

struct stook__origin;
struct stook__origin_flow;
struct stook__rate_key;

enum stook__gate_kind {
    STOOK__GATE_ORIGIN, /* the limit of an origin, and its circuit */
    STOOK__GATE_TARGET, /* the cool-down of a target */
    STOOK__GATE_BUCKET  /* a rate */
};

/* What may keep requests from starting. Queues that it refuses are parked at it. */
struct stook__gate {
    struct stook__link parked;  /* queues, in the order in which they are served */
    struct stook__link wake;    /* in `to_wake` of the scheduler: it may let a parked queue pass */
    struct stook__timer timer;  /* when it may let the first pass, if that is a matter of time */
    size_t n_reserved;          /* queues that it has let pass and that have started nothing yet */
    enum stook__gate_kind kind; /* and so what struct it is in */
};

static inline void stook__gate_init(struct stook__gate *gate, enum stook__gate_kind kind)
{
    stook__list_init(&gate->parked);
    stook__list_init(&gate->wake);
    gate->kind = kind;
}

/*
 * The state of a target. Only move_target() in sched/cooldown.c changes it.
 *
 *              429 or 503 that says when              the time is over
 *     OPEN ------------------------------> COOLING ----------------------> PROBING
 *      ^                                      ^                             |   |
 *      |                                      +--- 429 or 503 that says when+   |
 *      +------------------------- enough responses in a row that are none ------+
 */
enum stook__target_state {
    STOOK__TARGET_OPEN,    /* nothing is known against a start */
    STOOK__TARGET_COOLING, /* nothing starts until `cool_until` */
    STOOK__TARGET_PROBING /* one request starts; each good response lets one more start at a time */
};

/* An origin, or an origin and a rate_key: what a response with Retry-After speaks of. */
struct stook__target {
    struct stook__gate gate;
    struct stook__origin *origin;
    struct stook__rate_key *key; /* NULL: of requests without a rate_key */
    int64_t cool_until;          /* COOLING: when the first may start; after that, when it could */
    size_t n_probing;            /* running jobs that started while it was PROBING */
    size_t window;               /* PROBING: so many may be in flight */
    int status;                  /* of the response that began the cool-down */
    enum stook__target_state state;
};

#endif
