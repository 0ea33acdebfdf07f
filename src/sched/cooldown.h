/* SPDX-License-Identifier: MIT */
/*
 * Cool-downs. A response 429 or 503 that says when to come back (http/rate_fields.h) holds all
 * starts of its target back until then; those that were in flight prolong it at most. The time is
 * moved on by up to a tenth, at most a second, so that clients do not come back together. Then one
 * request probes the target. Each response that does not refuse lets one more start at a time, so
 * their number doubles with each round trip, until as many good ones have come as had to wait.
 */
#ifndef STOOK_SCHED_COOLDOWN_H
#define STOOK_SCHED_COOLDOWN_H

#include "sched/state.h"

/* Begins or prolongs a cool-down: an attempt that began at `attempt_at` was told, with that status,
   to come back after `wait_ms`. `max_cooldown_ms` of the rules bounds it. */
void stook__cooldown_begin(struct stook__sched *sched, struct stook__target *target,
                           int64_t attempt_at, int64_t wait_ms, int status);
/* Notes that a job starts. Returns whether it is one of those that probe the target. */
int stook__cooldown_started(struct stook__target *target, int64_t now);
/* Notes that an attempt which probed the target has ended well. The count of those that run is
   sched's. */
void stook__cooldown_ended(struct stook__sched *sched, struct stook__target *target);

#endif
