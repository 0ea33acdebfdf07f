/* SPDX-License-Identifier: MIT */
/*
 * Decides which request may start, and when. The room is pure: the caller passes the time, and
 * nothing here calls another room, so that tests run it in virtual time. core/ is the caller.
 *
 *     job      one request, from its add until it is finished
 *     group    one batch: its jobs, its limit and its deadline
 *     target   an origin, or an origin and a rate_key; see target.h
 *     queue    jobs of one group, target and priority; see queue.h
 *     gate     what may keep the jobs of a target from starting; see gate.h
 *
 * Groups that may start something stand in a ring and take turns. Within a group the head of its
 * order starts first, then the job of the highest priority, then that of the target that has the
 * fewest in flight, then the oldest. A queue that a gate refuses waits there.
 *
 * Invariants: no start exceeds a limit or a rate. A job that waits is forbidden to start by a limit
 * that is reached, by a gate, by its own delay or back-off, or its group is not open or is blocked.
 */
#ifndef STOOK_SCHED_SCHED_H
#define STOOK_SCHED_SCHED_H

#include "sched/gate.h"
#include "sched/state.h"

void stook__sched_init(struct stook__sched *sched, struct stook__allocator *allocator);
/* Frees what is left. All groups have ended. */
void stook__sched_free(struct stook__sched *sched);

/* Limits may change at any time. Jobs that run above a lower limit finish. SIZE_MAX: no limit. */
void stook__sched_set_limit(struct stook__sched *sched, size_t limit);
void stook__sched_set_origin_limit(struct stook__sched *sched, size_t limit);

/* Adds a NEW job to a queue that stook__sched_queue() returned. The job is QUEUED, or DELAYED if it
   has a delay_ms. */
void stook__sched_add(struct stook__sched *sched, struct stook__queue *queue,
                      struct stook__job *job, const struct stook__settings *settings, int64_t now);
/* Notes that a waiting job is before the horizon of its group now. */
void stook__sched_reveal(struct stook__sched *sched, struct stook__job *job);
/* Starts and returns the next job that may start; it is RUNNING. NULL: no job may start, or the
   call has looked at its maximum of jobs that may not. */
struct stook__job *stook__sched_next(struct stook__sched *sched, int64_t now);
/* Returns a group of which a gate has parked jobs since the last call, so that fewer may start than
   it seemed. NULL: there is no other. */
struct stook__group *stook__sched_next_held(struct stook__sched *sched);
/* Whether stook__sched_next() or stook__refusal_next() may find a job. */
int stook__sched_ready(const struct stook__sched *sched);
/* Whether one of them may, now or when the clock is read. */
static inline int stook__sched_has_work(const struct stook__sched *sched)
{
    return !stook__timer_heap_is_empty(&sched->gates) || stook__sched_ready(sched);
}
/* Notes that time has passed: gates and delays whose time has come. */
static inline void stook__sched_tick(struct stook__sched *sched, int64_t now)
{
    if (!stook__timer_heap_is_empty(&sched->gates))
        stook__gates_tick(sched, now);
    else if (now > sched->now)
        sched->now = now;
}
/* Counts a second attempt beside that of a RUNNING job, and returns 1, if the limits, the rates and
   the share of hedges of the origin allow it. */
int stook__sched_hedge(struct stook__sched *sched, struct stook__job *job);
/* Counts that one of the two is over. */
void stook__sched_unhedge(struct stook__sched *sched, struct stook__job *job);
/* Lets a job that is not FINISHED wait, until stook__sched_unhold(): for the result of another. A
   RUNNING one gives up its place. */
void stook__sched_hold(struct stook__sched *sched, struct stook__job *job);
/* Lets a job wait no more for another, but for the rest of its delay. Its queue clock counts from
   then, and not from before `since`, a time that has come; 0: from its add. */
void stook__sched_unhold(struct stook__sched *sched, struct stook__job *job, int64_t since);
/* Counts a repeat of a RUNNING job, which starts now, in its slot. */
void stook__sched_repeat(struct stook__sched *sched, struct stook__job *job, int64_t now);
/* Puts a DELAYED job whose time has come into its queue. */
void stook__sched_undelay(struct stook__sched *sched, struct stook__job *job);
/* Lets a RUNNING job wait for its next attempt, without a slot, until `at`. */
void stook__sched_retry(struct stook__sched *sched, struct stook__job *job, int64_t at);
/* Returns a RUNNING job that found no descriptor or local port to the front of its queue. Nothing
   starts until another job finishes. Returns 0 and does nothing if no other job runs, because then
   there is nothing to wait for. */
int stook__sched_put_back(struct stook__sched *sched, struct stook__job *job);
/* Takes back the attempt of a job that is RUNNING now: it did not begin. */
void stook__sched_not_begun(struct stook__sched *sched, struct stook__job *job);
/* Moves a RUNNING job that was redirected before what has not started, in a queue of its group that
   stook__sched_queue() returned. It has no slot until it starts again; its whole clock goes on. */
void stook__sched_redirect(struct stook__sched *sched, struct stook__queue *queue,
                           struct stook__job *job);
/* Finishes a job in any state but NEW and FINISHED. */
void stook__sched_finish(struct stook__sched *sched, struct stook__job *job);

#endif
