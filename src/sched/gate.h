/* SPDX-License-Identifier: MIT */
/*
 * Gates: what may keep a queue from starting a job, beside the limits of its group and its client.
 *
 *     gate of an origin    it runs as many as its limit allows, or its circuit is open
 *     gate of a target     it cools down (sched/cooldown.h)
 *     gate of a bucket     its rate is used up (sched/rate.h)
 *
 * A queue passes all gates of its target, or it is parked at one that refuses it: at the bucket
 * that refuses longest, if several do. A gate wakes the first queue that is parked there when it
 * may let it pass: it reserves a pass, and the queue returns to its group. There all gates are
 * asked again. A queue that was woken waits neither behind those that are parked elsewhere nor for
 * passes of others, so two gates never send queues to each other without end; a queue that was not,
 * waits behind them. One that finds its own gate closed again is the first there.
 *
 * No start and no finish walks over jobs that cannot start: each looks at the gates of one target,
 * at most 18, and the timers of gates are in a heap.
 */
#ifndef STOOK_SCHED_GATE_H
#define STOOK_SCHED_GATE_H

#include "origin/origin.h"
#include "sched/rate.h"
#include "sched/state.h"

/* A bucket of one rate, of an origin, a client or a rate_key. */
struct stook__rate_bucket {
    struct stook__gate gate;
    const struct stook__rate *rate;
    struct stook__bucket level;
    int wanted; /* of late, requests have waited for it without a break */
};

/* The time of a gate that only another job can open. */
#define STOOK__GATE_NEVER INT64_MAX

/* Whether a gate of its target matters for a job at all: a bucket does not, if the job takes
   nothing of it. Such a job does not wait behind those that do either. */
int stook__gate_concerns(const struct stook__gate *gate, const struct stook__job *job);
/* Returns when the gate lets the job pass, as far as time alone decides; at most `now`: it does
   now. `reserved`: a gate has reserved a pass for the queue of the job, so passes of others do not
   count. */
int64_t stook__gate_opens_at(const struct stook__sched *sched, const struct stook__gate *gate,
                             const struct stook__job *job, int reserved);
/* Notes that the gate may let more pass than before, or at another time: something was finished,
   given back or changed. */
void stook__gate_wake(struct stook__sched *sched, struct stook__gate *gate);
/* Notes that it is `now`, and all gates whose time has come. */
void stook__gates_tick(struct stook__sched *sched, int64_t now);
/* Returns the gate that refuses a job, the first of its queue or the head of its group; NULL: it
   may start. */
struct stook__gate *stook__gate_refusing(struct stook__sched *sched, const struct stook__job *job);

/* What an attempt of a job takes of a bucket. */
int64_t stook__job_cost(const struct stook__job *job, const struct stook__rate *rate);
/* Takes it from all buckets of the job's target. `woken_by`: the gate that had reserved a pass for
   its queue, or NULL. */
void stook__gates_take(struct stook__sched *sched, const struct stook__job *job,
                       const struct stook__gate *woken_by);
/* Gives back to the buckets of a target what was taken at `at` and not used. */
void stook__gates_give_back(struct stook__sched *sched, const struct stook__target *target,
                            int64_t cost, int64_t requests, int64_t at);
/* Takes more of the buckets of cost, as if it had been taken at `at`. A negative cost is given
   back. */
void stook__gates_charge(struct stook__sched *sched, const struct stook__target *target,
                         int64_t cost, int64_t at);
/* Returns until when the buckets of a waiting job refuse it; 0: they do not. *ret_rate, unless it
   is NULL: that of the bucket that refuses longest. */
int64_t stook__gates_rate_until(struct stook__sched *sched, const struct stook__job *job,
                                const struct stook__rate **ret_rate);

/* The limit of an origin; SIZE_MAX: none. */
size_t stook__gate_origin_limit(const struct stook__sched *sched,
                                const struct stook__origin *origin);

#endif
