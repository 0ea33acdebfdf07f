/* SPDX-License-Identifier: MIT */
/* System calls for one GET on a kept-alive connection, answered after 3 ms. */
#include <stdio.h>

#include "count.h"
#include "support/harness.h"

/* Five for each, and a few a second: libcurl looks through its idle connections then. */
static const double most = 5.02;

/* The fewer are in flight, the fewer share a turn of the loop; at 1 a turn is all its own. */
static void calls_at(size_t in_flight)
{
    struct peer *peer = peer_start();
    struct run run = {.program = BASELINE, .answers = PEER_LATER, .in_flight = in_flight,
                      .warm = 200, .counted = 1000};
    printf("baseline: %.3f\n", count_system_calls(peer, &run));
    run.program = STOOK;
    double stook = count_system_calls(peer, &run);
    count_judge(stook, most, "%.3f system calls per GET", stook);
    count_finish();
}

TEST(calls_at_1)
{
    calls_at(1);
}

TEST(calls_at_10)
{
    calls_at(10);
}

TEST(calls_at_50)
{
    calls_at(50);
}
