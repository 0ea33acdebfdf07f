/* SPDX-License-Identifier: MIT */
/*
 * How fast requests may start: `count` units each `per_ms`, and `burst` units at once.
 *
 *     cost     units that one request takes: 1 for a rate of requests, more for one of tokens
 *     bucket   what of the burst was taken and has not flowed back; `count` flow back in `per_ms`
 *     late     the caller was woken for this bucket, after its time, by a coarse timer
 *     debt     what a cost above the burst leaves: nothing is taken until it has flowed back
 *
 * It is GCRA (ITU-T I.371), with weights. A bucket is the time at which it will be full again, so
 * it needs no timer to fill it. The time that a cost needs to flow back is rounded up to whole
 * nanoseconds, and the time of the burst is rounded down: the pace errs towards slower only.
 *
 * Arguments called `now` are microseconds of a monotonic clock, 0 or more. Members called `..._ns`
 * are nanoseconds of that clock. Times above STOOK__RATE_MAX_NS, 146 years, count as that.
 *
 * Invariants. In each span of t milliseconds, both ends included, at most burst + count * t /
 * per_ms units are taken. Of a cost above the burst, the burst is counted when it is taken and the
 * rest as it flows back. What is given back counts as never taken. If takes are late, that holds
 * for spans of STOOK__RATE_SPAN_MS or more; in shorter ones what flows back in STOOK__RATE_LATE_US
 * may come on top.
 */
#ifndef STOOK_SCHED_RATE_H
#define STOOK_SCHED_RATE_H

#include <stddef.h>
#include <stdint.h>

#define STOOK__RATE_MAX_NS (INT64_MAX / 2)

enum {
    STOOK__RATE_LATE_US = 4000, /* what one late take makes up for, at most */
    STOOK__RATE_SPAN_MS = 1000, /* the shortest span in which it is repaid for certain */
    STOOK__RATE_LOWS = 16
};

struct stook__rate {
    int64_t count;  /* units, 1 to 10^12 */
    int64_t per_ms; /* 1 to 2678400000, which is 31 days */
    int64_t burst;  /* units, 1 to 10^12 */
    /* Of which requests, and counted by what, as numbers of the public header. Not read here. */
    int64_t of, by;
};

/* A take, and how far from full the bucket was before it. */
struct stook__bucket_low {
    int64_t at_ns, missing_ns; /* in which so much flows back */
};

/* All zero is a full bucket. */
struct stook__bucket {
    int64_t full_at_ns; /* the "theoretical arrival time" of GCRA; in the past: it is full */
    int64_t made_up_ns; /* what late takes were early by and later ones repay, at most 4 ms */
    /* The takes after which the bucket was never as near to full again, the oldest first, each
       with less missing than the next. Of more than fit, the oldest two are one. */
    struct stook__bucket_low lows[STOOK__RATE_LOWS];
    size_t n_lows;
};

/* Returns when a cost of 0 to 10^12 may be taken, in microseconds. In the past: now. A cost of 0
   may be taken at any time. A cost above the burst waits for a full bucket. */
int64_t stook__bucket_ready_at(const struct stook__bucket *bucket, const struct stook__rate *rate,
                               int64_t cost);

/* Takes a cost that is ready. `late`: for all that is taken in a turn for which a timer was set by
   stook__bucket_ready_at(); the time that the timer lost is made up for. */
void stook__bucket_take(struct stook__bucket *bucket, const struct stook__rate *rate, int64_t cost,
                        int64_t now, int late);

/* Gives back a part of a cost that was taken at `at` and not used. */
void stook__bucket_give_back(struct stook__bucket *bucket, const struct stook__rate *rate,
                             int64_t cost, int64_t at);
/* Takes so much more than was taken at `at`, ready or not, as if it had been taken then: the real
   cost was known later. A negative cost is given back. The bucket may have been forgotten since. */
void stook__bucket_charge(struct stook__bucket *bucket, const struct stook__rate *rate,
                          int64_t cost, int64_t at);

/* Whether the bucket may be forgotten, because a new one would not differ from it. */
int stook__bucket_is_full(const struct stook__bucket *bucket, int64_t now);

#endif
