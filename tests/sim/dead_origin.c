/* SPDX-License-Identifier: MIT */
/*
 * A healthy origin beside a dead one, in virtual time, so that it can be counted: with 1,000 requests
 * to the dead one before them, the healthy ones are as fast as without, in the same batch or another.
 */
#include <stdlib.h>
#include <string.h>

#include "sched/clocks.h"
#include "sched/group.h"
#include "sched/queue.h"
#include "support/harness.h"
#include "support/queue_at.h"

enum { HEALTHY = 2000, DEAD = 1000, LIMIT = 60, ORIGIN_LIMIT = 20 };
static const int64_t MS = 1000;

static struct stook__origins origins;
static struct stook__sched sched;
static struct stook__group groups[2];
static struct stook__job healthy[HEALTHY], dead[DEAD];
static int64_t ends_at[HEALTHY], took[HEALTHY];
static struct stook__settings policy = {.queue_ms = -1, .attempt_ms = 30000, .connect_ms = 10000, .total_ms = 120000, .stall_ms = 30000};

static void add(struct stook__job *job, struct stook__group *group, const char *origin, int64_t now)
{
    struct stook__queue *queue = queue_at(&sched, &origins, group, origin, strlen(origin), 3);
    CHECK(queue != NULL);
    stook__sched_add(&sched, queue, job, &policy, now);
}

static void start_all(int64_t now)
{
    struct stook__job *job;
    while ((job = stook__sched_next(&sched, now)) != NULL)
        if (job >= healthy && job < healthy + HEALTHY)
            ends_at[job - healthy] = now + 5 * MS + (job - healthy) % 7 * MS;
}

static void expire(int64_t now)
{
    struct stook__job *job;
    while ((job = stook__sched_late_job(&sched, now)) != NULL)
        if (stook__sched_expired(&sched, job, now) != 0)
            stook__sched_finish(&sched, job);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Microseconds from add to end that 99 of 100 healthy requests stay below; one is added each millisecond. */
static int64_t p99(int n_dead, int apart)
{
    struct stook__allocator *allocator = stook__allocator_new(NULL);
    memset(healthy, 0, sizeof healthy);
    memset(dead, 0, sizeof dead);
    memset(groups, 0, sizeof groups);
    stook__origins_init(&origins, allocator);
    stook__sched_init(&sched, allocator);
    stook__sched_set_limit(&sched, LIMIT);
    stook__sched_set_origin_limit(&sched, ORIGIN_LIMIT);
    for (int i = 0; i < 2; i++) {
        stook__group_init(&groups[i]);
        stook__group_open(&sched, &groups[i], LIMIT, 0);
    }
    for (int i = 0; i < n_dead; i++)
        add(&dead[i], &groups[apart], "dead", 1);
    int added = 0, over = 0;
    for (int64_t now = MS; over < HEALTHY; now += MS) {
        CHECK(now < 60000 * MS);
        for (int i = 0; i < added; i++)
            if (healthy[i].state == STOOK__JOB_RUNNING && ends_at[i] <= now) {
                stook__sched_finish(&sched, &healthy[i]);
                took[over++] = now - healthy[i].added_at;
            }
        expire(now);
        if (added < HEALTHY)
            add(&healthy[added++], &groups[0], "healthy", now);
        start_all(now);
    }
    for (int i = 0; i < 2; i++) {
        struct stook__job *job;
        while ((job = stook__group_any(&groups[i])) != NULL)
            stook__sched_finish(&sched, job);
        stook__group_end(&sched, &groups[i]);
    }
    stook__sched_free(&sched);
    CHECK_EQ_SIZE(origins.map.count, 0);
    stook__origins_free(&origins);
    stook__allocator_unref(allocator);
    qsort(took, HEALTHY, sizeof *took, by_size);
    return took[HEALTHY * 99 / 100];
}

TEST(healthy_beside_dead)
{
    int64_t alone = p99(0, 0), same = p99(DEAD, 0), apart = p99(DEAD, 1);
    test_note("%lld alone, %lld in one batch, %lld in two", (long long)alone, (long long)same, (long long)apart);
    CHECK(same * 10 <= alone * 12);
    CHECK(apart * 10 <= alone * 12);
}
