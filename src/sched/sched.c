/* SPDX-License-Identifier: MIT */
/* Limits, priorities and fairness; see sched.h. Queues are in queue.c, the clocks in clocks.c. */
#include "sched/sched.h"

#include <assert.h>

#include "sched/clocks.h"
#include "sched/queue.h"
#include "util/trace.h"

/* One call of stook__sched_next() looks at no more jobs and queues that cannot start. */
enum { STEPS = 256 };

static inline void move_job(struct stook__job *job, enum stook__job_state to)
{
    enum {
        INCOMING = 1u << STOOK__JOB_INCOMING,
        QUEUED = 1u << STOOK__JOB_QUEUED,
        RUNNING = 1u << STOOK__JOB_RUNNING,
        FINISHED = 1u << STOOK__JOB_FINISHED
    };
    static const unsigned char allowed[] = {
        [STOOK__JOB_NEW] = INCOMING,
        [STOOK__JOB_INCOMING] = QUEUED | FINISHED,
        [STOOK__JOB_QUEUED] = RUNNING | FINISHED,
        [STOOK__JOB_RUNNING] = QUEUED | FINISHED,
        [STOOK__JOB_FINISHED] = 0,
    };
    static const char *const names[] = {"NEW", "INCOMING", "QUEUED", "RUNNING", "FINISHED"};
    assert(allowed[job->state] & 1u << to);
    STOOK__TRACE("sched", "job %p of %.*s: %s -> %s, attempt %u", (void *)job,
                 (int)job->queue->key.origin->node.key_size, job->queue->key.origin->node.key,
                 names[job->state], names[to], (unsigned)job->attempts);
    (void)allowed, (void)names; /* in release builds */
    job->state = (uint8_t)to;
}

void stook__sched_init(struct stook__sched *sched, struct stook__allocator *allocator)
{
    *sched =
        (struct stook__sched){.allocator = allocator, .limit = SIZE_MAX, .origin_limit = SIZE_MAX};
    stook__list_init(&sched->ring);
    stook__list_init(&sched->origins);
    stook__list_init(&sched->to_wake);
}

void stook__sched_free(struct stook__sched *sched)
{
    stook__map_free(&sched->queues, sched->allocator);
}

void stook__group_init(struct stook__group *group)
{
    stook__list_init(&group->ring);
    stook__list_init(&group->running);
    stook__list_init(&group->queues);
    for (int i = 0; i < STOOK__PRIORITIES; i++) {
        stook__list_init(&group->incoming[i]);
        stook__list_init(&group->ready[i]);
    }
}

static int group_may_start(const struct stook__group *group)
{
    if (!group->open || group->n_running >= group->limit || group->n_waiting == group->n_parked)
        return 0;
    return !group->blocked || (group->head != NULL && stook__job_waits(group->head) &&
                               group->head->queue->place != STOOK__QUEUE_PARKED);
}

/* Gives back the room that is reserved for the group, because it cannot use it. */
static void return_reservations(struct stook__sched *sched, struct stook__group *group)
{
    for (int i = 0; i < STOOK__PRIORITIES && group->n_reserved > 0; i++)
        while (!stook__list_empty(&group->ready[i])) {
            struct stook__queue *queue = STOOK__OF(struct stook__queue, link, group->ready[i].next);
            if (queue->place != STOOK__QUEUE_RESERVED)
                break; /* those with a reservation are the first */
            stook__queue_unreserve(sched, queue);
        }
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
    group->head = head;
    if (!was && !blocked)
        return; /* `head` matters to a blocked group only */
    int head_reserved = head != NULL && head->queue->place == STOOK__QUEUE_RESERVED;
    if (blocked && group->n_reserved > (size_t)head_reserved)
        return_reservations(sched, group);
    update_ring(sched, group);
}

void stook__group_set_limit(struct stook__sched *sched, struct stook__group *group, size_t limit)
{
    group->limit = limit;
    update_ring(sched, group);
}

void stook__sched_set_limit(struct stook__sched *sched, size_t limit)
{
    sched->limit = limit;
}

void stook__sched_set_origin_limit(struct stook__sched *sched, size_t limit)
{
    sched->origin_limit = limit;
    for (struct stook__link *link = sched->origins.next; link != &sched->origins; link = link->next)
        stook__sched_origin_wake(sched, STOOK__OF(struct stook__origin, sched.all, link));
}

struct stook__job *stook__group_any_waiting(struct stook__group *group)
{
    for (int i = 0; i < STOOK__PRIORITIES; i++)
        if (!stook__list_empty(&group->incoming[i]))
            return STOOK__OF(struct stook__job, link, group->incoming[i].next);
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

void stook__sched_add(struct stook__sched *sched, struct stook__queue *queue,
                      struct stook__job *job, const struct stook__settings *settings, int64_t now)
{
    struct stook__group *group = queue->key.group;
    job->queue = queue;
    job->settings = settings;
    job->added_at = now;
    move_job(job, STOOK__JOB_INCOMING);
    stook__list_append(&group->incoming[queue->key.priority], &job->link);
    queue->n_jobs++;
    group->n_waiting++;
    sched->n_waiting++;
    stook__clocks_arm(sched, job);
    update_ring(sched, group);
}

/* Returns the first ready queue of a group. If there is none, moves incoming jobs into their queues
   until one is ready. NULL: there is none, or no steps are left. */
static struct stook__queue *first_ready(struct stook__sched *sched, struct stook__group *group,
                                        int priority, int *steps)
{
    while (stook__list_empty(&group->ready[priority])) {
        struct stook__link *first = *steps > 0 ? stook__list_pop(&group->incoming[priority]) : NULL;
        if (first == NULL)
            return NULL;
        --*steps;
        struct stook__job *job = STOOK__OF(struct stook__job, link, first);
        move_job(job, STOOK__JOB_QUEUED);
        stook__queue_push(sched, job->queue, job, STOOK__PUSH_LAST);
    }
    return STOOK__OF(struct stook__queue, link, group->ready[priority].next);
}

/* The group is blocked, so only its head may start. The head is the oldest job of its group, so it
   is the first of its queue. */
static struct stook__job *pick_head(struct stook__sched *sched, struct stook__group *group)
{
    struct stook__job *head = group->head;
    if (head->state == STOOK__JOB_INCOMING) {
        stook__list_remove(&head->link);
        move_job(head, STOOK__JOB_QUEUED);
        stook__queue_push(sched, head->queue, head, STOOK__PUSH_FIRST);
    }
    if (stook__queue_may_start(sched, head->queue))
        return head;
    stook__queue_park(sched, head->queue);
    return NULL;
}

/* Returns the job of a group that is to start. NULL: none may, or no steps are left. */
static struct stook__job *pick(struct stook__sched *sched, struct stook__group *group, int *steps)
{
    if (group->blocked)
        return pick_head(sched, group);
    for (int i = STOOK__PRIORITIES; i-- > 0 && *steps > 0;) {
        struct stook__queue *queue;
        while ((queue = first_ready(sched, group, i, steps)) != NULL) {
            if (stook__queue_may_start(sched, queue) || stook__queue_take_over(sched, queue))
                return STOOK__OF(struct stook__job, link, queue->jobs.next);
            stook__queue_park(sched, queue);
            --*steps;
        }
    }
    return NULL;
}

/* Counts an attempt of a RUNNING job. */
static void begin_attempt(struct stook__sched *sched, struct stook__job *job, int64_t now)
{
    job->attempts++;
    job->attempt_at = job->moved_at = now;
    job->connected = 0;
    stook__clocks_arm(sched, job);
}

static void start_job(struct stook__sched *sched, struct stook__job *job, int64_t now)
{
    struct stook__queue *queue = job->queue;
    struct stook__group *group = queue->key.group;
    queue->key.origin->sched.n_running++;
    stook__queue_remove(sched, queue, job);
    if (queue->n_waiting > 0)
        stook__queue_rotate(sched, queue); /* other origins are next */
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

/* Gives parked queues of origins that have room a reservation, until a group can use one. */
static void reserve_room(struct stook__sched *sched, int *steps)
{
    while (!stook__list_empty(&sched->to_wake) && *steps > 0) {
        struct stook__origin *origin =
            STOOK__OF(struct stook__origin, sched.wake, sched->to_wake.next);
        stook__list_remove(&origin->sched.wake);
        if (stook__list_empty(&origin->sched.parked) ||
            !stook__sched_origin_has_room(sched, origin))
            continue;
        struct stook__queue *queue = stook__sched_origin_next(sched, origin);
        struct stook__group *group = queue->key.group;
        stook__queue_reserve(sched, queue);
        if (group->blocked && (group->head == NULL || group->head->queue != queue))
            stook__queue_unreserve(sched, queue);
        update_ring(sched, group);
        stook__sched_origin_wake(sched, origin);
        if (queue->place == STOOK__QUEUE_RESERVED)
            return;
        --*steps;
    }
}

struct stook__job *stook__sched_next(struct stook__sched *sched, int64_t now)
{
    for (int steps = STEPS; steps > 0 && stook__sched_ready(sched); steps--) {
        reserve_room(sched, &steps);
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

int stook__sched_ready(const struct stook__sched *sched)
{
    return !sched->starved && sched->n_running < sched->limit &&
           (!stook__list_empty(&sched->ring) || !stook__list_empty(&sched->to_wake));
}

void stook__sched_repeat(struct stook__sched *sched, struct stook__job *job, int64_t now)
{
    job->repeated = 1;
    begin_attempt(sched, job, now);
}

static void count_stopped(struct stook__sched *sched, struct stook__queue *queue)
{
    queue->key.group->n_running--;
    sched->n_running--;
    queue->key.origin->sched.n_running--;
    stook__sched_origin_wake(sched, queue->key.origin);
}

/* Moves a RUNNING job into a queue of its group, where it waits again without a slot. */
static void wait_again(struct stook__sched *sched, struct stook__job *job,
                       struct stook__queue *queue, enum stook__queue_end end)
{
    struct stook__group *group = queue->key.group;
    stook__list_remove(&job->link);
    count_stopped(sched, job->queue);
    job->queue = queue;
    move_job(job, STOOK__JOB_QUEUED);
    stook__queue_push(sched, queue, job, end);
    group->n_waiting++;
    sched->n_waiting++;
    stook__clocks_arm(sched, job);
    update_ring(sched, group);
}

int stook__sched_put_back(struct stook__sched *sched, struct stook__job *job)
{
    if (sched->n_running <= 1)
        return 0;
    job->attempts--;
    sched->starved = 1;
    wait_again(sched, job, job->queue, STOOK__PUSH_FIRST);
    return 1;
}

void stook__sched_not_begun(struct stook__job *job)
{
    if (--job->attempts == 0)
        job->first_at = 0;
}

void stook__sched_redirect(struct stook__sched *sched, struct stook__queue *queue,
                           struct stook__job *job)
{
    struct stook__queue *last = job->queue;
    queue->n_jobs++;
    job->repeated = job->lost = 0;
    sched->starved = 0;
    wait_again(sched, job, queue, STOOK__PUSH_HOP);
    stook__queue_release(sched, last);
}

void stook__sched_finish(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__queue *queue = job->queue;
    struct stook__group *group = queue->key.group;
    if (job->state == STOOK__JOB_QUEUED)
        stook__queue_remove(sched, queue, job);
    else
        stook__list_remove(&job->link);
    if (job->state == STOOK__JOB_RUNNING) {
        count_stopped(sched, queue);
    } else {
        group->n_waiting--;
        sched->n_waiting--;
    }
    if (group->head == job)
        group->head = NULL;
    sched->starved = 0;
    move_job(job, STOOK__JOB_FINISHED);
    job->queue = NULL;
    stook__timer_heap_clear(&sched->jobs, &job->timer);
    update_ring(sched, group);
    stook__queue_release(sched, queue);
}

enum stook__reason stook__sched_reason(const struct stook__sched *sched,
                                       const struct stook__job *job)
{
    const struct stook__group *group = job->queue->key.group;
    if (!group->open)
        return STOOK__BY_AWAIT;
    if (group->blocked && group->head != job)
        return STOOK__BY_WINDOW;
    if (group->n_running >= group->limit)
        return STOOK__BY_BATCH;
    if (job->queue->place == STOOK__QUEUE_PARKED || !stook__queue_may_start(sched, job->queue))
        return STOOK__BY_ORIGIN;
    if (sched->n_running >= sched->limit)
        return STOOK__BY_CLIENT;
    return sched->starved ? STOOK__BY_DESCRIPTORS : STOOK__BY_NOTHING;
}

int stook__sched_should_repeat(const struct stook__job *job, const struct stook__ending *ending)
{
    return ending->error != 0 && ending->lost && ending->idempotent && !job->repeated;
}
