/* SPDX-License-Identifier: MIT */
/*
 * The clocks of a job and the deadlines of groups. Times are microseconds of the monotonic clock.
 *
 *     state of the job      clocks that run
 *     DELAYED, never ran    none
 *     QUEUED, never ran     queue (from the add, or the end of its delay)
 *     waiting, ran before   whole (from the first start)
 *     RUNNING               whole, attempt, stall, and connect until there is a connection
 *
 * A job has one timer, armed with the earliest of them. Bytes do not move the timer: when it is due
 * the caller updates `moved_at` and `connected`, and stook__sched_expired() decides.
 */
#ifndef STOOK_SCHED_CLOCKS_H
#define STOOK_SCHED_CLOCKS_H

#include "sched/state.h"

/* Returns the time `ms` milliseconds after another; INT64_MAX if `ms` is negative or too long. */
int64_t stook__clocks_after(int64_t from, int64_t ms);
/* Arms the timer of the job with the earliest clock of its state, or disarms it if all are off. */
void stook__clocks_arm(struct stook__sched *sched, struct stook__job *job);

/* Stops the clocks of a RUNNING job while its body is paused. */
void stook__sched_pause(struct stook__sched *sched, struct stook__job *job);
/* Restarts them. The `paused` microseconds count against no clock. */
void stook__sched_resume(struct stook__sched *sched, struct stook__job *job, int64_t paused);

/* Returns when the next timer of a job or a gate, or a deadline, is due. 0: none is armed. */
int64_t stook__sched_alarm(const struct stook__sched *sched);
/* Whether a clock of a job or a deadline is due by now. */
int stook__sched_is_late(const struct stook__sched *sched, int64_t now);
/* Returns a group whose deadline is due, and disarms it. NULL: there is none. */
struct stook__group *stook__sched_late_group(struct stook__sched *sched, int64_t now);
/* Returns a job whose timer is due, and disarms it. NULL: there is none. The caller then updates
   `moved_at` and `connected` and calls stook__sched_expired(), or stook__sched_pause(). */
struct stook__job *stook__sched_late_job(struct stook__sched *sched, int64_t now);
/* Returns the error of the clock that has run out. If none has, arms the timer and returns 0; but
   STOOK__DELAY_IS_OVER if the job was DELAYED until now: then call stook__sched_undelay(). And
   STOOK__HEDGE_IS_DUE, once in an attempt. */
enum { STOOK__DELAY_IS_OVER = 1, STOOK__HEDGE_IS_DUE = 2 };
int stook__sched_expired(struct stook__sched *sched, struct stook__job *job, int64_t now);

#endif
