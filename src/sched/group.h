/* SPDX-License-Identifier: MIT */
/*
 * Groups: when they may start something, their limits and the head of their order. A group is in
 * the ring of the scheduler exactly while it may start something.
 */
#ifndef STOOK_SCHED_GROUP_H
#define STOOK_SCHED_GROUP_H

#include "sched/queue.h"

void stook__group_init(struct stook__group *group);
/* Begins the await: from now on jobs of the group may start. `deadline` 0: none. */
void stook__group_open(struct stook__sched *sched, struct stook__group *group, size_t limit,
                       int64_t deadline);
/* Starts nothing of the group any more. Its deadline still counts. */
void stook__group_stop(struct stook__sched *sched, struct stook__group *group);
/* Stops the group and disarms its deadline. */
void stook__group_close(struct stook__sched *sched, struct stook__group *group);
/* Blocks or unblocks the group. `head`: the head of its order, if it has not started. While the
   group is blocked only `head` may start; NULL: no job may. */
void stook__group_block(struct stook__sched *sched, struct stook__group *group, int blocked,
                        struct stook__job *head);
/* Lets only jobs before `horizon` start. A later call must not lower it, and is followed by a call
   of stook__sched_reveal() for each waiting job that it lets start. */
void stook__group_set_horizon(struct stook__sched *sched, struct stook__group *group,
                              uint32_t horizon);
/* Returns an unfinished job, a running one if there is one. NULL: there is none. */
struct stook__job *stook__group_any(struct stook__group *group);
/* Returns a waiting job. NULL: there is none. */
struct stook__job *stook__group_any_waiting(struct stook__group *group);

/* Limits may change at any time. Jobs that run above a lower limit finish. SIZE_MAX: no limit. */
void stook__group_set_limit(struct stook__sched *sched, struct stook__group *group, size_t limit);
/* Lets the limit of a group find itself, until it is set. 0 or STOOK_ENOMEM. */
int stook__group_find_limit(struct stook__sched *sched, struct stook__group *group);
/* Takes the limit over that was found. */
void stook__group_update_limit(struct stook__sched *sched, struct stook__group *group);

/* ----------------------------------------------------------------- for the files of this room */

/* Gives back the passes that are reserved for the group, because it cannot use them. */
void stook__group_return_passes(struct stook__sched *sched, struct stook__group *group);

/* Whether the head of the order may be looked at. */
static inline int stook__group_head_is_ready(const struct stook__group *group)
{
    const struct stook__job *head = group->head;
    return head != NULL && head->state == STOOK__JOB_QUEUED &&
           head->queue->place != STOOK__QUEUE_PARKED;
}

static inline int stook__group_may_start(const struct stook__group *group)
{
    if (!group->open || group->n_running >= group->limit ||
        group->n_waiting == group->n_parked + group->n_delayed + group->n_beyond)
        return 0;
    return !group->blocked || stook__group_head_is_ready(group);
}

/* Keeps a group in the ring exactly while it may start something, as far as its own limit and its
   queues tell. A group that enters goes to the end. */
static inline void stook__group_update_ring(struct stook__sched *sched, struct stook__group *group)
{
    if (!stook__group_may_start(group)) {
        stook__list_remove(&group->ring);
        stook__group_return_passes(sched, group);
    } else if (stook__list_empty(&group->ring)) {
        stook__list_append(&sched->ring, &group->ring);
    }
}

#endif
