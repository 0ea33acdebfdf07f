/* SPDX-License-Identifier: MIT */
/* Sites and queues; see queue.h. */
#include "sched/queue.h"

#include <string.h>

int stook__sched_origin_has_room(const struct stook__sched *sched,
                                 const struct stook__sched_origin *origin)
{
    return origin->n_running + origin->n_reserved < sched->origin_limit ||
           origin->node.key_size == 0;
}

int stook__queue_may_start(const struct stook__sched *sched, const struct stook__queue *queue)
{
    const struct stook__sched_origin *origin = queue->key.origin;
    if (queue->reserved) /* unless the limit was lowered since */
        return origin->n_running < sched->origin_limit;
    return stook__sched_origin_has_room(sched, origin) && stook__list_empty(&origin->parked);
}

void stook__sched_origin_wake(struct stook__sched *sched, struct stook__sched_origin *origin)
{
    if (stook__list_empty(&origin->wake) && !stook__list_empty(&origin->parked) &&
        stook__sched_origin_has_room(sched, origin))
        stook__list_append(&sched->to_wake, &origin->wake);
}

static struct stook__sched_origin *find_site(const struct stook__sched *sched, const char *key,
                                             size_t size, uint64_t hash)
{
    struct stook__node *node = stook__map_find(&sched->origins, hash, key, size);
    return node != NULL ? STOOK__OF(struct stook__sched_origin, node, node) : NULL;
}

static struct stook__sched_origin *make_site(struct stook__sched *sched, const char *key,
                                             size_t size, uint64_t hash)
{
    struct stook__sched_origin *origin = stook__alloc(sched->allocator, sizeof *origin + size);
    if (origin == NULL)
        return NULL;
    if (size > 0)
        memcpy(origin->key, key, size);
    origin->node = (struct stook__node){NULL, hash, origin->key, size};
    stook__list_init(&origin->parked);
    stook__list_init(&origin->wake);
    if (stook__map_add(&sched->origins, sched->allocator, &origin->node) == 0)
        return origin;
    stook__free(sched->allocator, origin);
    return NULL;
}

static void free_site(struct stook__sched *sched, struct stook__sched_origin *origin)
{
    stook__map_remove(&sched->origins, &origin->node);
    stook__list_remove(&origin->wake);
    stook__free(sched->allocator, origin);
}

static void free_queue(struct stook__sched *sched, struct stook__queue *queue)
{
    struct stook__sched_origin *origin = queue->key.origin;
    stook__queue_unreserve(sched, queue);
    stook__map_remove(&sched->queues, &queue->node);
    stook__list_remove(&queue->link);
    stook__list_remove(&queue->sibling);
    if (queue->key.group->last == queue)
        queue->key.group->last = NULL;
    stook__free(sched->allocator, queue);
    if (--origin->n_queues == 0)
        free_site(sched, origin);
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
    queue->key.origin->n_queues++;
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

/* The same group at the same origin, with another priority; NULL: nothing of it is there. */
static struct stook__queue *sibling(const struct stook__sched *sched,
                                    const struct stook__queue *queue, size_t priority)
{
    const struct stook__queue_key key = {queue->key.group, queue->key.origin, priority};
    if (!(key.group->priorities & 1u << priority))
        return NULL;
    return find_queue(sched, &key, stook__map_hash((const char *)&key, sizeof key));
}

static struct stook__queue *get_queue(struct stook__sched *sched, struct stook__group *group,
                                      struct stook__sched_origin *origin, unsigned priority)
{
    const struct stook__queue_key key = {group, origin, priority};
    uint64_t hash = stook__map_hash((const char *)&key, sizeof key);
    struct stook__queue *queue = find_queue(sched, &key, hash);
    return queue != NULL ? queue : make_queue(sched, &key, hash);
}

struct stook__queue *stook__sched_queue(struct stook__sched *sched, struct stook__group *group,
                                        const char *key, size_t size, unsigned priority)
{
    struct stook__queue *last = group->last;
    if (last != NULL && last->key.priority == priority && last->key.origin->node.key_size == size &&
        (size == 0 || memcmp(last->key.origin->key, key, size) == 0))
        return last;
    uint64_t hash = stook__map_hash(key, size);
    struct stook__sched_origin *origin = find_site(sched, key, size, hash);
    if (origin == NULL)
        origin = make_site(sched, key, size, hash);
    if (origin == NULL)
        return NULL;
    struct stook__queue *queue = get_queue(sched, group, origin, priority);
    if (queue == NULL && origin->n_queues == 0)
        free_site(sched, origin);
    if (queue == NULL)
        return NULL;
    group->last = queue;
    if (last != NULL && last->n_jobs == 0)
        free_queue(sched, last);
    return queue;
}

const struct stook__node *stook__job_origin(const struct stook__job *job)
{
    return &job->queue->key.origin->node;
}

void stook__queue_park(struct stook__sched *sched, struct stook__queue *queue)
{
    stook__queue_unreserve(sched, queue);
    stook__list_remove(&queue->link);
    stook__list_append(&queue->key.origin->parked, &queue->link);
    queue->parked = 1;
    queue->key.group->n_parked += queue->n_waiting;
    stook__sched_origin_wake(sched, queue->key.origin);
}

struct stook__queue *stook__sched_origin_next(struct stook__sched *sched,
                                              struct stook__sched_origin *origin)
{
    struct stook__queue *first = STOOK__OF(struct stook__queue, link, origin->parked.next), *higher;
    if (first->key.group->blocked)
        return first; /* only its head counts */
    for (size_t i = STOOK__PRIORITIES; i-- > first->key.priority + 1;) {
        if ((higher = sibling(sched, first, i)) == NULL || !higher->parked)
            continue;
        stook__list_remove(&first->link);
        stook__list_append(&higher->link, &first->link); /* they change places */
        return higher;
    }
    return first;
}

void stook__queue_reserve(struct stook__queue *queue)
{
    stook__list_remove(&queue->link);
    stook__list_append(queue->key.group->ready[queue->key.priority].next,
                       &queue->link); /* the first */
    queue->parked = 0;
    queue->key.group->n_parked -= queue->n_waiting;
    queue->reserved = 1;
    queue->key.group->n_reserved++;
    queue->key.origin->n_reserved++;
}

void stook__queue_unreserve(struct stook__sched *sched, struct stook__queue *queue)
{
    if (!queue->reserved)
        return;
    queue->reserved = 0;
    queue->key.group->n_reserved--;
    queue->key.origin->n_reserved--;
    stook__list_remove(&queue->link); /* called ones are the first */
    stook__list_append(&queue->key.group->ready[queue->key.priority], &queue->link);
    stook__sched_origin_wake(sched, queue->key.origin);
}

int stook__queue_take_over(struct stook__sched *sched, struct stook__queue *queue)
{
    struct stook__queue *lower;
    for (size_t i = queue->key.priority; i-- > 0 && queue->key.group->n_reserved > 0;) {
        if ((lower = sibling(sched, queue, i)) == NULL || !lower->reserved)
            continue;
        lower->reserved = 0;
        queue->reserved = 1;
        stook__list_remove(&lower->link); /* called ones are the first */
        stook__list_append(&lower->key.group->ready[i], &lower->link);
        return stook__queue_may_start(sched, queue);
    }
    return 0;
}

void stook__queue_push(struct stook__queue *queue, struct stook__job *job, int first)
{
    stook__list_append(first ? queue->jobs.next : &queue->jobs, &job->link);
    job->passed = 1;
    queue->n_waiting++;
    if (queue->parked)
        queue->key.group->n_parked++;
    else if (stook__list_empty(&queue->link))
        stook__list_append(&queue->key.group->ready[queue->key.priority], &queue->link);
}

void stook__queue_remove(struct stook__sched *sched, struct stook__queue *queue,
                         struct stook__job *job)
{
    stook__list_remove(&job->link);
    if (!job->passed)
        return;
    job->passed = 0;
    queue->n_waiting--;
    if (queue->parked)
        queue->key.group->n_parked--;
    if (queue->n_waiting == 0) {
        stook__queue_unreserve(sched, queue);
        stook__list_remove(&queue->link);
        queue->parked = 0;
    }
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
