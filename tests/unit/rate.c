/* SPDX-License-Identifier: MIT */
/* The pace of requests, in virtual time: never above the rate in any span, and hardly below it. */
#include <stdlib.h>

#include "sched/rate.h"
#include "sched/retry.h"
#include "support/harness.h"

enum { TAKES = 4000 };
static const int64_t US = 1, MS = 1000, SECOND = 1000000, MINUTE = 60000000;
static const int64_t UNITS_MAX = 1000000000000, PER_MS_MAX = 2678400000;

static uint64_t seed;

static int64_t below(int64_t bound)
{
    return stook__random_below(&seed, bound);
}

/* Small and large numbers are equally likely, by their number of digits. */
static int64_t of_any_size(int64_t max)
{
    int64_t bound = 10;
    while (bound < max && below(4) != 0)
        bound *= 10;
    return 1 + below(bound < max ? bound : max);
}

TEST(a_burst_then_the_pace)
{
    struct stook__rate rate = {.count = 10, .per_ms = 1000, .burst = 3};
    struct stook__bucket bucket = {0};
    int64_t now = 5 * SECOND;
    CHECK(stook__bucket_is_full(&bucket, now));
    for (int i = 0; i < 3; i++) {
        CHECK(stook__bucket_ready_at(&bucket, &rate, 1) <= now);
        stook__bucket_take(&bucket, &rate, 1, now, 0);
    }
    CHECK_EQ_INT(stook__bucket_ready_at(&bucket, &rate, 1), now + 100 * MS);
    CHECK_EQ_INT(stook__bucket_ready_at(&bucket, &rate, 3), now + 300 * MS);
    CHECK_EQ_INT(stook__bucket_ready_at(&bucket, &rate, 4), now + 300 * MS);
    CHECK(!stook__bucket_is_full(&bucket, now + 299 * MS));
    CHECK(stook__bucket_is_full(&bucket, now + 300 * MS));
}

TEST(nothing_is_always_ready)
{
    struct stook__rate rate = {.count = 1, .per_ms = PER_MS_MAX, .burst = 1};
    struct stook__bucket bucket = {0};
    stook__bucket_take(&bucket, &rate, 100, SECOND, 0);
    CHECK(stook__bucket_ready_at(&bucket, &rate, 0) <= SECOND);
    CHECK(stook__bucket_ready_at(&bucket, &rate, 1) > SECOND);
}

TEST(more_than_the_burst_leaves_debt)
{
    struct stook__rate rate = {.count = 1, .per_ms = 1000, .burst = 10};
    struct stook__bucket bucket = {0};
    stook__bucket_take(&bucket, &rate, 25, SECOND, 0);
    CHECK_EQ_INT(stook__bucket_ready_at(&bucket, &rate, 1), SECOND + 16 * SECOND);
    CHECK_EQ_INT(stook__bucket_ready_at(&bucket, &rate, 25), SECOND + 25 * SECOND);
}

TEST(what_is_given_back_is_not_more_than_the_burst)
{
    struct stook__rate rate = {.count = 7, .per_ms = 1000, .burst = 10};
    struct stook__bucket bucket = {0};
    stook__bucket_take(&bucket, &rate, 10, SECOND, 0);
    stook__bucket_give_back(&bucket, &rate, 10, SECOND);
    CHECK(stook__bucket_ready_at(&bucket, &rate, 10) <= SECOND + US);
    stook__bucket_give_back(&bucket, &rate, UNITS_MAX, SECOND);
    CHECK(stook__bucket_is_full(&bucket, SECOND));
    stook__bucket_take(&bucket, &rate, 10, SECOND, 0);
    CHECK(stook__bucket_ready_at(&bucket, &rate, 1) > SECOND + 142 * MS);
}

/* 1000 a second: what had flowed back when the bucket was full again is gone. */
TEST(what_has_flowed_back_is_not_given_back)
{
    struct stook__rate rate = {.count = 1000, .per_ms = 1000, .burst = 1000};
    struct stook__bucket bucket = {0};
    stook__bucket_take(&bucket, &rate, 1000, SECOND, 0);
    stook__bucket_take(&bucket, &rate, 1000, 2 * SECOND, 0);
    stook__bucket_give_back(&bucket, &rate, 900, SECOND);
    CHECK_EQ_INT(stook__bucket_ready_at(&bucket, &rate, 900), 2 * SECOND + 900 * MS);
    stook__bucket_give_back(&bucket, &rate, 900, 2 * SECOND);
    CHECK_EQ_INT(stook__bucket_ready_at(&bucket, &rate, 900), 2 * SECOND);
}

/* Takes and parts given back in any order: the bucket is never nearer to full than it would be if only what was used
   had been taken; and not further, as long as all the takes that matter are known. */
TEST(as_if_never_taken)
{
    enum { N = 60, RUNS = 500 };
    uint64_t random = 7;
    int exact = 0;
    for (int run = 0; run < RUNS; run++) {
        struct stook__rate rate = {.count = 1000000, .per_ms = 1000, .burst = 1000};
        struct stook__bucket bucket = {0};
        int64_t at[N], used[N], now = SECOND, full_at = 0;
        for (int n = 0; n < N; n++) {
            int k = (int)stook__random_below(&random, n + 1);
            now += stook__random_below(&random, 400);
            int64_t cost = stook__random_below(&random, 1000), ready = stook__bucket_ready_at(&bucket, &rate, cost);
            now = ready > now ? ready : now;
            stook__bucket_take(&bucket, &rate, cost, now, 0);
            at[n] = now;
            used[n] = cost;
            int64_t unused = stook__random_below(&random, used[k] + 1);
            stook__bucket_give_back(&bucket, &rate, unused, at[k]);
            used[k] -= unused;
            full_at = 0;
            for (int i = 0; i <= n; i++)
                full_at = (full_at > at[i] ? full_at : at[i]) + used[i];
            CHECK(bucket.full_at_ns >= full_at * 1000);
        }
        exact += bucket.full_at_ns == full_at * 1000;
    }
    test_note("%d of %d are exact", exact, RUNS);
    CHECK(exact > RUNS * 9 / 10);
}

/* Seven times a seventh, rounded up, would be more than one. */
TEST(parts_that_are_given_back_are_not_more_than_the_whole)
{
    struct stook__rate rate = {.count = 7, .per_ms = 1000, .burst = 10};
    struct stook__bucket bucket = {0};
    stook__bucket_take(&bucket, &rate, 7, SECOND, 0);
    for (int i = 0; i < 7; i++)
        stook__bucket_give_back(&bucket, &rate, 1, SECOND);
    CHECK(bucket.full_at_ns >= SECOND * 1000);
    CHECK(bucket.full_at_ns <= SECOND * 1000 + 8);
}

/* The real cost was known later: it counts from when the request started. */
TEST(more_than_was_reserved)
{
    struct stook__rate rate = {.count = 1, .per_ms = 1000, .burst = 10};
    for (int reserved = 0; reserved <= 3; reserved += 3) {
        struct stook__bucket bucket = {0};
        stook__bucket_take(&bucket, &rate, reserved, MINUTE, 0);
        stook__bucket_charge(&bucket, &rate, 30 - reserved, MINUTE);
        CHECK_EQ_INT(stook__bucket_ready_at(&bucket, &rate, 10), MINUTE + 30 * SECOND);
    }
}

/* What has started in a history, and how much at most in any span of it that is long enough. */
struct history {
    int n;
    int64_t at[TAKES], cost[TAKES];
};
static struct history history;

static void note(int64_t at, int64_t cost)
{
    CHECK(history.n < TAKES);
    history.at[history.n] = at;
    history.cost[history.n++] = cost;
}

#ifdef __SIZEOF_INT128__
__extension__ typedef __int128 wide;

/* Each span of at least `min_us` that begins and ends with a take. Everything times count and ns. `extra_ns`
   is time that may be used on top. A cost above the burst counts as the burst in its own span. */
static void check_spans(const struct stook__rate *rate, int64_t min_us, int64_t extra_ns)
{
    wide per = (wide)rate->per_ms * 1000000, sum = 0, least = 0;
    static wide before[TAKES];
    for (int i = 0, first = 0; i < history.n; i++) {
        wide at = (wide)history.at[i] * 1000 * rate->count;
        before[i] = sum * per - at;
        int64_t counted = history.cost[i] < rate->burst ? history.cost[i] : rate->burst;
        for (; first <= i && history.at[i] - history.at[first] >= min_us; first++)
            if (first == 0 || before[first] < least)
                least = before[first];
        if (first > 0 && (sum + counted) * per - at - least >
                             rate->burst * per + (wide)extra_ns * rate->count)
            FAIL("take %d of %d is too early: %lld in %lld ms, burst %lld", i, history.n,
                 (long long)rate->count, (long long)rate->per_ms, (long long)rate->burst);
        sum += history.cost[i];
    }
}

/* Is it slower than it must be? By no more than a ns a take, and a us for the clock. */
static void check_ready(const struct stook__rate *rate, const struct stook__bucket *bucket,
                        wide owed, int64_t cost, int takes)
{
    wide per = (wide)rate->per_ms * 1000000, count = rate->count;
    wide ready = owed + (cost < rate->burst ? cost - rate->burst : 0) * per;
    int64_t at = stook__bucket_ready_at(bucket, rate, cost);
    CHECK(at * (wide)1000 * count >= ready);
    if (rate->burst * per / count < STOOK__RATE_MAX_NS)
        CHECK((at - 1) * (wide)1000 * count <= ready + (takes + 2) * count);
}

/* No take is late: exact, whatever the numbers. */
TEST(random_histories)
{
    for (int i = 0; i < 100000; i++) {
        seed = (uint64_t)i;
        struct stook__rate rate = {.count = of_any_size(UNITS_MAX),
                                   .per_ms = of_any_size(PER_MS_MAX),
                                   .burst = of_any_size(UNITS_MAX)};
        struct stook__bucket bucket = {0};
        wide owed = 0; /* when it is full, in ns * count, without rounding */
        int64_t now = below(MINUTE);
        history.n = 0;
        test_note("history %d", i);
        for (int n = 1; n <= 20 && owed / rate.count < STOOK__RATE_MAX_NS; n++) {
            int64_t cost = below(3) ? 1 : of_any_size(below(3) ? rate.burst : UNITS_MAX);
            check_ready(&rate, &bucket, owed, cost, n);
            int64_t ready = stook__bucket_ready_at(&bucket, &rate, cost);
            if (ready > now)
                now = ready + (below(2) ? below(SECOND) : 0);
            stook__bucket_take(&bucket, &rate, cost, now, 0);
            wide at = (wide)now * 1000 * rate.count;
            owed = (owed > at ? owed : at) + (wide)cost * rate.per_ms * 1000000;
            note(now, cost);
        }
        check_spans(&rate, 0, 0);
    }
}

/* Takes are late or not, as it comes, and the timer is as late as it likes. */
static void run_late(const struct stook__rate *rate, int64_t max_late, int64_t max_cost)
{
    struct stook__bucket bucket = {0};
    int64_t now = below(MINUTE), end = now + 5 * SECOND;
    history.n = 0;
    while (now < end && history.n < TAKES) {
        int64_t cost = 1 + below(max_cost), ready = stook__bucket_ready_at(&bucket, rate, cost);
        if (below(50) == 0)
            now += below(below(2) ? 30 * MS : SECOND);
        int late = below(20) != 0;
        if (ready > now)
            now = ready + below(max_late + 1);
        stook__bucket_take(&bucket, rate, cost, now, late);
        note(now, cost);
    }
    check_spans(rate, SECOND, 0);
    check_spans(rate, 0, STOOK__RATE_LATE_US * INT64_C(1000));
}

TEST(random_late_histories)
{
    for (int i = 0; i < 2000; i++) {
        seed = (uint64_t)i;
        test_note("history %d", i);
        struct stook__rate rate = {.count = 1 + below(1000), .per_ms = 1000};
        rate.burst = 1 + below(below(2) ? 3 : 100);
        if (below(2) == 0) { /* parts of a request count */
            rate.count *= 1000;
            rate.burst *= 1000;
        }
        run_late(&rate, below(2) ? 2 * MS : 10 * MS, below(2) ? 1 : rate.burst);
    }
}

/* The worst that may happen: an early start, then on time, in one second and a bit. */
TEST(one_late_take_is_repaid_in_a_second)
{
    for (int64_t burst = 1; burst <= 50; burst += 7) {
        struct stook__rate rate = {.count = 1000, .per_ms = 1000, .burst = burst};
        struct stook__bucket bucket = {0};
        history.n = 0;
        for (int64_t now = MINUTE; now < MINUTE + 3 * SECOND;) {
            stook__bucket_take(&bucket, &rate, 1, now, now == MINUTE);
            note(now, 1);
            int64_t ready = stook__bucket_ready_at(&bucket, &rate, 1);
            now = ready > now ? ready : now;
        }
        CHECK(history.at[burst + 3] <= MINUTE + 2 * MS); /* it was early */
        check_spans(&rate, SECOND, 0);
        check_spans(&rate, 0, STOOK__RATE_LATE_US * INT64_C(1000));
    }
}

/* A timer of whole milliseconds, up to one more late. */
TEST(coarse_timers_use_the_rate)
{
    static const struct {
        int64_t count, per_ms;
    } rates[] = {{1, 60000}, {1, 7000}, {1, 1000}, {3, 1000},    {10, 1000},   {33, 1000},
                 {100, 997}, {1, 3},    {1, 1},    {2000, 1000}, {5000, 1000}, {300000, 60000}};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct stook__rate rate = {.count = rates[i].count, .per_ms = rates[i].per_ms, .burst = 1};
        struct stook__bucket bucket = {0};
        test_note("%lld in %lld ms", (long long)rate.count, (long long)rate.per_ms);
        seed = i;
        history.n = 0;
        int64_t now = 10 * SECOND;
        stook__bucket_take(&bucket, &rate, 1, now, 0);
        for (note(now, 1); history.n < TAKES; note(now, 1)) {
            int64_t ready = stook__bucket_ready_at(&bucket, &rate, 1);
            if (ready > now)
                now = (ready + MS - 1) / MS * MS + below(MS + 1);
            stook__bucket_take(&bucket, &rate, 1, now, 1);
            CHECK(bucket.made_up_ns <= STOOK__RATE_LATE_US * 1000);
        }
        double used = (TAKES - 1) * 1000.0 * (double)rate.per_ms / (double)rate.count /
                      (double)(now - 10 * SECOND);
        if (used < 0.98 || used > 1.001)
            FAIL("%g of the rate", used);
        check_spans(&rate, SECOND, 0);
    }
}
#endif

/* Without `late` the bucket forgets what it lost; with it, all but the last 4 ms. */
TEST(idle_time_is_not_saved)
{
    struct stook__rate rate = {.count = 1000, .per_ms = 1000, .burst = 1};
    struct stook__bucket bucket = {0};
    for (int late = 0; late <= 1; late++) {
        int64_t now = (1 + late) * MINUTE;
        int n = 0;
        for (; stook__bucket_ready_at(&bucket, &rate, 1) <= now; n++)
            stook__bucket_take(&bucket, &rate, 1, now, late);
        CHECK_EQ_INT(n, late ? 4 : 1);
    }
}

TEST(numbers_without_end)
{
    static const int64_t counts[] = {1, 2, 999999999989, 1000000000000};
    for (int i = 0; i < 64; i++) {
        struct stook__rate rate = {.count = counts[i % 4], .per_ms = i / 4 % 2 ? 1 : PER_MS_MAX,
                                   .burst = i / 8 % 2 ? 1 : UNITS_MAX};
        struct stook__bucket bucket = {0};
        static const int64_t times[] = {0, 1, INT64_MAX - 1, INT64_MAX};
        for (int n = 0; n < 10; n++) {
            stook__bucket_take(&bucket, &rate, UNITS_MAX, times[i / 16], n % 2);
            CHECK(stook__bucket_ready_at(&bucket, &rate, UNITS_MAX) >= 0);
        }
        CHECK(!stook__bucket_is_full(&bucket, 0));
        stook__bucket_charge(&bucket, &rate, UNITS_MAX, 0);
        for (int n = 0; n < 20; n++)
            stook__bucket_give_back(&bucket, &rate, UNITS_MAX, INT64_MAX);
        CHECK(stook__bucket_is_full(&bucket, INT64_MAX));
        CHECK(stook__bucket_ready_at(&bucket, &rate, 1) <= INT64_MAX / 1000);
    }
}
