/* SPDX-License-Identifier: MIT */
/* What waits costs nothing: a start and a finish with 100,000 queued over 10,000 origins. */
#include <stdio.h>

#include "count.h"
#include "support/harness.h"
#include "support/process.h"

static double count(const char *queued, const char *origins)
{
    const char *const argv[] = {COST_QUEUE, queued, origins, "250", NULL};
    double figure = count_instructions_of(argv) / 250;
    printf("%s queued over %s origins: %.0f instructions for a finish and a start\n", queued, origins, figure);
    return figure;
}

TEST(queued)
{
    double few = count("1000", "100"), many = count("100000", "10000");
    count_judge(many / few, 1.2, "%.3f times the cost with 1,000 queued over 100 origins", many / few);
    count_finish();
}
