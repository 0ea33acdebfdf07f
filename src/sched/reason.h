/* SPDX-License-Identifier: MIT */
/* Why a job waits. */
#ifndef STOOK_SCHED_REASON_H
#define STOOK_SCHED_REASON_H

#include "sched/state.h"

/* Why a job waits. If several of these hold, the first is returned. */
enum stook__reason {
    STOOK__BY_NOTHING,    /* it may start; other groups are served before it */
    STOOK__BY_AWAIT,      /* its group is not open */
    STOOK__BY_WINDOW,     /* its group is blocked, or it is beyond the horizon */
    STOOK__BY_SENDER,     /* it has the result of another job to wait for */
    STOOK__BY_DELAY,      /* its delay_ms */
    STOOK__BY_BACKOFF,    /* its last attempt failed, and the next one is not due */
    STOOK__BY_BATCH,      /* the limit of its group */
    STOOK__BY_CIRCUIT,    /* its origin is left alone after failures, or the probe of that runs */
    STOOK__BY_COOLDOWN,   /* its target cools down */
    STOOK__BY_PROBE,      /* after a cool-down only few run at a time */
    STOOK__BY_RATE,       /* a bucket has no room */
    STOOK__BY_ORIGIN,     /* the limit of its origin */
    STOOK__BY_CLIENT,     /* the limit of all groups together */
    STOOK__BY_DESCRIPTORS /* descriptors or local ports have run out */
};
/* With *ret_until, unless that is NULL: until when, as far as time alone decides; 0: not known. */
enum stook__reason stook__sched_reason(struct stook__sched *sched, const struct stook__job *job,
                                       int64_t now, int64_t *ret_until);

#endif
