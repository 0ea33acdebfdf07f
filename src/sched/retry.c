/* SPDX-License-Identifier: MIT */
/* Back-off and the budget of retries; see retry.h. The budget is that of Finagle and tower. */
#include "sched/retry.h"

#include <string.h>

static const int64_t US_OF_MS = 1000, US_OF_SECOND = 1000000;

/* Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014). */
uint64_t stook__random(uint64_t *random)
{
    uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

int64_t stook__random_below(uint64_t *random, int64_t bound)
{
    if (bound <= 0)
        return 0;
    /* The last numbers, which are not enough for all remainders, are drawn again. */
    uint64_t n = (uint64_t)bound, end = UINT64_MAX - UINT64_MAX % n, drawn;
    do
        drawn = stook__random(random);
    while (drawn >= end);
    return (int64_t)(drawn % n);
}

int64_t stook__retry_backoff_us(uint64_t *random, unsigned n, int64_t base_ms, int64_t max_ms)
{
    if (base_ms <= 0 || max_ms <= 0)
        return 0;
    int64_t most = n >= 63 || base_ms > max_ms >> n ? max_ms : base_ms << n;
    if (most > INT64_MAX / US_OF_MS - 1)
        most = INT64_MAX / US_OF_MS - 1;
    return stook__random_below(random, most * US_OF_MS + 1);
}

/* Forgets what is too old. A clock that goes back is taken to stand still. */
static void move_to(struct stook__retry_budget *budget, int64_t now)
{
    int64_t second = now / US_OF_SECOND, passed = second - budget->second;
    if (passed <= 0)
        return;
    if (passed >= STOOK__BUDGET_SECONDS)
        memset(budget, 0, sizeof(*budget));
    else
        for (int64_t i = budget->second + 1; i <= second; i++)
            budget->requests[i % STOOK__BUDGET_SECONDS] =
                budget->retries[i % STOOK__BUDGET_SECONDS] = 0;
    budget->second = second;
}

static int64_t sum(const int32_t *counts)
{
    int64_t total = 0;
    for (int i = 0; i < STOOK__BUDGET_SECONDS; i++)
        total += counts[i];
    return total;
}

static void count(struct stook__retry_budget *budget, int32_t *counts)
{
    int32_t *newest = &counts[budget->second % STOOK__BUDGET_SECONDS];
    *newest += *newest < INT32_MAX;
}

void stook__budget_count_request(struct stook__retry_budget *budget, int64_t now)
{
    move_to(budget, now);
    count(budget, budget->requests);
}

int stook__budget_take(struct stook__retry_budget *budget, int64_t now, int64_t percent)
{
    move_to(budget, now);
    int64_t most = STOOK__BUDGET_RESERVE + sum(budget->requests) * percent / 100;
    /* A second whose count is full refuses more, or it would not count them. */
    if (sum(budget->retries) >= most ||
        budget->retries[budget->second % STOOK__BUDGET_SECONDS] == INT32_MAX)
        return 0;
    count(budget, budget->retries);
    return 1;
}

int stook__budget_is_idle(const struct stook__retry_budget *budget, int64_t now)
{
    struct stook__retry_budget current = *budget;
    move_to(&current, now);
    return sum(current.requests) == 0 && sum(current.retries) == 0;
}

int64_t stook__budget_retries(const struct stook__retry_budget *budget, int64_t now)
{
    struct stook__retry_budget current = *budget;
    move_to(&current, now);
    return sum(current.retries);
}
