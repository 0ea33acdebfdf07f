/* SPDX-License-Identifier: MIT */
/*
 * A gigabyte to a callback against the curl tool to /dev/null, both from nginx. Takes time, so as times.c;
 * the processor's time is disturbed less than that on the wall.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "count.h"
#include "harness/harness.h"
#include "support/process.h"

enum { PAIRS = 21, WALL = 0, CPU = 1 };

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Of the two clocks: now, and all children that have ended. */
static void look(double ret_time[2])
{
    struct rusage usage;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    getrusage(RUSAGE_CHILDREN, &usage);
    ret_time[WALL] = (double)time.tv_sec + (double)time.tv_nsec / 1e9;
    ret_time[CPU] = seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

static void run(const char *const argv[], double ret_took[2])
{
    double before[2];
    look(before);
    process_run(argv, "/dev/null");
    look(ret_took);
    for (int clock = WALL; clock <= CPU; clock++)
        ret_took[clock] -= before[clock];
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double middle(double *values)
{
    qsort(values, PAIRS, sizeof *values, by_size);
    return values[PAIRS / 2];
}

/* Pairs, each of two runs one behind the other; who begins changes. The middle of their ratios is told. */
static void compare(const char *way, const char *const curl[], const char *const stook[])
{
    static const char *const clocks[] = {"on the wall", "of the processor"};
    double ratios[2][PAIRS], each[2][2][PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        double took[2][2];
        for (int turn = 0; turn < 2; turn++)
            run((i + turn) % 2 == 0 ? curl : stook, took[(i + turn) % 2]);
        for (int clock = WALL; clock <= CPU; clock++) {
            ratios[clock][i] = took[1][clock] / took[0][clock];
            each[0][clock][i] = took[0][clock];
            each[1][clock][i] = took[1][clock];
        }
    }
    for (int clock = WALL; clock <= CPU; clock++) {
        double ratio = middle(ratios[clock]);
        printf("%s, seconds %s: curl %.3f, stook %.3f; half of %d ratios from %.2f to %.2f\n", way, clocks[clock],
               middle(each[0][clock]), middle(each[1][clock]), PAIRS, ratios[clock][PAIRS / 4],
               ratios[clock][PAIRS - 1 - PAIRS / 4]);
        count_judge(ratio, 1.0, "%.2f of the time %s that the curl tool takes, 1 GiB to a callback", ratio, clocks[clock]);
    }
    count_verdict();
}

static void large(const char *way, int tls)
{
    static const char curl[] = "/usr/bin/curl", size[] = "1073741824";
    char url[64], ca[256];
    struct peer *peer = peer_start();
    if (access(curl, X_OK) != 0)
        test_skip("the curl tool is missing");
    snprintf(url, sizeof url, "%s", peer_url_large(peer, tls, size));
    snprintf(ca, sizeof ca, "%s", peer_ca(peer));
    compare(way, (const char *const[]){curl, "-s", "-o", "/dev/null", "--cacert", ca, url, NULL},
            (const char *const[]){COST_SINK, url, size, ca, NULL});
}

TEST(large)
{
    large("in the clear", 0);
}

TEST(large_tls)
{
    large("over TLS", 1);
}
