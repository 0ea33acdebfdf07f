/* SPDX-License-Identifier: MIT */
/*
 * Queues. A queue holds the QUEUED jobs of one group, target and priority, the oldest first; those
 * that have been started before, and wait for their next hop or attempt, stand before all others,
 * in the order in which they returned. Jobs beyond the horizon of their group stand behind all
 * others.
 *
 * The queues of a group that may start something stand in levels, one for each number of jobs that
 * a target has in flight for the group. A queue is served from the lowest level, and within it the
 * oldest job first. So a slot that becomes free goes to the target with the fewest in flight, in
 * O(1): each start and finish moves a queue by one level.
 */
#ifndef STOOK_SCHED_QUEUE_H
#define STOOK_SCHED_QUEUE_H

#include "sched/state.h"
#include "sched/target.h"

/*
 * Where a queue is. Only move_queue() in queue.c changes it.
 *
 *               first job                  a gate refuses it
 *     NOWHERE ------------> READY --------------------------------> PARKED
 *        ^                  |  ^ |                                  |  ^ |
 *        |                  |  | | takes over from a lower priority |  | |
 *        |                  |  | +----------> RESERVED <------------+  | |
 *        |                  |  |               |  |   the gate opens   | |
 *        |                  |  +---------------+  +--------------------+ |
 *        |                  |    returned,           another gate        |
 *        |  last job left   |    or one has started  refuses it          |
 *        +------------------+--------------------------------------------+ (and from the others)
 *
 *     From all places --> BEYOND: its first job is beyond the horizon; back to READY when that job
 *     is revealed. READY -> READY changes the level. PARKED -> READY, BEYOND: the bucket at which
 *     it waits does not concern its first job.
 */
enum stook__queue_place {
    STOOK__QUEUE_NOWHERE,  /* it has no waiting job */
    STOOK__QUEUE_READY,    /* in a level of its group; its gates may let it pass */
    STOOK__QUEUE_PARKED,   /* in `parked` of `gate`; its group does not look at it */
    STOOK__QUEUE_RESERVED, /* READY, and `gate` keeps a pass for it */
    STOOK__QUEUE_BEYOND    /* in no list */
};

/* Queues of one group and priority whose target has as many in flight for the group. */
struct stook__level {
    struct stook__link link;   /* in `levels` of the group, by `count`; or in `spare_levels` */
    struct stook__link queues; /* READY or RESERVED, by their oldest jobs */
    size_t count;
};

/* Hashed as bytes, so it has no padding. Its initializers name no member: then the compiler
   warns about each one that lacks a new member. */
struct stook__queue_key {
    struct stook__group *group;
    struct stook__target *target;
    size_t priority;
};

struct stook__queue {
    struct stook__node node; /* by `key` */
    struct stook__queue_key key;
    struct stook__link link;          /* in the list that `place` names */
    struct stook__link pass;          /* RESERVED: in `reserved` of its group */
    struct stook__link sibling;       /* in `queues` of its group */
    struct stook__link of_origin;     /* in `queues` of its origin */
    struct stook__link refusing;      /* in `refusing` of the scheduler, or of its group */
    struct stook__link jobs;          /* QUEUED jobs, the oldest first */
    struct stook__job *last_returned; /* of those that were started before; NULL: none */
    struct stook__job *suspect;       /* the first that its circuit may end; NULL: see refusal.h */
    struct stook__gate *gate;         /* PARKED or RESERVED: of which; otherwise NULL */
    struct stook__level *level;       /* READY or RESERVED: where; otherwise NULL */
    size_t n_waiting;                 /* length of `jobs` */
    size_t n_running;                 /* RUNNING jobs */
    size_t n_jobs;                    /* jobs in any state that are not FINISHED */
    enum stook__queue_place place;
};

static inline struct stook__origin *stook__queue_origin(const struct stook__queue *queue)
{
    return queue->key.target->origin;
}

/* The first job of a queue that has one: that of which gates are asked. The head of the order of
   its group stands before all others. */
static inline struct stook__job *stook__queue_first(const struct stook__queue *queue)
{
    struct stook__job *head = queue->key.group->head;
    if (head != NULL && head->queue == queue && head->state == STOOK__JOB_QUEUED)
        return head;
    return STOOK__OF(struct stook__job, link, queue->jobs.next);
}

/* Makes the next job, if there is one, the suspect. */
static inline void stook__queue_pass_suspect(struct stook__queue *queue)
{
    struct stook__link *next = queue->suspect->link.next;
    queue->suspect = next != &queue->jobs ? STOOK__OF(struct stook__job, link, next) : NULL;
}

/* Returns the queue for a job of that group, origin, rate_key (or NULL) and priority, 0 to
   STOOK__PRIORITIES - 1. It is valid until the next call for the group, or as long as it has jobs.
   NULL: out of memory. */
struct stook__queue *stook__sched_queue(struct stook__sched *sched, struct stook__group *group,
                                        struct stook__origin *origin, const char *rate_key,
                                        unsigned priority);
/* Returns the origin of a job. It is valid until the job is finished. */
struct stook__origin *stook__job_origin(const struct stook__job *job);
/* Frees the queues of a group. Its jobs are finished, or are never used again. */
void stook__group_end(struct stook__sched *sched, struct stook__group *group);

/* Chooses the parked queue that the gate wakes next: of the group whose queue is first, that of the
   highest priority among the first ones. At least one queue is parked. */
struct stook__queue *stook__gate_next(const struct stook__gate *gate);

/* Parks a queue that is READY or RESERVED at a gate. */
void stook__queue_park(struct stook__sched *sched, struct stook__queue *queue,
                       struct stook__gate *gate);
/* Returns a parked queue to its group with a pass of its gate. */
void stook__queue_reserve(struct stook__sched *sched, struct stook__queue *queue);
/* Gives the pass of a queue back, if it has one. The queue stays in its group. */
void stook__queue_unreserve(struct stook__sched *sched, struct stook__queue *queue);
/* Gives a READY queue the pass of a lower priority of the same group and target, if there is one.
   Returns whether there was. */
int stook__queue_take_over(struct stook__sched *sched, struct stook__queue *queue);
/* Puts a queue whose first job, or number in flight, has changed where it belongs: to its level, or
   beyond the horizon. A pass, if it had one, is given back. One that is parked is not any
   more. */
void stook__queue_place(struct stook__sched *sched, struct stook__queue *queue);
/* Puts a job into its queue, where its number belongs. */
void stook__queue_push(struct stook__sched *sched, struct stook__queue *queue,
                       struct stook__job *job);
/* Puts a QUEUED job, which the horizon of its group has passed last, behind those of its queue that
   it has passed before. */
void stook__queue_reveal(struct stook__sched *sched, struct stook__queue *queue,
                         struct stook__job *job);
/* Takes a QUEUED job out of its queue because it starts. A pass of the queue is used up. */
void stook__queue_start(struct stook__sched *sched, struct stook__queue *queue,
                        struct stook__job *job);
/* Counts a job less that is in flight. */
void stook__queue_stop(struct stook__sched *sched, struct stook__queue *queue);
/* Notes that another job than before is the first of a queue. */
void stook__queue_note_first(struct stook__sched *sched, struct stook__queue *queue);
/* Removes a QUEUED job from its queue. */
void stook__queue_remove(struct stook__sched *sched, struct stook__queue *queue,
                         struct stook__job *job);
/* Counts one job less. Frees the queue with its last job, unless the next add may use it. */
void stook__queue_release(struct stook__sched *sched, struct stook__queue *queue);
/* Whether a job is before the horizon of its group. */
static inline int stook__job_is_revealed(const struct stook__group *group,
                                         const struct stook__job *job)
{
    return !group->has_horizon || (int32_t)(job->seq - group->horizon) < 0;
}

#endif
