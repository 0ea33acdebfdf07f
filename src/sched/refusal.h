/* SPDX-License-Identifier: MIT */
/*
 * Jobs that end without an attempt: the circuit of their origin is open, and they have no retry
 * left for which they could wait. They need no slot, and wait behind nobody, but a window of
 * results counts them: only those that it lets start are refused.
 *
 * A queue that may hold such jobs is in `refusing` of the scheduler, and those of its jobs that
 * have not been looked at begin with its `suspect`. While its group is not open, or is blocked, the
 * queue is in `refusing` of the group. All jobs of an origin are looked at when its circuit opens,
 * later ones when they come.
 */
#ifndef STOOK_SCHED_REFUSAL_H
#define STOOK_SCHED_REFUSAL_H

#include "sched/queue.h"

/* Returns a QUEUED job that the caller must finish now, because the circuit of its origin is open.
   NULL: there is none, or the call has looked at its maximum of jobs. */
struct stook__job *stook__refusal_next(struct stook__sched *sched, int64_t now);
/* Looks at all that waits for an origin, whose circuit has opened. */
void stook__refusal_circuit_opened(struct stook__sched *sched, struct stook__origin *origin);
/* Looks at a job that has come into its queue, or before the horizon, and whose origin has a
   struct stook__origin_flow. */
void stook__refusal_look_at(struct stook__sched *sched, struct stook__job *job);
static inline void stook__refusal_note(struct stook__sched *sched, struct stook__job *job)
{
    if (stook__job_origin(job)->sched.flow != NULL)
        stook__refusal_look_at(sched, job);
}
/* Notes that the group is open, or that its block or its head has changed. */
static inline void stook__refusal_note_group(struct stook__sched *sched, struct stook__group *group)
{
    stook__list_move_all(&group->refusing, &sched->refusing);
}

#endif
