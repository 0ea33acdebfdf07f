/* SPDX-License-Identifier: MIT */
/* What may keep a queue from starting a job; see gate.h. */
#include "sched/gate.h"

#include "sched/queue.h"
#include "sched/target.h"

size_t stook__gate_origin_limit(const struct stook__sched *sched,
                                const struct stook__origin *origin)
{
    const struct stook__origin_flow *flow = origin->sched.flow;
    if (origin->node.key_size == 0)
        return SIZE_MAX;
    if (flow != NULL && flow->adaptive != NULL)
        return stook__adaptive_limit(flow->adaptive);
    return sched->origin_limit;
}

/* --------------------------------------------------------------------------- when a gate opens */

static int64_t origin_opens_at(const struct stook__sched *sched, const struct stook__gate *gate,
                               int reserved)
{
    const struct stook__origin *origin = STOOK__OF(const struct stook__origin, sched.gate, gate);
    const struct stook__origin_flow *flow = origin->sched.flow;
    /* The limit may have been lowered since the pass was reserved. */
    size_t taken = origin->sched.n_running + (reserved ? 0 : gate->n_reserved);
    if (taken >= stook__gate_origin_limit(sched, origin))
        return STOOK__GATE_NEVER;
    if (flow == NULL || flow->circuit.state == STOOK__CIRCUIT_CLOSED)
        return 0;
    if (flow->circuit.state == STOOK__CIRCUIT_OPEN && flow->circuit.until > sched->now)
        return flow->circuit.until;
    return flow->circuit.probing || (!reserved && gate->n_reserved > 0) ? STOOK__GATE_NEVER : 0;
}

static int64_t target_opens_at(const struct stook__sched *sched, const struct stook__gate *gate,
                               int reserved)
{
    const struct stook__target *target = STOOK__OF(const struct stook__target, gate, gate);
    size_t taken = target->n_probing + (reserved ? 0 : gate->n_reserved);
    if (target->state == STOOK__TARGET_OPEN)
        return 0;
    if (target->state == STOOK__TARGET_COOLING && target->cool_until > sched->now)
        return target->cool_until;
    return taken < target->window ? 0 : STOOK__GATE_NEVER;
}

static int64_t bucket_opens_at(const struct stook__gate *gate, const struct stook__job *job,
                               int reserved)
{
    const struct stook__rate_bucket *bucket =
        STOOK__OF(const struct stook__rate_bucket, gate, gate);
    if (!reserved && gate->n_reserved > 0)
        return STOOK__GATE_NEVER; /* until it is known what that one takes */
    return stook__bucket_ready_at(&bucket->level, bucket->rate, stook__job_cost(job, bucket->rate));
}

int stook__gate_concerns(const struct stook__gate *gate, const struct stook__job *job)
{
    if (gate->kind != STOOK__GATE_BUCKET)
        return 1;
    return stook__job_cost(job, STOOK__OF(const struct stook__rate_bucket, gate, gate)->rate) > 0;
}

int64_t stook__gate_opens_at(const struct stook__sched *sched, const struct stook__gate *gate,
                             const struct stook__job *job, int reserved)
{
    switch (gate->kind) {
    case STOOK__GATE_ORIGIN:
        return origin_opens_at(sched, gate, reserved);
    case STOOK__GATE_TARGET:
        return target_opens_at(sched, gate, reserved);
    default:
        return bucket_opens_at(gate, job, reserved);
    }
}

void stook__gate_wake(struct stook__sched *sched, struct stook__gate *gate)
{
    if (stook__list_empty(&gate->parked)) {
        stook__timer_heap_clear(&sched->gates, &gate->timer);
        return;
    }
    if (!stook__list_empty(&gate->wake))
        return;
    const struct stook__job *first = stook__queue_first(stook__gate_next(gate));
    int64_t at = stook__gate_opens_at(sched, gate, first, 0);
    if (at <= sched->now) {
        stook__timer_heap_clear(&sched->gates, &gate->timer);
        stook__list_append(&sched->to_wake, &gate->wake);
    } else if (at == STOOK__GATE_NEVER) {
        stook__timer_heap_clear(&sched->gates, &gate->timer);
    } else {
        stook__timer_heap_set(&sched->gates, &gate->timer, at);
    }
}

void stook__gates_tick(struct stook__sched *sched, int64_t now)
{
    struct stook__timer *timer;
    if (now > sched->now)
        sched->now = now;
    while ((timer = stook__timer_heap_first(&sched->gates)) != NULL && timer->due <= sched->now)
        stook__gate_wake(sched, STOOK__OF(struct stook__gate, timer, timer));
}

/* ------------------------------------------------------------------- all gates of one target */

typedef void visit_fn(struct stook__sched *sched, struct stook__rate_bucket *bucket, void *user);

/* Calls `visit` for each bucket of a target. */
static void visit_buckets(struct stook__sched *sched, const struct stook__target *target,
                          visit_fn *visit, void *user)
{
    const struct stook__flow_rules *rules = &sched->rules;
    struct stook__origin_flow *flow = target->origin->sched.flow;
    struct stook__rate_key *key = target->key;
    for (size_t i = 0; flow != NULL && i < rules->n_by_origin; i++)
        visit(sched, &flow->buckets[i], user);
    for (size_t i = 0; i < rules->n_by_client; i++)
        visit(sched, &sched->buckets[i], user);
    for (size_t i = 0; key != NULL && i < rules->n_by_key; i++)
        visit(sched, &key->buckets[i], user);
}

struct search {
    const struct stook__job *job;
    struct stook__gate *latest;
    int64_t at;
};

/* Whether a gate lets a job pass; otherwise notes it if it refuses longer than those before. */
static void ask(const struct stook__sched *sched, struct stook__gate *gate, struct search *search)
{
    const struct stook__queue *queue = search->job->queue;
    int woken = queue->place == STOOK__QUEUE_RESERVED;
    /* One that was woken does not yield to passes of others: two that yield to each other, each at
       the gate that woke the other, would be parked and woken without end. */
    int64_t at = stook__gate_opens_at(sched, gate, search->job, woken);
    /* A queue that has not waited yet waits behind those that do. */
    if (at <= sched->now && !woken && !stook__list_empty(&gate->parked))
        at = sched->now + 1;
    if (at <= sched->now || (search->latest != NULL && at <= search->at))
        return;
    search->latest = gate;
    search->at = at;
}

static void ask_bucket(struct stook__sched *sched, struct stook__rate_bucket *bucket, void *user)
{
    const struct search *search = user;
    if (stook__gate_concerns(&bucket->gate, search->job))
        ask(sched, &bucket->gate, user);
}

/* Whether nothing is known against a target, and nothing waits for it: the usual case, in few
   instructions. */
static int is_open(const struct stook__sched *sched, const struct stook__target *target)
{
    const struct stook__sched_origin *origin = &target->origin->sched;
    return sched->rules.rates == NULL && target->state == STOOK__TARGET_OPEN &&
           origin->flow == NULL &&
           origin->n_running + origin->gate.n_reserved < sched->origin_limit &&
           stook__list_empty(&origin->gate.parked) && stook__list_empty(&target->gate.parked);
}

struct stook__gate *stook__gate_refusing(struct stook__sched *sched, const struct stook__job *job)
{
    struct stook__target *target = job->queue->key.target;
    if (is_open(sched, target))
        return NULL;
    struct search search = {.job = job};
    /* What is not known to open by time comes first: it is asked again at each finish. */
    ask(sched, &target->gate, &search);
    if (search.latest == NULL)
        ask(sched, &target->origin->sched.gate, &search);
    if (search.latest == NULL && sched->rules.rates != NULL)
        visit_buckets(sched, target, ask_bucket, &search);
    return search.latest;
}

/* ------------------------------------------------------------------------- taking, giving back */

int64_t stook__job_cost(const struct stook__job *job, const struct stook__rate *rate)
{
    if (rate->of == STOOK_RATE_OF_REQUESTS)
        return 1;
    return job->settings->cost < 0 ? 0 : job->settings->cost;
}

struct taking {
    const struct stook__job *job;
    const struct stook__gate *woken_by;
};

static void take(struct stook__sched *sched, struct stook__rate_bucket *bucket, void *user)
{
    const struct taking *taking = user;
    /* While requests wait for the bucket, each of them makes up for what the timer was late. */
    int late =
        taking->woken_by == &bucket->gate ||
        (bucket->wanted && bucket->level.full_at_ns / 1000 + STOOK__RATE_LATE_US >= sched->now);
    bucket->wanted = late;
    stook__bucket_take(&bucket->level, bucket->rate, stook__job_cost(taking->job, bucket->rate),
                       sched->now, late);
    stook__gate_wake(sched, &bucket->gate);
}

void stook__gates_take(struct stook__sched *sched, const struct stook__job *job,
                       const struct stook__gate *woken_by)
{
    struct taking taking = {job, woken_by};
    if (sched->rules.rates != NULL)
        visit_buckets(sched, job->queue->key.target, take, &taking);
}

struct giving {
    int64_t cost, requests, at;
};

static void give_back(struct stook__sched *sched, struct stook__rate_bucket *bucket, void *user)
{
    const struct giving *giving = user;
    stook__bucket_give_back(
        &bucket->level, bucket->rate,
        bucket->rate->of == STOOK_RATE_OF_COST ? giving->cost : giving->requests, giving->at);
    stook__gate_wake(sched, &bucket->gate);
}

void stook__gates_give_back(struct stook__sched *sched, const struct stook__target *target,
                            int64_t cost, int64_t requests, int64_t at)
{
    struct giving giving = {cost, requests, at};
    if (sched->rules.rates != NULL)
        visit_buckets(sched, target, give_back, &giving);
}

struct charge {
    int64_t cost, at;
};

static void charge(struct stook__sched *sched, struct stook__rate_bucket *bucket, void *user)
{
    const struct charge *due = user;
    if (bucket->rate->of != STOOK_RATE_OF_COST)
        return;
    stook__bucket_charge(&bucket->level, bucket->rate, due->cost, due->at);
    stook__gate_wake(sched, &bucket->gate);
}

void stook__gates_charge(struct stook__sched *sched, const struct stook__target *target,
                         int64_t cost, int64_t at)
{
    struct charge due = {cost, at};
    if (sched->rules.rates != NULL)
        visit_buckets(sched, target, charge, &due);
}

/* --------------------------------------------------------------------------------- for people */

struct look {
    const struct stook__job *job;
    const struct stook__rate *rate;
    int64_t until;
};

static void look_at_bucket(struct stook__sched *sched, struct stook__rate_bucket *bucket,
                           void *user)
{
    struct look *look = user;
    if (!stook__gate_concerns(&bucket->gate, look->job))
        return;
    int64_t at = stook__gate_opens_at(sched, &bucket->gate, look->job, 0);
    if (at <= sched->now && stook__list_empty(&bucket->gate.parked))
        return;
    /* Behind others that wait: as soon as they are served. */
    at = at == STOOK__GATE_NEVER || at <= sched->now ? sched->now + 1 : at;
    if (at <= look->until)
        return;
    look->until = at;
    look->rate = bucket->rate;
}

int64_t stook__gates_rate_until(struct stook__sched *sched, const struct stook__job *job,
                                const struct stook__rate **ret_rate)
{
    struct look look = {job, NULL, 0};
    if (sched->rules.rates != NULL)
        visit_buckets(sched, job->queue->key.target, look_at_bucket, &look);
    if (ret_rate != NULL)
        *ret_rate = look.rate;
    return look.until;
}
