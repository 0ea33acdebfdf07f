/* SPDX-License-Identifier: MIT */
/* Which job may start, and when, in virtual time. */
#include <stdlib.h>
#include <string.h>

#include "sched/clocks.h"
#include "sched/queue.h"
#include "support/queue_at.h"
#include "support/harness.h"

enum { JOBS = 64 };
static const int64_t MS = 1000;

static struct stook__origins origins;
static struct stook__sched sched;
static struct stook__group groups[3];
static struct stook__job jobs[3][JOBS];
static struct stook__settings policy;
static struct stook__allocator *allocator;

static void begin(void)
{
    policy = (struct stook__settings){
        .queue_ms = -1, .attempt_ms = 300, .connect_ms = 100, .total_ms = 1000, .stall_ms = 200};
    allocator = stook__allocator_new(NULL);
    stook__origins_init(&origins, allocator);
    stook__sched_init(&sched, allocator);
    for (int i = 0; i < 3; i++)
        stook__group_init(&groups[i]);
}

static void add(int group, int count, int64_t now)
{
    struct stook__queue *queue = queue_at(&sched, &origins, &groups[group], "", 0, 3);
    CHECK(queue != NULL);
    for (int i = 0; i < count; i++)
        stook__sched_add(&sched, queue, &jobs[group][i], &policy, now);
}

static int started(const struct stook__job *job)
{
    for (int group = 0; group < 3; group++)
        if (job >= jobs[group] && job < jobs[group] + JOBS)
            return group;
    return -1;
}

TEST(nothing_starts_before_the_await)
{
    begin();
    add(0, 3, 1);
    CHECK(stook__sched_next(&sched, 2) == NULL);
    stook__group_open(&sched, &groups[0], 2, 0);
    CHECK(stook__sched_next(&sched, 2) == &jobs[0][0]);
    CHECK(stook__sched_next(&sched, 2) == &jobs[0][1]);
    CHECK(stook__sched_next(&sched, 2) == NULL); /* the limit */
    stook__sched_finish(&sched, &jobs[0][0]);
    CHECK(stook__sched_next(&sched, 3) == &jobs[0][2]);
    CHECK(stook__sched_next(&sched, 3) == NULL);
}

/* Batches start one job each in turn: a batch of one waits for one slot, not for all jobs before it. */
TEST(batches_take_turns)
{
    begin();
    add(0, JOBS, 1);
    add(1, 2, 1);
    add(2, 1, 1);
    for (int i = 0; i < 3; i++)
        stook__group_open(&sched, &groups[i], SIZE_MAX, 0);
    static const int expected[] = {0, 1, 2, 0, 1, 0, 0};
    for (int i = 0; i < 7; i++)
        CHECK_EQ_INT(started(stook__sched_next(&sched, 2)), expected[i]);
}

TEST(blocked_and_closed)
{
    begin();
    add(0, 4, 1);
    stook__group_open(&sched, &groups[0], 10, 0);
    stook__group_block(&sched, &groups[0], 1, NULL);
    CHECK(stook__sched_next(&sched, 2) == NULL);
    stook__group_block(&sched, &groups[0], 0, NULL);
    CHECK(stook__sched_next(&sched, 2) != NULL);
    stook__group_close(&sched, &groups[0]);
    CHECK(stook__sched_next(&sched, 2) == NULL);
    CHECK(stook__group_any(&groups[0]) == &jobs[0][0]); /* running jobs are first */
}

/* Time in the queue counts against no other clock. */
TEST(clocks)
{
    begin();
    policy.queue_ms = 50;
    add(0, 2, 1 * MS);
    stook__group_open(&sched, &groups[0], 1, 0);
    struct stook__job *job = stook__sched_next(&sched, 40 * MS);
    CHECK(stook__sched_late_job(&sched, 50 * MS) == NULL);
    CHECK(stook__sched_late_job(&sched, 51 * MS) == &jobs[0][1]);
    CHECK_ERROR(stook__sched_expired(&sched, &jobs[0][1], 51 * MS), STOOK_ETIMEOUT_QUEUE);
    stook__sched_finish(&sched, &jobs[0][1]);

    CHECK_EQ_INT(stook__sched_alarm(&sched), 140 * MS); /* 40 + 100 to connect */
    CHECK(stook__sched_late_job(&sched, 140 * MS) == job);
    job->connected = 1;
    job->moved_at = 100 * MS;
    CHECK_EQ_INT(stook__sched_expired(&sched, job, 140 * MS), 0);
    CHECK_EQ_INT(stook__sched_alarm(&sched), 300 * MS); /* 100 + 200 of silence */
    CHECK(stook__sched_late_job(&sched, 300 * MS) == job);
    CHECK_ERROR(stook__sched_expired(&sched, job, 300 * MS), STOOK_ETIMEOUT_STALL);
    job->moved_at = 290 * MS;
    CHECK_EQ_INT(stook__sched_expired(&sched, job, 300 * MS), 0);
    CHECK(stook__sched_late_job(&sched, 340 * MS) == job);
    CHECK_ERROR(stook__sched_expired(&sched, job, 340 * MS), STOOK_ETIMEOUT_ATTEMPT);

    stook__sched_repeat(&sched, job, 900 * MS);
    CHECK_EQ_INT(job->attempts, 2);
    CHECK(stook__sched_late_job(&sched, 1040 * MS) == job);
    CHECK_ERROR(stook__sched_expired(&sched, job, 1040 * MS),
                STOOK_ETIMEOUT_TOTAL); /* from the first start */
}

TEST(not_connected_in_time)
{
    begin();
    add(0, 1, 1);
    stook__group_open(&sched, &groups[0], 1, 0);
    struct stook__job *job = stook__sched_next(&sched, 10 * MS);
    CHECK(stook__sched_late_job(&sched, 110 * MS) == job);
    CHECK_ERROR(stook__sched_expired(&sched, job, 110 * MS), STOOK_ETIMEOUT_ATTEMPT);
}

TEST(clocks_that_are_off)
{
    begin();
    policy = (struct stook__settings){
        .queue_ms = -1, .attempt_ms = -1, .connect_ms = -1, .total_ms = -1, .stall_ms = -1};
    add(0, 2, 1);
    stook__group_open(&sched, &groups[0], 1, 0);
    CHECK(stook__sched_next(&sched, 2) != NULL);
    CHECK_EQ_INT(stook__sched_alarm(&sched), 0);
    policy.total_ms = INT64_MAX; /* too long to be added to anything: the same as off */
    stook__sched_repeat(&sched, &jobs[0][0], 3);
    CHECK_EQ_INT(stook__sched_alarm(&sched), 0);
}

TEST(deadline_of_a_batch)
{
    begin();
    add(0, 2, 1);
    stook__group_open(&sched, &groups[0], 1, 77 * MS);
    CHECK(stook__sched_late_group(&sched, 76 * MS) == NULL);
    CHECK(stook__sched_late_group(&sched, 77 * MS) == &groups[0]);
    CHECK(stook__sched_late_group(&sched, 78 * MS) == NULL); /* once */
}

TEST(repeats)
{
    struct stook__job job = {.attempts = 1};
    struct stook__ending ending = {.error = STOOK_ERESET, .idempotent = 1, .lost = 1};
    CHECK(stook__sched_should_repeat(&job, &ending));
    ending.idempotent = 0;
    CHECK(!stook__sched_should_repeat(&job, &ending));
    ending = (struct stook__ending){.error = STOOK_ERESET, .idempotent = 1, .lost = 0};
    CHECK(!stook__sched_should_repeat(&job, &ending));
    ending.lost = 1;
    job.attempts = 2;
    CHECK(!stook__sched_should_repeat(&job, &ending));
}

/* The number in flight never exceeds the limit, and equals it while a job waits. */
TEST(random_histories)
{
    for (unsigned seed = 0; seed < 200; seed++) {
        size_t limit = 1 + seed % 7;
        test_note("seed %u", seed);
        memset(jobs, 0, sizeof jobs);
        memset(groups, 0, sizeof groups);
        begin();
        srand(seed);
        add(0, JOBS, 1);
        stook__group_open(&sched, &groups[0], limit, 0);
        for (size_t finished = 0; finished < JOBS;) {
            while (stook__sched_next(&sched, 2) != NULL)
                ;
            CHECK(groups[0].n_running <= limit);
            CHECK(groups[0].n_running == limit || groups[0].n_waiting == 0);
            int at = rand() % JOBS;
            if (jobs[0][at].state == STOOK__JOB_FINISHED)
                continue;
            stook__sched_finish(&sched, &jobs[0][at]);
            finished++;
        }
        CHECK(stook__group_any(&groups[0]) == NULL);
        CHECK_EQ_INT(stook__sched_alarm(&sched), 0);
        stook__group_end(&sched, &groups[0]);
        stook__sched_free(&sched);
        CHECK_EQ_SIZE(origins.map.count, 0);
        stook__origins_free(&origins);
        stook__allocator_unref(allocator);
    }
}
