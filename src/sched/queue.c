/* SPDX-License-Identifier: MIT */
/* Sites and queues; see queue.h. */
#include "sched/queue.h"

#include <string.h>

int stook__site_has_room(const struct stook__sched *sched, const struct stook__site *site)
{
    return site->n_running + site->n_called < sched->site_limit || site->node.key_size == 0;
}

int stook__queue_may_start(const struct stook__sched *sched, const struct stook__queue *queue)
{
    const struct stook__site *site = queue->key.site;
    if (queue->called) /* unless the limit was lowered since */
        return site->n_running < sched->site_limit;
    return stook__site_has_room(sched, site) && stook__list_empty(&site->parked);
}

void stook__site_offer(struct stook__sched *sched, struct stook__site *site)
{
    if (stook__list_empty(&site->offer) && !stook__list_empty(&site->parked) && stook__site_has_room(sched, site))
        stook__list_append(&sched->offers, &site->offer);
}

static struct stook__site *find_site(const struct stook__sched *sched, const char *key, size_t size, uint64_t hash)
{
    struct stook__node *node = stook__map_find(&sched->sites, hash, key, size);
    return node != NULL ? STOOK__OF(struct stook__site, node, node) : NULL;
}

static struct stook__site *make_site(struct stook__sched *sched, const char *key, size_t size, uint64_t hash)
{
    struct stook__site *site = stook__alloc(sched->heap, sizeof *site + size);
    if (site == NULL)
        return NULL;
    if (size > 0)
        memcpy(site->key, key, size);
    site->node = (struct stook__node){NULL, hash, site->key, size};
    stook__list_init(&site->parked);
    stook__list_init(&site->offer);
    if (stook__map_add(&sched->sites, sched->heap, &site->node) == 0)
        return site;
    stook__free(sched->heap, site);
    return NULL;
}

static void free_site(struct stook__sched *sched, struct stook__site *site)
{
    stook__map_remove(&sched->sites, &site->node);
    stook__list_remove(&site->offer);
    stook__free(sched->heap, site);
}

static void free_queue(struct stook__sched *sched, struct stook__queue *queue)
{
    struct stook__site *site = queue->key.site;
    stook__queue_uncall(sched, queue);
    stook__map_remove(&sched->queues, &queue->node);
    stook__list_remove(&queue->link);
    stook__list_remove(&queue->sibling);
    if (queue->key.group->last == queue)
        queue->key.group->last = NULL;
    stook__free(sched->heap, queue);
    if (--site->n_queues == 0)
        free_site(sched, site);
}

static struct stook__queue *make_queue(struct stook__sched *sched, const struct stook__queue_key *key, uint64_t hash)
{
    struct stook__queue *queue = stook__alloc(sched->heap, sizeof *queue);
    if (queue == NULL)
        return NULL;
    queue->key = *key;
    queue->node = (struct stook__node){NULL, hash, (const char *)&queue->key, sizeof queue->key};
    if (stook__map_add(&sched->queues, sched->heap, &queue->node) != 0) {
        stook__free(sched->heap, queue);
        return NULL;
    }
    stook__list_init(&queue->link);
    stook__list_init(&queue->jobs);
    stook__list_append(&queue->key.group->queues, &queue->sibling);
    queue->key.site->n_queues++;
    queue->key.group->priorities |= 1u << queue->key.priority;
    return queue;
}

static struct stook__queue *find_queue(const struct stook__sched *sched, const struct stook__queue_key *key, uint64_t hash)
{
    struct stook__node *node = stook__map_find(&sched->queues, hash, (const char *)key, sizeof *key);
    return node != NULL ? STOOK__OF(struct stook__queue, node, node) : NULL;
}

/* The same group at the same site, with another priority; NULL: nothing of it is there. */
static struct stook__queue *sibling(const struct stook__sched *sched, const struct stook__queue *queue, size_t priority)
{
    const struct stook__queue_key key = {queue->key.group, queue->key.site, priority};
    if (!(key.group->priorities & 1u << priority))
        return NULL;
    return find_queue(sched, &key, stook__map_hash((const char *)&key, sizeof key));
}

static struct stook__queue *get_queue(struct stook__sched *sched, struct stook__group *group, struct stook__site *site,
                                      unsigned priority)
{
    const struct stook__queue_key key = {group, site, priority};
    uint64_t hash = stook__map_hash((const char *)&key, sizeof key);
    struct stook__queue *queue = find_queue(sched, &key, hash);
    return queue != NULL ? queue : make_queue(sched, &key, hash);
}

struct stook__queue *stook__sched_queue(struct stook__sched *sched, struct stook__group *group, const char *key,
                                        size_t size, unsigned priority)
{
    struct stook__queue *last = group->last;
    if (last != NULL && last->key.priority == priority && last->key.site->node.key_size == size &&
        (size == 0 || memcmp(last->key.site->key, key, size) == 0))
        return last;
    uint64_t hash = stook__map_hash(key, size);
    struct stook__site *site = find_site(sched, key, size, hash);
    if (site == NULL)
        site = make_site(sched, key, size, hash);
    if (site == NULL)
        return NULL;
    struct stook__queue *queue = get_queue(sched, group, site, priority);
    if (queue == NULL && site->n_queues == 0)
        free_site(sched, site);
    if (queue == NULL)
        return NULL;
    group->last = queue;
    if (last != NULL && last->n_jobs == 0)
        free_queue(sched, last);
    return queue;
}

const struct stook__node *stook__job_site(const struct stook__job *job)
{
    return &job->queue->key.site->node;
}

void stook__queue_park(struct stook__sched *sched, struct stook__queue *queue)
{
    stook__queue_uncall(sched, queue);
    stook__list_remove(&queue->link);
    stook__list_append(&queue->key.site->parked, &queue->link);
    queue->parked = 1;
    queue->key.group->n_parked += queue->n_waiting;
    stook__site_offer(sched, queue->key.site);
}

struct stook__queue *stook__site_first(struct stook__sched *sched, struct stook__site *site)
{
    struct stook__queue *first = STOOK__OF(struct stook__queue, link, site->parked.next), *higher;
    if (first->key.group->held)
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

void stook__queue_call(struct stook__queue *queue)
{
    stook__list_remove(&queue->link);
    stook__list_append(queue->key.group->ready[queue->key.priority].next, &queue->link); /* the first */
    queue->parked = 0;
    queue->key.group->n_parked -= queue->n_waiting;
    queue->called = 1;
    queue->key.group->n_called++;
    queue->key.site->n_called++;
}

void stook__queue_uncall(struct stook__sched *sched, struct stook__queue *queue)
{
    if (!queue->called)
        return;
    queue->called = 0;
    queue->key.group->n_called--;
    queue->key.site->n_called--;
    stook__list_remove(&queue->link); /* called ones are the first */
    stook__list_append(&queue->key.group->ready[queue->key.priority], &queue->link);
    stook__site_offer(sched, queue->key.site);
}

int stook__queue_take_over(struct stook__sched *sched, struct stook__queue *queue)
{
    struct stook__queue *lower;
    for (size_t i = queue->key.priority; i-- > 0 && queue->key.group->n_called > 0;) {
        if ((lower = sibling(sched, queue, i)) == NULL || !lower->called)
            continue;
        lower->called = 0;
        queue->called = 1;
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

void stook__queue_remove(struct stook__sched *sched, struct stook__queue *queue, struct stook__job *job)
{
    stook__list_remove(&job->link);
    if (!job->passed)
        return;
    job->passed = 0;
    queue->n_waiting--;
    if (queue->parked)
        queue->key.group->n_parked--;
    if (queue->n_waiting == 0) {
        stook__queue_uncall(sched, queue);
        stook__list_remove(&queue->link);
        queue->parked = 0;
    }
}

void stook__queue_let_go(struct stook__sched *sched, struct stook__queue *queue)
{
    if (--queue->n_jobs == 0 && queue->key.group->last != queue)
        free_queue(sched, queue);
}

void stook__group_end(struct stook__sched *sched, struct stook__group *group)
{
    while (!stook__list_empty(&group->queues))
        free_queue(sched, STOOK__OF(struct stook__queue, sibling, group->queues.next));
}
