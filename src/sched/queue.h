/* SPDX-License-Identifier: MIT */
/*
 * Queues and origins. A queue holds the QUEUED jobs of one group, origin and priority, the oldest
 * first. An origin counts its running jobs and keeps the queues for which it has no room. sched.c
 * is the only caller, except for stook__sched_queue(), stook__job_origin() and stook__group_end().
 *
 * A group that looks at a queue whose origin is full parks the queue at the origin. When the origin
 * has room, the first queue parked there gets a reservation and returns to its group. The queue
 * keeps the reservation until it starts a job, or until its group turns out not to be able to start
 * one. So no start and no finish ever walks over jobs that cannot start, and a new job cannot take
 * the room of an older one.
 */
#ifndef STOOK_SCHED_QUEUE_H
#define STOOK_SCHED_QUEUE_H

#include "origin/origin.h"
#include "sched/sched.h"

/*
 * Where a queue is. Only move_queue() in queue.c changes it.
 *
 *               first job                  origin is full
 *     NOWHERE ------------> READY --------------------------------> PARKED
 *        ^                  |  ^ |                                  |  ^ |
 *        |                  |  | | takes over from a lower priority |  | |
 *        |                  |  | +----------> RESERVED <------------+  | |
 *        |                  |  |               |  |    origin has room | |
 *        |                  |  +---------------+  +--------------------+ |
 *        |                  |    returned,           limit was lowered   |
 *        |  last job left   |    or one has started                      |
 *        +------------------+--------------------------------------------+ (and from RESERVED)
 *
 * READY -> READY moves a queue that has started a job behind the other queues of its group.
 */
enum stook__queue_place {
    STOOK__QUEUE_NOWHERE, /* it has no waiting job */
    STOOK__QUEUE_READY,   /* in `ready` of its group; its origin may have room */
    STOOK__QUEUE_PARKED,  /* in `parked` of its origin; its group does not look at it */
    STOOK__QUEUE_RESERVED /* in `ready` before those that are READY; its origin keeps room for it */
};

/* Hashed as bytes, so it has no padding. Its initializers name no member: then the compiler
   warns about each one that lacks a new member. */
struct stook__queue_key {
    struct stook__group *group;
    struct stook__origin *origin;
    size_t priority;
};

struct stook__queue {
    struct stook__node node; /* by `key` */
    struct stook__queue_key key;
    struct stook__link link;     /* in the list that `place` names */
    struct stook__link sibling;  /* in `queues` of its group */
    struct stook__link jobs;     /* QUEUED jobs, the oldest first */
    struct stook__job *last_hop; /* of those that were redirected, which come first; NULL: none */
    size_t n_waiting;            /* length of `jobs` */
    size_t n_jobs;               /* jobs in any state that are not FINISHED */
    enum stook__queue_place place;
};

/* Returns the queue for a job of that group, origin and priority, 0 to STOOK__PRIORITIES - 1. It
   is valid until the next call for the group, or as long as it has jobs. NULL: out of memory. */
struct stook__queue *stook__sched_queue(struct stook__sched *sched, struct stook__group *group,
                                        struct stook__origin *origin, unsigned priority);
/* Returns the origin of a job. It is valid until the job is finished. */
struct stook__origin *stook__job_origin(const struct stook__job *job);
/* Frees the queues of a group. Its jobs are finished, or are never used again. */
void stook__group_end(struct stook__sched *sched, struct stook__group *group);

/* Whether the origin can run one more job beside those that run and those with a reservation. */
int stook__sched_origin_has_room(const struct stook__sched *sched,
                                 const struct stook__origin *origin);
/* Puts the origin into `to_wake` if it has room and a queue is parked there. */
void stook__sched_origin_wake(struct stook__sched *sched, struct stook__origin *origin);
/* Chooses the parked queue that gets the next reservation: of the group whose queue is first, the
   queue of the highest priority. At least one queue is parked. */
struct stook__queue *stook__sched_origin_next(struct stook__sched *sched,
                                              struct stook__origin *origin);

/* Whether the origin of a queue that is READY or RESERVED allows a start from it. */
int stook__queue_may_start(const struct stook__sched *sched, const struct stook__queue *queue);
/* Parks a queue that is READY or RESERVED at its origin. */
void stook__queue_park(struct stook__sched *sched, struct stook__queue *queue);
/* Returns a parked queue to its group with a reservation. */
void stook__queue_reserve(struct stook__sched *sched, struct stook__queue *queue);
/* Gives the reservation of a queue back, if it has one. The queue stays in its group. */
void stook__queue_unreserve(struct stook__sched *sched, struct stook__queue *queue);
/* Takes the reservation of a lower priority of the same group and origin for a queue that is the
   first in `ready`. Returns whether there was one and it allows a start. */
int stook__queue_take_over(struct stook__sched *sched, struct stook__queue *queue);
/* Moves a queue that has started a job behind the other queues of its group. The reservation, if
   it had one, is used up. */
void stook__queue_rotate(struct stook__sched *sched, struct stook__queue *queue);
/* Puts a job into its queue: at the end, before all others, or behind the others that were
   redirected. */
enum stook__queue_end { STOOK__PUSH_LAST, STOOK__PUSH_FIRST, STOOK__PUSH_HOP };
void stook__queue_push(struct stook__sched *sched, struct stook__queue *queue,
                       struct stook__job *job, enum stook__queue_end end);
/* Removes a QUEUED job from its queue. */
void stook__queue_remove(struct stook__sched *sched, struct stook__queue *queue,
                         struct stook__job *job);
/* Counts one job less. Frees the queue with its last job, unless the next add may use it. */
void stook__queue_release(struct stook__sched *sched, struct stook__queue *queue);

#endif
