/* SPDX-License-Identifier: MIT */
/* Back-off and the budget of retries, in virtual time. */
#include "sched/retry.h"
#include "support/harness.h"

static const int64_t SECOND = 1000000, DAY = INT64_C(86400000000);

TEST(random_numbers_are_those_of_splitmix64)
{
    uint64_t random = 1234567;
    CHECK(stook__random(&random) == UINT64_C(6457827717110365317));
    CHECK(stook__random(&random) == UINT64_C(3203168211198807973));
    CHECK(stook__random(&random) == UINT64_C(9817491932198370423));
}

TEST(random_below)
{
    uint64_t random = 0;
    int seen[7] = {0};
    for (int i = 0; i < 70000; i++) {
        int64_t n = stook__random_below(&random, 7);
        CHECK(n >= 0 && n < 7);
        seen[n]++;
    }
    for (int i = 0; i < 7; i++)
        CHECK(seen[i] > 9500 && seen[i] < 10500);
    CHECK_EQ_INT(stook__random_below(&random, 1), 0);
    CHECK_EQ_INT(stook__random_below(&random, 0), 0);
    CHECK_EQ_INT(stook__random_below(&random, INT64_MIN), 0);
    /* Two and two thirds of this fit into 64 bits: the rest must not make small numbers likelier. */
    int small = 0;
    const int64_t bound = INT64_C(3) << 61;
    for (int i = 0; i < 10000; i++)
        small += stook__random_below(&random, bound) < bound / 2;
    CHECK(small > 4800 && small < 5200);
}

/* Draws many waits: none is above `most_ms`, and each tenth of that is hit equally often. */
static void check_backoff(unsigned n, int64_t base_ms, int64_t max_ms, int64_t most_ms)
{
    uint64_t random = n;
    int tenths[10] = {0};
    for (int i = 0; i < 20000; i++) {
        int64_t us = stook__retry_backoff_us(&random, n, base_ms, max_ms);
        CHECK(us >= 0 && us <= most_ms * 1000);
        tenths[us / (most_ms * 100 + 1)]++;
    }
    for (int i = 0; i < 10; i++)
        CHECK(tenths[i] > 1800 && tenths[i] < 2200);
}

TEST(backoff_is_full_jitter)
{
    check_backoff(0, 500, 20000, 500);
    check_backoff(1, 500, 20000, 1000);
    check_backoff(5, 500, 20000, 16000);
    check_backoff(6, 500, 20000, 20000);
    check_backoff(63, 500, 20000, 20000);
    check_backoff(4000000000u, 500, 20000, 20000);
    check_backoff(0, 30000, 20000, 20000);
    check_backoff(62, 1, INT64_MAX / 1000, INT64_C(1) << 62 < INT64_MAX / 1000
                                               ? INT64_C(1) << 62
                                               : INT64_MAX / 1000 - 1);
}

TEST(backoff_of_odd_numbers)
{
    uint64_t random = 5;
    static const int64_t numbers[] = {INT64_MIN, -1, 0, 1, INT64_MAX / 1000, INT64_MAX};
    for (unsigned n = 0; n < 70; n++)
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 6; j++) {
                int64_t us = stook__retry_backoff_us(&random, n, numbers[i], numbers[j]);
                CHECK(us >= 0);
                CHECK(us == 0 || (i >= 3 && j >= 3));
            }
}

TEST(an_idle_origin_has_a_reserve)
{
    struct stook__retry_budget budget = {0};
    for (int i = 0; i < STOOK__BUDGET_RESERVE; i++)
        CHECK(stook__budget_take(&budget, DAY, 20));
    CHECK(!stook__budget_take(&budget, DAY, 20));
    CHECK(!stook__budget_take(&budget, DAY + 9 * SECOND, 1000));
    CHECK(!stook__budget_is_idle(&budget, DAY + 9 * SECOND));
    CHECK(stook__budget_is_idle(&budget, DAY + 10 * SECOND));
    CHECK(stook__budget_take(&budget, DAY + 10 * SECOND, 20));
}

/* A thousand requests that all fail, each retried as often as it may. */
TEST(retries_are_a_share_of_the_requests)
{
    struct stook__retry_budget budget = {0};
    int retries = 0;
    for (int i = 0; i < 1000; i++)
        stook__budget_count_request(&budget, DAY + i * SECOND / 200);
    for (int i = 0; i < 100000; i++)
        retries += stook__budget_take(&budget, DAY + 5 * SECOND + i * (SECOND / 25000), 20);
    CHECK_EQ_INT(retries, 100 + 200);
}

TEST(counts_do_not_overflow)
{
    struct stook__retry_budget budget = {.second = 9};
    for (int i = 0; i < STOOK__BUDGET_SECONDS; i++)
        budget.requests[i] = budget.retries[i] = INT32_MAX;
    stook__budget_count_request(&budget, 9 * SECOND);
    CHECK_EQ_INT(budget.requests[9], INT32_MAX);
    CHECK(!stook__budget_take(&budget, 9 * SECOND, 1000));
    CHECK(stook__budget_take(&budget, 10 * SECOND, 1000));
    CHECK(stook__budget_take(&budget, INT64_MAX, 1));
    CHECK(stook__budget_take(&budget, 0, 1)); /* a clock that went back stands still */
    CHECK_EQ_INT(budget.retries[budget.second % STOOK__BUDGET_SECONDS], 2);
}

/* Counts by second, of all of a history, and compares each ten of them with the share. */
enum { SECONDS = 200 };

static void check_tens(const int *requests, const int *retries, int last, int64_t percent)
{
    int64_t n_requests = 0, n_retries = 0;
    for (int i = last < 9 ? 0 : last - 9; i <= last; i++) {
        n_requests += requests[i];
        n_retries += retries[i];
    }
    CHECK(n_retries <= 100 + n_requests * percent / 100);
}

TEST(random_histories)
{
    for (int i = 0; i < 1000; i++) {
        uint64_t random = (uint64_t)i;
        struct stook__retry_budget budget = {0};
        int requests[SECONDS] = {0}, retries[SECONDS] = {0}, refused = 0;
        int64_t start = stook__random_below(&random, DAY) / SECOND * SECOND;
        int64_t percent = 1 + stook__random_below(&random, i % 2 ? 30 : 1000);
        for (int64_t at = 0, n; at < SECONDS;) {
            int64_t now = start + at * SECOND + stook__random_below(&random, SECOND);
            for (n = stook__random_below(&random, 200); n > 0; n--, requests[at]++)
                stook__budget_count_request(&budget, now);
            for (n = stook__random_below(&random, 400); n > 0; n--)
                if (stook__budget_take(&budget, now, percent)) {
                    retries[at]++;
                    check_tens(requests, retries, (int)at, percent);
                } else
                    refused++;
            at += stook__random_below(&random, 10) ? stook__random_below(&random, 3)
                                                   : stook__random_below(&random, 30);
        }
        CHECK(refused > 0 || percent > 100);
    }
}
