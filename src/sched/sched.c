/* SPDX-License-Identifier: MIT */
/* Limits, priorities and fairness; see sched.h. Queues are in queue.c, the clocks in timeouts.c. */
#include "sched/sched.h"

#include "sched/queue.h"
#include "sched/timeouts.h"

enum { STEPS = 256 }; /* jobs looked at in vain before the next is given up for this turn */

void stook__sched_init(struct stook__sched *sched, struct stook__heap *heap)
{
    *sched = (struct stook__sched){.heap = heap, .limit = SIZE_MAX, .site_limit = SIZE_MAX};
    stook__list_init(&sched->ring);
    stook__list_init(&sched->offers);
}

void stook__sched_free(struct stook__sched *sched)
{
    stook__map_free(&sched->sites, sched->heap);
    stook__map_free(&sched->queues, sched->heap);
}

void stook__group_init(struct stook__group *group)
{
    stook__list_init(&group->ring);
    stook__list_init(&group->running);
    stook__list_init(&group->queues);
    for (int i = 0; i < STOOK__PRIORITIES; i++) {
        stook__list_init(&group->line[i]);
        stook__list_init(&group->ready[i]);
    }
}

static int may_start(const struct stook__group *group)
{
    if (!group->open || group->n_running >= group->limit || group->n_waiting == group->n_parked)
        return 0;
    return !group->held || (group->head != NULL && group->head->state == STOOK__WAITING && !group->head->queue->parked);
}

/* It cannot use the room that was kept for it: that goes to the next. */
static void return_calls(struct stook__sched *sched, struct stook__group *group)
{
    for (int i = 0; i < STOOK__PRIORITIES && group->n_called > 0; i++)
        while (!stook__list_empty(&group->ready[i])) {
            struct stook__queue *queue = STOOK__OF(struct stook__queue, link, group->ready[i].next);
            if (!queue->called)
                break; /* called ones are the first */
            stook__queue_uncall(sched, queue);
        }
}

/* A group stands in the ring exactly while it may start something, as far as it knows. A newcomer
   goes to the end. */
static void place(struct stook__sched *sched, struct stook__group *group)
{
    if (!may_start(group)) {
        stook__list_remove(&group->ring);
        return_calls(sched, group);
    } else if (stook__list_empty(&group->ring)) {
        stook__list_append(&sched->ring, &group->ring);
    }
}

void stook__group_open(struct stook__sched *sched, struct stook__group *group, size_t limit, int64_t deadline)
{
    group->open = 1;
    group->limit = limit;
    if (deadline != 0)
        stook__clock_set(&sched->deadlines, &group->deadline, deadline);
    place(sched, group);
}

void stook__group_stop(struct stook__sched *sched, struct stook__group *group)
{
    group->open = 0;
    place(sched, group);
}

void stook__group_shut(struct stook__sched *sched, struct stook__group *group)
{
    stook__group_stop(sched, group);
    stook__clock_clear(&sched->deadlines, &group->deadline);
}

void stook__group_hold(struct stook__sched *sched, struct stook__group *group, int held, struct stook__job *head)
{
    int was = group->held;
    group->held = held;
    group->head = head;
    if (!was && !held)
        return; /* the head matters to those that are held */
    if (held && group->n_called > (size_t)(head != NULL && head->queue->called))
        return_calls(sched, group);
    place(sched, group);
}

void stook__group_set_limit(struct stook__sched *sched, struct stook__group *group, size_t limit)
{
    group->limit = limit;
    place(sched, group);
}

void stook__sched_set_limit(struct stook__sched *sched, size_t limit)
{
    sched->limit = limit;
}

void stook__sched_set_site_limit(struct stook__sched *sched, size_t limit)
{
    sched->site_limit = limit;
    for (struct stook__node *node = stook__map_next(&sched->sites, NULL); node != NULL;
         node = stook__map_next(&sched->sites, node))
        stook__site_offer(sched, STOOK__OF(struct stook__site, node, node));
}

struct stook__job *stook__group_any_waiting(struct stook__group *group)
{
    for (int i = 0; i < STOOK__PRIORITIES; i++)
        if (!stook__list_empty(&group->line[i]))
            return STOOK__OF(struct stook__job, link, group->line[i].next);
    while (group->n_waiting > 0) {
        struct stook__queue *queue = STOOK__OF(struct stook__queue, sibling, group->queues.next);
        if (queue->n_waiting > 0)
            return STOOK__OF(struct stook__job, link, queue->jobs.next);
        stook__list_remove(&queue->sibling); /* not to be looked at again soon */
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

void stook__sched_add(struct stook__sched *sched, struct stook__queue *queue, struct stook__job *job,
                      const struct stook__policy *policy, int64_t now)
{
    struct stook__group *group = queue->key.group;
    job->queue = queue;
    job->policy = policy;
    job->added_at = now;
    job->state = STOOK__WAITING;
    stook__list_append(&group->line[queue->key.priority], &job->link);
    queue->n_jobs++;
    group->n_waiting++;
    sched->n_waiting++;
    stook__timeouts_arm(sched, job);
    place(sched, group);
}

/* The queue that is next in a group, with a job of its line moved into it if need be; NULL: none, or
   too many were looked at. */
static struct stook__queue *front(struct stook__group *group, int priority, int *steps)
{
    while (stook__list_empty(&group->ready[priority])) {
        struct stook__link *first = *steps > 0 ? stook__list_pop(&group->line[priority]) : NULL;
        if (first == NULL)
            return NULL;
        --*steps;
        struct stook__job *job = STOOK__OF(struct stook__job, link, first);
        stook__queue_push(job->queue, job, 0);
    }
    return STOOK__OF(struct stook__queue, link, group->ready[priority].next);
}

/* Held: nothing but the head. It is the oldest of its group, so it is the first of its queue. */
static struct stook__job *pick_head(struct stook__sched *sched, struct stook__group *group)
{
    struct stook__job *head = group->head;
    if (!head->passed) {
        stook__list_remove(&head->link);
        stook__queue_push(head->queue, head, 1);
    }
    if (stook__queue_may_start(sched, head->queue))
        return head;
    stook__queue_park(sched, head->queue);
    return NULL;
}

/* The job of a group that is to start; NULL: none may, or too many were looked at. */
static struct stook__job *pick(struct stook__sched *sched, struct stook__group *group, int *steps)
{
    if (group->held)
        return pick_head(sched, group);
    for (int i = STOOK__PRIORITIES; i-- > 0 && *steps > 0;) {
        struct stook__queue *queue;
        while ((queue = front(group, i, steps)) != NULL) {
            if (stook__queue_may_start(sched, queue) || stook__queue_take_over(sched, queue))
                return STOOK__OF(struct stook__job, link, queue->jobs.next);
            stook__queue_park(sched, queue);
            --*steps;
        }
    }
    return NULL;
}

static void begin(struct stook__sched *sched, struct stook__job *job, int64_t now)
{
    struct stook__queue *queue = job->queue;
    struct stook__group *group = queue->key.group;
    queue->key.site->n_running++;
    stook__queue_remove(sched, queue, job);
    stook__queue_uncall(sched, queue);
    if (queue->n_waiting > 0) { /* those of other sites are next */
        stook__list_remove(&queue->link);
        stook__list_append(&group->ready[queue->key.priority], &queue->link);
    }
    stook__list_append(&group->running, &job->link);
    group->n_waiting--;
    sched->n_waiting--;
    group->n_running++;
    sched->n_running++;
    job->state = STOOK__RUNNING;
    if (job->first_at == 0)
        job->first_at = now;
    stook__sched_repeat(sched, job, now);
}

/* Sites with room call what is parked there, until a group may start some of it. */
static void make_offers(struct stook__sched *sched, int *steps)
{
    while (!stook__list_empty(&sched->offers) && *steps > 0) {
        struct stook__site *site = STOOK__OF(struct stook__site, offer, sched->offers.next);
        stook__list_remove(&site->offer);
        if (stook__list_empty(&site->parked) || !stook__site_has_room(sched, site))
            continue;
        struct stook__queue *queue = stook__site_first(sched, site);
        struct stook__group *group = queue->key.group;
        stook__queue_call(queue);
        if (group->held && (group->head == NULL || group->head->queue != queue))
            stook__queue_uncall(sched, queue);
        place(sched, group);
        stook__site_offer(sched, site);
        if (queue->called)
            return;
        --*steps;
    }
}

struct stook__job *stook__sched_next(struct stook__sched *sched, int64_t now)
{
    for (int steps = STEPS; steps > 0 && stook__sched_ready(sched); steps--) {
        make_offers(sched, &steps);
        struct stook__link *first = stook__list_pop(&sched->ring);
        if (first == NULL)
            continue;
        struct stook__group *group = STOOK__OF(struct stook__group, ring, first);
        struct stook__job *job = pick(sched, group, &steps);
        if (job != NULL)
            begin(sched, job, now);
        place(sched, group);
        if (job != NULL)
            return job;
    }
    return NULL;
}

int stook__sched_ready(const struct stook__sched *sched)
{
    return !sched->starved && sched->n_running < sched->limit &&
           (!stook__list_empty(&sched->ring) || !stook__list_empty(&sched->offers));
}

void stook__sched_repeat(struct stook__sched *sched, struct stook__job *job, int64_t now)
{
    job->attempts++;
    job->attempt_at = job->moved_at = now;
    job->connected = 0;
    stook__timeouts_arm(sched, job);
}

static void stopped(struct stook__sched *sched, struct stook__queue *queue)
{
    queue->key.group->n_running--;
    sched->n_running--;
    queue->key.site->n_running--;
    stook__site_offer(sched, queue->key.site);
}

int stook__sched_put_back(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__group *group = job->queue->key.group;
    if (sched->n_running <= 1)
        return 0;
    stook__list_remove(&job->link);
    stopped(sched, job->queue);
    stook__queue_push(job->queue, job, 1);
    group->n_waiting++;
    sched->n_waiting++;
    job->state = STOOK__WAITING;
    job->attempts--;
    sched->starved = 1;
    stook__timeouts_arm(sched, job);
    place(sched, group);
    return 1;
}

void stook__sched_finish(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__queue *queue = job->queue;
    struct stook__group *group = queue->key.group;
    stook__queue_remove(sched, queue, job);
    if (job->state == STOOK__RUNNING) {
        stopped(sched, queue);
    } else {
        group->n_waiting--;
        sched->n_waiting--;
    }
    if (group->head == job)
        group->head = NULL;
    sched->starved = 0;
    job->state = STOOK__FINISHED;
    job->queue = NULL;
    stook__clock_clear(&sched->jobs, &job->timer);
    place(sched, group);
    stook__queue_let_go(sched, queue);
}

enum stook__reason stook__sched_reason(const struct stook__sched *sched, const struct stook__job *job)
{
    const struct stook__group *group = job->queue->key.group;
    if (!group->open)
        return STOOK__BY_AWAIT;
    if (group->held && group->head != job)
        return STOOK__BY_HOLD;
    if (group->n_running >= group->limit)
        return STOOK__BY_BATCH;
    if (job->queue->parked || !stook__queue_may_start(sched, job->queue))
        return STOOK__BY_SITE;
    if (sched->n_running >= sched->limit)
        return STOOK__BY_CLIENT;
    return sched->starved ? STOOK__BY_DESCRIPTORS : STOOK__BY_TURN;
}

int stook__sched_again(const struct stook__job *job, const struct stook__ending *ending)
{
    return ending->error != 0 && ending->lost && ending->idempotent && job->attempts < 2;
}
