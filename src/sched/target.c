/* SPDX-License-Identifier: MIT */
/* The tables of targets and rate_keys; see target.h. */
#include "sched/target.h"

#include <string.h>

enum { KEPT_MAX = 256, LOOKS = 2 };
static const int64_t OUTDATED_US = 300000000; /* the longest time that a circuit stays open */

/* ------------------------------------------------------------------------------------- buckets */

static void init_buckets(struct stook__rate_bucket *buckets, const struct stook__rate *rates,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        stook__gate_init(&buckets[i].gate, STOOK__GATE_BUCKET);
        buckets[i].rate = &rates[i];
    }
}

static int are_full(const struct stook__rate_bucket *buckets, size_t count, int64_t now)
{
    for (size_t i = 0; i < count; i++)
        if (!stook__bucket_is_full(&buckets[i].level, now))
            return 0;
    return 1;
}

int stook__targets_set_rules(struct stook__sched *sched, const struct stook__flow_rules *rules,
                             uint64_t seed)
{
    sched->rules = *rules;
    sched->random = seed;
    if (rules->n_by_client == 0)
        return 0;
    sched->buckets = stook__alloc(sched->allocator, rules->n_by_client * sizeof *sched->buckets);
    if (sched->buckets == NULL)
        return STOOK_ENOMEM;
    init_buckets(sched->buckets, rules->rates + rules->n_by_origin, rules->n_by_client);
    return 0;
}

/* ------------------------------------------------------------------------------------- origins */

struct stook__origin_flow *stook__target_flow(struct stook__sched *sched,
                                              struct stook__origin *origin)
{
    const struct stook__flow_rules *rules = &sched->rules;
    struct stook__origin_flow *flow = origin->sched.flow;
    if (flow != NULL)
        return flow;
    flow =
        stook__alloc(sched->allocator, sizeof *flow + rules->n_by_origin * sizeof flow->buckets[0]);
    if (flow == NULL)
        return NULL;
    if (rules->adaptive) {
        flow->adaptive = stook__alloc(sched->allocator, sizeof *flow->adaptive);
        if (flow->adaptive == NULL) {
            stook__free(sched->allocator, flow);
            return NULL;
        }
        stook__adaptive_init(flow->adaptive, stook__random(&sched->random));
    }
    init_buckets(flow->buckets, rules->rates, rules->n_by_origin);
    origin->sched.flow = flow;
    return flow;
}

static void free_flow(struct stook__sched *sched, struct stook__origin *origin)
{
    struct stook__origin_flow *flow = origin->sched.flow;
    if (flow == NULL)
        return;
    for (size_t i = 0; i < sched->rules.n_by_origin; i++)
        stook__list_remove(&flow->buckets[i].gate.wake);
    stook__free(sched->allocator, flow->adaptive);
    stook__free(sched->allocator, flow);
    origin->sched.flow = NULL;
}

static int target_is_idle(const struct stook__target *target, int64_t now)
{
    return target->state == STOOK__TARGET_OPEN || target->cool_until <= now;
}

/* Whether the circuit is closed, or was open so long ago that this tells nothing any more. */
static int circuit_is_idle(const struct stook__sched *sched, const struct stook__circuit *circuit)
{
    if (circuit->state == STOOK__CIRCUIT_CLOSED)
        return circuit->failures == 0 || sched->n_kept > KEPT_MAX;
    return circuit->until <= sched->now &&
           (sched->n_kept > KEPT_MAX || circuit->until + OUTDATED_US <= sched->now);
}

/* Whether nothing is known of an origin that matters for its next request. Of some things that
   never become old, those of the last KEPT_MAX origins matter. */
static int origin_is_idle(const struct stook__sched *sched, const struct stook__origin *origin)
{
    const struct stook__origin_flow *flow = origin->sched.flow;
    if (!target_is_idle(&origin->sched.target, sched->now))
        return 0;
    if (flow == NULL)
        return 1;
    return are_full(flow->buckets, sched->rules.n_by_origin, sched->now) &&
           circuit_is_idle(sched, &flow->circuit) &&
           stook__budget_is_idle(&flow->budget, sched->now) &&
           ((flow->adaptive == NULL && flow->latency.n_samples == 0) || sched->n_kept > KEPT_MAX);
}

/* Gives the last reference of the scheduler back. */
static void forget_origin(struct stook__sched *sched, struct stook__origin *origin)
{
    stook__list_remove(&origin->sched.all);
    stook__list_remove(&origin->sched.gate.wake);
    stook__list_remove(&origin->sched.target.gate.wake);
    origin->sched.target.state = STOOK__TARGET_OPEN;
    free_flow(sched, origin);
    stook__origin_unref(origin);
}

static int hold_origin(struct stook__sched *sched, struct stook__origin *origin)
{
    if (sched->rules.keeps_origins && stook__target_flow(sched, origin) == NULL)
        return STOOK_ENOMEM;
    if (origin->sched.n_queues++ > 0)
        return 0;
    if (stook__list_empty(&origin->sched.all))
        stook__origin_ref(origin);
    else
        sched->n_kept--;
    stook__list_remove(&origin->sched.all);
    stook__list_append(&sched->origins, &origin->sched.all);
    return 0;
}

static void release_origin(struct stook__sched *sched, struct stook__origin *origin)
{
    if (--origin->sched.n_queues > 0)
        return;
    if (origin_is_idle(sched, origin)) {
        forget_origin(sched, origin);
        return;
    }
    stook__list_remove(&origin->sched.all);
    stook__list_append(&sched->kept_origins, &origin->sched.all);
    sched->n_kept++;
}

/* ---------------------------------------------------------------------------------------- keys */

static struct stook__rate_key *make_key(struct stook__sched *sched, const char *text, size_t size,
                                        uint64_t hash)
{
    size_t n_buckets = sched->rules.n_by_key;
    struct stook__rate_key *key = stook__alloc(sched->allocator, sizeof *key + size + 1);
    if (key == NULL)
        return NULL;
    memcpy(key->text, text, size + 1);
    key->node = (struct stook__node){NULL, hash, key->text, size};
    stook__list_init(&key->kept);
    if (n_buckets > 0) {
        key->buckets = stook__alloc(sched->allocator, n_buckets * sizeof *key->buckets);
        if (key->buckets == NULL)
            goto fail;
        init_buckets(key->buckets,
                     sched->rules.rates + sched->rules.n_by_origin + sched->rules.n_by_client,
                     n_buckets);
    }
    if (stook__map_add(&sched->keys, sched->allocator, &key->node) == 0)
        return key;
fail:
    stook__free(sched->allocator, key->buckets);
    stook__free(sched->allocator, key);
    return NULL;
}

static struct stook__rate_key *find_key(const struct stook__sched *sched, const char *text,
                                        size_t size, uint64_t hash)
{
    struct stook__node *node = stook__map_find(&sched->keys, hash, text, size);
    return node != NULL ? STOOK__OF(struct stook__rate_key, node, node) : NULL;
}

static void forget_key(struct stook__sched *sched, struct stook__rate_key *key)
{
    stook__list_remove(&key->kept);
    for (size_t i = 0; i < sched->rules.n_by_key; i++)
        stook__list_remove(&key->buckets[i].gate.wake);
    stook__map_remove(&sched->keys, &key->node);
    stook__free(sched->allocator, key->buckets);
    stook__free(sched->allocator, key);
}

static void release_key(struct stook__sched *sched, struct stook__rate_key *key)
{
    if (--key->n_targets > 0)
        return;
    if (are_full(key->buckets, sched->rules.n_by_key, sched->now))
        forget_key(sched, key);
    else
        stook__list_append(&sched->kept_keys, &key->kept);
}

/* ------------------------------------------------------------------------------------- targets */

static struct stook__keyed_target *keyed(struct stook__target *target)
{
    return STOOK__OF(struct stook__keyed_target, target, target);
}

static struct stook__keyed_target *make_target(struct stook__sched *sched,
                                               struct stook__origin *origin,
                                               struct stook__rate_key *key)
{
    struct stook__keyed_target *keyed_target = stook__alloc(sched->allocator, sizeof *keyed_target);
    if (keyed_target == NULL)
        return NULL;
    stook__gate_init(&keyed_target->target.gate, STOOK__GATE_TARGET);
    keyed_target->target.origin = origin;
    keyed_target->target.key = key;
    keyed_target->key = (struct stook__keyed_target_key){origin, key};
    const char *bytes = (const char *)&keyed_target->key;
    keyed_target->node = (struct stook__node){
        NULL, stook__map_hash(bytes, sizeof keyed_target->key), bytes, sizeof keyed_target->key};
    stook__list_init(&keyed_target->kept);
    if (hold_origin(sched, origin) != 0)
        goto fail;
    if (stook__map_add(&sched->targets, sched->allocator, &keyed_target->node) != 0) {
        release_origin(sched, origin);
        goto fail;
    }
    stook__list_remove(&key->kept);
    key->n_targets++;
    return keyed_target;
fail:
    stook__free(sched->allocator, keyed_target);
    return NULL;
}

static void forget_target(struct stook__sched *sched, struct stook__keyed_target *keyed_target)
{
    struct stook__origin *origin = keyed_target->key.origin;
    struct stook__rate_key *key = keyed_target->key.key;
    stook__list_remove(&keyed_target->kept);
    stook__list_remove(&keyed_target->target.gate.wake);
    stook__map_remove(&sched->targets, &keyed_target->node);
    stook__free(sched->allocator, keyed_target);
    release_key(sched, key);
    release_origin(sched, origin);
}

/* Looks at a few of those that are kept. One that still matters goes to the end of its list. */
static void forget_idle(struct stook__sched *sched)
{
    struct stook__link *link;
    for (int i = 0; i < LOOKS && (link = stook__list_pop(&sched->kept_targets)) != NULL; i++) {
        struct stook__keyed_target *target = STOOK__OF(struct stook__keyed_target, kept, link);
        if (target_is_idle(&target->target, sched->now))
            forget_target(sched, target);
        else
            stook__list_append(&sched->kept_targets, link);
    }
    for (int i = 0; i < LOOKS && (link = stook__list_pop(&sched->kept_keys)) != NULL; i++) {
        struct stook__rate_key *key = STOOK__OF(struct stook__rate_key, kept, link);
        if (are_full(key->buckets, sched->rules.n_by_key, sched->now))
            forget_key(sched, key);
        else
            stook__list_append(&sched->kept_keys, link);
    }
    for (int i = 0; i < LOOKS && (link = stook__list_pop(&sched->kept_origins)) != NULL; i++) {
        struct stook__origin *origin = STOOK__OF(struct stook__origin, sched.all, link);
        if (origin_is_idle(sched, origin)) {
            sched->n_kept--;
            forget_origin(sched, origin);
        } else {
            stook__list_append(&sched->kept_origins, link);
        }
    }
}

/* Requests without a rate_key share a bucket of a rate by key, so that none escapes it. */
static const char *effective_key(const struct stook__sched *sched, const char *rate_key)
{
    return rate_key == NULL && sched->rules.n_by_key > 0 ? "" : rate_key;
}

struct stook__rate_key *stook__target_find_key(const struct stook__sched *sched,
                                               const char *rate_key)
{
    rate_key = effective_key(sched, rate_key);
    if (rate_key == NULL)
        return NULL;
    size_t size = strlen(rate_key);
    return find_key(sched, rate_key, size, stook__map_hash(rate_key, size));
}

struct stook__target *stook__target_find(const struct stook__sched *sched,
                                         struct stook__origin *origin, const char *rate_key)
{
    rate_key = effective_key(sched, rate_key);
    if (rate_key == NULL)
        return &origin->sched.target;
    size_t size = strlen(rate_key);
    struct stook__rate_key *key = find_key(sched, rate_key, size, stook__map_hash(rate_key, size));
    if (key == NULL)
        return NULL;
    const struct stook__keyed_target_key both = {origin, key};
    const char *bytes = (const char *)&both;
    struct stook__node *node =
        stook__map_find(&sched->targets, stook__map_hash(bytes, sizeof both), bytes, sizeof both);
    return node != NULL ? &STOOK__OF(struct stook__keyed_target, node, node)->target : NULL;
}

static struct stook__target *hold_keyed(struct stook__sched *sched, struct stook__origin *origin,
                                        const char *rate_key)
{
    size_t size = strlen(rate_key);
    uint64_t hash = stook__map_hash(rate_key, size);
    struct stook__target *target = stook__target_find(sched, origin, rate_key);
    if (target == NULL) {
        struct stook__rate_key *key = find_key(sched, rate_key, size, hash);
        if (key == NULL)
            key = make_key(sched, rate_key, size, hash);
        if (key == NULL)
            return NULL;
        struct stook__keyed_target *made = make_target(sched, origin, key);
        if (made == NULL) {
            if (key->n_targets == 0)
                forget_key(sched, key);
            return NULL;
        }
        target = &made->target;
    }
    stook__list_remove(&keyed(target)->kept);
    keyed(target)->n_queues++;
    return target;
}

struct stook__target *stook__target_hold(struct stook__sched *sched, struct stook__origin *origin,
                                         const char *rate_key)
{
    rate_key = effective_key(sched, rate_key);
    struct stook__target *target = NULL;
    if (rate_key != NULL)
        target = hold_keyed(sched, origin, rate_key);
    else if (hold_origin(sched, origin) == 0)
        target = &origin->sched.target;
    forget_idle(sched);
    return target;
}

void stook__target_release(struct stook__sched *sched, struct stook__target *target)
{
    if (target->key == NULL) {
        release_origin(sched, target->origin);
        return;
    }
    if (--keyed(target)->n_queues > 0)
        return;
    if (target_is_idle(target, sched->now))
        forget_target(sched, keyed(target));
    else
        stook__list_append(&sched->kept_targets, &keyed(target)->kept);
}

static void fix_limits(struct stook__sched *sched, struct stook__link *origins)
{
    for (struct stook__link *link = origins->next; link != origins; link = link->next) {
        struct stook__origin_flow *flow =
            STOOK__OF(struct stook__origin, sched.all, link)->sched.flow;
        if (flow == NULL)
            continue;
        stook__free(sched->allocator, flow->adaptive);
        flow->adaptive = NULL;
    }
}

void stook__targets_fix_limits(struct stook__sched *sched)
{
    sched->rules.adaptive = 0;
    fix_limits(sched, &sched->origins);
    fix_limits(sched, &sched->kept_origins);
}

void stook__targets_free(struct stook__sched *sched)
{
    while (!stook__list_empty(&sched->kept_targets))
        forget_target(sched, STOOK__OF(struct stook__keyed_target, kept, sched->kept_targets.next));
    while (!stook__list_empty(&sched->kept_keys))
        forget_key(sched, STOOK__OF(struct stook__rate_key, kept, sched->kept_keys.next));
    while (!stook__list_empty(&sched->kept_origins))
        forget_origin(sched, STOOK__OF(struct stook__origin, sched.all, sched->kept_origins.next));
    stook__free(sched->allocator, sched->buckets);
    sched->buckets = NULL;
    stook__map_free(&sched->targets, sched->allocator);
    stook__map_free(&sched->keys, sched->allocator);
}
