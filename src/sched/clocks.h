/* SPDX-License-Identifier: MIT */
/* The clocks of a job: queue while it waits; connect, attempt, whole and stall while it runs. */
#ifndef STOOK_SCHED_CLOCKS_H
#define STOOK_SCHED_CLOCKS_H

#include "sched/sched.h"

/* Arm the job's one timer with the earliest of the clocks of its state. */
void stook__clocks_arm(struct stook__sched *sched, struct stook__job *job);

#endif
