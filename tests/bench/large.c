/* SPDX-License-Identifier: MIT */
/*
 * A gigabyte to a callback against the curl tool to /dev/null, both from nginx. Takes time, so as times.c;
 * runs that other work disturbed do not count.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "count.h"
#include "support/harness.h"
#include "support/process.h"

enum { RUNS = 15, LEAST = 5, TRIES = 75, WALL = 0, CPU = 1 };

static double clock_of(clockid_t id)
{
    struct timespec time;
    CHECK_EQ_INT(clock_gettime(id, &time), 0);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* What all programs of the machine have computed. */
static double busy(void)
{
    double user = 0, nice = 0, system = 0;
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL || fscanf(file, "cpu %lf %lf %lf", &user, &nice, &system) != 3)
        test_skip("there is no /proc/stat");
    fclose(file);
    return (user + nice + system) / (double)sysconf(_SC_CLK_TCK);
}

struct runs {
    const char *const *argv;
    double took[2][RUNS]; /* seconds on the wall, and of the processor */
    int count;
};

static double children(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* One more, if it is wanted. It counts if others took less than a fifth of a processor meanwhile. */
static void run(struct runs *runs, clockid_t server)
{
    double all = busy(), wall = clock_of(CLOCK_MONOTONIC), ours = children(), theirs = clock_of(server);
    if (runs->count == RUNS)
        return;
    process_run(runs->argv, "/dev/null");
    wall = clock_of(CLOCK_MONOTONIC) - wall;
    ours = children() - ours;
    if (busy() - all - ours - (clock_of(server) - theirs) > wall / 5)
        return;
    runs->took[WALL][runs->count] = wall;
    runs->took[CPU][runs->count++] = ours;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double middle(struct runs *runs, int clock)
{
    qsort(runs->took[clock], (size_t)runs->count, sizeof(double), by_size);
    return runs->took[clock][runs->count / 2];
}

/* In turns, and who begins changes. */
static void compare(const char *way, const char *const curl[], const char *const stook[], clockid_t server)
{
    static const char *const clocks[] = {"on the wall", "of the processor"};
    struct runs runs[2] = {{.argv = curl}, {.argv = stook}};
    for (int i = 0; i < TRIES && (runs[0].count < RUNS || runs[1].count < RUNS); i++) {
        run(&runs[i % 2], server);
        run(&runs[1 - i % 2], server);
    }
    if (runs[0].count < LEAST || runs[1].count < LEAST)
        test_skip("the machine has other work");
    for (int clock = WALL; clock <= CPU; clock++) {
        double first = middle(&runs[0], clock), second = middle(&runs[1], clock);
        printf("%s, seconds %s: curl %.3f, the middle of %d; stook %.3f, of %d\n", way, clocks[clock], first, runs[0].count,
               second, runs[1].count);
        count_judge(second / first, 1.0, "%.2f of what the curl tool takes for 1 GiB", second / first);
    }
    count_finish();
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
            (const char *const[]){COST_SINK, url, size, ca, NULL}, peer_clock(peer));
}

TEST(large)
{
    large("in the clear", 0);
}

TEST(large_tls)
{
    large("over TLS", 1);
}
