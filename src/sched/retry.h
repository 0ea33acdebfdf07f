/* SPDX-License-Identifier: MIT */
/*
 * How long a failed request waits before it is sent again, and how many are.
 *
 *     back-off   the wait, drawn anew for each retry: U(0, min(max, base * 2^n)), "full jitter".
 *                Clients that failed together do not come back together
 *     budget     how many retries one origin may get in ten seconds: a share of its requests, and
 *                ten a second. So retries never multiply the load of an origin that fails
 *
 * Times called `now` are microseconds of a monotonic clock, 0 or more. `random` is the state of a
 * generator, any number at first.
 *
 * Invariant: of any ten successive seconds of the clock, in the last of which a retry was taken,
 * the retries are at most `percent` % of the requests, and 100 more.
 */
#ifndef STOOK_SCHED_RETRY_H
#define STOOK_SCHED_RETRY_H

#include <stdint.h>

/* Returns the next of the numbers of splitmix64. */
uint64_t stook__random(uint64_t *random);
/* Returns 0 to bound - 1, each equally likely. 0 if `bound` is below 1. */
int64_t stook__random_below(uint64_t *random, int64_t bound);

/* Returns the wait before a retry, in microseconds. `n`: retries so far, 0 before the first. */
int64_t stook__retry_backoff_us(uint64_t *random, unsigned n, int64_t base_ms, int64_t max_ms);

enum {
    STOOK__BUDGET_SECONDS = 10,
    STOOK__BUDGET_RESERVE = 100 /* retries in that time that need no requests */
};

/* All zero is a new one. What was counted in a second of the clock is at its number modulo ten. */
struct stook__retry_budget {
    int64_t second; /* the newest that something was counted in; what is after it is older by ten */
    int32_t requests[STOOK__BUDGET_SECONDS], retries[STOOK__BUDGET_SECONDS];
};

/* Counts the first attempt of a request. */
void stook__budget_count_request(struct stook__retry_budget *budget, int64_t now);
/* Counts a retry and returns 1, or returns 0 if it is one too many. `percent`: 1 to 1000. */
int stook__budget_take(struct stook__retry_budget *budget, int64_t now, int64_t percent);
/* Whether the budget may be forgotten: nothing was counted in the last ten seconds. */
int stook__budget_is_idle(const struct stook__retry_budget *budget, int64_t now);

/* Returns how many retries were counted in the last ten seconds. */
int64_t stook__budget_retries(const struct stook__retry_budget *budget, int64_t now);

#endif
