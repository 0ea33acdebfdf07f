/* SPDX-License-Identifier: MIT */
/*
 * What the end of an attempt means: for its target, which may cool down, for the circuit and the
 * limit of its origin, and for its request, which may be sent again.
 */
#ifndef STOOK_SCHED_ENDING_H
#define STOOK_SCHED_ENDING_H

#include "sched/health.h"
#include "sched/state.h"

/* How an attempt ended, as far as anything here depends on it. */
struct stook__ending {
    int error, status; /* `status` 0: no response */
    int idempotent;    /* the method is (RFC 9110 9.2.2), or the program vouches for it */
    int lost;          /* it never reached the server's program: a kept connection died, a stream
                          was refused, the range of a file does not exist */
    int refused;       /* it is lost because the server refused its stream, for load */
    int sent;          /* bytes of it may have reached the server */
    int replayable;    /* its body can be sent again */
    int shown;         /* the program has seen part of the response */
    int final;         /* nothing is sent again, whatever it was: cancelled, drained, followed */
    int64_t wait_ms;   /* what the response says about when to come back; -1: nothing */
    int64_t first_byte_us; /* from the start of the attempt; 0: none came */
};

/* What becomes of the request. */
enum stook__decision {
    STOOK__DELIVER, /* what the attempt came to is its result */
    STOOK__REPEAT,  /* it is sent again at once, in its slot, on a fresh connection */
    STOOK__RETRY    /* it waits for its next attempt */
};

/* Why a request that may be sent again is not, for its message. */
enum stook__no_retry {
    STOOK__NO_RETRY_NONE,     /* it is, or it must not be */
    STOOK__NO_RETRY_BUDGET,   /* the budget of its origin is used up */
    STOOK__NO_RETRY_TOO_LATE, /* the wait would pass its whole clock */
    STOOK__NO_RETRY_TOO_LONG  /* the response asks for more than max_cooldown_ms */
};

/* Notes the end of an attempt of a RUNNING job. Call it once for each attempt that has begun. */
void stook__ending_note(struct stook__sched *sched, struct stook__job *job,
                        const struct stook__ending *ending, int64_t now);
/* Whether the end is the first of its hop that may be made up for at once: no wait, no budget, and
   it says nothing of the server. What a server refuses for load has no such end if it may be
   retried. */
int stook__ending_is_free(const struct stook__job *job, const struct stook__ending *ending);
/* Decides. Sets *ret_at to when the next attempt may start, and *ret_why. */
enum stook__decision stook__ending_decide(struct stook__sched *sched, struct stook__job *job,
                                          const struct stook__ending *ending, int64_t now,
                                          int64_t *ret_at, enum stook__no_retry *ret_why);

#endif
