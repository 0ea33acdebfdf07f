/* SPDX-License-Identifier: MIT */
/* Queues; see queue.h. */
#include "sched/queue.h"

#include <assert.h>
#include <string.h>

#include "sched/gate.h"
#include "util/trace.h"

/* So many neighbours are compared to find the place of a job or a queue. In nearly all cases the
   place is at an end. */
enum { NEAR = 8 };

/* Whether a job was added before another of its group. */
static int is_older(const struct stook__job *job, const struct stook__job *other)
{
    return (int32_t)(job->seq - other->seq) < 0;
}

/* -------------------------------------------------------------------------------------- levels */

/* A bit for each other priority that the group of a queue has used. */
static inline unsigned other_priorities(const struct stook__queue *queue)
{
    return queue->key.group->priorities & ~(1u << queue->key.priority);
}

/* Jobs in flight of the group and the target of a queue. */
static size_t load_of(const struct stook__sched *sched, const struct stook__queue *queue);

static struct stook__level *level_of(struct stook__link *link)
{
    return STOOK__OF(struct stook__level, link, link);
}

static struct stook__queue *queue_of(struct stook__link *link)
{
    return STOOK__OF(struct stook__queue, link, link);
}

/* Returns the level of that count, made of a spare one if need be. There are not more levels than
   numbers that differ, so with n in flight at most 2 times the square root of n are walked. */
static struct stook__level *get_level(struct stook__group *group, size_t priority, size_t count)
{
    struct stook__link *levels = &group->levels[priority], *link = levels->next;
    while (link != levels && level_of(link)->count < count)
        link = link->next;
    if (link != levels && level_of(link)->count == count)
        return level_of(link);
    /* Each queue has brought a level along. */
    struct stook__level *level = level_of(stook__list_pop(&group->spare_levels));
    level->count = count;
    stook__list_append(link, &level->link); /* before `link` */
    return level;
}

static void leave_level(struct stook__queue *queue)
{
    struct stook__level *level = queue->level;
    stook__list_remove(&queue->link);
    queue->level = NULL;
    if (!stook__list_empty(&level->queues))
        return;
    stook__list_remove(&level->link);
    stook__list_append(&queue->key.group->spare_levels, &level->link);
}

/* Puts a queue where its oldest job belongs. If that is not near an end, it is put near the
   beginning. */
static void insert_by_age(struct stook__level *level, struct stook__queue *queue)
{
    const struct stook__job *first = stook__queue_first(queue);
    struct stook__link *all = &level->queues, *before = all->next, *last = all->prev;
    for (int i = 0; i < NEAR && last != all; i++, last = last->prev)
        if (!is_older(first, stook__queue_first(queue_of(last)))) {
            stook__list_append(last->next, &queue->link);
            return;
        }
    for (int i = 0; i < NEAR && before != all; i++, before = before->next)
        if (is_older(first, stook__queue_first(queue_of(before))))
            break;
    stook__list_append(before, &queue->link);
}

static void enter_level(const struct stook__sched *sched, struct stook__queue *queue)
{
    queue->level = get_level(queue->key.group, queue->key.priority, load_of(sched, queue));
    insert_by_age(queue->level, queue);
}

/* Whether a queue is the only one of its level. */
static int is_alone(const struct stook__queue *queue)
{
    return queue->link.next == queue->link.prev;
}

/* Whether the level of a queue may have that count without passing its neighbours. */
static int is_between(const struct stook__queue *queue, size_t count)
{
    const struct stook__level *level = queue->level;
    const struct stook__link *levels = &queue->key.group->levels[queue->key.priority];
    return (level->link.prev == levels || level_of(level->link.prev)->count < count) &&
           (level->link.next == levels || level_of(level->link.next)->count > count);
}

/* Moves a queue, if it is in a level, to where it belongs now. */
static void change_level(const struct stook__sched *sched, struct stook__queue *queue)
{
    struct stook__level *level = queue->level;
    if (level == NULL)
        return;
    size_t load = other_priorities(queue) == 0 ? queue->n_running : load_of(sched, queue);
    if (is_alone(queue) && is_between(queue, load)) {
        level->count = load; /* spares 150 instructions where a batch has one target */
        return;
    }
    leave_level(queue);
    enter_level(sched, queue);
}

/* -------------------------------------------------------------------------------------- places */

static void enter(struct stook__sched *sched, struct stook__queue *queue)
{
    struct stook__group *group = queue->key.group;
    switch (queue->place) {
    case STOOK__QUEUE_NOWHERE:
        return;
    case STOOK__QUEUE_READY:
        enter_level(sched, queue);
        return;
    case STOOK__QUEUE_PARKED:
        stook__list_append(&queue->gate->parked, &queue->link);
        group->n_parked += queue->n_waiting;
        return;
    case STOOK__QUEUE_RESERVED:
        enter_level(sched, queue);
        stook__list_append(&group->reserved, &queue->pass);
        group->n_reserved++;
        queue->gate->n_reserved++;
        return;
    case STOOK__QUEUE_BEYOND:
        group->n_beyond += queue->n_waiting;
        return;
    }
}

static void leave(struct stook__queue *queue)
{
    struct stook__group *group = queue->key.group;
    switch (queue->place) {
    case STOOK__QUEUE_NOWHERE:
        return;
    case STOOK__QUEUE_READY:
        leave_level(queue);
        return;
    case STOOK__QUEUE_PARKED:
        stook__list_remove(&queue->link);
        group->n_parked -= queue->n_waiting;
        return;
    case STOOK__QUEUE_RESERVED:
        leave_level(queue);
        stook__list_remove(&queue->pass);
        group->n_reserved--;
        queue->gate->n_reserved--;
        return;
    case STOOK__QUEUE_BEYOND:
        group->n_beyond -= queue->n_waiting;
        return;
    }
}

/* Moves a queue, with the lists and counters that its place decides. `gate`: of a queue that is
   PARKED or RESERVED then. A pass that was reserved and is not any more may be another queue's. */
static void move_queue(struct stook__sched *sched, struct stook__queue *queue,
                       enum stook__queue_place to, struct stook__gate *gate)
{
    enum {
        NOWHERE = 1u << STOOK__QUEUE_NOWHERE,
        READY = 1u << STOOK__QUEUE_READY,
        PARKED = 1u << STOOK__QUEUE_PARKED,
        RESERVED = 1u << STOOK__QUEUE_RESERVED,
        BEYOND = 1u << STOOK__QUEUE_BEYOND
    };
    static const unsigned char allowed[] = {
        [STOOK__QUEUE_NOWHERE] = READY | BEYOND,
        [STOOK__QUEUE_READY] = NOWHERE | READY | PARKED | RESERVED | BEYOND,
        [STOOK__QUEUE_PARKED] = NOWHERE | READY | RESERVED | BEYOND,
        [STOOK__QUEUE_RESERVED] = NOWHERE | READY | PARKED | BEYOND,
        [STOOK__QUEUE_BEYOND] = NOWHERE | READY,
    };
    static const char *const names[] = {"NOWHERE", "READY", "PARKED", "RESERVED", "BEYOND"};
    enum stook__queue_place from = queue->place;
    struct stook__gate *left = queue->gate;
    const struct stook__origin *origin = stook__queue_origin(queue);
    assert(allowed[from] & 1u << to);
    STOOK__TRACE("sched", "queue %p of %.*s: %s -> %s, %zu wait", (void *)queue,
                 (int)origin->node.key_size, origin->node.key, names[from], names[to],
                 queue->n_waiting);
    (void)allowed, (void)names, (void)origin, (void)from; /* in release builds */
    leave(queue);
    queue->place = to;
    queue->gate = gate;
    enter(sched, queue);
    if (left != NULL)
        stook__gate_wake(sched, left);
}

void stook__queue_park(struct stook__sched *sched, struct stook__queue *queue,
                       struct stook__gate *gate)
{
    struct stook__group *group = queue->key.group;
    int was_here = queue->gate == gate; /* another queue has used its pass up */
    move_queue(sched, queue, STOOK__QUEUE_PARKED, gate);
    if (was_here) {
        stook__list_remove(&queue->link);
        stook__list_append(gate->parked.next, &queue->link); /* before the first */
    }
    if (stook__list_empty(&group->held))
        stook__list_append(&sched->held, &group->held);
    stook__gate_wake(sched, gate);
}

void stook__queue_reserve(struct stook__sched *sched, struct stook__queue *queue)
{
    struct stook__link *first = queue->gate->parked.next;
    if (first != &queue->link) {
        /* It is the group that is served, whichever of its queues was first: they change places. */
        stook__list_remove(first);
        stook__list_append(&queue->link, first);
    }
    move_queue(sched, queue, STOOK__QUEUE_RESERVED, queue->gate);
}

void stook__queue_unreserve(struct stook__sched *sched, struct stook__queue *queue)
{
    if (queue->place == STOOK__QUEUE_RESERVED)
        stook__queue_place(sched, queue);
}

void stook__queue_place(struct stook__sched *sched, struct stook__queue *queue)
{
    if (queue->n_waiting == 0) {
        if (queue->place != STOOK__QUEUE_NOWHERE)
            move_queue(sched, queue, STOOK__QUEUE_NOWHERE, NULL);
    } else if (stook__job_is_revealed(queue->key.group, stook__queue_first(queue))) {
        move_queue(sched, queue, STOOK__QUEUE_READY, NULL);
    } else if (queue->place != STOOK__QUEUE_BEYOND) {
        move_queue(sched, queue, STOOK__QUEUE_BEYOND, NULL);
    }
}

/* ------------------------------------------------------------------------- the table of queues */

static void free_queue(struct stook__sched *sched, struct stook__queue *queue)
{
    struct stook__target *target = queue->key.target;
    if (queue->place != STOOK__QUEUE_NOWHERE)
        move_queue(sched, queue, STOOK__QUEUE_NOWHERE, NULL);
    stook__free(sched->allocator, level_of(stook__list_pop(&queue->key.group->spare_levels)));
    stook__map_remove(&sched->queues, &queue->node);
    stook__list_remove(&queue->sibling);
    stook__list_remove(&queue->of_origin);
    stook__list_remove(&queue->refusing);
    if (queue->key.group->last == queue)
        queue->key.group->last = NULL;
    stook__free(sched->allocator, queue);
    stook__target_release(sched, target);
}

static struct stook__queue *make_queue(struct stook__sched *sched,
                                       const struct stook__queue_key *key, uint64_t hash)
{
    struct stook__queue *queue = stook__alloc(sched->allocator, sizeof *queue);
    struct stook__level *level = stook__alloc(sched->allocator, sizeof *level);
    if (queue == NULL || level == NULL)
        goto fail;
    queue->key = *key;
    queue->node = (struct stook__node){NULL, hash, (const char *)&queue->key, sizeof queue->key};
    if (stook__map_add(&sched->queues, sched->allocator, &queue->node) != 0)
        goto fail;
    stook__list_init(&queue->link);
    stook__list_init(&queue->pass);
    stook__list_init(&queue->jobs);
    stook__list_init(&queue->refusing);
    stook__list_append(&key->group->queues, &queue->sibling);
    stook__list_append(&key->target->origin->sched.queues, &queue->of_origin);
    stook__list_init(&level->queues);
    stook__list_append(&key->group->spare_levels, &level->link);
    key->group->priorities |= 1u << key->priority;
    return queue;
fail:
    stook__free(sched->allocator, queue);
    stook__free(sched->allocator, level);
    return NULL;
}

static struct stook__queue *find_queue(const struct stook__sched *sched,
                                       const struct stook__queue_key *key, uint64_t hash)
{
    struct stook__node *node =
        stook__map_find(&sched->queues, hash, (const char *)key, sizeof *key);
    return node != NULL ? STOOK__OF(struct stook__queue, node, node) : NULL;
}

/* Returns the queue of the same group and target with another priority. NULL: there is none. */
static struct stook__queue *find_sibling(const struct stook__sched *sched,
                                         const struct stook__queue *queue, size_t priority)
{
    const struct stook__queue_key key = {queue->key.group, queue->key.target, priority};
    if (!(key.group->priorities & 1u << priority))
        return NULL;
    return find_queue(sched, &key, stook__map_hash((const char *)&key, sizeof key));
}

static size_t load_of(const struct stook__sched *sched, const struct stook__queue *queue)
{
    size_t load = queue->n_running;
    unsigned others = other_priorities(queue);
    for (size_t i = 0; others >> i != 0; i++) {
        const struct stook__queue *sibling = others >> i & 1 ? find_sibling(sched, queue, i) : NULL;
        load += sibling != NULL ? sibling->n_running : 0;
    }
    return load;
}

/* Whether a target is that of a rate_key. */
static int has_key(const struct stook__sched *sched, const struct stook__target *target,
                   const char *rate_key)
{
    if (rate_key == NULL && sched->rules.n_by_key == 0)
        return target->key == NULL;
    return target->key != NULL && strcmp(target->key->text, rate_key != NULL ? rate_key : "") == 0;
}

struct stook__queue *stook__sched_queue(struct stook__sched *sched, struct stook__group *group,
                                        struct stook__origin *origin, const char *rate_key,
                                        unsigned priority)
{
    struct stook__queue *last = group->last;
    if (last != NULL && last->key.priority == priority && stook__queue_origin(last) == origin &&
        has_key(sched, last->key.target, rate_key))
        return last;
    struct stook__target *target = stook__target_hold(sched, origin, rate_key);
    if (target == NULL)
        return NULL;
    const struct stook__queue_key key = {group, target, priority};
    uint64_t hash = stook__map_hash((const char *)&key, sizeof key);
    struct stook__queue *queue = find_queue(sched, &key, hash);
    if (queue != NULL) /* it holds the target already */
        stook__target_release(sched, target);
    else
        queue = make_queue(sched, &key, hash);
    if (queue == NULL) {
        stook__target_release(sched, target);
        return NULL;
    }
    group->last = queue;
    if (last != NULL && last->n_jobs == 0)
        free_queue(sched, last);
    return queue;
}

struct stook__origin *stook__job_origin(const struct stook__job *job)
{
    return stook__queue_origin(job->queue);
}

/* ---------------------------------------------------------------------------------- at a gate */

struct stook__queue *stook__gate_next(const struct stook__gate *gate)
{
    enum { LOOKS = 64 };
    struct stook__queue *first = queue_of(gate->parked.next), *best = first;
    const struct stook__group *group = first->key.group;
    unsigned higher = group->priorities >> (first->key.priority + 1);
    if (group->blocked || higher == 0)
        return first; /* blocked: only the head may start, and it is in this queue or in none */
    struct stook__link *link = first->link.next;
    for (int i = 0; i < LOOKS && link != &gate->parked; i++, link = link->next)
        if (queue_of(link)->key.group == group && queue_of(link)->key.priority > best->key.priority)
            best = queue_of(link);
    return best;
}

int stook__queue_take_over(struct stook__sched *sched, struct stook__queue *queue)
{
    struct stook__queue *lower;
    if (queue->place == STOOK__QUEUE_RESERVED)
        return 0; /* another gate refuses it, or the limit was lowered since */
    for (size_t i = queue->key.priority; i-- > 0 && queue->key.group->n_reserved > 0;) {
        if ((lower = find_sibling(sched, queue, i)) == NULL ||
            lower->place != STOOK__QUEUE_RESERVED)
            continue;
        struct stook__gate *gate = lower->gate;
        move_queue(sched, queue, STOOK__QUEUE_RESERVED, gate);
        move_queue(sched, lower, STOOK__QUEUE_READY, NULL);
        return 1;
    }
    return 0;
}

/* ---------------------------------------------------------------------------- jobs of a queue */

/* The first place behind the jobs that were started before. */
static struct stook__link *begin_of_new(const struct stook__queue *queue)
{
    return queue->last_returned != NULL ? queue->last_returned->link.next : queue->jobs.next;
}

/* The place of a job that was never started, behind those that were. */
static struct stook__link *place_of_new(struct stook__queue *queue, const struct stook__job *job)
{
    struct stook__link *all = &queue->jobs, *first = begin_of_new(queue), *begin = first->prev,
                       *last = all->prev;
    if (!stook__job_is_revealed(queue->key.group, job))
        return all; /* it is moved when it is revealed */
    for (int i = 0; i < NEAR; i++, last = last->prev)
        if (last == begin || !is_older(job, STOOK__OF(struct stook__job, link, last)))
            return last->next;
    for (int i = 0; i < NEAR && first != all; i++, first = first->next)
        if (is_older(job, STOOK__OF(struct stook__job, link, first)))
            break;
    return first;
}

void stook__queue_note_first(struct stook__sched *sched, struct stook__queue *queue)
{
    if (queue->place != STOOK__QUEUE_PARKED)
        return;
    if (stook__gate_concerns(queue->gate, stook__queue_first(queue)))
        stook__gate_wake(sched, queue->gate); /* it may cost less */
    else
        stook__queue_place(sched, queue);
}

void stook__queue_push(struct stook__sched *sched, struct stook__queue *queue,
                       struct stook__job *job)
{
    struct stook__job *last = queue->last_returned;
    if (job->first_at == 0) {
        stook__list_append(place_of_new(queue, job), &job->link);
    } else { /* it was started before: behind the others of these, in turn */
        stook__list_append(last != NULL ? last->link.next : queue->jobs.next, &job->link);
        queue->last_returned = job;
    }
    queue->n_waiting++;
    if (queue->place == STOOK__QUEUE_PARKED) {
        queue->key.group->n_parked++;
        if (stook__queue_first(queue) == job && queue->n_waiting > 1)
            stook__queue_note_first(sched, queue);
        return;
    }
    if (queue->place == STOOK__QUEUE_BEYOND)
        queue->key.group->n_beyond++;
    if (queue->place == STOOK__QUEUE_NOWHERE)
        stook__queue_place(sched, queue);
    else if (queue->place == STOOK__QUEUE_BEYOND && stook__queue_first(queue) == job)
        stook__queue_place(sched, queue);
    else if (stook__queue_first(queue) == job)
        change_level(sched, queue);
}

void stook__queue_reveal(struct stook__sched *sched, struct stook__queue *queue,
                         struct stook__job *job)
{
    struct stook__link *at = begin_of_new(queue);
    /* Nearly always it is in its place, because jobs come in the order of their adds. */
    if (job->first_at == 0 && &job->link != at &&
        !is_older(STOOK__OF(struct stook__job, link, job->link.prev), job)) {
        while (at != &job->link && is_older(STOOK__OF(struct stook__job, link, at), job))
            at = at->next;
        stook__list_remove(&job->link);
        stook__list_append(at, &job->link);
    }
    if (queue->place == STOOK__QUEUE_BEYOND)
        stook__queue_place(sched, queue);
    else if (queue->place == STOOK__QUEUE_PARKED && stook__queue_first(queue) == job)
        stook__queue_note_first(sched, queue);
    else if (stook__queue_first(queue) == job)
        change_level(sched, queue); /* it may be older */
}

/* Takes a job out of its queue. */
static void unlink_job(struct stook__queue *queue, struct stook__job *job)
{
    if (queue->last_returned == job)
        queue->last_returned = job->link.prev != &queue->jobs
                                   ? STOOK__OF(struct stook__job, link, job->link.prev)
                                   : NULL;
    if (queue->suspect == job)
        stook__queue_pass_suspect(queue);
    stook__list_remove(&job->link);
    queue->n_waiting--;
    if (queue->place == STOOK__QUEUE_PARKED)
        queue->key.group->n_parked--;
    else if (queue->place == STOOK__QUEUE_BEYOND)
        queue->key.group->n_beyond--;
}

/* Puts a queue where it belongs without a job that has left it. */
static void settle(struct stook__sched *sched, struct stook__queue *queue)
{
    if (queue->n_waiting == 0)
        move_queue(sched, queue, STOOK__QUEUE_NOWHERE, NULL);
    else if (queue->place == STOOK__QUEUE_PARKED)
        stook__queue_note_first(sched, queue);
    else if (queue->place == STOOK__QUEUE_BEYOND)
        stook__queue_place(sched, queue);
    else
        change_level(sched, queue);
}

void stook__queue_remove(struct stook__sched *sched, struct stook__queue *queue,
                         struct stook__job *job)
{
    unlink_job(queue, job);
    settle(sched, queue);
}

/* The number in flight counts for the queues of all priorities. */
static void change_levels_of_siblings(struct stook__sched *sched, struct stook__queue *queue)
{
    struct stook__queue *sibling;
    unsigned others = other_priorities(queue);
    for (size_t i = 0; others >> i != 0; i++)
        if ((others >> i & 1) && (sibling = find_sibling(sched, queue, i)) != NULL)
            change_level(sched, sibling);
}

void stook__queue_start(struct stook__sched *sched, struct stook__queue *queue,
                        struct stook__job *job)
{
    unlink_job(queue, job);
    queue->n_running++;
    if (queue->place == STOOK__QUEUE_RESERVED && queue->n_waiting > 0)
        stook__queue_place(sched, queue); /* the pass is used up */
    else
        settle(sched, queue);
    if (other_priorities(queue) != 0)
        change_levels_of_siblings(sched, queue);
}

void stook__queue_stop(struct stook__sched *sched, struct stook__queue *queue)
{
    queue->n_running--;
    change_level(sched, queue);
    if (other_priorities(queue) != 0)
        change_levels_of_siblings(sched, queue);
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
    stook__list_remove(&group->held);
    stook__free(sched->allocator, group->adaptive);
    group->adaptive = NULL;
}
