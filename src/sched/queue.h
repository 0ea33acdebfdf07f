/* SPDX-License-Identifier: MIT */
/*
 * Sites and queues. A queue holds the waiting jobs of one group, origin and priority that were looked
 * at and passed over. It stands in one of three places:
 *
 *     nowhere: it has no such jobs
 *     READY    in its group: its origin may have room, it is the group's turn that is waited for
 *     PARKED   at its origin, which was found full, or with others parked before it
 *
 * A queue moves to its origin when its group looks at it in vain, and back when the origin has room and
 * its turn there has come. Then it is CALLED: that room is kept for it, until it starts something or
 * its group turns out not to be able to. So neither a start nor a finish ever walks over what cannot
 * start, and a newcomer does not take the room of those that were there before.
 */
#ifndef STOOK_SCHED_QUEUE_H
#define STOOK_SCHED_QUEUE_H

#include "sched/sched.h"

struct stook__sched_origin {
    struct stook__node node;
    struct stook__link parked; /* queues */
    struct stook__link wake;   /* among the origins that may have room for what is parked */
    size_t n_running, n_reserved, n_queues;
    char key[];
};

struct stook__queue_key { /* no padding: it is hashed as it lies */
    struct stook__group *group;
    struct stook__sched_origin *origin;
    size_t priority;
};

struct stook__queue {
    struct stook__node node; /* by its key */
    struct stook__queue_key key;
    struct stook__link link;    /* ready in its group, called ones first, or parked at its origin */
    struct stook__link sibling; /* among all of its group */
    struct stook__link jobs;    /* the oldest first */
    size_t n_waiting;           /* in `jobs` */
    size_t n_jobs;              /* all that are not finished */
    int parked, reserved;
};

/* Whether the origin can have one more, of whom it has called or not. */
int stook__sched_origin_has_room(const struct stook__sched *sched,
                                 const struct stook__sched_origin *origin);
/* Whether one of the queue, which is not parked, may start as far as its origin goes. */
int stook__queue_may_start(const struct stook__sched *sched, const struct stook__queue *queue);
/* Has what is parked at the origin called, if it has room. */
void stook__sched_origin_wake(struct stook__sched *sched, struct stook__sched_origin *origin);
/* To its origin; the group finds it no more. */
void stook__queue_park(struct stook__sched *sched, struct stook__queue *queue);
/* Which of those parked there is to be called: it is the turn of the first one's group, and its highest
   priority takes it. There is one. */
struct stook__queue *stook__sched_origin_next(struct stook__sched *sched,
                                              struct stook__sched_origin *origin);
/* Back to its group, called. */
void stook__queue_reserve(struct stook__queue *queue);
/* The room that is kept at its origin for a lower one of its group is for this now. 0: there is none. */
int stook__queue_take_over(struct stook__sched *sched, struct stook__queue *queue);
/* It stays in its group, but the room is another's. */
void stook__queue_unreserve(struct stook__sched *sched, struct stook__queue *queue);
/* One more job that was looked at: behind the others, or before them. */
void stook__queue_push(struct stook__queue *queue, struct stook__job *job, int first);
/* A job leaves, wherever it is. */
void stook__queue_remove(struct stook__sched *sched, struct stook__queue *queue,
                         struct stook__job *job);
/* One job less; the queue, and its origin, go with the last. */
void stook__queue_release(struct stook__sched *sched, struct stook__queue *queue);

#endif
