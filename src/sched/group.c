/* SPDX-License-Identifier: MIT */
/* Groups: when they may start something, their limits and the head of their order; see group.h. */
#include "sched/group.h"

#include "sched/adaptive.h"
#include "sched/refusal.h"
#include "sched/sched.h"

void stook__group_init(struct stook__group *group)
{
    stook__list_init(&group->ring);
    stook__list_init(&group->running);
    stook__list_init(&group->delayed);
    stook__list_init(&group->queues);
    stook__list_init(&group->spare_levels);
    stook__list_init(&group->reserved);
    stook__list_init(&group->held);
    stook__list_init(&group->refusing);
    for (int i = 0; i < STOOK__PRIORITIES; i++)
        stook__list_init(&group->levels[i]);
}

void stook__group_return_passes(struct stook__sched *sched, struct stook__group *group)
{
    while (!stook__list_empty(&group->reserved))
        stook__queue_unreserve(sched, STOOK__OF(struct stook__queue, pass, group->reserved.next));
}

void stook__group_open(struct stook__sched *sched, struct stook__group *group, size_t limit,
                       int64_t deadline)
{
    group->open = 1;
    group->limit = limit;
    if (deadline != 0)
        stook__timer_heap_set(&sched->deadlines, &group->deadline, deadline);
    stook__refusal_note_group(sched, group);
    stook__group_update_ring(sched, group);
}

void stook__group_stop(struct stook__sched *sched, struct stook__group *group)
{
    group->open = 0;
    stook__group_update_ring(sched, group);
}

void stook__group_close(struct stook__sched *sched, struct stook__group *group)
{
    stook__group_stop(sched, group);
    stook__timer_heap_clear(&sched->deadlines, &group->deadline);
}

void stook__group_block(struct stook__sched *sched, struct stook__group *group, int blocked,
                        struct stook__job *head)
{
    int was = group->blocked, is_new = group->head != head;
    group->blocked = blocked;
    group->head = head;
    if (is_new || (was && !blocked)) /* a new head may be what is refused */
        stook__refusal_note_group(sched, group);
    if (is_new && head != NULL && head->queue->place == STOOK__QUEUE_PARKED) {
        stook__queue_note_first(sched, head->queue);
        stook__group_update_ring(sched, group);
    }
    if (!was && !blocked)
        return;
    int head_reserved = head != NULL && head->queue->place == STOOK__QUEUE_RESERVED;
    if (blocked && group->n_reserved > (size_t)head_reserved)
        stook__group_return_passes(sched, group);
    stook__group_update_ring(sched, group);
}

void stook__group_set_limit(struct stook__sched *sched, struct stook__group *group, size_t limit)
{
    stook__free(sched->allocator, group->adaptive);
    group->adaptive = NULL;
    group->limit = limit;
    stook__group_update_ring(sched, group);
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
    stook__group_update_ring(sched, group);
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
    stook__group_update_ring(sched, group);
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
