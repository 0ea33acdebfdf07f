/* SPDX-License-Identifier: MIT */
/* Jobs: how they wait, start and end; see sched.h. */
#include "sched/sched.h"

#include <assert.h>

#include "sched/clocks.h"
#include "sched/cooldown.h"
#include "sched/group.h"
#include "sched/queue.h"
#include "sched/refusal.h"
#include "util/trace.h"

/* One call of stook__sched_next() looks at no more jobs and queues that cannot start. */
enum { STEPS = 256 };
enum { HEDGE_COST = 20, HEDGE_CREDIT_MAX = 10 * HEDGE_COST };

static inline void move_job(struct stook__job *job, enum stook__job_state to)
{
    enum {
        QUEUED = 1u << STOOK__JOB_QUEUED,
        DELAYED = 1u << STOOK__JOB_DELAYED,
        RUNNING = 1u << STOOK__JOB_RUNNING,
        FINISHED = 1u << STOOK__JOB_FINISHED
    };
    static const unsigned char allowed[] = {
        [STOOK__JOB_NEW] = QUEUED | DELAYED,
        [STOOK__JOB_QUEUED] = DELAYED | RUNNING | FINISHED,
        [STOOK__JOB_DELAYED] = QUEUED | FINISHED,
        [STOOK__JOB_RUNNING] = QUEUED | DELAYED | FINISHED,
        [STOOK__JOB_FINISHED] = 0,
    };
    static const char *const names[] = {"NEW", "QUEUED", "DELAYED", "RUNNING", "FINISHED"};
    assert(allowed[job->state] & 1u << to);
    const struct stook__origin *origin = stook__queue_origin(job->queue);
    STOOK__TRACE("sched", "job %p of %.*s: %s -> %s, attempt %u", (void *)job,
                 (int)origin->node.key_size, origin->node.key, names[job->state], names[to],
                 (unsigned)job->attempts);
    (void)allowed, (void)names, (void)origin; /* in release builds */
    job->state = to & 7;
}

void stook__sched_init(struct stook__sched *sched, struct stook__allocator *allocator)
{
    *sched =
        (struct stook__sched){.allocator = allocator, .limit = SIZE_MAX, .origin_limit = SIZE_MAX};
    stook__list_init(&sched->ring);
    stook__list_init(&sched->origins);
    stook__list_init(&sched->kept_origins);
    stook__list_init(&sched->kept_keys);
    stook__list_init(&sched->kept_targets);
    stook__list_init(&sched->to_wake);
    stook__list_init(&sched->held);
    stook__list_init(&sched->refusing);
    sched->rules.max_cooldown_ms = sched->rules.retry_budget = -1;
    sched->rules.circuit_failures = -1;
}

void stook__sched_free(struct stook__sched *sched)
{
    stook__targets_free(sched);
    stook__map_free(&sched->queues, sched->allocator);
}

void stook__sched_set_limit(struct stook__sched *sched, size_t limit)
{
    sched->limit = limit;
}

void stook__sched_set_origin_limit(struct stook__sched *sched, size_t limit)
{
    sched->origin_limit = limit;
    if (sched->rules.adaptive)
        stook__targets_fix_limits(sched);
    for (struct stook__link *link = sched->origins.next; link != &sched->origins; link = link->next)
        stook__gate_wake(sched, &STOOK__OF(struct stook__origin, sched.all, link)->sched.gate);
}

void stook__sched_reveal(struct stook__sched *sched, struct stook__job *job)
{
    if (job->state != STOOK__JOB_QUEUED)
        return;
    stook__queue_reveal(sched, job->queue, job);
    stook__refusal_note(sched, job);
    stook__group_update_ring(sched, job->queue->key.group);
}

/* --------------------------------------------------------------------------------- waiting jobs */

static void wait_again(struct stook__sched *sched, struct stook__job *job,
                       struct stook__queue *queue, int64_t not_before);

static void enqueue(struct stook__sched *sched, struct stook__job *job)
{
    move_job(job, STOOK__JOB_QUEUED);
    stook__queue_push(sched, job->queue, job);
    stook__refusal_note(sched, job);
}

/* Puts a job that has no place into its queue, or among the delayed ones if its time has not
   come. */
static void wait_in_line(struct stook__sched *sched, struct stook__job *job, int64_t not_before)
{
    struct stook__group *group = job->queue->key.group;
    job->not_before = not_before;
    if (not_before > sched->now) {
        move_job(job, STOOK__JOB_DELAYED);
        stook__list_append(&group->delayed, &job->link);
        group->n_delayed++;
    } else {
        enqueue(sched, job);
    }
    stook__clocks_arm(sched, job);
    stook__group_update_ring(sched, group);
}

void stook__sched_hold(struct stook__sched *sched, struct stook__job *job)
{
    if (job->state == STOOK__JOB_RUNNING) {
        wait_again(sched, job, job->queue, STOOK__FOREVER);
    } else if (job->state == STOOK__JOB_QUEUED) {
        stook__queue_remove(sched, job->queue, job);
        wait_in_line(sched, job, STOOK__FOREVER);
    } else {
        job->not_before = STOOK__FOREVER;
        stook__clocks_arm(sched, job);
    }
}

void stook__sched_undelay(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__group *group = job->queue->key.group;
    stook__list_remove(&job->link);
    group->n_delayed--;
    enqueue(sched, job);
    stook__clocks_arm(sched, job);
    stook__group_update_ring(sched, group);
}

void stook__sched_unhold(struct stook__sched *sched, struct stook__job *job, int64_t since)
{
    int64_t ends_at = stook__clocks_after(job->added_at, job->settings->delay_ms);
    sched->now = since > sched->now ? since : sched->now;
    job->not_before = ends_at > since ? ends_at : since;
    if (job->not_before > sched->now)
        stook__clocks_arm(sched, job);
    else
        stook__sched_undelay(sched, job);
}

void stook__sched_add(struct stook__sched *sched, struct stook__queue *queue,
                      struct stook__job *job, const struct stook__settings *settings, int64_t now)
{
    struct stook__group *group = queue->key.group;
    sched->now = now > sched->now ? now : sched->now;
    job->queue = queue;
    job->settings = settings;
    job->added_at = now;
    job->seq = group->n_added++;
    queue->n_jobs++;
    group->n_waiting++;
    sched->n_waiting++;
    stook__queue_origin(queue)->sched.n_waiting++;
    wait_in_line(sched, job,
                 settings->delay_ms > 0 ? stook__clocks_after(now, settings->delay_ms) : 0);
}

/* ------------------------------------------------------------------------------------ starting */

/* Returns the queue that is served next, of those that may start something. NULL: there is none. */
static struct stook__queue *first_ready(struct stook__group *group, int priority)
{
    if (stook__list_empty(&group->levels[priority]))
        return NULL;
    struct stook__level *lowest =
        STOOK__OF(struct stook__level, link, group->levels[priority].next);
    return STOOK__OF(struct stook__queue, link, lowest->queues.next);
}

/* Whether a job may start. If it may not, its queue is parked. */
static int may_start(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__gate *gate = stook__gate_refusing(sched, job);
    if (gate == NULL)
        return 1;
    if (stook__queue_take_over(sched, job->queue) &&
        (gate = stook__gate_refusing(sched, job)) == NULL)
        return 1;
    stook__queue_park(sched, job->queue, gate);
    return 0;
}

/* Returns the job of a group that is to start. NULL: none may, or no steps are left. */
static struct stook__job *pick(struct stook__sched *sched, struct stook__group *group, int *steps)
{
    if (stook__group_head_is_ready(group) && may_start(sched, group->head))
        return group->head;
    if (group->blocked)
        return NULL;
    for (int i = STOOK__PRIORITIES; i-- > 0 && *steps > 0;) {
        struct stook__queue *queue;
        while (*steps > 0 && (queue = first_ready(group, i)) != NULL) {
            struct stook__job *job = stook__queue_first(queue);
            if (!stook__job_is_revealed(group, job))
                stook__queue_place(sched, queue); /* the one before it has ended meanwhile */
            else if (may_start(sched, job))
                return job;
            --*steps;
        }
    }
    return NULL;
}

/* Counts an attempt of a RUNNING job. */
static void begin_attempt(struct stook__sched *sched, struct stook__job *job, int64_t now)
{
    struct stook__group *group = job->queue->key.group;
    struct stook__origin *origin = stook__job_origin(job);
    struct stook__origin_flow *flow = origin->sched.flow;
    job->attempts += job->attempts < UINT16_MAX;
    job->attempt_at = job->moved_at = now;
    job->connected = job->hedged = 0;
    if (group->adaptive != NULL)
        stook__adaptive_started(group->adaptive, now, group->n_running);
    if (flow != NULL && flow->adaptive != NULL)
        stook__adaptive_started(flow->adaptive, now, origin->sched.n_running);
    stook__clocks_arm(sched, job);
}

/* What a start means for the gates that the job has passed. */
static void pass_gates(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__target *target = job->queue->key.target;
    struct stook__origin_flow *flow = target->origin->sched.flow;
    if (flow == NULL && job->settings->hedge_after_ms != 0)
        flow = stook__target_flow(sched, target->origin); /* without memory there is no hedge */
    if (sched->rules.rates != NULL)
        stook__gates_take(sched, job, job->queue->gate);
    if (target->state != STOOK__TARGET_OPEN)
        job->probes_target = stook__cooldown_started(target, sched->now) != 0;
    if (flow == NULL)
        return;
    if (job->first_at == 0)
        stook__budget_count_request(&flow->budget, sched->now);
    flow->hedge_credit += flow->hedge_credit < HEDGE_CREDIT_MAX;
    if (sched->rules.circuit_failures > 0 && stook__circuit_admits(&flow->circuit, sched->now))
        job->probes_circuit = stook__circuit_started(&flow->circuit) != 0;
}

static void start_job(struct stook__sched *sched, struct stook__job *job, int64_t now)
{
    struct stook__queue *queue = job->queue;
    struct stook__group *group = queue->key.group;
    struct stook__origin *origin = stook__queue_origin(queue);
    pass_gates(sched, job);
    sched->n_retrying -= job->retries_since != 0;
    if (group->head == job)
        group->head = NULL;
    origin->sched.n_running++;
    origin->sched.n_waiting--;
    stook__queue_start(sched, queue, job);
    stook__list_append(&group->running, &job->link);
    group->n_waiting--;
    sched->n_waiting--;
    group->n_running++;
    sched->n_running++;
    move_job(job, STOOK__JOB_RUNNING);
    if (job->first_at == 0)
        job->first_at = now;
    begin_attempt(sched, job, now);
}

/* Wakes queues at gates that have opened, until a group can use one. */
static void wake_queues(struct stook__sched *sched, int *steps)
{
    struct stook__link *link;
    for (; *steps > 0 && (link = stook__list_pop(&sched->to_wake)) != NULL; --*steps) {
        struct stook__gate *gate = STOOK__OF(struct stook__gate, wake, link);
        struct stook__queue *queue =
            stook__list_empty(&gate->parked) ? NULL : stook__gate_next(gate);
        if (queue == NULL ||
            stook__gate_opens_at(sched, gate, stook__queue_first(queue), 0) > sched->now) {
            stook__gate_wake(sched, gate); /* something has changed since: when is it now? */
            continue;
        }
        struct stook__group *group = queue->key.group;
        stook__queue_reserve(sched, queue);
        if (group->blocked && (group->head == NULL || group->head->queue != queue))
            stook__queue_unreserve(sched, queue);
        stook__group_update_ring(sched, group);
        stook__gate_wake(sched, gate);
        if (queue->place == STOOK__QUEUE_RESERVED)
            return;
    }
}

static int may_start_any(const struct stook__sched *sched)
{
    return !sched->starved && sched->n_running < sched->limit &&
           (!stook__list_empty(&sched->ring) || !stook__list_empty(&sched->to_wake));
}

struct stook__job *stook__sched_next(struct stook__sched *sched, int64_t now)
{
    sched->now = now > sched->now ? now : sched->now;
    for (int steps = STEPS; steps > 0 && may_start_any(sched); steps--) {
        wake_queues(sched, &steps);
        struct stook__link *first = stook__list_pop(&sched->ring);
        if (first == NULL)
            continue;
        struct stook__group *group = STOOK__OF(struct stook__group, ring, first);
        struct stook__job *job = pick(sched, group, &steps);
        if (job != NULL)
            start_job(sched, job, now);
        stook__group_update_ring(sched, group);
        if (job != NULL)
            return job;
    }
    return NULL;
}

struct stook__group *stook__sched_next_held(struct stook__sched *sched)
{
    struct stook__link *first = stook__list_pop(&sched->held);
    return first != NULL ? STOOK__OF(struct stook__group, held, first) : NULL;
}

int stook__sched_ready(const struct stook__sched *sched)
{
    return may_start_any(sched) || !stook__list_empty(&sched->refusing);
}

/* --------------------------------------------------------------------------------------- ending */

void stook__sched_repeat(struct stook__sched *sched, struct stook__job *job, int64_t now)
{
    job->retries += job->settings->max_retries > 0;
    begin_attempt(sched, job, now);
}

static void count_stopped(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__queue *queue = job->queue;
    struct stook__target *target = queue->key.target;
    queue->key.group->n_running--;
    sched->n_running--;
    target->origin->sched.n_running--;
    if (job->probes_target) {
        target->n_probing--;
        stook__gate_wake(sched, &target->gate);
    }
    if (job->probes_circuit && target->origin->sched.flow != NULL)
        stook__circuit_ended(&target->origin->sched.flow->circuit, sched->now,
                             sched->rules.circuit_failures, 1, -1, &sched->random);
    job->probes_target = job->probes_circuit = 0;
    stook__queue_stop(sched, queue);
    stook__gate_wake(sched, &target->origin->sched.gate);
}

/* Moves a RUNNING job into a queue of its group, where it waits again without a slot. */
static void wait_again(struct stook__sched *sched, struct stook__job *job,
                       struct stook__queue *queue, int64_t not_before)
{
    struct stook__group *group = queue->key.group;
    job->retries_since = 0;
    stook__list_remove(&job->link);
    count_stopped(sched, job);
    job->queue = queue;
    group->n_waiting++;
    sched->n_waiting++;
    stook__queue_origin(queue)->sched.n_waiting++;
    wait_in_line(sched, job, not_before);
}

int stook__sched_hedge(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__group *group = job->queue->key.group;
    struct stook__origin *origin = stook__job_origin(job);
    struct stook__origin_flow *flow = stook__target_flow(sched, origin);
    if (flow == NULL || flow->hedge_credit < HEDGE_COST || sched->starved ||
        group->n_running >= group->limit || sched->n_running >= sched->limit ||
        job->queue->place == STOOK__QUEUE_RESERVED || stook__gate_refusing(sched, job) != NULL)
        return 0;
    /* It would be a second probe, or take the place of the first. */
    if (flow->circuit.state != STOOK__CIRCUIT_CLOSED ||
        job->queue->key.target->state != STOOK__TARGET_OPEN)
        return 0;
    flow->hedge_credit -= HEDGE_COST;
    stook__gates_take(sched, job, NULL);
    origin->sched.n_running++;
    group->n_running++;
    sched->n_running++;
    job->attempts += job->attempts < UINT16_MAX;
    return 1;
}

void stook__sched_unhedge(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__group *group = job->queue->key.group;
    struct stook__origin *origin = stook__job_origin(job);
    origin->sched.n_running--;
    group->n_running--;
    sched->n_running--;
    stook__gate_wake(sched, &origin->sched.gate);
    stook__group_update_ring(sched, group);
}

int stook__sched_put_back(struct stook__sched *sched, struct stook__job *job)
{
    if (sched->n_running <= 1)
        return 0;
    job->attempts--;
    sched->starved = 1;
    stook__gates_give_back(sched, job->queue->key.target,
                           job->settings->cost < 0 ? 0 : job->settings->cost, 1, job->attempt_at);
    wait_again(sched, job, job->queue, 0);
    return 1;
}

void stook__sched_retry(struct stook__sched *sched, struct stook__job *job, int64_t at)
{
    job->retries++;
    sched->starved = 0;
    wait_again(sched, job, job->queue, at);
    job->retries_since = sched->now;
    sched->n_retrying++;
}

void stook__sched_not_begun(struct stook__sched *sched, struct stook__job *job)
{
    stook__gates_give_back(sched, job->queue->key.target,
                           job->settings->cost < 0 ? 0 : job->settings->cost, 1, job->attempt_at);
    if (--job->attempts == 0)
        job->first_at = 0;
}

void stook__sched_redirect(struct stook__sched *sched, struct stook__queue *queue,
                           struct stook__job *job)
{
    struct stook__queue *last = job->queue;
    queue->n_jobs++;
    job->repeated = 0;
    sched->starved = 0;
    wait_again(sched, job, queue, 0);
    stook__queue_release(sched, last);
}

void stook__sched_finish(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__queue *queue = job->queue;
    struct stook__group *group = queue->key.group;
    if (group->head == job)
        group->head = NULL;
    if (job->state == STOOK__JOB_QUEUED)
        stook__queue_remove(sched, queue, job);
    else
        stook__list_remove(&job->link);
    if (job->state == STOOK__JOB_RUNNING) {
        count_stopped(sched, job);
    } else {
        group->n_delayed -= job->state == STOOK__JOB_DELAYED;
        sched->n_retrying -= job->retries_since != 0;
        group->n_waiting--;
        sched->n_waiting--;
        stook__queue_origin(queue)->sched.n_waiting--;
    }
    sched->starved = 0;
    move_job(job, STOOK__JOB_FINISHED);
    job->queue = NULL;
    stook__timer_heap_clear(&sched->jobs, &job->timer);
    stook__group_update_ring(sched, group);
    stook__queue_release(sched, queue);
}
