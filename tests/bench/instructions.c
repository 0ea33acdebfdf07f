/* SPDX-License-Identifier: MIT */
/* Instructions for one GET, against the baseline in the same test, and against itself. */
#include <stdio.h>


#include "count.h"
#include "support/harness.h"

static const double growth = 1.25;

/* Of what a plain loop around libcurl takes; the versions of libcurl differ. */
static const double at_50 = 0.42, at_2000 = 0.2;

static void say(const struct run *run, double figure)
{
    printf("%s, %s, %zu in flight, origins: %zu%s%s: %.0f instructions per GET\n",
           run->program == STOOK ? "stook" : "baseline", run->tls ? "https" : "http", run->in_flight,
           run->origins ? run->origins : 1, run->answers == PEER_AT_ONCE ? ", at once" : run->answers == PEER_REDIRECTED ? ", redirected" : "",
           run->bursts ? ", in bursts" : "", figure);
    fflush(stdout);
}

static double count(const struct peer *peer, struct run run)
{
    if (run.answers == 0)
        run.answers = PEER_HELD;
    if (run.counted == 0)
        run.counted = 2000;
    double figure = count_instructions(peer, &run);
    say(&run, figure);
    return figure;
}

static void against_baseline(struct run run, double target)
{
    struct peer *peer = peer_start();
    run.program = BASELINE;
    double baseline = count(peer, run);
    run.program = STOOK;
    double stook = count(peer, run);
    count_judge(stook / baseline, target, "%.3f of the baseline", stook / baseline);
    count_finish();
}

static void against_itself(struct run run, size_t most, double target)
{
    struct peer *peer = peer_start();
    run.program = STOOK;
    run.in_flight = 50;
    double few = count(peer, run);
    run.in_flight = most;
    double many = count(peer, run);
    count_judge(many / few, target, "%.3f times the cost of 50 in flight", many / few);
    count_finish();
}

/* Not in CTest: what the baseline itself takes. It is another number on another libcurl. */
TEST(baseline)
{
    struct peer *peer = peer_start();
    count(peer, (struct run){.program = BASELINE, .in_flight = 50, .answers = PEER_AT_ONCE});
    count(peer, (struct run){.program = BASELINE, .in_flight = 50});
}

TEST(http_at_50)
{
    against_baseline((struct run){.in_flight = 50}, at_50);
}

TEST(http_at_2000)
{
    against_baseline((struct run){.in_flight = 2000}, at_2000);
}

/* Not in CTest: all 2,000 answers come in one moment, and again. */
TEST(http_bursts)
{
    against_baseline((struct run){.bursts = 1, .in_flight = 2000, .warm = 4000, .counted = 4000}, at_2000);
}

/* A redirect that is followed costs a GET, and what libcurl takes to resolve the Location of any 3xx. */
TEST(redirect)
{
    struct peer *peer = peer_start();
    double plain = count(peer, (struct run){.program = STOOK, .in_flight = 50});
    double at_once = count(peer, (struct run){.program = STOOK, .in_flight = 50, .answers = PEER_AT_ONCE});
    double redirected = count(peer, (struct run){.program = STOOK, .in_flight = 50, .answers = PEER_REDIRECTED});
    double hop = (redirected - plain) / at_once; /* nginx itself answers it, at once */
    count_judge(hop, 1.5, "%.3f GETs for a redirect", hop);
    count_finish();
}

TEST(http_growth)
{
    against_itself((struct run){.tls = 0}, 5000, growth);
}

TEST(https_at_50)
{
    against_baseline((struct run){.tls = 1, .in_flight = 50}, at_50);
}

TEST(https_at_2000)
{
    against_baseline((struct run){.tls = 1, .in_flight = 2000}, at_50);
}

TEST(https_growth)
{
    against_itself((struct run){.tls = 1}, 5000, growth);
}

TEST(origins_at_50)
{
    against_baseline((struct run){.origins = 1000, .in_flight = 50}, at_50);
}

TEST(origins_at_2000)
{
    /* Two connections an origin: a new libcurl by itself costs no more than at 50 in flight. */
    against_baseline((struct run){.origins = 1000, .in_flight = 2000}, at_2000);
}

TEST(origins_growth)
{
    against_itself((struct run){.origins = 1000}, 5000, growth);
}
