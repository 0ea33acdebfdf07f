/* SPDX-License-Identifier: MIT */
/* Queues and origins; see queue.h. */
#include "sched/queue.h"

#include <assert.h>
#include <string.h>

#include "util/trace.h"

static void enter(struct stook__queue *queue)
{
    struct stook__group *group = queue->key.group;
    struct stook__link *ready = &group->ready[queue->key.priority];
    switch (queue->place) {
    case STOOK__QUEUE_NOWHERE:
        return;
    case STOOK__QUEUE_READY:
        stook__list_append(ready, &queue->link);
        return;
    case STOOK__QUEUE_PARKED:
        stook__list_append(&queue->key.origin->sched.parked, &queue->link);
        group->n_parked += queue->n_waiting;
        return;
    case STOOK__QUEUE_RESERVED:
        stook__list_append(ready->next, &queue->link); /* before all others */
        group->n_reserved++;
        queue->key.origin->sched.n_reserved++;
        return;
    }
}

static void leave(struct stook__queue *queue)
{
    stook__list_remove(&queue->link);
    if (queue->place == STOOK__QUEUE_PARKED) {
        queue->key.group->n_parked -= queue->n_waiting;
    } else if (queue->place == STOOK__QUEUE_RESERVED) {
        queue->key.group->n_reserved--;
        queue->key.origin->sched.n_reserved--;
    }
}

/* Moves a queue, with the lists and counters that its place decides. Room that was reserved and is
   not any more may be another queue's. */
static void move_queue(struct stook__sched *sched, struct stook__queue *queue,
                       enum stook__queue_place to)
{
    enum {
        NOWHERE = 1u << STOOK__QUEUE_NOWHERE,
        READY = 1u << STOOK__QUEUE_READY,
        PARKED = 1u << STOOK__QUEUE_PARKED,
        RESERVED = 1u << STOOK__QUEUE_RESERVED
    };
    static const unsigned char allowed[] = {
        [STOOK__QUEUE_NOWHERE] = READY,
        [STOOK__QUEUE_READY] = NOWHERE | READY | PARKED | RESERVED,
        [STOOK__QUEUE_PARKED] = NOWHERE | RESERVED,
        [STOOK__QUEUE_RESERVED] = NOWHERE | READY | PARKED,
    };
    static const char *const names[] = {"NOWHERE", "READY", "PARKED", "RESERVED"};
    enum stook__queue_place from = queue->place;
    assert(allowed[from] & 1u << to);
    STOOK__TRACE("sched", "queue %p of %.*s: %s -> %s, %zu wait", (void *)queue,
                 (int)queue->key.origin->node.key_size, queue->key.origin->node.key, names[from],
                 names[to], queue->n_waiting);
    (void)allowed, (void)names; /* in release builds */
    if ((1u << from | 1u << to) & (PARKED | RESERVED)) {
        leave(queue);
        queue->place = to;
        enter(queue);
    } else { /* nothing is counted: spares 40 instructions a request */
        stook__list_remove(&queue->link);
        queue->place = to;
        if (to == STOOK__QUEUE_READY)
            stook__list_append(&queue->key.group->ready[queue->key.priority], &queue->link);
    }
    if (from == STOOK__QUEUE_RESERVED)
        stook__sched_origin_wake(sched, queue->key.origin);
}

int stook__sched_origin_has_room(const struct stook__sched *sched,
                                 const struct stook__origin *origin)
{
    return origin->sched.n_running + origin->sched.n_reserved < sched->origin_limit ||
           origin->node.key_size == 0;
}

int stook__queue_may_start(const struct stook__sched *sched, const struct stook__queue *queue)
{
    const struct stook__origin *origin = queue->key.origin;
    if (queue->place == STOOK__QUEUE_RESERVED) /* the limit may have been lowered since */
        return origin->sched.n_running < sched->origin_limit;
    return stook__sched_origin_has_room(sched, origin) && stook__list_empty(&origin->sched.parked);
}

void stook__sched_origin_wake(struct stook__sched *sched, struct stook__origin *origin)
{
    if (stook__list_empty(&origin->sched.wake) && !stook__list_empty(&origin->sched.parked) &&
        stook__sched_origin_has_room(sched, origin))
        stook__list_append(&sched->to_wake, &origin->sched.wake);
}

/* The scheduler knows an origin as long as it has a queue for it. */
static void hold_origin(struct stook__sched *sched, struct stook__origin *origin)
{
    if (origin->sched.n_queues++ > 0)
        return;
    stook__origin_ref(origin);
    stook__list_append(&sched->origins, &origin->sched.all);
}

static void release_origin(struct stook__origin *origin)
{
    if (--origin->sched.n_queues > 0)
        return;
    stook__list_remove(&origin->sched.all);
    stook__list_remove(&origin->sched.wake);
    stook__origin_unref(origin);
}

static void free_queue(struct stook__sched *sched, struct stook__queue *queue)
{
    struct stook__origin *origin = queue->key.origin;
    if (queue->place != STOOK__QUEUE_NOWHERE)
        move_queue(sched, queue, STOOK__QUEUE_NOWHERE);
    stook__map_remove(&sched->queues, &queue->node);
    stook__list_remove(&queue->sibling);
    if (queue->key.group->last == queue)
        queue->key.group->last = NULL;
    stook__free(sched->allocator, queue);
    release_origin(origin);
}

static struct stook__queue *make_queue(struct stook__sched *sched,
                                       const struct stook__queue_key *key, uint64_t hash)
{
    struct stook__queue *queue = stook__alloc(sched->allocator, sizeof *queue);
    if (queue == NULL)
        return NULL;
    queue->key = *key;
    queue->node = (struct stook__node){NULL, hash, (const char *)&queue->key, sizeof queue->key};
    if (stook__map_add(&sched->queues, sched->allocator, &queue->node) != 0) {
        stook__free(sched->allocator, queue);
        return NULL;
    }
    stook__list_init(&queue->link);
    stook__list_init(&queue->jobs);
    stook__list_append(&queue->key.group->queues, &queue->sibling);
    hold_origin(sched, queue->key.origin);
    queue->key.group->priorities |= 1u << queue->key.priority;
    return queue;
}

static struct stook__queue *find_queue(const struct stook__sched *sched,
                                       const struct stook__queue_key *key, uint64_t hash)
{
    struct stook__node *node =
        stook__map_find(&sched->queues, hash, (const char *)key, sizeof *key);
    return node != NULL ? STOOK__OF(struct stook__queue, node, node) : NULL;
}

/* Returns the queue of the same group and origin with another priority. NULL: there is none. */
static struct stook__queue *find_sibling(const struct stook__sched *sched,
                                         const struct stook__queue *queue, size_t priority)
{
    const struct stook__queue_key key = {queue->key.group, queue->key.origin, priority};
    if (!(key.group->priorities & 1u << priority))
        return NULL;
    return find_queue(sched, &key, stook__map_hash((const char *)&key, sizeof key));
}

static struct stook__queue *get_queue(struct stook__sched *sched, struct stook__group *group,
                                      struct stook__origin *origin, unsigned priority)
{
    const struct stook__queue_key key = {group, origin, priority};
    uint64_t hash = stook__map_hash((const char *)&key, sizeof key);
    struct stook__queue *queue = find_queue(sched, &key, hash);
    return queue != NULL ? queue : make_queue(sched, &key, hash);
}

struct stook__queue *stook__sched_queue(struct stook__sched *sched, struct stook__group *group,
                                        struct stook__origin *origin, unsigned priority)
{
    struct stook__queue *last = group->last;
    if (last != NULL && last->key.priority == priority && last->key.origin == origin)
        return last;
    struct stook__queue *queue = get_queue(sched, group, origin, priority);
    if (queue == NULL)
        return NULL;
    group->last = queue;
    if (last != NULL && last->n_jobs == 0)
        free_queue(sched, last);
    return queue;
}

struct stook__origin *stook__job_origin(const struct stook__job *job)
{
    return job->queue->key.origin;
}

struct stook__queue *stook__sched_origin_next(struct stook__sched *sched,
                                              struct stook__origin *origin)
{
    struct stook__queue *first = STOOK__OF(struct stook__queue, link, origin->sched.parked.next),
                        *higher;
    if (first->key.group->blocked)
        return first; /* only the head of the group may start, and it is in this queue or in none */
    for (size_t i = STOOK__PRIORITIES; i-- > first->key.priority + 1;) {
        if ((higher = find_sibling(sched, first, i)) == NULL ||
            higher->place != STOOK__QUEUE_PARKED)
            continue;
        /* They change places: it is the group that is served, whichever of its queues was first. */
        stook__list_remove(&first->link);
        stook__list_append(&higher->link, &first->link);
        return higher;
    }
    return first;
}

void stook__queue_park(struct stook__sched *sched, struct stook__queue *queue)
{
    move_queue(sched, queue, STOOK__QUEUE_PARKED);
    stook__sched_origin_wake(sched, queue->key.origin);
}

void stook__queue_reserve(struct stook__sched *sched, struct stook__queue *queue)
{
    move_queue(sched, queue, STOOK__QUEUE_RESERVED);
}

void stook__queue_unreserve(struct stook__sched *sched, struct stook__queue *queue)
{
    if (queue->place == STOOK__QUEUE_RESERVED)
        move_queue(sched, queue, STOOK__QUEUE_READY);
}

int stook__queue_take_over(struct stook__sched *sched, struct stook__queue *queue)
{
    struct stook__queue *lower;
    if (queue->place == STOOK__QUEUE_RESERVED)
        return 0; /* its own reservation allows no start, because the limit was lowered */
    for (size_t i = queue->key.priority; i-- > 0 && queue->key.group->n_reserved > 0;) {
        if ((lower = find_sibling(sched, queue, i)) == NULL ||
            lower->place != STOOK__QUEUE_RESERVED)
            continue;
        move_queue(sched, queue, STOOK__QUEUE_RESERVED);
        move_queue(sched, lower, STOOK__QUEUE_READY);
        return stook__queue_may_start(sched, queue);
    }
    return 0;
}

void stook__queue_rotate(struct stook__sched *sched, struct stook__queue *queue)
{
    move_queue(sched, queue, STOOK__QUEUE_READY);
}

void stook__queue_push(struct stook__sched *sched, struct stook__queue *queue,
                       struct stook__job *job, enum stook__queue_end end)
{
    struct stook__link *before = &queue->jobs;
    if (end == STOOK__PUSH_HOP && queue->last_hop != NULL)
        before = queue->last_hop->link.next;
    else if (end != STOOK__PUSH_LAST)
        before = queue->jobs.next;
    stook__list_append(before, &job->link);
    if (end == STOOK__PUSH_HOP)
        queue->last_hop = job;
    queue->n_waiting++;
    if (queue->place == STOOK__QUEUE_PARKED)
        queue->key.group->n_parked++;
    else if (queue->place == STOOK__QUEUE_NOWHERE)
        move_queue(sched, queue, STOOK__QUEUE_READY);
}

void stook__queue_remove(struct stook__sched *sched, struct stook__queue *queue,
                         struct stook__job *job)
{
    if (queue->last_hop == job) {
        struct stook__job *previous = STOOK__OF(struct stook__job, link, job->link.prev);
        queue->last_hop =
            job->link.prev != &queue->jobs && previous->first_at != 0 ? previous : NULL;
    }
    stook__list_remove(&job->link);
    queue->n_waiting--;
    if (queue->place == STOOK__QUEUE_PARKED)
        queue->key.group->n_parked--;
    if (queue->n_waiting == 0)
        move_queue(sched, queue, STOOK__QUEUE_NOWHERE);
}

void stook__queue_release(struct stook__sched *sched, struct stook__queue *queue)
{
    if (--queue->n_jobs == 0 && queue->key.group->last != queue)
        free_queue(sched, queue);
}

void stook__group_end(struct stook__sched *sched, struct stook__group *group)
{
    while (!stook__list_empty(&group->queues))
        free_queue(sched, STOOK__OF(struct stook__queue, sibling, group->queues.next));
}
