/* SPDX-License-Identifier: MIT */
/*
 * How long recent requests took; see latency.h.
 *
 * Instead of making old samples lighter with each new one, new ones are made heavier: from 32 to 63
 * in the course of 512 samples. Then all that is there is halved, and the next one has 32 again. So
 * the weights add up to 24320 * 2 at most, in 16 bits, and are walked once in 512 samples.
 */
#include "sched/latency.h"

enum {
    LIGHTEST = 32,
    STEP = STOOK__LATENCY_HALF_LIFE / LIGHTEST,
    PER_OCTAVE = 4,
    SHORTEST_US = 100
};

/* Where the ranges of an octave begin, and the next octave, in 1024ths: 2^(i / 4). */
static const int64_t begins[PER_OCTAVE + 1] = {1024, 1218, 1448, 1722, 2048};

/* Returns where the range of a bucket begins, in 1024ths of a microsecond. */
static int64_t begin_of(int bucket)
{
    return (SHORTEST_US * begins[bucket % PER_OCTAVE]) << (bucket / PER_OCTAVE);
}

static int bucket_of(int64_t us)
{
    if (us >= begin_of(STOOK__LATENCY_BUCKETS) / 1024)
        return STOOK__LATENCY_BUCKETS - 1;
    int bucket = 0, end = STOOK__LATENCY_BUCKETS;
    while (end - bucket > 1) {
        int middle = (bucket + end) / 2;
        if (us * 1024 >= begin_of(middle))
            bucket = middle;
        else
            end = middle;
    }
    return bucket;
}

void stook__latency_add(struct stook__latency *latency, int64_t us)
{
    int age = latency->n_samples % STOOK__LATENCY_HALF_LIFE;
    latency->weights[bucket_of(us < SHORTEST_US ? SHORTEST_US : us)] += LIGHTEST + age / STEP;
    if (++latency->n_samples % STOOK__LATENCY_HALF_LIFE != 0)
        return;
    latency->n_samples = STOOK__LATENCY_HALF_LIFE;
    for (int i = 0; i < STOOK__LATENCY_BUCKETS; i++)
        latency->weights[i] /= 2;
}

/* Returns the time that is equally wrong, as a share of the truth, at both ends of the range. */
static int64_t time_of(int bucket)
{
    int i = bucket % PER_OCTAVE;
    int64_t begin = begins[i], end = begins[i + 1];
    return ((SHORTEST_US * 2 * begin * end / (begin + end)) << (bucket / PER_OCTAVE)) / 1024;
}

int64_t stook__latency_quantile(const struct stook__latency *latency, unsigned percent)
{
    if (latency->n_samples < STOOK__LATENCY_FEW)
        return 0;
    int64_t sum = 0, below = 0;
    for (int i = 0; i < STOOK__LATENCY_BUCKETS; i++)
        sum += latency->weights[i];
    int bucket = 0, last = 0;
    for (; bucket < STOOK__LATENCY_BUCKETS && below * 100 < sum * percent; bucket++) {
        below += latency->weights[bucket];
        if (latency->weights[bucket] > 0)
            last = bucket;
    }
    return time_of(last);
}
