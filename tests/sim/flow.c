/* SPDX-License-Identifier: MIT */
/*
 * Random histories of flow control in virtual time: rates, cool-downs, circuits, retries, delays, horizons.
 * The scheduler alone, between a program that does anything at any moment and a server that answers late,
 * refuses, or is lost. The same seed gives the same history. STOOK_SEED=n runs that one.
 *
 * Beside the scheduler stands a model of it, made of what happened: who started when and at what cost, and
 * how it ended. After every step each of these is checked against the model:
 *
 *   - no bucket exceeded: over each pair of starts, and by its level
 *   - no start of a target that cools down; then one alone, and a window that grows with each good end
 *   - no start while a circuit is open, and one probe at a time
 *   - no retry that is not allowed, or one too many, beyond the budget, too early, or past the whole clock
 *   - no start before a delay or a back-off is over, above a limit, beyond the horizon, out of turn
 *   - no clock early; none late, because the alarm is never later than the first of them
 *   - what waits is forbidden by something that the model can name, and if time alone will change that, the
 *     alarm is not later than that time
 *   - no group passed over again and again
 *   - exactly one result each, and nothing is left at the end
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/clocks.h"
#include "sched/cooldown.h"
#include "sched/ending.h"
#include "sched/gate.h"
#include "sched/group.h"
#include "sched/queue.h"
#include "sched/reason.h"
#include "sched/refusal.h"
#include "sched/sched.h"
#include "support/harness.h"
#include "support/memory.h"
#include "support/seeds.h"

enum { BATCHES = 4, REQUESTS = 16, ORIGINS = 5, KEYS = 4, RATES = 3, TAKES = 2048, HISTORIES = 100000, TWICE = 2000,
       BUDGET = 4096, SLOW_START = 64 };
static const int64_t NEVER = INT64_MAX, MS = 1000, SECOND = 1000000;
/* What times of the scheduler are rounded by. */
static const int64_t ROUNDING = 3;

enum state { UNUSED, WAITING, RUNNING, DONE };

struct request {
    struct stook__job job;
    struct stook__settings settings;
    struct stook__ending ending; /* of the attempt that runs */
    struct batch *batch;
    size_t origin, key; /* key 0: none */
    enum state state;
    unsigned priority;
    unsigned line; /* made of these three: differs between queues of a batch */
    uint32_t index;
    int64_t added_at, not_before, first_at, attempt_at;
    int64_t ends_at; /* NEVER: it hangs */
    int64_t byte_at, moved_at;
    int64_t in_queue;   /* the place among those that were started before; 0: it was not */
    int64_t cost_taken; /* by its last attempt; -1: nothing that could be charged */
    int64_t retries;
    int repeated, fresh, probes_target, probes_circuit, retrying, is_delayed, idempotent, results;
};

struct batch {
    struct stook__group group;
    struct request requests[REQUESTS];
    size_t count, delivered, revealed, window, limit, running, passed_over, n_results;
    int64_t deadline;
    int ordered, awaited, done, ended, full, blocked, delivery_paused;
    int has_horizon, end_error, drains;
    uint32_t horizon;
    struct request *head;
};

struct take {
    int64_t at;
    double cost;
};

/* Of one rate, for an origin, the client or a key. */
struct bucket {
    size_t count;
    int64_t last_at;
    double full_at;
    struct take takes[TAKES];
};

struct cooling {
    int64_t until;
    size_t window, n_probing;
    enum { OPEN, COOLING, PROBING } state;
};

struct origin {
    struct stook__origin *kept; /* NULL: the scheduler knows nothing of it */
    char key[2];
    int64_t open_until, closed_at;
    int64_t failures;
    unsigned opened;
    enum { CLOSED, CIRCUIT_OPEN, PROBE } circuit;
    struct request *probe;
    struct cooling targets[KEYS];
    size_t running;
    unsigned temper;
    size_t n_requests, n_retries;
};

static struct bucket buckets[RATES][ORIGINS];
static int64_t budget_requests[ORIGINS][BUDGET], budget_retries[ORIGINS][BUDGET]; /* seconds */

static struct world {
    uint64_t random, digest;
    int64_t now, order;
    struct stook__allocator *allocator;
    struct stook__origins origins;
    struct stook__sched sched;
    struct stook__flow_rules rules;
    struct stook__rate rates[RATES];
    struct batch batches[BATCHES];
    struct origin known[ORIGINS];
    size_t n_batches, n_origins, n_keys, n_rates, limit, origin_limit, running;
    int64_t tick, late;
    int storm, closed, starved;
} world;

static struct memory memory;

static const char *const names[KEYS] = {NULL, "red", "green", "blue"};

static uint64_t random_bits(void)
{
    uint64_t z = world.random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static size_t below(size_t n)
{
    return (size_t)(random_bits() % n);
}

static int one_in(size_t n)
{
    return below(n) == 0;
}

static inline int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t after(int64_t from, int64_t ms)
{
    return ms < 0 ? NEVER : from + ms * MS;
}

/* What happened, in a number that depends on all of it and on the order. */
static void note(uint64_t what, uint64_t which)
{
    world.digest = (world.digest ^ what ^ which << 8 ^ (uint64_t)world.now << 24) * UINT64_C(1099511628211);
}

static struct request *of_job(struct stook__job *job)
{
    return STOOK__OF(struct request, job, job);
}

static struct origin *origin_of(const struct request *request)
{
    return &world.known[request->origin];
}

static struct cooling *target_of(const struct request *request)
{
    return &origin_of(request)->targets[request->key];
}

/* -------------------------------------------------------------------- the model: rates */

static inline double unit_us(size_t rate)
{
    return (double)world.rates[rate].per_ms * 1000 / (double)world.rates[rate].count;
}

/* NULL: the rate does not apply. */
static inline struct bucket *bucket_of(const struct request *request, size_t rate)
{
    switch (world.rates[rate].by) {
    case STOOK_RATE_BY_ORIGIN:
        return &buckets[rate][request->origin];
    case STOOK_RATE_BY_CLIENT:
        return &buckets[rate][0];
    default:
        return &buckets[rate][request->key];
    }
}

static inline int64_t cost_of(const struct request *request, size_t rate)
{
    if (world.rates[rate].of == STOOK_RATE_OF_REQUESTS)
        return 1;
    return later(request->settings.cost, 0);
}

/* When a cost may be taken, in microseconds. */
static double ready_at(const struct bucket *bucket, size_t rate, int64_t cost)
{
    double early = (double)(world.rates[rate].burst - cost) * unit_us(rate);
    if (cost == 0)
        return 0;
    return bucket->full_at - (early > 0 ? early : 0);
}

static void append_take(struct bucket *bucket, size_t rate, int64_t at, double cost)
{
    CHECK(bucket->count < TAKES);
    bucket->takes[bucket->count++] = (struct take){at, cost};
    bucket->last_at = at;
    bucket->full_at = (bucket->full_at > (double)at ? bucket->full_at : (double)at) + cost * unit_us(rate);
}

/* In spans of a second and more the rate holds exactly, in shorter ones but for what a late timer lost. */
static void check_rate(const struct bucket *bucket, size_t rate, int64_t cost)
{
    const struct stook__rate *of = &world.rates[rate];
    if (cost == 0)
        return;
    double unit = unit_us(rate), sum = cost > of->burst ? 0 : (double)cost, most = cost > of->burst ? 0 : (double)of->burst;
    CHECK((double)world.now >= ready_at(bucket, rate, cost) - STOOK__RATE_LATE_US - (double)ROUNDING);
    for (size_t i = bucket->count; i-- > 0 && bucket->count - i < 128;) {
        double span = (double)(world.now - bucket->takes[i].at);
        sum += bucket->takes[i].cost;
        if (span >= STOOK__RATE_SPAN_MS * 1000)
            CHECK(sum <= most + (span + (double)ROUNDING) / unit + 1e-6);
    }
}

static void take_rates(struct request *request)
{
    request->cost_taken = later(request->settings.cost, 0);
    for (size_t i = 0; i < world.n_rates; i++) {
        struct bucket *bucket = bucket_of(request, i);
        check_rate(bucket, i, cost_of(request, i));
        append_take(bucket, i, world.now, (double)cost_of(request, i));
    }
}

/* A part of what was taken at that time never was: all that followed is counted again without it. */
static void untake(struct bucket *bucket, size_t rate, int64_t at, double amount)
{
    size_t i = 0;
    while (i < bucket->count && (bucket->takes[i].at != at || bucket->takes[i].cost < amount))
        i++;
    if (i == bucket->count)
        return; /* the bucket was full since, and was forgotten */
    bucket->takes[i].cost -= amount;
    bucket->full_at = 0;
    for (i = 0; i < bucket->count; i++) {
        double from = (double)bucket->takes[i].at;
        bucket->full_at = (bucket->full_at > from ? bucket->full_at : from) + bucket->takes[i].cost * unit_us(rate);
    }
}

/* `by`: of the costs. `whole`: the attempt too. A debt counts as a cost of the last take. */
static void correct_rates(struct request *request, int64_t by, int whole)
{
    for (size_t i = 0; i < world.n_rates; i++) {
        struct bucket *bucket = bucket_of(request, i);
        int64_t amount = world.rates[i].of == STOOK_RATE_OF_COST ? by : whole;
        if (amount == 0 || bucket->count == 0)
            continue; /* nothing, or a full bucket that nobody has used since it was forgotten */
        if (amount < 0) {
            append_take(bucket, i, bucket->last_at, (double)-amount);
            continue;
        }
        untake(bucket, i, request->attempt_at, (double)amount);
    }
}

/* ------------------------------------------------------------- the model: what is kept */

/* What nobody needs is forgotten: full buckets, circuits that are closed, cool-downs that are over. */
static void forget_bucket(struct bucket *bucket)
{
    CHECK(bucket->full_at <= (double)(world.now + ROUNDING));
    bucket->count = 0;
    bucket->last_at = 0;
    bucket->full_at = 0;
}

static void forget_target(size_t i, size_t key)
{
    struct cooling *target = &world.known[i].targets[key];
    CHECK(target->state == OPEN || target->until <= world.now);
    CHECK_EQ_SIZE(target->n_probing, 0);
    *target = (struct cooling){0};
}

static struct stook__target *find_target(size_t i, size_t key)
{
    struct stook__origin *origin = stook__origin_find(&world.origins, world.known[i].key, 1);
    return origin != NULL ? stook__target_find(&world.sched, origin, names[key]) : NULL;
}

static int is_new_target(const struct stook__target *target)
{
    return target == NULL || target->state == STOOK__TARGET_OPEN;
}

static void notice_what_is_forgotten(void)
{
    for (size_t i = 0; i < world.n_origins; i++) {
        struct origin *origin = &world.known[i];
        struct stook__origin *found = stook__origin_find(&world.origins, origin->key, 1);
        if (found == NULL || found->sched.flow == NULL) {
            CHECK(origin->circuit == CLOSED ? origin->failures == 0 : origin->open_until + 300 * SECOND <= world.now);
            origin->failures = origin->closed_at = 0;
            origin->opened = 0;
            origin->circuit = CLOSED;
            for (size_t rate = 0; rate < world.n_rates; rate++)
                if (world.rates[rate].by == STOOK_RATE_BY_ORIGIN && buckets[rate][i].count > 0)
                    forget_bucket(&buckets[rate][i]);
        }
        for (size_t key = 0; key < KEYS; key++)
            if (origin->targets[key].state != OPEN && is_new_target(find_target(i, key)))
                forget_target(i, key);
    }
    for (size_t rate = 0; rate < world.n_rates; rate++)
        for (size_t key = 0; world.rates[rate].by == STOOK_RATE_BY_KEY && key < KEYS; key++)
            if (buckets[rate][key].count > 0 && stook__target_find_key(&world.sched, names[key]) == NULL)
                forget_bucket(&buckets[rate][key]);
}

/* -------------------------------------------------------------- the model: what an end means */

static void model_cooldown(const struct request *request, const struct stook__ending *ending)
{
    struct cooling *target = target_of(request);
    int refuses = ending->error == 0 && (ending->status == 429 || ending->status == 503);
    int64_t max = world.rules.max_cooldown_ms;
    if (refuses && ending->wait_ms >= 0 && max >= 0) {
        int64_t wait = earlier(ending->wait_ms, max) * MS, least = world.now + wait,
                most = earlier(least + earlier(wait / 10, SECOND), world.now + max * MS);
        int64_t until = request->job.queue->key.target->cool_until;
        if (target->state == COOLING) {
            CHECK(until >= later(target->until, least) && until <= later(target->until, most));
            target->until = until;
        } else if (target->state == OPEN || request->attempt_at >= target->until) {
            CHECK(until >= least && until <= most);
            target->until = until;
            target->state = COOLING;
            target->window = 1;
        } else {
            CHECK_EQ_INT(until, target->until);
        }
    } else if (!refuses && request->probes_target && ending->error == 0 && target->state == PROBING) {
        if (++target->window > SLOW_START)
            target->state = OPEN;
    }
}

static int is_transport(int error)
{
    return error == STOOK_ECONNECT || error == STOOK_ERESET || error == STOOK_ETRUNCATED ||
           error == STOOK_ETIMEOUT_ATTEMPT || error == STOOK_ETIMEOUT_STALL;
}

static void open_circuit(struct origin *origin, int64_t until)
{
    int64_t time = 5 * SECOND;
    for (unsigned i = 0; i < origin->opened && time < 300 * SECOND; i++)
        time *= 2;
    time = earlier(time, 300 * SECOND);
    CHECK(until >= world.now + time - time / 5 && until <= world.now + earlier(time + time / 5, 300 * SECOND));
    origin->open_until = until;
    origin->opened++;
    origin->circuit = CIRCUIT_OPEN;
}

/* The first loss of a request is nobody's fault, but if the server refused it for load and it may be retried. */
static int is_free(const struct request *request, const struct stook__ending *ending)
{
    return ending->lost && !request->repeated && !(ending->refused && request->settings.max_retries > 0);
}

/* 1: a failure, 0: none, -1: it says nothing. */
static int failed(const struct request *request, const struct stook__ending *ending)
{
    if (is_free(request, ending))
        return -1;
    if (ending->error != 0)
        return is_transport(ending->error) || ending->error == STOOK_ETIMEOUT_TOTAL ? 1 : -1;
    return ending->status < 500 ? 0 : ending->wait_ms >= 0 ? -1 : 1;
}

static void model_circuit(struct request *request, const struct stook__ending *ending)
{
    struct origin *origin = origin_of(request);
    if (world.rules.circuit_failures <= 0)
        return;
    int64_t until = stook__job_origin(&request->job)->sched.flow->circuit.until;
    int what = failed(request, ending);
    if (request->probes_circuit) {
        CHECK(origin->circuit == PROBE && origin->probe == request);
        request->probes_circuit = 0;
        origin->probe = NULL;
        if (what == 1)
            open_circuit(origin, until);
        if (what == 0) {
            origin->circuit = CLOSED;
            origin->failures = origin->opened = 0;
            origin->closed_at = world.now;
        }
    } else if (origin->circuit == CLOSED && what >= 0 && request->attempt_at >= origin->closed_at) {
        origin->failures = what == 1 ? origin->failures + 1 : 0;
        if (origin->failures >= world.rules.circuit_failures)
            open_circuit(origin, until);
    }
}

static void note_end(struct request *request, const struct stook__ending *ending)
{
    stook__ending_note(&world.sched, &request->job, ending, world.now);
    model_cooldown(request, ending);
    model_circuit(request, ending);
}

/* It runs no more. */
static void stop(struct request *request)
{
    struct origin *origin = origin_of(request);
    origin->running--;
    request->batch->running--;
    world.running--;
    if (request->probes_target)
        target_of(request)->n_probing--;
    if (request->probes_circuit)
        origin->probe = NULL;
    request->probes_target = request->probes_circuit = 0;
}

static void finish(struct request *request, int error)
{
    CHECK_EQ_INT(request->results++, 0);
    note(1, request->index ^ (uint64_t)(unsigned)error);
    if (request->state == RUNNING)
        stop(request);
    request->state = DONE;
    request->batch->n_results++;
    if (request->batch->head == request)
        request->batch->head = NULL;
    world.starved = 0;
    stook__sched_finish(&world.sched, &request->job);
    notice_what_is_forgotten();
}

/* -------------------------------------------------------------- the model: who may start */

/* Whether a job stands in the queue, and not behind its delay. */
static inline int is_queued(const struct request *request)
{
    return request->state == WAITING && !request->is_delayed;
}

static inline int same_queue(const struct request *one, const struct request *other)
{
    return one->line == other->line && one->batch == other->batch;
}

/* The head of the order stands before all others. */
static int stands_before(const struct request *one, const struct request *other)
{
    if (one->batch->head == one || other->batch->head == other)
        return one->batch->head == one;
    if (one->in_queue != other->in_queue && one->in_queue != 0 && other->in_queue != 0)
        return one->in_queue < other->in_queue;
    if ((one->in_queue != 0) != (other->in_queue != 0))
        return one->in_queue != 0;
    return one->index < other->index;
}

static int is_first_of_queue(const struct request *request)
{
    const struct batch *batch = request->batch;
    for (size_t i = 0; i < batch->count; i++) {
        const struct request *other = &batch->requests[i];
        if (other->line == request->line && other != request && is_queued(other) && stands_before(other, request))
            return 0;
    }
    return 1;
}

static int is_refusable(const struct request *request)
{
    const struct origin *origin = origin_of(request);
    int64_t first = request->first_at != 0 ? request->first_at : world.now;
    int64_t max = request->settings.max_retries;
    int has_retries = request->retries - (request->retrying && max > 0) < max;
    return origin->circuit == CIRCUIT_OPEN && origin->open_until > world.now &&
           (!has_retries || origin->open_until >= after(first, request->settings.total_ms));
}

/* Whether the batch lets it neither start nor end, whatever is free. */
static int window_forbids(const struct request *request)
{
    const struct batch *batch = request->batch;
    return !batch->awaited || batch->done || batch->end_error != 0 || (batch->blocked && batch->head != request) ||
           (batch->has_horizon && request->index >= batch->horizon);
}

/* When the batch lets it start: NEVER or at once. */
static int batch_forbids(const struct request *request)
{
    return window_forbids(request) || request->batch->running >= request->batch->limit;
}

/* When the origin lets it start. */
static int64_t origin_opens_at(const struct request *request)
{
    const struct origin *origin = origin_of(request);
    const struct cooling *target = target_of(request);
    int64_t at = 0;
    if (origin->running >= world.origin_limit || (origin->circuit == PROBE && origin->probe != NULL))
        return NEVER;
    if (origin->circuit == CIRCUIT_OPEN)
        at = origin->open_until;
    if (target->state == COOLING)
        at = later(at, target->until);
    return target->state != OPEN && target->n_probing >= target->window ? NEVER : at;
}

/* When its buckets let it start. `in_line`: behind all that wait for them too. */
static int64_t rates_open_at(const struct request *request, int in_line)
{
    double at = 0;
    for (size_t i = 0; i < world.n_rates; i++) {
        const struct bucket *bucket = bucket_of(request, i);
        int64_t cost = cost_of(request, i);
        if (cost == 0)
            continue;
        if (in_line && world.rates[i].of == STOOK_RATE_OF_COST)
            for (size_t k = 0; k < world.n_batches; k++)
                for (size_t n = 0; n < world.batches[k].count; n++) {
                    const struct request *other = &world.batches[k].requests[n];
                    if (is_queued(other) && bucket_of(other, i) == bucket)
                        cost = later(cost, cost_of(other, i));
                }
        double ready = ready_at(bucket, i, cost);
        at = ready > at ? ready : at;
    }
    return (int64_t)at;
}

/* When it may start, as far as the model knows: not later than now, if it may now; NEVER: when something
   else has happened. */
static int64_t may_start_at(const struct request *request, int in_line)
{
    if (batch_forbids(request) || world.running >= world.limit || world.starved)
        return NEVER;
    int64_t at = origin_opens_at(request), rates = rates_open_at(request, in_line);
    return at == NEVER ? NEVER : later(later(at, rates), request->not_before);
}

/* ------------------------------------------------------------------------------ clocks */

/* When the clocks of a request run out, by the words of the promise. */
static int64_t due_of(const struct request *request)
{
    const struct stook__settings *settings = &request->settings;
    if (request->state == WAITING && request->first_at == 0)
        return request->is_delayed ? NEVER : after(later(request->added_at, request->not_before), settings->queue_ms);
    int64_t due = after(request->first_at, settings->total_ms);
    if (request->state == WAITING)
        return due;
    due = earlier(due, after(request->attempt_at, settings->attempt_ms));
    return earlier(due, after(later(request->moved_at, request->attempt_at), settings->stall_ms));
}

/* ---------------------------------------------------------------------------- retries */

static int64_t count_since(const int64_t *seconds, size_t count, int64_t since)
{
    int64_t found = 0;
    while (count-- > 0 && seconds[count] >= since)
        found++;
    return found;
}

/* Whether the budget allows no more, and is not exceeded. */
static int budget_is_used_up(size_t i)
{
    const struct origin *origin = &world.known[i];
    int64_t since = world.now / SECOND - 9;
    int64_t requests = world.rules.keeps_origins ? count_since(budget_requests[i], origin->n_requests, since) : 0;
    return count_since(budget_retries[i], origin->n_retries, since) >= 100 + requests * world.rules.retry_budget / 100;
}

static void check_budget(size_t i)
{
    const struct origin *origin = &world.known[i];
    int64_t since = world.now / SECOND - 9;
    CHECK(count_since(budget_retries[i], origin->n_retries, since) <=
          100 + count_since(budget_requests[i], origin->n_requests, since) * world.rules.retry_budget / 100);
}

/* Whether the request may be sent again, but for its wait and the budget. */
static int is_allowed(const struct request *request, const struct stook__ending *ending)
{
    int64_t max = request->settings.max_retries;
    int lost = is_free(request, ending) && (ending->idempotent || !ending->sent);
    if (max < 0 || ending->final)
        return 0;
    if (max == 0)
        return lost;
    if (request->retries >= max || ending->shown || !ending->replayable || (!ending->idempotent && ending->sent))
        return 0;
    return lost || (ending->error == 0 ? ending->status == 429 || ending->status >= 500
                                       : is_transport(ending->error) || ending->error == STOOK_EDNS);
}

static void check_decision(struct request *request, const struct stook__ending *ending, enum stook__decision decision,
                           enum stook__no_retry why, int64_t at)
{
    int allowed = is_allowed(request, ending);
    int lost = is_free(request, ending) && (ending->idempotent || !ending->sent);
    int64_t wait = world.rules.max_cooldown_ms >= 0 ? later(ending->wait_ms, 0) : 0;
    struct origin *origin = origin_of(request);
    if (decision == STOOK__DELIVER) {
        CHECK(!allowed || why != STOOK__NO_RETRY_NONE);
        if (why == STOOK__NO_RETRY_BUDGET)
            CHECK(world.rules.retry_budget > 0 && budget_is_used_up(request->origin));
        if (why == STOOK__NO_RETRY_TOO_LONG)
            CHECK(world.rules.max_cooldown_ms >= 0 && ending->wait_ms > world.rules.max_cooldown_ms);
        if (why == STOOK__NO_RETRY_TOO_LATE)
            CHECK(request->settings.total_ms >= 0);
        return;
    }
    CHECK(allowed && why == STOOK__NO_RETRY_NONE);
    CHECK(!world.starved || decision == STOOK__RETRY || world.running > 0);
    if (decision == STOOK__REPEAT) {
        CHECK(lost && world.n_rates == 0 && target_of(request)->state == OPEN && origin->circuit == CLOSED);
        return;
    }
    CHECK(at >= world.now + wait * MS);
    if (request->settings.max_retries > 0) {
        CHECK(at < after(request->first_at, request->settings.total_ms));
        if (origin->circuit == CIRCUIT_OPEN)
            CHECK(at >= origin->open_until);
        const struct cooling *target = target_of(request);
        int64_t cool = target->state == COOLING ? target->until : 0;
        CHECK(at >= cool);
        int64_t longest = later(later(world.now + later(world.rules.retry_max_delay_ms, wait) * MS, cool), origin->circuit == CIRCUIT_OPEN ? origin->open_until : 0);
        CHECK(at <= longest);
    }
    if (world.rules.retry_budget > 0 && !lost) {
        CHECK(origin->n_retries < BUDGET);
        budget_retries[request->origin][origin->n_retries++] = world.now / SECOND;
        check_budget(request->origin);
    }
}

/* ------------------------------------------------------------------------ the server */

static const struct fate {
    int error, status, sent;
    int64_t wait_most;
} fates[] = {
    {0, 200, 1, -1},
    {0, 404, 1, -1},
    {0, 500, 1, -1},
    {0, 503, 1, -1},
    {0, 503, 1, 3000},
    {0, 429, 1, 3000},
    {0, 429, 1, -1},
    {STOOK_ERESET, 0, 1, -1},
    {STOOK_ETRUNCATED, 0, 1, -1},
    {STOOK_ECONNECT, 0, 0, -1},
    {STOOK_EDNS, 0, 0, -1},
    {STOOK_ENOFD, 0, 0, -1},
    {STOOK_EPROTOCOL, 0, 1, -1},
};
enum { N_FATES = sizeof fates / sizeof *fates, LOST_FATE = 7 };

static void serve(struct request *request)
{
    size_t fate = 0;
    switch (origin_of(request)->temper) {
    case 0:
        break;
    case 1: /* it throttles */
        fate = one_in(2) ? 4 + below(2) : 0;
        break;
    case 2: /* dead */
        fate = one_in(2) ? 9 : 7;
        break;
    case 3:
        fate = 2 + below(2);
        break;
    default:
        fate = one_in(2) ? below(N_FATES) : 0;
    }
    if (world.storm)
        fate = one_in(8) ? 0 : 3;
    const struct fate *of = &fates[fate];
    request->ending = (struct stook__ending){.error = of->error, .status = of->status, .sent = of->sent, .idempotent = request->idempotent,
                                             .lost = fate == LOST_FATE && one_in(request->fresh ? 4 : 2),
                                             .replayable = !one_in(10), .shown = of->sent && one_in(16), .final = one_in(50),
                                             .wait_ms = of->wait_most < 0 ? -1 : (int64_t)below((size_t)of->wait_most),
                                             .first_byte_us = of->error == 0 ? 1 + (int64_t)below(5000) : 0};
    request->ending.refused = request->ending.lost && one_in(3);
    int hangs = origin_of(request)->temper >= 2 && one_in(8) && !world.storm;
    int64_t takes = (int64_t)below(one_in(8) ? 3000 : 100) * MS;
    if (world.storm)
        takes = (int64_t)below(2) * MS;
    request->ends_at = hangs ? NEVER : world.now + takes;
    request->moved_at = world.now;
    request->byte_at = one_in(2) ? world.now + takes / 2 : NEVER;
}

/* It waits again, without a slot. */
static void wait_again(struct request *request, int64_t not_before)
{
    stop(request);
    request->state = WAITING;
    request->not_before = not_before;
    request->is_delayed = not_before > world.now;
    if (!request->is_delayed)
        request->in_queue = ++world.order;
    CHECK(request->job.state == (request->is_delayed ? STOOK__JOB_DELAYED : STOOK__JOB_QUEUED));
}

/* Its attempt begins, at the place that it has. */
static void begin_attempt(struct request *request)
{
    request->attempt_at = world.now;
    if (request->first_at == 0)
        request->first_at = world.now;
    request->fresh = request->job.fresh;
    serve(request);
}

/* Its attempt has ended. */
static void conclude(struct request *request, const struct stook__ending *ending)
{
    enum stook__no_retry why;
    int64_t at;
    note_end(request, ending);
    if (ending->error == STOOK_ENOFD) {
        int others_run = world.running > 1;
        if (stook__sched_put_back(&world.sched, &request->job)) {
            CHECK(others_run);
            correct_rates(request, request->cost_taken, 1);
            request->cost_taken = -1;
            world.starved = 1;
            wait_again(request, 0);
        } else {
            CHECK(!others_run);
            stook__sched_not_begun(&world.sched, &request->job);
            correct_rates(request, request->cost_taken, 1);
            request->cost_taken = -1;
            finish(request, ending->error);
        }
        return;
    }
    enum stook__decision decision = stook__ending_decide(&world.sched, &request->job, ending, world.now, &at, &why);
    check_decision(request, ending, decision, why, at);
    note(2, (uint64_t)decision);
    if (decision == STOOK__DELIVER) {
        finish(request, ending->error);
        return;
    }
    request->retries += request->settings.max_retries > 0;
    request->repeated |= ending->error != 0 && is_free(request, ending) && (ending->idempotent || !ending->sent);
    CHECK(request->settings.max_retries == 0 || request->retries <= request->settings.max_retries);
    if (decision == STOOK__REPEAT) {
        stook__sched_repeat(&world.sched, &request->job, world.now);
        begin_attempt(request);
    } else {
        stook__sched_retry(&world.sched, &request->job, at);
        world.starved = 0;
        request->retrying = 1;
        wait_again(request, at);
    }
}

static void answer(void)
{
    for (size_t i = 0; i < world.n_batches; i++)
        for (size_t k = 0; k < world.batches[i].count; k++) {
            struct request *request = &world.batches[i].requests[k];
            if (request->state != RUNNING)
                continue;
            if (request->byte_at <= world.now)
                request->moved_at = later(request->moved_at, request->byte_at);
            if (request->ends_at > world.now)
                continue;
            struct stook__ending ending = request->ending;
            conclude(request, &ending);
        }
}

/* -------------------------------------------------------------------- the turn */

static void terminate(struct batch *batch, int end_error, int drains)
{
    if (!batch->awaited || batch->done || (batch->end_error != 0 && (!batch->drains || drains)))
        return;
    batch->end_error = end_error;
    batch->drains = drains;
    batch->delivery_paused = 0;
}

static void cancel(struct request *request, int error)
{
    const struct stook__ending ending = {.error = error, .final = 1, .wait_ms = -1};
    if (request->state == RUNNING)
        note_end(request, &ending);
    finish(request, error);
}

static void expire(void)
{
    struct stook__group *group;
    struct stook__job *job;
    while ((group = stook__sched_late_group(&world.sched, world.now)) != NULL)
        terminate(STOOK__OF(struct batch, group, group), STOOK_ETIMEOUT_BATCH, 0);
    while ((job = stook__sched_late_job(&world.sched, world.now)) != NULL) {
        struct request *request = of_job(job);
        if (request->state == RUNNING)
            job->moved_at = later(request->moved_at, job->moved_at);
        job->connected = 1;
        int64_t due = due_of(request);
        int error = stook__sched_expired(&world.sched, job, world.now);
        if (error == STOOK__DELAY_IS_OVER) {
            stook__sched_undelay(&world.sched, job);
            error = 0;
        }
        CHECK((error != 0) == (world.now >= due)); /* neither early nor late */
        if (error != 0) {
            CHECK((error == STOOK_ETIMEOUT_QUEUE) == (request->first_at == 0));
            note(9, request->index);
            if (error == STOOK_ETIMEOUT_ATTEMPT || error == STOOK_ETIMEOUT_STALL) {
                const struct stook__ending ending = {.error = error, .sent = 1, .idempotent = request->idempotent, .replayable = !one_in(10), .wait_ms = -1};
                conclude(request, &ending);
            } else {
                cancel(request, error);
            }
        } else if (request->is_delayed && job->state == STOOK__JOB_QUEUED) {
            CHECK(request->not_before <= world.now);
            request->is_delayed = 0;
            request->in_queue = request->first_at != 0 ? ++world.order : 0;
        }
    }
}

/* As core/turn.c does. */
static void move_horizon(struct batch *batch)
{
    if (!batch->ordered || batch->window == SIZE_MAX || !batch->awaited)
        return;
    uint32_t horizon = (uint32_t)(batch->delivered + batch->window);
    if (batch->has_horizon && horizon == batch->horizon)
        return;
    batch->has_horizon = 1;
    batch->horizon = horizon;
    stook__group_set_horizon(&world.sched, &batch->group, horizon);
    for (; batch->revealed < horizon && batch->revealed < batch->count; batch->revealed++)
        if (batch->requests[batch->revealed].state != DONE)
            stook__sched_reveal(&world.sched, &batch->requests[batch->revealed].job);
}

static void update_room(struct batch *batch)
{
    struct request *front = batch->delivered < batch->count ? &batch->requests[batch->delivered] : NULL;
    size_t outstanding = 0;
    move_horizon(batch);
    batch->head = batch->ordered && front != NULL && front->state == WAITING ? front : NULL;
    for (size_t i = batch->delivered; batch->ordered && i < batch->count; i++)
        outstanding += batch->requests[i].state != WAITING;
    batch->blocked = batch->full || (batch->ordered && outstanding + (batch->head != NULL) >= batch->window);
    stook__group_block(&world.sched, &batch->group, batch->blocked, batch->head != NULL ? &batch->head->job : NULL);
}

static void deliver(struct batch *batch)
{
    while (batch->awaited && !batch->delivery_paused && batch->delivered < batch->count &&
           (batch->ordered ? batch->requests[batch->delivered].state == DONE : batch->delivered < batch->n_results))
        batch->delivered++;
}

static void process_batch(struct batch *batch)
{
    struct stook__job *job;
    if (!batch->awaited || batch->done)
        return;
    if (batch->end_error != 0) {
        stook__group_stop(&world.sched, &batch->group);
        for (size_t bound = 1 + below(20); bound > 0 && (job = batch->drains ? stook__group_any_waiting(&batch->group) : stook__group_any(&batch->group)) != NULL; bound--)
            cancel(of_job(job), batch->end_error);
    }
    update_room(batch);
    batch->done = batch->delivered == batch->count && (batch->count > 0 || batch->end_error != 0);
    if (!batch->done)
        return;
    stook__group_close(&world.sched, &batch->group);
    if (one_in(2)) {
        stook__group_end(&world.sched, &batch->group);
        batch->ended = 1;
        notice_what_is_forgotten();
    }
}

static void process_batches(void)
{
    for (size_t i = 0; i < world.n_batches; i++)
        process_batch(&world.batches[i]);
}

/* -------------------------------------------------------------------- checks of a start */

/* Requests of a target that are in flight for a batch, without `started`. */
static size_t load_of(const struct request *of, const struct request *started)
{
    const struct batch *batch = of->batch;
    size_t count = 0;
    for (size_t k = 0; k < batch->count; k++) {
        const struct request *request = &batch->requests[k];
        count += request != started && request->origin == of->origin && request->key == of->key && request->state == RUNNING;
    }
    return count;
}

/* No other of its batch had to start before it, unless it was the head of the order: none of a higher
   priority, and of the same none whose target has fewer in flight, or as many and waits for longer. */
static void check_turn_of_target(const struct request *started, int was_head)
{
    const struct batch *batch = started->batch;
    size_t load = load_of(started, started);
    if (was_head)
        return;
    for (size_t k = 0; k < batch->count; k++) {
        const struct request *request = &batch->requests[k];
        if (!is_queued(request) || same_queue(request, started) || !is_first_of_queue(request))
            continue;
        const struct stook__queue *queue = request->job.queue;
        if (queue->place != STOOK__QUEUE_READY && queue->place != STOOK__QUEUE_RESERVED)
            continue;
        if (batch->has_horizon && request->index >= batch->horizon)
            continue;
        CHECK(request->priority <= started->priority);
        if (request->priority < started->priority)
            continue;
        CHECK(load <= load_of(request, started));
        if (load == load_of(request, started))
            CHECK(started->index < request->index);
    }
}

/* Whether but for whose turn it is the batch could start something now. */
static int could_start(const struct batch *batch)
{
    for (size_t k = 0; k < batch->count; k++) {
        const struct request *request = &batch->requests[k];
        if (is_queued(request) && may_start_at(request, 1) <= world.now)
            return 1;
    }
    return 0;
}

static void check_turns(const struct batch *started, const int could[BATCHES])
{
    for (size_t i = 0; i < world.n_batches; i++) {
        struct batch *batch = &world.batches[i];
        batch->passed_over = batch != started && could[i] ? batch->passed_over + 1 : 0;
        CHECK(batch->passed_over <= 2 * (BATCHES + ORIGINS * KEYS));
    }
}

static void start_request(struct request *request, const int could[BATCHES])
{
    struct batch *batch = request->batch;
    struct origin *origin = origin_of(request);
    struct cooling *target = target_of(request);
    int was_head = batch->head == request;
    note(4, request->index);
    CHECK(is_queued(request) && request->not_before <= world.now && world.now < due_of(request));
    CHECK(!batch_forbids(request) && world.running < world.limit && !world.starved);
    CHECK(is_first_of_queue(request));
    CHECK(origin_opens_at(request) <= world.now);
    CHECK(request->settings.max_retries == 0 || request->job.retries == request->retries);
    check_turns(batch, could);
    check_turn_of_target(request, was_head);
    request->state = RUNNING;
    request->retrying = 0;
    batch->running++;
    world.running++;
    origin->running++;
    if (origin->circuit == CIRCUIT_OPEN)
        origin->circuit = PROBE;
    if (origin->circuit == PROBE) {
        origin->probe = request;
        request->probes_circuit = 1;
    }
    if (target->state == COOLING)
        target->state = PROBING;
    if (target->state == PROBING) {
        request->probes_target = 1;
        target->n_probing++;
    }
    if (request->first_at == 0) {
        CHECK(origin->n_requests < BUDGET);
        budget_requests[request->origin][origin->n_requests++] = world.now / SECOND;
    }
    take_rates(request);
    begin_attempt(request);
}

/* Those at an open circuit end, whatever else is free. */
static void refuse(void)
{
    struct stook__job *job;
    while ((job = stook__refusal_next(&world.sched, world.now)) != NULL) {
        struct request *request = of_job(job);
        CHECK(is_queued(request) && is_refusable(request) && !window_forbids(request));
        note(5, request->index);
        finish(request, STOOK_ECIRCUIT);
        update_room(request->batch);
    }
}

static void start(void)
{
    int starts = 0;
    refuse();
    for (int round = 0; round < 100 && stook__sched_ready(&world.sched); round++) {
        struct stook__job *job;
        int could[BATCHES];
        for (size_t i = 0; i < world.n_batches; i++)
            could[i] = could_start(&world.batches[i]);
        if ((job = stook__sched_next(&world.sched, world.now)) == NULL)
            continue;
        struct request *request = of_job(job);
        start_request(request, could);
        update_room(request->batch);
        if (++starts == 64)
            return;
    }
}

/* When all have started that could: each that waits is forbidden by something, and what time alone forbids
   is not slept through. */
static void check_waiting(void)
{
    int64_t alarm = stook__sched_alarm(&world.sched);
    size_t running = 0, waiting = 0, retrying = 0;
    CHECK(!stook__sched_ready(&world.sched)); /* or the turns would follow each other without end */
    CHECK(alarm == 0 || alarm > world.now);
    if (alarm == 0)
        alarm = NEVER;
    for (size_t i = 0; i < world.n_batches; i++)
        for (size_t k = 0; k < world.batches[i].count; k++) {
            struct request *request = &world.batches[i].requests[k];
            if (request->state == DONE)
                continue;
            running += request->state == RUNNING;
            waiting += request->state == WAITING;
            retrying += request->state == WAITING && request->retrying;
            int64_t due = due_of(request);
            CHECK(due > world.now && alarm <= due);
            if (request->state != WAITING)
                continue;
            if (request->is_delayed) {
                CHECK(request->not_before > world.now && alarm <= request->not_before);
                continue;
            }
            CHECK(!is_refusable(request) || window_forbids(request));
            if (!is_first_of_queue(request))
                continue;
            /* What a late take was early by, a bucket may give back the less. */
            int64_t at = may_start_at(request, 1), late = world.n_rates > 0 ? STOOK__RATE_LATE_US : 0;
            CHECK(at > world.now - ROUNDING - late);
            CHECK(at == NEVER || alarm <= at + ROUNDING + late);
            CHECK(stook__sched_reason(&world.sched, &request->job, world.now, NULL) != STOOK__BY_NOTHING);
        }
    CHECK_EQ_SIZE(running, world.sched.n_running);
    CHECK_EQ_SIZE(waiting, world.sched.n_waiting);
    CHECK_EQ_SIZE(retrying, world.sched.n_retrying);
}

static void turn(void)
{
    stook__sched_tick(&world.sched, world.now);
    answer();
    expire();
    for (int i = 0; i < 2 * BATCHES * REQUESTS; i++) {
        process_batches();
        stook__sched_tick(&world.sched, world.now);
        start();
        for (size_t k = 0; k < world.n_batches; k++)
            deliver(&world.batches[k]);
        process_batches();
        if (!stook__sched_ready(&world.sched))
            break;
    }
    check_waiting();
}

/* -------------------------------------------------------------- what programs do */

static void make_settings(struct request *request)
{
    request->settings = (struct stook__settings){
        .queue_ms = one_in(4) ? 1 + (int64_t)below(3000) : -1,
        .attempt_ms = one_in(8) ? -1 : 1 + (int64_t)below(2000),
        .connect_ms = -1,
        .total_ms = one_in(2) ? 1 + (int64_t)below(8000) : -1,
        .stall_ms = one_in(2) ? 1 + (int64_t)below(1000) : -1,
        .delay_ms = one_in(8) ? (int64_t)below(500) : 0,
        .max_retries = one_in(2) ? 0 : one_in(6) ? -1 : 1 + (int64_t)below(4),
        .cost = one_in(10) ? -1 : one_in(10) ? (int64_t)below(60) : 1 + (int64_t)below(8),
    };
    if (world.storm)
        request->settings.max_retries = 50;
    request->idempotent = !one_in(4);
}

static void add(struct batch *batch)
{
    if (batch->count == REQUESTS || batch->done || batch->end_error != 0 || world.closed)
        return;
    struct request *request = &batch->requests[batch->count];
    request->batch = batch;
    request->index = (uint32_t)batch->count++;
    request->origin = below(world.n_origins);
    request->key = one_in(2) ? 0 : below(world.n_keys);
    request->priority = one_in(4) ? (unsigned)below(STOOK__PRIORITIES) : 3;
    request->line = (unsigned)(request->origin * KEYS + request->key) * STOOK__PRIORITIES + request->priority;
    request->cost_taken = -1;
    make_settings(request);
    struct stook__origin *origin = stook__origin_get(&world.origins, world.known[request->origin].key, 1);
    struct stook__queue *queue = stook__sched_queue(&world.sched, &batch->group, origin, names[request->key], request->priority);
    CHECK(queue != NULL);
    stook__origin_unref(origin);
    notice_what_is_forgotten();
    request->state = WAITING;
    request->added_at = world.now;
    request->not_before = request->settings.delay_ms > 0 ? after(world.now, request->settings.delay_ms) : 0;
    request->is_delayed = request->not_before > world.now;
    stook__sched_add(&world.sched, queue, &request->job, &request->settings, world.now);
    note(6, request->origin);
}

static void await(struct batch *batch)
{
    if (batch->awaited || world.closed)
        return;
    batch->awaited = 1;
    batch->ordered = one_in(3);
    batch->window = one_in(4) ? SIZE_MAX : 1 + below(8);
    batch->limit = one_in(4) ? SIZE_MAX : 1 + below(6);
    batch->deadline = one_in(6) ? world.now + 1 + (int64_t)below(5000) * MS : 0;
    stook__group_open(&world.sched, &batch->group, batch->limit, batch->deadline);
    note(7, batch->window);
}

/* The real cost of a request is known. */
static void charge(struct request *request)
{
    if (request->state != DONE || request->cost_taken < 0 || world.n_rates == 0)
        return;
    int64_t real = (int64_t)below((size_t)request->cost_taken * 2 + 2);
    struct stook__origin *origin = stook__origin_get(&world.origins, world.known[request->origin].key, 1);
    struct stook__target *target = stook__target_hold(&world.sched, origin, names[request->key]);
    int64_t at = real < request->cost_taken ? request->attempt_at : 0; /* a debt the model takes as if at the last take */
    stook__gates_charge(&world.sched, target, real - request->cost_taken, at);
    stook__target_release(&world.sched, target);
    stook__origin_unref(origin);
    correct_rates(request, request->cost_taken - real, 0);
    request->cost_taken = -1;
    note(8, (uint64_t)real);
}

static void change_limits(struct batch *batch)
{
    size_t limit = 1 + below(8);
    switch (below(3)) {
    case 0:
        if (batch->awaited)
            stook__group_set_limit(&world.sched, &batch->group, batch->limit = limit);
        break;
    case 1:
        stook__sched_set_limit(&world.sched, world.limit = limit);
        break;
    default:
        stook__sched_set_origin_limit(&world.sched, world.origin_limit = limit);
    }
    note(10, limit);
}

static int pass_time(void)
{
    int64_t next = stook__sched_alarm(&world.sched);
    if (next == 0)
        next = NEVER;
    else
        next = (next + world.tick - 1) / world.tick * world.tick + (world.late > 0 ? (int64_t)below((size_t)world.late) : 0);
    for (size_t i = 0; i < world.n_batches; i++)
        for (size_t k = 0; k < world.batches[i].count; k++)
            if (world.batches[i].requests[k].state == RUNNING)
                next = earlier(next, world.batches[i].requests[k].ends_at);
    if (next == NEVER)
        return 0;
    world.now = later(world.now, next);
    return 1;
}

static void act(void)
{
    struct batch *batch = &world.batches[below(world.n_batches)];
    struct request *request = &batch->requests[below(REQUESTS)];
    switch (below(20)) {
    case 0:
        if (request->state == WAITING || request->state == RUNNING)
            cancel(request, STOOK_ECANCELLED);
        break;
    case 1:
        if (one_in(8))
            terminate(batch, STOOK_ECANCELLED, one_in(2));
        break;
    case 2:
        if (batch->awaited && !batch->done && batch->end_error == 0)
            batch->delivery_paused = one_in(2);
        break;
    case 3:
        change_limits(batch);
        break;
    case 4:
    case 5:
        await(batch);
        break;
    case 6:
        batch->full = one_in(3);
        break;
    case 7:
    case 8:
        charge(request);
        break;
    case 9:
        world.known[below(world.n_origins)].temper = (unsigned)below(6);
        break;
    case 10:
        if (one_in(60))
            world.closed = 1;
        break;
    case 11:
        world.now += (int64_t)below(2000) * (one_in(4) ? 10 : 1); /* the program was busy */
        break;
    case 12:
    case 13:
    case 14:
    case 15:
        pass_time();
        break;
    default:
        for (size_t i = below(6); i-- > 0;)
            add(batch);
    }
}

/* ------------------------------------------------------------------- one history */

/* Sorted by `by`, as core does. */
static void make_rules(void)
{
    struct stook__flow_rules *rules = &world.rules;
    size_t *counts[] = {NULL, &rules->n_by_origin, &rules->n_by_client, &rules->n_by_key};
    static const int64_t per_ms[] = {10, 100, 1000, 1000, 3000};
    *rules = (struct stook__flow_rules){
        .max_cooldown_ms = one_in(5) ? -1 : 1 + (int64_t)below(4000),
        .retry_delay_ms = (int64_t)below(300),
        .retry_budget = one_in(3) ? -1 : 1 + (int64_t)below(50),
        .circuit_failures = one_in(2) ? -1 : 1 + (int64_t)below(5),
    };
    rules->retry_max_delay_ms = rules->retry_delay_ms + (int64_t)below(1000);
    world.storm = one_in(128);
    if (world.storm) {
        rules->retry_delay_ms = rules->retry_max_delay_ms = 1;
        rules->retry_budget = 1 + (int64_t)below(50);
        rules->circuit_failures = -1;
    }
    world.n_rates = world.storm ? 0 : below(RATES + 1);
    for (size_t i = 0; i < world.n_rates; i++) {
        struct stook__rate *rate = &world.rates[i];
        rate->by = i > 0 && one_in(2) ? world.rates[i - 1].by : STOOK_RATE_BY_ORIGIN + (int64_t)below(3);
        if (i > 0 && rate->by < world.rates[i - 1].by)
            rate->by = world.rates[i - 1].by;
        rate->of = one_in(2) ? STOOK_RATE_OF_REQUESTS : STOOK_RATE_OF_COST;
        rate->count = 1 + (int64_t)below(rate->of == STOOK_RATE_OF_COST ? 60 : 10);
        rate->per_ms = per_ms[below(5)];
        rate->burst = one_in(2) ? rate->count : 1 + (int64_t)below(20);
        ++*counts[rate->by];
    }
    rules->rates = world.n_rates > 0 ? world.rates : NULL;
    for (int status = 429; status < 600; status++)
        if (status == 429 || status >= 500)
            rules->retry_statuses[status / 64] |= UINT64_C(1) << status % 64;
    rules->keeps_origins = rules->n_by_origin > 0 || rules->circuit_failures > 0 || one_in(2);
}

static void begin(uint64_t seed)
{
    memset(&world, 0, sizeof world);
    world.random = seed * 2 + 1;
    world.now = 1;
    memory_begin(&memory);
    world.allocator = stook__allocator_new(&memory.allocator);
    stook__origins_init(&world.origins, world.allocator);
    stook__sched_init(&world.sched, world.allocator);
    make_rules();
    for (size_t i = 0; i < RATES; i++)
        for (size_t k = 0; k < ORIGINS; k++) {
            buckets[i][k].count = 0;
            buckets[i][k].last_at = 0;
            buckets[i][k].full_at = 0;
        }
    CHECK_EQ_INT(stook__targets_set_rules(&world.sched, &world.rules, seed), 0);
    world.n_batches = 1 + below(BATCHES);
    world.n_origins = world.storm ? 1 : 1 + below(ORIGINS);
    world.n_keys = 1 + below(KEYS);
    world.limit = one_in(2) ? SIZE_MAX : 1 + below(8);
    world.origin_limit = one_in(2) ? 1 + below(4) : 1000;
    world.tick = one_in(3) ? 1 : MS;
    world.late = one_in(2) ? 0 : 1 + (int64_t)below(3000);
    stook__sched_set_limit(&world.sched, world.limit);
    stook__sched_set_origin_limit(&world.sched, world.origin_limit);
    for (size_t i = 0; i < ORIGINS; i++) {
        world.known[i].key[0] = (char)('a' + i);
        world.known[i].temper = (unsigned)below(6);
    }
    for (size_t i = 0; i < world.n_batches; i++) {
        stook__group_init(&world.batches[i].group);
        world.batches[i].limit = SIZE_MAX;
    }
}

/* Whatever happened before: all is awaited, goes on and comes to its end. What hangs is cancelled. */
static void wind_up(void)
{
    for (size_t i = 0; i < world.n_batches; i++) {
        struct batch *batch = &world.batches[i];
        if (!world.closed)
            await(batch);
        else
            terminate(batch, STOOK_ECLOSED, 0);
        batch->full = batch->delivery_paused = 0;
    }
    for (int i = 0; i < 4000; i++) {
        turn();
        if (world.sched.n_running + world.sched.n_waiting == 0 || !pass_time())
            break;
    }
    for (size_t i = 0; i < world.n_batches; i++)
        terminate(&world.batches[i], STOOK_ECLOSED, 0);
    for (int i = 0; i < 40; i++)
        turn();
}

static void end(void)
{
    struct stook__job *job;
    for (size_t i = 0; i < world.n_batches; i++) {
        struct batch *batch = &world.batches[i];
        if (batch->awaited)
            CHECK(batch->done || batch->count == 0);
        for (size_t k = 0; batch->awaited && k < batch->count; k++)
            CHECK_EQ_INT(batch->requests[k].results, 1);
        while (!batch->ended && (job = stook__group_any(&batch->group)) != NULL)
            stook__sched_finish(&world.sched, job);
        if (!batch->ended)
            stook__group_end(&world.sched, &batch->group);
    }
    CHECK_EQ_SIZE(world.sched.n_running + world.sched.n_waiting + world.sched.n_retrying, 0);
    CHECK_EQ_INT(stook__sched_alarm(&world.sched), 0);
    CHECK_EQ_SIZE(world.sched.queues.count, 0);
    stook__sched_free(&world.sched);
    CHECK_EQ_SIZE(world.sched.targets.count + world.sched.keys.count + world.origins.map.count, 0);
    stook__origins_free(&world.origins);
    stook__allocator_unref(world.allocator);
    memory_check_empty(&memory);
}

static uint64_t history(uint64_t seed)
{
    begin(seed);
    for (size_t steps = 10 + below(60); steps > 0; steps--) {
        act();
        turn();
    }
    wind_up();
    end();
    return world.digest;
}

TEST(flow, slow)
{
    seeds_run(history, HISTORIES);
}

TEST(same_seed_same_history)
{
    seeds_check_digests(history, TWICE);
}
