/* SPDX-License-Identifier: MIT */
/*
 * Who may start, and when. Pure: it is handed the time and never calls up or down, so that it can
 * be tested in virtual time.
 *
 * A job is one request, a group is a batch of them. Groups that may start something stand in a
 * ring and take turns. States of a job, which only this room changes:
 *
 *     NEW -> WAITING <-> RUNNING -> FINISHED
 *               \_____________________^
 */
#ifndef STOOK_SCHED_SCHED_H
#define STOOK_SCHED_SCHED_H

#include <stddef.h>

#include "base/exchange.h"
#include "base/list.h"
#include "base/clock.h"

enum stook__job_state { STOOK__NEW, STOOK__WAITING, STOOK__RUNNING, STOOK__FINISHED };

struct stook__job {
    struct stook__link link; /* among the waiting, or the running, of its group */
    struct stook__timer timer;
    struct stook__group *group;
    const struct stook__policy *policy;
    int64_t added_at, first_at;    /* first_at: of the first attempt; the whole clock counts from it */
    int64_t attempt_at, moved_at;  /* of this attempt: start, and last byte seen */
    uint16_t state;
    uint16_t connected; /* this attempt's connecting is over */
    uint32_t attempts;
};

struct stook__group {
    struct stook__link ring;
    struct stook__link waiting, running;
    size_t n_waiting, n_running;
    size_t limit;
    struct stook__timer deadline;
    int open; /* awaited */
    int held; /* its results have no room: start nothing */
};

struct stook__sched {
    struct stook__link ring;
    struct stook__clock jobs, deadlines;
    size_t n_running; /* of all groups */
    int starved;      /* descriptors or ports have run out: wait until something is over */
};

void stook__sched_init(struct stook__sched *sched);
void stook__group_init(struct stook__group *group);

/* The await begins. `deadline` 0: none. */
void stook__group_open(struct stook__sched *sched, struct stook__group *group, size_t limit, int64_t deadline);
/* Nothing of the group starts any more, its deadline is off. */
void stook__group_shut(struct stook__sched *sched, struct stook__group *group);
void stook__group_hold(struct stook__sched *sched, struct stook__group *group, int held);
/* One that is not finished, running ones first; NULL: none. */
struct stook__job *stook__group_any(struct stook__group *group);

void stook__sched_add(struct stook__sched *sched, struct stook__group *group, struct stook__job *job,
                      const struct stook__policy *policy, int64_t now);
/* The next job that may start; it is RUNNING now. NULL: none may. */
struct stook__job *stook__sched_next(struct stook__sched *sched, int64_t now);
/* A running job starts another attempt at once. */
void stook__sched_repeat(struct stook__sched *sched, struct stook__job *job, int64_t now);
/* A running job that lacked a descriptor or a port goes back to the head of its queue, and nothing
   starts until another is over. 0: there is no other, so waiting would not help. */
int stook__sched_put_back(struct stook__sched *sched, struct stook__job *job);
void stook__sched_finish(struct stook__sched *sched, struct stook__job *job);

/* When something is due next; 0: nothing is armed. */
int64_t stook__sched_alarm(const struct stook__sched *sched);
/* A group past its deadline, which is off now; NULL: none. */
struct stook__group *stook__sched_late_group(struct stook__sched *sched, int64_t now);
/* A job of which a clock may have run out; NULL: none. Bring its moved_at and connected up to
   date, then ask for the verdict. */
struct stook__job *stook__sched_late_job(struct stook__sched *sched, int64_t now);
/* The error of the clock that ran out, or 0: then its timer is armed anew. Timers are not moved
   with every byte; a job that lived on is found out here. */
int stook__sched_verdict(struct stook__sched *sched, struct stook__job *job, int64_t now);

/* The program has paused a running job: its clocks stand still. */
void stook__sched_hold(struct stook__sched *sched, struct stook__job *job);
/* They go on; the time it was held, in us, is nobody's. */
void stook__sched_release(struct stook__sched *sched, struct stook__job *job, int64_t held);

/* How an attempt ended, as far as it matters for a repeat. */
struct stook__ending {
    int error;
    int idempotent; /* the method is (RFC 9110 9.2.2) */
    int lost;       /* a reused connection died before any byte of an answer */
};

/* 1: send it again, at once, on a fresh connection. At most one repeat. */
int stook__sched_again(const struct stook__job *job, const struct stook__ending *ending);

#endif
