/* SPDX-License-Identifier: MIT */
/*
 * How long the recent requests of an origin took: quantiles from 100 us to 100 s, in fixed memory.
 *
 *     sample    the time that one request took, in microseconds
 *     weight    of a sample: the newest counts twice as much as the one 512 samples before
 *     bucket    the samples of one range; there are four ranges to an octave
 *
 * A quantile is wrong by 9 % at most: half of the width of a bucket. Shorter samples count as 100
 * us, longer ones as 100 s.
 *
 * Invariant: the weights of all buckets together are less than 2^16, so no bucket overflows.
 */
#ifndef STOOK_SCHED_LATENCY_H
#define STOOK_SCHED_LATENCY_H

#include <stdint.h>

enum {
    STOOK__LATENCY_BUCKETS = 80,
    STOOK__LATENCY_HALF_LIFE = 512, /* samples */
    STOOK__LATENCY_FEW = 20         /* fewer samples say nothing */
};

/* All zero is a new one. */
struct stook__latency {
    uint16_t weights[STOOK__LATENCY_BUCKETS];
    uint16_t n_samples; /* of 512 and more, the number modulo 512, and 512 */
};

void stook__latency_add(struct stook__latency *latency, int64_t us);
/* Returns the time in which `percent` % of the requests end, in microseconds. 0: there were fewer
   than STOOK__LATENCY_FEW. */
int64_t stook__latency_quantile(const struct stook__latency *latency, unsigned percent);

#endif
