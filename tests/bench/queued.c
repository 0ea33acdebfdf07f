/* SPDX-License-Identifier: MIT */
/* What waits costs nothing: a start and a finish with 100,000 queued over 10,000 origins, and with a million that
   wait for the rates of 10,000. */
#include <stdio.h>

#include "count.h"
#include "support/harness.h"
#include "support/process.h"

/* `rate`: "rate", or NULL. */
static double count(const char *queued, const char *origins, const char *rate)
{
    const char *const argv[] = {COST_QUEUE, queued, origins, "250", rate, NULL};
    double figure = count_instructions_of(argv) / 250;
    printf("%s queued over %s %s: %.0f instructions for a finish and a start\n", queued, origins, rate != NULL ? "buckets" : "origins", figure);
    return figure;
}

TEST(queued)
{
    double few = count("1000", "100", NULL), many = count("100000", "10000", NULL);
    count_judge(many / few, 1.2, "%.3f times the cost with 1,000 queued over 100 origins", many / few);
    count_finish();
}

/* O(log n) at most: of the timers of the buckets. */
TEST(buckets)
{
    double few = count("10000", "100", "rate"), many = count("1000000", "10000", "rate");
    count_judge(many / few, 1.5, "%.3f times the cost with 10,000 queued for 100 buckets", many / few);
    count_finish();
}
