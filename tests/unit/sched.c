/* SPDX-License-Identifier: MIT */
/* Which job may start, and when, in virtual time. */
#include <stdlib.h>
#include <string.h>

#include "sched/clocks.h"
#include "sched/ending.h"
#include "sched/group.h"
#include "sched/queue.h"
#include "support/harness.h"
#include "support/queue_at.h"

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

static enum stook__decision decide(struct stook__job *job, int idempotent, int lost)
{
    const struct stook__ending ending = {
        .error = STOOK_ERESET, .idempotent = idempotent, .lost = lost, .sent = 1, .replayable = 1, .wait_ms = -1};
    enum stook__no_retry why;
    int64_t at;
    return stook__ending_decide(&sched, job, &ending, 100 * MS, &at, &why);
}

TEST(repeats)
{
    begin();
    add(0, 1, 1);
    stook__group_open(&sched, &groups[0], 1, 0);
    struct stook__job *job = stook__sched_next(&sched, 10 * MS);
    CHECK_EQ_INT(decide(job, 0, 1), STOOK__DELIVER);
    CHECK_EQ_INT(decide(job, 1, 0), STOOK__DELIVER);
    CHECK_EQ_INT(decide(job, 1, 1), STOOK__REPEAT);
    stook__sched_repeat(&sched, job, 100 * MS);
    CHECK_EQ_INT(decide(job, 1, 1), STOOK__DELIVER);
    job->repeated = 0;
    policy.max_retries = -1;
    CHECK_EQ_INT(decide(job, 1, 1), STOOK__DELIVER);
}

/* The wait for a retry is also that for the cool-down, of which a part is random: what would start after the
   whole clock has run out is not begun. */
TEST(a_retry_waits_for_the_cool_down)
{
    enum { LATE = 1, IN_TIME = 2 };
    int seen = 0;
    const struct stook__ending ending = {.status = 429, .idempotent = 1, .sent = 1, .replayable = 1, .wait_ms = 900};
    for (uint64_t seed = 0; seed < 100; seed++) {
        begin();
        policy.max_retries = 1;
        sched.rules.max_cooldown_ms = 60000;
        sched.rules.retry_statuses[429 / 64] |= (uint64_t)1 << 429 % 64;
        sched.random = seed;
        add(0, 1, 1);
        stook__group_open(&sched, &groups[0], 1, 0);
        struct stook__job *job = stook__sched_next(&sched, 10 * MS);
        stook__ending_note(&sched, job, &ending, 50 * MS);
        int64_t at, cool_until = job->queue->key.target->cool_until;
        enum stook__no_retry why;
        enum stook__decision decision = stook__ending_decide(&sched, job, &ending, 50 * MS, &at, &why);
        CHECK(cool_until >= 950 * MS && cool_until <= 1040 * MS);
        if (cool_until < 1010 * MS) {
            CHECK_EQ_INT(decision, STOOK__RETRY);
            CHECK_EQ_INT(at, cool_until);
            seen |= IN_TIME;
        } else {
            CHECK_EQ_INT(decision, STOOK__DELIVER);
            CHECK_EQ_INT(why, STOOK__NO_RETRY_TOO_LATE);
            seen |= LATE;
        }
        stook__sched_finish(&sched, job);
        stook__group_end(&sched, &groups[0]);
        stook__sched_free(&sched);
        stook__origins_free(&origins);
        stook__allocator_unref(allocator);
        memset(groups, 0, sizeof groups);
        memset(jobs, 0, sizeof jobs);
    }
    CHECK_EQ_INT(seen, LATE | IN_TIME);
}

/* Redirects a running job to one of three origins. */
static void redirect(struct stook__job *job, int to)
{
    static const char *const keys[] = {"", "http://a:80", "http://b:80"};
    struct stook__queue *queue = queue_at(&sched, &origins, &groups[0], keys[to], strlen(keys[to]), 3);
    CHECK(queue != NULL);
    stook__sched_redirect(&sched, queue, job);
    CHECK_EQ_INT(job->state, STOOK__JOB_QUEUED);
    CHECK(job->queue == queue);
}

/* What was redirected starts before what has not started yet, its whole clock goes on, its attempt's begins
   anew, and it may be repeated once more. */
TEST(redirected)
{
    begin();
    add(0, 3, 1);
    stook__group_open(&sched, &groups[0], 1, 0);
    struct stook__job *job = stook__sched_next(&sched, 100 * MS);
    CHECK_EQ_INT(decide(job, 1, 1), STOOK__REPEAT);
    stook__sched_repeat(&sched, job, 200 * MS);
    CHECK_EQ_INT(decide(job, 1, 1), STOOK__DELIVER);
    redirect(job, 1);
    CHECK_EQ_SIZE(groups[0].n_running, 0);
    CHECK_EQ_SIZE(groups[0].n_waiting, 3);
    CHECK(stook__sched_alarm(&sched) == 1100 * MS);
    CHECK(stook__sched_next(&sched, 300 * MS) == job);
    CHECK(stook__sched_next(&sched, 300 * MS) == NULL);
    CHECK_EQ_INT(job->attempts, 3);
    CHECK(job->first_at == 100 * MS && job->attempt_at == 300 * MS);
    CHECK_EQ_INT(decide(job, 1, 1), STOOK__REPEAT);
    stook__sched_finish(&sched, job);
    CHECK(stook__sched_next(&sched, 300 * MS) == &jobs[0][1]);
}

/* With a limit of one for each origin: it waits for the new one, and leaves room at the old one. */
TEST(redirected_to_an_origin_that_is_full)
{
    begin();
    stook__sched_set_origin_limit(&sched, 1);
    struct stook__queue *a = queue_at(&sched, &origins, &groups[0], "http://a:80", 11, 3);
    stook__sched_add(&sched, a, &jobs[0][0], &policy, 1);
    stook__sched_add(&sched, a, &jobs[0][1], &policy, 1);
    struct stook__queue *b = queue_at(&sched, &origins, &groups[0], "http://b:80", 11, 3);
    stook__sched_add(&sched, b, &jobs[0][2], &policy, 1);
    stook__sched_add(&sched, b, &jobs[0][3], &policy, 1);
    stook__group_open(&sched, &groups[0], 9, 0);
    CHECK(stook__sched_next(&sched, 2) == &jobs[0][0]);
    CHECK(stook__sched_next(&sched, 2) == &jobs[0][2]);
    CHECK(stook__sched_next(&sched, 2) == NULL);
    redirect(&jobs[0][0], 2);
    CHECK(stook__sched_next(&sched, 2) == &jobs[0][1]); /* of the old origin */
    CHECK(stook__sched_next(&sched, 2) == NULL);
    stook__sched_finish(&sched, &jobs[0][2]);
    CHECK(stook__sched_next(&sched, 2) == &jobs[0][0]); /* before what has not started */
    CHECK(stook__sched_next(&sched, 2) == NULL);
    stook__sched_finish(&sched, &jobs[0][0]);
    CHECK(stook__sched_next(&sched, 2) == &jobs[0][3]);
}

/* Those that were redirected start in the order of their redirects, whatever ends between. */
TEST(redirected_in_turn)
{
    begin();
    stook__sched_set_origin_limit(&sched, 1);
    add(0, 6, 1);
    stook__sched_set_origin_limit(&sched, SIZE_MAX);
    stook__group_open(&sched, &groups[0], 9, 0);
    for (int i = 0; i < 6; i++)
        CHECK(stook__sched_next(&sched, 2) == &jobs[0][i]);
    stook__group_set_limit(&sched, &groups[0], 1);
    for (int i = 0; i < 5; i++)
        redirect(&jobs[0][i], 1);
    CHECK(stook__sched_next(&sched, 2) == NULL); /* the sixth runs */
    stook__sched_finish(&sched, &jobs[0][4]);
    stook__sched_finish(&sched, &jobs[0][1]);
    stook__sched_finish(&sched, &jobs[0][5]);
    CHECK(stook__sched_next(&sched, 2) == &jobs[0][0]);
    redirect(&jobs[0][0], 1);
    CHECK(stook__sched_next(&sched, 2) == &jobs[0][2]);
    stook__sched_finish(&sched, &jobs[0][2]);
    CHECK(stook__sched_next(&sched, 2) == &jobs[0][3]);
    stook__sched_finish(&sched, &jobs[0][3]);
    CHECK(stook__sched_next(&sched, 2) == &jobs[0][0]);
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
            if (jobs[0][at].state == STOOK__JOB_RUNNING && rand() % 3 == 0) {
                redirect(&jobs[0][at], rand() % 3);
                continue;
            }
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
