/* SPDX-License-Identifier: MIT */
/* What attempts showed while the limit of requests in flight was the same. sched/adaptive.c
   compares two such samples. */
#ifndef STOOK_SCHED_SAMPLE_H
#define STOOK_SCHED_SAMPLE_H

#include <stdint.h>

/* Sums over the attempts that were OK; squares for the variance. Halved now and then, so
   doubles. */
struct stook__sample {
    int64_t opened_at, last_at;
    double n;
    double in_flight;
    double first, first_squares; /* microseconds to the first byte */
    double whole, whole_squares; /* microseconds to the end */
};

void stook__sample_add(struct stook__sample *sample, int64_t now, double in_flight, double first,
                       double whole);
/* Halves what it counts, so that it forgets. */
void stook__sample_halve(struct stook__sample *sample, int64_t now);
double stook__sample_elapsed(const struct stook__sample *sample);
/* Attempts in a microsecond. */
double stook__sample_rate(const struct stook__sample *sample);
/* Those of the attempts in flight that get an answer, by Little's law. */
double stook__sample_answered(const struct stook__sample *sample);
/* The variance of the throughput, and of the time to the first byte, as a share of its square. */
double stook__sample_gain_noise(const struct stook__sample *sample);
double stook__sample_rise_noise(const struct stook__sample *sample);

/* `share`: how much more was in flight. Gain and rise are shares of it: the throughput grew as
   much as what was in flight, 1; the first byte took longer by as much, 1. */
struct stook__change {
    double share;
    double gain, rise;
    double gain_z, rise_z; /* in standard deviations, from the border */
};

/* Compares a sample with one before, `base`. The borders lie between 0, no change, and 1. */
struct stook__change stook__sample_compare(const struct stook__sample *sample,
                                           const struct stook__sample *base, double gain_border,
                                           double rise_border);
/* Whether more was completed and the first byte not later, as one number. */
double stook__change_score(const struct stook__change *change);

/* The square root. */
double stook__root(double square);

#endif
