/* SPDX-License-Identifier: MIT */
/* Quantiles of the recent past, compared with sorted samples. */
#include <stdlib.h>

#include "sched/latency.h"
#include "sched/retry.h"
#include "support/harness.h"

enum { SAMPLES = 2000 };

static uint64_t seed;

static struct {
    int64_t us;
    double weight;
} samples[SAMPLES];

static int by_time(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void check_near(int64_t us, int64_t least, int64_t most)
{
    if (us < least - least / 10 || us > most + most / 10)
        FAIL("%lld us is not from %lld to %lld", (long long)us, (long long)least, (long long)most);
}

/* From 100 us to 100 s, each octave equally likely. */
static int64_t any_time(void)
{
    int64_t begin = INT64_C(100) << stook__random_below(&seed, 20);
    int64_t us = begin + stook__random_below(&seed, begin);
    return us < 100000000 ? us : 100000000;
}

TEST(one_time)
{
    for (int64_t us = 100; us <= 100000000; us += 1 + us / 50) {
        struct stook__latency latency = {0};
        for (int i = 0; i < 3000; i++) {
            CHECK((stook__latency_quantile(&latency, 95) == 0) == (i < STOOK__LATENCY_FEW));
            stook__latency_add(&latency, us);
        }
        for (unsigned percent = 5; percent <= 105; percent += 5)
            check_near(stook__latency_quantile(&latency, percent), us, us);
    }
}

TEST(times_out_of_range)
{
    static const int64_t times[] = {INT64_MIN, -1, 0, 1, 99, 100000001, INT64_MAX / 1024, INT64_MAX};
    for (int i = 0; i < 8; i++) {
        struct stook__latency latency = {0};
        for (int n = 0; n < STOOK__LATENCY_FEW; n++)
            stook__latency_add(&latency, times[i]);
        int64_t expected = times[i] < 100 ? 100 : 100000000;
        check_near(stook__latency_quantile(&latency, 50), expected, expected);
    }
}

TEST(it_is_small)
{
    CHECK(sizeof(struct stook__latency) <= 200);
}

/* Compares with the sorted samples. The weights are those of an exact half-life, which buckets only
   come near, so a percent on either side is allowed. */
static void check_quantile(const struct stook__latency *latency, int n, int percent)
{
    double sum = 0, below = 0;
    int64_t least = 0, most = 0;
    for (int i = 0; i < n; i++)
        sum += samples[i].weight;
    for (int i = 0; i < n; i++) {
        below += samples[i].weight;
        if (least == 0 && below * 100 >= sum * (percent - 1))
            least = samples[i].us;
        if (most == 0 && (below * 100 >= sum * (percent + 1) || i == n - 1))
            most = samples[i].us;
    }
    check_near(stook__latency_quantile(latency, (unsigned)percent), least, most);
}

TEST(random_samples)
{
    for (int round = 0; round < 200; round++) {
        struct stook__latency latency = {0};
        seed = (uint64_t)round;
        test_note("round %d", round);
        int n = STOOK__LATENCY_FEW + (int)stook__random_below(&seed, SAMPLES - STOOK__LATENCY_FEW);
        int64_t middle = any_time();
        double weight = 1;
        for (int i = 0; i < n; i++, weight *= 1.0013547) { /* 2^(1 / 512) */
            samples[i].us = round % 2 ? any_time() : middle + stook__random_below(&seed, middle);
            if (samples[i].us > 100000000)
                samples[i].us = 100000000;
            samples[i].weight = weight;
            stook__latency_add(&latency, samples[i].us);
        }
        qsort(samples, (size_t)n, sizeof(samples[0]), by_time);
        check_quantile(&latency, n, 50);
        check_quantile(&latency, n, 95);
    }
}

/* What changed is noticed: after a half-life the median, long before that the 95th percentile. */
TEST(the_past_is_forgotten)
{
    struct stook__latency latency = {0};
    for (int i = 0; i < 100000; i++)
        stook__latency_add(&latency, 1000);
    int n = 0;
    for (; stook__latency_quantile(&latency, 95) < 9000; n++)
        stook__latency_add(&latency, 10000);
    CHECK(n > 20 && n < 80);
    for (; stook__latency_quantile(&latency, 50) < 9000; n++)
        stook__latency_add(&latency, 10000);
    CHECK(n > 400 && n < 650);
    for (; stook__latency_quantile(&latency, 1) < 9000; n++)
        stook__latency_add(&latency, 10000);
    CHECK(n > 2500 && n < 6000);
}

/* Also before the first halving: fewer samples that are newer weigh more. */
TEST(new_samples_weigh_more)
{
    struct stook__latency latency = {0};
    for (int i = 0; i < 511; i++)
        stook__latency_add(&latency, i < 270 ? 1000 : 10000);
    check_near(stook__latency_quantile(&latency, 50), 10000, 10000);
}

TEST(weights_do_not_overflow)
{
    struct stook__latency latency = {0};
    for (int i = 0, last = 0; i < 100000; i++) {
        stook__latency_add(&latency, 100);
        CHECK(latency.weights[0] > last || i % 512 == 511);
        last = latency.weights[0];
    }
}
