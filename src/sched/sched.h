/* SPDX-License-Identifier: MIT */
/*
 * Who may start, and when. Pure: it is handed the time and never calls up or down, so that it can
 * be tested in virtual time.
 *
 * A job is one request, a group is a batch of them, a origin is an origin as far as limits go. States
 * of a job, which only this room changes:
 *
 *     NEW -> WAITING <-> RUNNING -> FINISHED
 *               \_____________________^
 *
 * Groups that may start something stand in a ring and take turns. Within a group the higher
 * priority starts first, and of one priority the oldest whose origin has room. What is passed over is
 * parked at its origin, a queue per group, and the queues there take turns too; queue.c.
 */
#ifndef STOOK_SCHED_SCHED_H
#define STOOK_SCHED_SCHED_H

#include <stddef.h>

#include "request/exchange.h"
#include "util/list.h"
#include "util/map.h"
#include "util/timer_heap.h"

enum stook__job_state { STOOK__NEW, STOOK__WAITING, STOOK__RUNNING, STOOK__FINISHED };

enum { STOOK__PRIORITIES = 7 };

struct stook__queue;

struct stook__job {
    struct stook__link
        link; /* in its group's line, in its queue, or among the running of its group */
    struct stook__timer timer;
    struct stook__queue *queue; /* NULL: not added, or finished */
    const struct stook__settings *policy;
    int64_t added_at, first_at; /* first_at: of the first attempt; the whole clock counts from it */
    int64_t attempt_at, moved_at; /* of this attempt: start, and last byte seen */
    uint8_t state;
    uint8_t passed;    /* waits in its queue: it was looked at, and passed over */
    uint8_t connected; /* this attempt's connecting is over */
    uint8_t lost;      /* the attempt before was sent, and its answer was lost */
    uint32_t attempts;
};

struct stook__group {
    struct stook__link ring;
    struct stook__link running;
    struct stook__link
        incoming[STOOK__PRIORITIES]; /* jobs that were not looked at yet, in order of the adds */
    struct stook__link
        ready[STOOK__PRIORITIES]; /* queues of jobs that were passed over, older than the line */
    struct stook__link queues;    /* all of them */
    unsigned priorities;          /* a bit for each that was asked for */
    struct stook__queue *last;    /* that of the last add: kept, the next is likely the same */
    struct stook__job *head;      /* may start though the group is held; NULL: none */
    size_t n_waiting, n_running;
    size_t n_parked;   /* of those that wait: at their origins */
    size_t n_reserved; /* queues for which a origin keeps room */
    size_t limit;
    struct stook__timer deadline;
    int open;    /* awaited */
    int blocked; /* its results have no room: start nothing but the head */
};

struct stook__sched {
    struct stook__allocator *allocator;
    struct stook__link ring;
    struct stook__timer_heap jobs, deadlines;
    struct stook__map origins, queues;
    struct stook__link to_wake; /* origins that may have room for what is parked there */
    size_t limit, origin_limit; /* SIZE_MAX: none */
    size_t n_running;           /* of all groups */
    size_t n_waiting;
    int starved; /* descriptors or ports have run out: wait until something is over */
};

void stook__sched_init(struct stook__sched *sched, struct stook__allocator *allocator);
/* After all groups have ended. */
void stook__sched_free(struct stook__sched *sched);
void stook__group_init(struct stook__group *group);
/* Its jobs are finished, or never looked at again. */
void stook__group_end(struct stook__sched *sched, struct stook__group *group);

/* The await begins. `deadline` 0: none. */
void stook__group_open(struct stook__sched *sched, struct stook__group *group, size_t limit,
                       int64_t deadline);
/* Nothing of the group starts any more. */
void stook__group_stop(struct stook__sched *sched, struct stook__group *group);
/* And its deadline is off. */
void stook__group_close(struct stook__sched *sched, struct stook__group *group);
/* Held, only `head` may start, which is NULL if none may. */
void stook__group_block(struct stook__sched *sched, struct stook__group *group, int blocked,
                        struct stook__job *head);
/* One that is not finished, running ones first; NULL: none. */
struct stook__job *stook__group_any(struct stook__group *group);
/* One that waits; NULL: none. */
struct stook__job *stook__group_any_waiting(struct stook__group *group);

/* Limits may change at any time; what is in flight above a new one may finish. SIZE_MAX: none. */
void stook__sched_set_limit(struct stook__sched *sched, size_t limit);
void stook__sched_set_origin_limit(struct stook__sched *sched, size_t limit);
void stook__group_set_limit(struct stook__sched *sched, struct stook__group *group, size_t limit);

/* The queue for a job of that group, origin and priority, 0 to STOOK__PRIORITIES - 1; NULL: no memory.
   It stays until another is asked for. A origin without a key has no limit. */
struct stook__queue *stook__sched_queue(struct stook__sched *sched, struct stook__group *group,
                                        const char *key, size_t size, unsigned priority);
/* The key of a job's origin and its hash; until the job is finished. */
const struct stook__node *stook__job_origin(const struct stook__job *job);
void stook__sched_add(struct stook__sched *sched, struct stook__queue *queue,
                      struct stook__job *job, const struct stook__settings *policy, int64_t now);
/* The next job that may start; it is RUNNING now. NULL: none may, or not all could be looked at. */
struct stook__job *stook__sched_next(struct stook__sched *sched, int64_t now);
/* Whether it is worth asking for the next. */
int stook__sched_ready(const struct stook__sched *sched);
/* A running job starts another attempt at once. */
void stook__sched_repeat(struct stook__sched *sched, struct stook__job *job, int64_t now);
/* A running job that lacked a descriptor or a port goes back to the head of its queue, and nothing
   starts until another is over. 0: there is no other, so waiting would not help. */
int stook__sched_put_back(struct stook__sched *sched, struct stook__job *job);
void stook__sched_finish(struct stook__sched *sched, struct stook__job *job);

/* Why a waiting job waits: the first of these that holds. */
enum stook__reason {
    STOOK__BY_NOTHING,    /* nothing forbids it: its turn comes */
    STOOK__BY_AWAIT,      /* its batch is not awaited yet */
    STOOK__BY_WINDOW,     /* results of its batch have no room */
    STOOK__BY_BATCH,      /* the limit of its batch */
    STOOK__BY_ORIGIN,     /* the limit of its origin */
    STOOK__BY_CLIENT,     /* the limit of all */
    STOOK__BY_DESCRIPTORS /* descriptors or ports have run out */
};
enum stook__reason stook__sched_reason(const struct stook__sched *sched,
                                       const struct stook__job *job);

/* When something is due next; 0: nothing is armed. */
int64_t stook__sched_alarm(const struct stook__sched *sched);
/* Whether something is due by now. */
int stook__sched_is_late(const struct stook__sched *sched, int64_t now);
/* A group past its deadline, which is off now; NULL: none. */
struct stook__group *stook__sched_late_group(struct stook__sched *sched, int64_t now);
/* A job of which a clock may have run out; NULL: none. Bring its moved_at and connected up to
   date, then ask for the verdict. */
struct stook__job *stook__sched_late_job(struct stook__sched *sched, int64_t now);
/* The error of the clock that ran out, or 0: then its timer is armed anew. Timers are not moved
   with every byte; a job that lived on is found out here. */
int stook__sched_expired(struct stook__sched *sched, struct stook__job *job, int64_t now);

/* The program has paused a running job: its clocks stand still. */
void stook__sched_pause(struct stook__sched *sched, struct stook__job *job);
/* They go on; the time it was held, in us, is nobody's. */
void stook__sched_resume(struct stook__sched *sched, struct stook__job *job, int64_t blocked);

/* How an attempt ended, as far as it matters for a repeat. */
struct stook__ending {
    int error;
    int idempotent; /* the method is (RFC 9110 9.2.2) */
    int lost;       /* a reused connection died before any byte of an answer */
};

/* 1: send it again, at once, on a fresh connection. At most one repeat. */
int stook__sched_should_repeat(const struct stook__job *job, const struct stook__ending *ending);

#endif
