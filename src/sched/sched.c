/* SPDX-License-Identifier: MIT */
/* Limits, priorities and fairness; see sched.h. Queues are in queue.c, the clocks in clocks.c. */
#include "sched/sched.h"

#include <assert.h>

#include "sched/clocks.h"
#include "sched/cooldown.h"
#include "sched/queue.h"
#include "util/trace.h"

/* One call of stook__sched_next() looks at no more jobs and queues that cannot start. */
enum { STEPS = 256 };
/* `not_before` of a job that waits for another one. */
static const int64_t FOREVER = INT64_MAX;
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
    sched->rules.max_cooldown_ms = sched->rules.retry_budget = -1;
    sched->rules.circuit_failures = -1;
}

void stook__sched_free(struct stook__sched *sched)
{
    stook__targets_free(sched);
    stook__map_free(&sched->queues, sched->allocator);
}

void stook__group_init(struct stook__group *group)
{
    stook__list_init(&group->ring);
    stook__list_init(&group->running);
    stook__list_init(&group->delayed);
    stook__list_init(&group->queues);
    stook__list_init(&group->spare_levels);
    stook__list_init(&group->reserved);
    stook__list_init(&group->held);
    for (int i = 0; i < STOOK__PRIORITIES; i++)
        stook__list_init(&group->levels[i]);
}

/* Whether the head of the order may be looked at. */
static int head_is_ready(const struct stook__group *group)
{
    const struct stook__job *head = group->head;
    return head != NULL && head->state == STOOK__JOB_QUEUED &&
           head->queue->place != STOOK__QUEUE_PARKED;
}

static int group_may_start(const struct stook__group *group)
{
    if (!group->open || group->n_running >= group->limit ||
        group->n_waiting == group->n_parked + group->n_delayed + group->n_beyond)
        return 0;
    return !group->blocked || head_is_ready(group);
}

/* Gives back the passes that are reserved for the group, because it cannot use them. */
static void return_reservations(struct stook__sched *sched, struct stook__group *group)
{
    while (!stook__list_empty(&group->reserved))
        stook__queue_unreserve(sched, STOOK__OF(struct stook__queue, pass, group->reserved.next));
}

/* Keeps a group in the ring exactly while it may start something, as far as its own limit and its
   queues tell. A group that enters goes to the end. */
static void update_ring(struct stook__sched *sched, struct stook__group *group)
{
    if (!group_may_start(group)) {
        stook__list_remove(&group->ring);
        return_reservations(sched, group);
    } else if (stook__list_empty(&group->ring)) {
        stook__list_append(&sched->ring, &group->ring);
    }
}

void stook__group_open(struct stook__sched *sched, struct stook__group *group, size_t limit,
                       int64_t deadline)
{
    group->open = 1;
    group->limit = limit;
    if (deadline != 0)
        stook__timer_heap_set(&sched->deadlines, &group->deadline, deadline);
    update_ring(sched, group);
}

void stook__group_stop(struct stook__sched *sched, struct stook__group *group)
{
    group->open = 0;
    update_ring(sched, group);
}

void stook__group_close(struct stook__sched *sched, struct stook__group *group)
{
    stook__group_stop(sched, group);
    stook__timer_heap_clear(&sched->deadlines, &group->deadline);
}

void stook__group_block(struct stook__sched *sched, struct stook__group *group, int blocked,
                        struct stook__job *head)
{
    int was = group->blocked;
    group->blocked = blocked;
    if (group->head != head) {
        group->head = head;
        if (head != NULL && head->queue->place == STOOK__QUEUE_PARKED) {
            stook__queue_note_first(sched, head->queue);
            update_ring(sched, group);
        }
    }
    if (!was && !blocked)
        return;
    int head_reserved = head != NULL && head->queue->place == STOOK__QUEUE_RESERVED;
    if (blocked && group->n_reserved > (size_t)head_reserved)
        return_reservations(sched, group);
    update_ring(sched, group);
}

void stook__group_set_limit(struct stook__sched *sched, struct stook__group *group, size_t limit)
{
    stook__free(sched->allocator, group->adaptive);
    group->adaptive = NULL;
    group->limit = limit;
    update_ring(sched, group);
}

int stook__group_find_limit(struct stook__sched *sched, struct stook__group *group)
{
    group->adaptive = stook__alloc(sched->allocator, sizeof *group->adaptive);
    if (group->adaptive == NULL)
        return STOOK_ENOMEM;
    stook__adaptive_init(group->adaptive, stook__random(&sched->random));
    stook__group_update_limit(sched, group);
    return 0;
}

void stook__group_update_limit(struct stook__sched *sched, struct stook__group *group)
{
    group->limit = stook__adaptive_limit(group->adaptive);
    update_ring(sched, group);
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

void stook__group_set_horizon(struct stook__sched *sched, struct stook__group *group,
                              uint32_t horizon)
{
    int first = !group->has_horizon;
    group->has_horizon = 1;
    group->horizon = horizon;
    struct stook__link *link = group->queues.next;
    for (; first && link != &group->queues; link = link->next) {
        struct stook__queue *queue = STOOK__OF(struct stook__queue, sibling, link);
        if (queue->place == STOOK__QUEUE_READY)
            stook__queue_place(sched, queue);
    }
    update_ring(sched, group);
}

void stook__sched_reveal(struct stook__sched *sched, struct stook__job *job)
{
    if (job->state != STOOK__JOB_QUEUED)
        return;
    stook__queue_reveal(sched, job->queue, job);
    update_ring(sched, job->queue->key.group);
}

struct stook__job *stook__group_any_waiting(struct stook__group *group)
{
    if (!stook__list_empty(&group->delayed))
        return STOOK__OF(struct stook__job, link, group->delayed.next);
    while (group->n_waiting > 0) {
        struct stook__queue *queue = STOOK__OF(struct stook__queue, sibling, group->queues.next);
        if (queue->n_waiting > 0)
            return STOOK__OF(struct stook__job, link, queue->jobs.next);
        stook__list_remove(&queue->sibling); /* to the end, so that the next call finds it last */
        stook__list_append(&group->queues, &queue->sibling);
    }
    return NULL;
}

struct stook__job *stook__group_any(struct stook__group *group)
{
    if (stook__list_empty(&group->running))
        return stook__group_any_waiting(group);
    return STOOK__OF(struct stook__job, link, group->running.next);
}

/* --------------------------------------------------------------------------------- waiting jobs */

static void wait_again(struct stook__sched *sched, struct stook__job *job,
                       struct stook__queue *queue, int64_t not_before);

/* Puts a job that has no place into its queue, or among the delayed ones if its time has not come.
   `from`: the state that it leaves. */
static void wait_in_line(struct stook__sched *sched, struct stook__job *job, int64_t not_before)
{
    struct stook__group *group = job->queue->key.group;
    job->not_before = not_before;
    if (not_before > sched->now) {
        move_job(job, STOOK__JOB_DELAYED);
        stook__list_append(&group->delayed, &job->link);
        group->n_delayed++;
    } else {
        move_job(job, STOOK__JOB_QUEUED);
        stook__queue_push(sched, job->queue, job);
    }
    stook__clocks_arm(sched, job);
    update_ring(sched, group);
}

void stook__sched_hold(struct stook__sched *sched, struct stook__job *job)
{
    if (job->state == STOOK__JOB_RUNNING) {
        wait_again(sched, job, job->queue, FOREVER);
    } else if (job->state == STOOK__JOB_QUEUED) {
        stook__queue_remove(sched, job->queue, job);
        wait_in_line(sched, job, FOREVER);
    } else {
        job->not_before = FOREVER;
        stook__clocks_arm(sched, job);
    }
}

void stook__sched_undelay(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__group *group = job->queue->key.group;
    stook__list_remove(&job->link);
    group->n_delayed--;
    move_job(job, STOOK__JOB_QUEUED);
    stook__queue_push(sched, job->queue, job);
    stook__clocks_arm(sched, job);
    update_ring(sched, group);
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

/* Whether a job ends at once instead of waiting: the circuit of its origin is open, and it has no
   retry left for which that wait would be meant. */
static int is_refused(const struct stook__sched *sched, const struct stook__job *job)
{
    const struct stook__origin_flow *flow = stook__job_origin(job)->sched.flow;
    return flow != NULL && flow->circuit.state == STOOK__CIRCUIT_OPEN &&
           flow->circuit.until > sched->now && job->retries >= job->settings->max_retries;
}

/* Whether a job may start. If it may not, its queue is parked. */
static int may_start(struct stook__sched *sched, struct stook__job *job)
{
    job->refused = is_refused(sched, job);
    if (job->refused)
        return 1;
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
    if (head_is_ready(group) && may_start(sched, group->head))
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
    if (!job->refused)
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
    if (job->refused)
        return; /* no attempt begins */
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
        update_ring(sched, group);
        stook__gate_wake(sched, gate);
        if (queue->place == STOOK__QUEUE_RESERVED)
            return;
    }
}

struct stook__job *stook__sched_next(struct stook__sched *sched, int64_t now)
{
    sched->now = now > sched->now ? now : sched->now;
    for (int steps = STEPS; steps > 0 && stook__sched_ready(sched); steps--) {
        wake_queues(sched, &steps);
        struct stook__link *first = stook__list_pop(&sched->ring);
        if (first == NULL)
            continue;
        struct stook__group *group = STOOK__OF(struct stook__group, ring, first);
        struct stook__job *job = pick(sched, group, &steps);
        if (job != NULL)
            start_job(sched, job, now);
        update_ring(sched, group);
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
    return !sched->starved && sched->n_running < sched->limit &&
           (!stook__list_empty(&sched->ring) || !stook__list_empty(&sched->to_wake));
}

void stook__sched_circuit_opened(struct stook__sched *sched, struct stook__origin *origin)
{
    struct stook__link *queues = &origin->sched.queues, *link;
    for (link = queues->next; link != queues; link = link->next) {
        struct stook__queue *queue = STOOK__OF(struct stook__queue, of_origin, link);
        if (queue->place != STOOK__QUEUE_PARKED)
            continue;
        stook__queue_place(sched, queue);
        update_ring(sched, queue->key.group);
    }
}

/* --------------------------------------------------------------------------------------- ending */

void stook__sched_repeat(struct stook__sched *sched, struct stook__job *job, int64_t now)
{
    job->repeated = 1;
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
    job->probes_target = job->probes_circuit = job->refused = 0;
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
    update_ring(sched, group);
}

int stook__sched_put_back(struct stook__sched *sched, struct stook__job *job)
{
    if (sched->n_running <= 1)
        return 0;
    job->attempts--;
    sched->starved = 1;
    stook__gates_give_back(sched, job->queue->key.target,
                           job->settings->cost < 0 ? 0 : job->settings->cost, 1);
    wait_again(sched, job, job->queue, 0);
    return 1;
}

void stook__sched_retry(struct stook__sched *sched, struct stook__job *job, int64_t at)
{
    job->retries++;
    job->repeated = job->settings->max_retries == 0;
    sched->starved = 0;
    wait_again(sched, job, job->queue, at);
    job->retries_since = sched->now;
    sched->n_retrying++;
}

void stook__sched_not_begun(struct stook__sched *sched, struct stook__job *job)
{
    stook__gates_give_back(sched, job->queue->key.target,
                           job->settings->cost < 0 ? 0 : job->settings->cost, 1);
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
    update_ring(sched, group);
    stook__queue_release(sched, queue);
}

/* Which gate holds a waiting job up, in the order of enum stook__reason. */
static enum stook__reason reason_of_gates(struct stook__sched *sched, const struct stook__job *job,
                                          int64_t *until)
{
    const struct stook__queue *queue = job->queue;
    struct stook__target *target = queue->key.target;
    struct stook__gate *gate = &target->origin->sched.gate;
    const struct stook__origin_flow *flow = target->origin->sched.flow;
    int64_t at = stook__gate_opens_at(sched, gate, job, 0);
    int waits_here = queue->place == STOOK__QUEUE_PARKED && queue->gate == gate;
    if (at > sched->now && flow != NULL && flow->circuit.state != STOOK__CIRCUIT_CLOSED) {
        *until = at == STOOK__GATE_NEVER ? 0 : at;
        return STOOK__BY_CIRCUIT;
    }
    if (target->state == STOOK__TARGET_COOLING && target->cool_until > sched->now) {
        *until = target->cool_until;
        return STOOK__BY_COOLDOWN;
    }
    if (stook__gate_opens_at(sched, &target->gate, job, 0) > sched->now ||
        (queue->place == STOOK__QUEUE_PARKED && queue->gate == &target->gate))
        return STOOK__BY_PROBE;
    *until = stook__gates_rate_until(sched, job, NULL);
    if (*until != 0)
        return STOOK__BY_RATE;
    return at > sched->now || waits_here || !stook__list_empty(&gate->parked) ? STOOK__BY_ORIGIN
                                                                              : STOOK__BY_NOTHING;
}

enum stook__reason stook__sched_reason(struct stook__sched *sched, const struct stook__job *job,
                                       int64_t now, int64_t *ret_until)
{
    const struct stook__group *group = job->queue->key.group;
    int64_t unused, *until = ret_until != NULL ? ret_until : &unused;
    sched->now = now > sched->now ? now : sched->now;
    *until = 0;
    if (!group->open)
        return STOOK__BY_AWAIT;
    if ((group->blocked && group->head != job) || !stook__job_is_revealed(group, job))
        return STOOK__BY_WINDOW;
    if (job->state == STOOK__JOB_DELAYED && job->not_before == FOREVER)
        return STOOK__BY_SENDER;
    if (job->state == STOOK__JOB_DELAYED) {
        *until = job->not_before;
        return job->first_at == 0 ? STOOK__BY_DELAY : STOOK__BY_BACKOFF;
    }
    if (group->n_running >= group->limit)
        return STOOK__BY_BATCH;
    enum stook__reason reason = reason_of_gates(sched, job, until);
    if (reason != STOOK__BY_NOTHING)
        return reason;
    if (sched->n_running >= sched->limit)
        return STOOK__BY_CLIENT;
    return sched->starved ? STOOK__BY_DESCRIPTORS : STOOK__BY_NOTHING;
}
