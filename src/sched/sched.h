/* SPDX-License-Identifier: MIT */
/*
 * Decides which request may start, and when. The room is pure: the caller passes the time, and
 * nothing here calls another room, so that tests run it in virtual time. core/ is the caller.
 *
 *     job      one request, from its add until it is finished
 *     group    one batch: its jobs, its limit and its deadline
 *     origin   scheme, host and port, as far as the limit of an origin goes; see queue.h
 *     queue    jobs of one group, origin and priority that could not start; see queue.h
 *
 * Groups that may start something stand in a ring and take turns. Within a group the job of the
 * higher priority starts first. Among jobs of one priority the oldest whose origin has room starts
 * first. A job whose origin has none moves into its queue, and the queue waits at the origin.
 *
 * Invariants: no start exceeds a limit. A job that waits is forbidden to start by a limit that is
 * reached, or its group is not open, or its group is blocked.
 */
#ifndef STOOK_SCHED_SCHED_H
#define STOOK_SCHED_SCHED_H

#include <stddef.h>

#include "request/exchange.h"
#include "util/list.h"
#include "util/map.h"
#include "util/timer_heap.h"

/*
 * The states of a job. Only move_job() in sched.c changes them.
 *
 *          add             looked at           start             end
 *     NEW -----> INCOMING -----------> QUEUED -------> RUNNING -----> FINISHED
 *                    |                  |  ^             |               ^
 *                    |                  |  +-------------+               |
 *                    |                  |      put back, redirected      |
 *                    +------------------+--------------------------------+
 *                              cancelled, past a clock, closed
 */
enum stook__job_state {
    STOOK__JOB_NEW,      /* not added; a zeroed job is NEW */
    STOOK__JOB_INCOMING, /* in the list of its group; its origin was not looked at yet */
    STOOK__JOB_QUEUED,   /* in its queue, behind the older jobs of the same origin */
    STOOK__JOB_RUNNING,  /* counts against the limits of group, client and origin */
    STOOK__JOB_FINISHED  /* in no list; its queue pointer is NULL */
};

enum { STOOK__PRIORITIES = 7 };

struct stook__queue;

struct stook__job {
    struct stook__link link;   /* by state: group's `incoming`, queue's `jobs`, group's `running` */
    struct stook__timer timer; /* the earliest of the clocks that run in this state; clocks.h */
    struct stook__queue *queue; /* NULL: NEW or FINISHED */
    const struct stook__settings *settings;
    int64_t added_at;
    int64_t first_at;   /* start of the first attempt, from which the whole clock counts; 0: none */
    int64_t attempt_at; /* start of the current attempt */
    int64_t moved_at;   /* last byte of the current attempt */
    uint8_t state;      /* enum stook__job_state, in a byte: a queued request is to stay small */
    uint8_t connected;  /* RUNNING: the attempt has a connection, so its connect clock is off */
    uint8_t lost;     /* the previous attempt ended with STOOK_ERESET; for the text of a failure */
    uint8_t repeated; /* this hop was repeated once */
    uint32_t attempts;
};

struct stook__group {
    struct stook__link ring;    /* in the ring of groups that may start something */
    struct stook__link running; /* jobs */
    /* Per priority: INCOMING jobs in the order of the adds, and queues that are READY or RESERVED.
       Jobs in a queue are older than the incoming ones. */
    struct stook__link incoming[STOOK__PRIORITIES];
    struct stook__link ready[STOOK__PRIORITIES];
    struct stook__link queues; /* all queues of the group, by `sibling` */
    unsigned priorities;       /* a bit for each priority that was ever used */
    struct stook__queue *last; /* queue of the last add; the next is likely to use it too */
    struct stook__job *head;   /* the one job that may start while the group is blocked, or NULL */
    size_t n_waiting;          /* INCOMING and QUEUED jobs */
    size_t n_running;
    size_t n_parked;   /* QUEUED jobs whose queue is PARKED */
    size_t n_reserved; /* queues that are RESERVED */
    size_t limit;
    struct stook__timer deadline;
    /* Two flags, because an await may block and unblock while it is open, in any order. */
    int open;    /* the batch is awaited, and may start jobs */
    int blocked; /* the window of results is full: only `head` may start */
};

struct stook__sched {
    struct stook__allocator *allocator;
    struct stook__link ring;            /* groups that may start something */
    struct stook__timer_heap jobs;      /* timers of jobs */
    struct stook__timer_heap deadlines; /* deadlines of groups */
    struct stook__link origins;         /* of which there is a queue */
    struct stook__map queues;           /* by key */
    struct stook__link to_wake;         /* origins that may have room for a parked queue */
    size_t limit, origin_limit;         /* SIZE_MAX: none */
    size_t n_running, n_waiting;        /* of all groups */
    int starved; /* descriptors or local ports have run out: nothing starts until a job finishes */
};

void stook__sched_init(struct stook__sched *sched, struct stook__allocator *allocator);
/* Frees what is left. All groups have ended. */
void stook__sched_free(struct stook__sched *sched);

void stook__group_init(struct stook__group *group);
/* Begins the await: from now on jobs of the group may start. `deadline` 0: none. */
void stook__group_open(struct stook__sched *sched, struct stook__group *group, size_t limit,
                       int64_t deadline);
/* Starts nothing of the group any more. Its deadline still counts. */
void stook__group_stop(struct stook__sched *sched, struct stook__group *group);
/* Stops the group and disarms its deadline. */
void stook__group_close(struct stook__sched *sched, struct stook__group *group);
/* Blocks or unblocks the group. While it is blocked only `head` may start; NULL: no job may. */
void stook__group_block(struct stook__sched *sched, struct stook__group *group, int blocked,
                        struct stook__job *head);
/* Returns an unfinished job, a running one if there is one. NULL: there is none. */
struct stook__job *stook__group_any(struct stook__group *group);
/* Returns a waiting job. NULL: there is none. */
struct stook__job *stook__group_any_waiting(struct stook__group *group);

/* Limits may change at any time. Jobs that run above a lower limit finish. SIZE_MAX: no limit. */
void stook__sched_set_limit(struct stook__sched *sched, size_t limit);
void stook__sched_set_origin_limit(struct stook__sched *sched, size_t limit);
void stook__group_set_limit(struct stook__sched *sched, struct stook__group *group, size_t limit);

/* Adds a NEW job to a queue that stook__sched_queue() returned. The job becomes INCOMING. */
void stook__sched_add(struct stook__sched *sched, struct stook__queue *queue,
                      struct stook__job *job, const struct stook__settings *settings, int64_t now);
/* Starts and returns the next job that may start; it is RUNNING. NULL: no job may start, or the
   call has looked at its maximum of jobs that may not. */
struct stook__job *stook__sched_next(struct stook__sched *sched, int64_t now);
/* Whether stook__sched_next() may find a job. */
int stook__sched_ready(const struct stook__sched *sched);
/* Counts a repeat of a RUNNING job, which starts now. */
void stook__sched_repeat(struct stook__sched *sched, struct stook__job *job, int64_t now);
/* Returns a RUNNING job that found no descriptor or local port to the front of its queue. Nothing
   starts until another job finishes. Returns 0 and does nothing if no other job runs, because then
   there is nothing to wait for. */
int stook__sched_put_back(struct stook__sched *sched, struct stook__job *job);
/* Takes back the attempt of a job that is RUNNING now: it did not begin. */
void stook__sched_not_begun(struct stook__job *job);
/* Moves a RUNNING job that was redirected before what has not started, in a queue of its group that
   stook__sched_queue() returned. It has no slot until it starts again; its whole clock goes on. */
void stook__sched_redirect(struct stook__sched *sched, struct stook__queue *queue,
                           struct stook__job *job);
/* Finishes a job in any state but NEW and FINISHED. */
void stook__sched_finish(struct stook__sched *sched, struct stook__job *job);

/* Whether the job is added and not started. */
static inline int stook__job_waits(const struct stook__job *job)
{
    return job->state == STOOK__JOB_INCOMING || job->state == STOOK__JOB_QUEUED;
}

/* Why a job waits. If several of these hold, the first is returned. */
enum stook__reason {
    STOOK__BY_NOTHING,    /* it may start; other groups are served before it */
    STOOK__BY_AWAIT,      /* its group is not open */
    STOOK__BY_WINDOW,     /* its group is blocked */
    STOOK__BY_BATCH,      /* the limit of its group */
    STOOK__BY_ORIGIN,     /* the limit of its origin */
    STOOK__BY_CLIENT,     /* the limit of all groups together */
    STOOK__BY_DESCRIPTORS /* descriptors or local ports have run out */
};
enum stook__reason stook__sched_reason(const struct stook__sched *sched,
                                       const struct stook__job *job);

/* How an attempt ended, as far as it decides about a repeat. */
struct stook__ending {
    int error;
    int idempotent; /* the method is idempotent (RFC 9110 9.2.2) */
    int lost;       /* a reused connection died before the first byte of a response */
};

/* Whether the job is to be sent again at once, on a fresh connection. At most one repeat. */
int stook__sched_should_repeat(const struct stook__job *job, const struct stook__ending *ending);

#endif
