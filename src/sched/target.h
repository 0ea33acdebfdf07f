/* SPDX-License-Identifier: MIT */
/*
 * Targets: an origin, or an origin and a rate_key. Requests without a rate_key have the target in
 * their origin. This file keeps the tables of the others and of rate_keys, and holds origins.
 *
 * What is known of an origin, a target or a key outlives its last queue while it matters: a bucket
 * that is not full, a cool-down, an open circuit, a budget in use. Limits that were found and
 * response times are kept for the 256 origins that were used last. With each new queue, two of each
 * kind that are kept are looked at, and freed if nothing is left to know.
 */
#ifndef STOOK_SCHED_TARGET_H
#define STOOK_SCHED_TARGET_H

#include "origin/origin.h"
#include "sched/adaptive.h"
#include "sched/circuit.h"
#include "sched/gate.h"
#include "sched/latency.h"
#include "sched/retry.h"
#include "sched/state.h"

/* What the rules of a client need to know of an origin. */
struct stook__origin_flow {
    struct stook__circuit circuit;
    struct stook__retry_budget budget;
    struct stook__latency latency;       /* from the start of an attempt to its first byte */
    struct stook__adaptive *adaptive;    /* sets the limit; NULL: the program does */
    int hedge_credit;                    /* each request brings 1, and a hedge costs 20: 5 % */
    struct stook__rate_bucket buckets[]; /* of the rates by origin */
};

struct stook__rate_key {
    struct stook__node node; /* in `keys` of the scheduler */
    struct stook__link kept; /* in `kept_keys`, without targets */
    size_t n_targets;
    struct stook__rate_bucket *buckets; /* of the rates by key */
    char text[];
};

struct stook__keyed_target_key {
    struct stook__origin *origin;
    struct stook__rate_key *key;
};

struct stook__keyed_target {
    struct stook__target target;
    struct stook__node node; /* in `targets` of the scheduler */
    struct stook__keyed_target_key key;
    struct stook__link kept; /* in `kept_targets`, without queues */
    size_t n_queues;
};

/* Sets the rules, before the first job is added. `rules->rates` must live as long as the scheduler.
   `seed`: of the jitter. 0 or STOOK_ENOMEM. */
int stook__targets_set_rules(struct stook__sched *sched, const struct stook__flow_rules *rules,
                             uint64_t seed);
/* Returns the target of an origin and a rate_key, NULL for none, and holds it: it stays until it is
   released as often. NULL: out of memory. */
struct stook__target *stook__target_hold(struct stook__sched *sched, struct stook__origin *origin,
                                         const char *rate_key);
void stook__target_release(struct stook__sched *sched, struct stook__target *target);
/* Returns that target without holding it. NULL: there is none. */
struct stook__target *stook__target_find(const struct stook__sched *sched,
                                         struct stook__origin *origin, const char *rate_key);
/* Returns the rate_key whose buckets requests with that one, or NULL, share. NULL: none. */
struct stook__rate_key *stook__target_find_key(const struct stook__sched *sched,
                                               const char *rate_key);
/* Returns what is known of an origin, made if need be. NULL: out of memory. */
struct stook__origin_flow *stook__target_flow(struct stook__sched *sched,
                                              struct stook__origin *origin);
/* Lets the limits of origins find themselves no more. */
void stook__targets_fix_limits(struct stook__sched *sched);
/* Frees what is kept. There is no queue. */
void stook__targets_free(struct stook__sched *sched);

#endif
