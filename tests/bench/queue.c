/* SPDX-License-Identifier: MIT */
/*
 * Starts and finishes while so many wait: cost_queue QUEUED ORIGINS COUNT [rate]. Half of the origins are at
 * their limit again and again; only COUNT finishes, after as many others, each with the start that follows, are counted.
 * With `rate` each origin has a bucket instead, all of them are used up before, and each start waits for the next
 * that has room: the wake-up is counted too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif

#include "sched/clocks.h"
#include "sched/group.h"
#include "sched/queue.h"
#include "sched/rate.h"
#include "support/queue_at.h"

enum { LIMIT = 50 };

static struct stook__origins origins;
static struct stook__sched sched;
static struct stook__group group;
static struct stook__settings policy = {.queue_ms = 3600000, .attempt_ms = 30000, .connect_ms = 10000, .total_ms = 120000, .stall_ms = 30000};

static void add(struct stook__job *job, size_t origin, int64_t at)
{
    char key[64];
    size_t size = (size_t)snprintf(key, sizeof key, "http://host-%zu.example:80", origin);
    struct stook__queue *queue = queue_at(&sched, &origins, &group, key, size, 3);
    if (queue == NULL)
        abort();
    stook__sched_add(&sched, queue, job, &policy, at);
}

/* Ten a second for each origin. */
static const struct stook__rate rate = {.count = 10, .per_ms = 1000, .burst = 1, .of = STOOK_RATE_OF_REQUESTS, .by = STOOK_RATE_BY_ORIGIN};
static int64_t now = 1000000;

/* The next job that may start, when its time has come. */
static struct stook__job *next(void)
{
    for (int i = 0; i < 100; i++) {
        struct stook__job *job = stook__sched_next(&sched, now);
        if (job != NULL)
            return job;
        int64_t alarm = stook__sched_alarm(&sched);
        now = alarm > now ? alarm : now;
        stook__sched_tick(&sched, now);
    }
    abort();
}

/* One is over and the next starts: the oldest in flight goes first. */
static void pass(size_t count, struct stook__job *in_flight[LIMIT], size_t *at)
{
    for (size_t i = 0; i < count; i++, *at = (*at + 1) % LIMIT) {
        stook__sched_finish(&sched, in_flight[*at]);
        now++;
        in_flight[*at] = next();
    }
}

int main(int argc, char **argv)
{
    struct stook__job *in_flight[LIMIT];
    int rated = argc == 5 && strcmp(argv[4], "rate") == 0;
    if (argc != 4 && !rated)
        return 2;
    size_t queued = strtoul(argv[1], NULL, 10), hosts = strtoul(argv[2], NULL, 10), count = strtoul(argv[3], NULL, 10);
    struct stook__allocator *allocator = stook__allocator_new(NULL);
    struct stook__job *jobs = calloc(queued + LIMIT, sizeof *jobs);
    size_t at = 0;
    stook__origins_init(&origins, allocator);
    stook__sched_init(&sched, allocator);
    if (rated) {
        const struct stook__flow_rules rules = {.rates = &rate, .n_by_origin = 1, .max_cooldown_ms = -1, .retry_budget = -1, .circuit_failures = -1, .keeps_origins = 1};
        if (stook__targets_set_rules(&sched, &rules, 1) != 0)
            abort();
    } else {
        stook__sched_set_origin_limit(&sched, 1);
    }
    stook__group_init(&group);
    for (size_t i = 0; i < queued + LIMIT; i++)
        add(&jobs[i], i / 2 % hosts, (int64_t)i); /* every second one finds its origin full */
    stook__group_open(&sched, &group, LIMIT, 0);
    for (size_t i = 0; i < LIMIT; i++)
        in_flight[i] = next();
    pass(rated ? hosts + count : count, in_flight, &at);
    CALLGRIND_START_INSTRUMENTATION;
    pass(count, in_flight, &at);
    CALLGRIND_STOP_INSTRUMENTATION;
    struct stook__job *job;
    while ((job = stook__group_any(&group)) != NULL)
        stook__sched_finish(&sched, job);
    stook__group_end(&sched, &group);
    stook__sched_free(&sched);
    stook__origins_free(&origins);
    stook__allocator_unref(allocator);
    free(jobs);
    return 0;
}
