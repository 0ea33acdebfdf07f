/* SPDX-License-Identifier: MIT */
/* Limits of batch, client and origin, priorities, and the order of starts, in virtual time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request/url.h"
#include "sched/group.h"
#include "sched/queue.h"
#include "sched/reason.h"
#include "support/harness.h"
#include "support/queue_at.h"

enum { GROUPS = 4, JOBS = 60, ORIGINS = 5 };

static struct stook__allocator *allocator;
static struct stook__origins origins;
static struct stook__sched sched;
static struct stook__group groups[GROUPS];
static struct stook__job jobs[GROUPS][JOBS];
static struct stook__origin *origin_of[GROUPS][JOBS];
static struct stook__settings policy = {
    .queue_ms = -1, .attempt_ms = -1, .connect_ms = -1, .total_ms = -1, .stall_ms = -1};

static void begin(void)
{
    allocator = stook__allocator_new(NULL);
    memset(groups, 0, sizeof groups);
    memset(jobs, 0, sizeof jobs);
    stook__origins_init(&origins, allocator);
    stook__sched_init(&sched, allocator);
    for (int i = 0; i < GROUPS; i++)
        stook__group_init(&groups[i]);
}

static void end(void)
{
    for (int i = 0; i < GROUPS; i++)
        stook__group_end(&sched, &groups[i]);
    CHECK_EQ_SIZE(sched.queues.count, 0);
    stook__sched_free(&sched);
    CHECK_EQ_SIZE(origins.map.count, 0);
    stook__origins_free(&origins);
    stook__allocator_unref(allocator);
}

static struct stook__job *add(int group, int at, const char *origin, unsigned priority)
{
    struct stook__queue *queue =
        queue_at(&sched, &origins, &groups[group], origin, strlen(origin), priority);
    CHECK(queue != NULL);
    origin_of[group][at] = stook__queue_origin(queue);
    stook__sched_add(&sched, queue, &jobs[group][at], &policy, 1);
    return &jobs[group][at];
}

static void add_many(int group, int from, int count, const char *origin)
{
    for (int i = 0; i < count; i++)
        add(group, from + i, origin, 3);
}

static struct stook__job *next(void)
{
    return stook__sched_next(&sched, 2);
}

static void open_all(size_t limit)
{
    for (int i = 0; i < GROUPS; i++)
        stook__group_open(&sched, &groups[i], limit, 0);
}

/* Jobs that were passed over stay in order, and start first when their origin has room. */
TEST(full_origins_are_passed_over)
{
    begin();
    stook__sched_set_origin_limit(&sched, 1);
    add_many(0, 0, 3, "a");
    add_many(0, 3, 3, "b");
    open_all(3);
    CHECK(next() == &jobs[0][0]);
    CHECK(next() == &jobs[0][3]);
    CHECK(next() == NULL); /* two origins, one each */
    CHECK_EQ_INT(stook__sched_reason(&sched, &jobs[0][1], 2, NULL), STOOK__BY_ORIGIN);
    stook__sched_finish(&sched, &jobs[0][3]);
    CHECK(next() == &jobs[0][4]);
    stook__sched_finish(&sched, &jobs[0][0]);
    CHECK(next() == &jobs[0][1]);
    stook__sched_set_origin_limit(&sched, 2);
    struct stook__job *either = next();
    CHECK(either == &jobs[0][2] || either == &jobs[0][5]); /* both origins have room now */
    CHECK(next() == NULL);                                 /* the limit of the batch */
    struct stook__job *other = either == &jobs[0][2] ? &jobs[0][5] : &jobs[0][2];
    CHECK_EQ_INT(stook__sched_reason(&sched, other, 2, NULL), STOOK__BY_BATCH);
    stook__group_set_limit(&sched, &groups[0], SIZE_MAX);
    CHECK(next() == other);
    for (int i = 0; i < 6; i++)
        if (jobs[0][i].state != STOOK__JOB_FINISHED)
            stook__sched_finish(&sched, &jobs[0][i]);
    end();
}

/* At an origin too, a batch of one waits for one slot, not for all jobs before it. */
TEST(batches_take_turns_at_an_origin)
{
    begin();
    stook__sched_set_origin_limit(&sched, 1);
    add_many(0, 0, JOBS, "a");
    add_many(1, 0, 1, "a");
    add_many(2, 0, 2, "a");
    open_all(SIZE_MAX);
    int sum[GROUPS] = {0};
    for (int i = 0; i < 6; i++) {
        struct stook__job *job = next();
        CHECK(job != NULL && next() == NULL);
        sum[(job - jobs[0]) / JOBS]++;
        stook__sched_finish(&sched, job);
    }
    CHECK_EQ_INT(sum[0], 3);
    CHECK_EQ_INT(sum[1], 1);
    CHECK_EQ_INT(sum[2], 2);
    struct stook__job *job;
    while ((job = next()) != NULL)
        stook__sched_finish(&sched, job);
    end();
}

/* A batch that has just used the room of an origin does not get it again before parked queues do. */
TEST(newcomers_do_not_overtake)
{
    begin();
    stook__sched_set_origin_limit(&sched, 1);
    add_many(0, 0, JOBS, "a");
    stook__group_open(&sched, &groups[0], 1, 0);
    CHECK(next() == &jobs[0][0]);
    add(1, 0, "a", 3);
    stook__group_open(&sched, &groups[1], SIZE_MAX, 0);
    CHECK(next() == NULL);
    stook__sched_finish(&sched, &jobs[0][0]);
    CHECK(next() == &jobs[1][0]);
    stook__sched_finish(&sched, &jobs[1][0]);
    CHECK(next() == &jobs[0][1]);
    while (stook__group_any(&groups[0]) != NULL)
        stook__sched_finish(&sched, stook__group_any(&groups[0]));
    end();
}

/* A batch at its own limit does not keep the room of an origin from another batch. */
TEST(unused_room_goes_to_another_batch)
{
    begin();
    stook__sched_set_origin_limit(&sched, 1);
    add(0, 0, "a", 3), add(0, 1, "b", 3), add(0, 2, "b", 3);
    add(1, 0, "b", 3), add(1, 1, "b", 3);
    stook__group_open(&sched, &groups[1], 1, 0);
    CHECK(next() == &jobs[1][0]);
    stook__group_open(&sched, &groups[0], 1, 0);
    CHECK(next() == &jobs[0][0]);
    stook__group_set_limit(&sched, &groups[0], 2);
    CHECK(next() == NULL); /* "b" is full: parked there */
    stook__group_set_limit(&sched, &groups[0], 1);
    stook__sched_finish(&sched, &jobs[1][0]);
    CHECK(next() == &jobs[1][1]);
    CHECK(next() == NULL);
    stook__sched_finish(&sched, &jobs[1][1]);
    CHECK(next() == NULL);
    stook__sched_finish(&sched, &jobs[0][0]);
    CHECK(next() == &jobs[0][1]);
    stook__sched_finish(&sched, &jobs[0][1]);
    CHECK(next() == &jobs[0][2]);
    stook__sched_finish(&sched, &jobs[0][2]);
    end();
}

TEST(priorities)
{
    begin();
    add(0, 0, "a", 3), add(0, 1, "a", 6), add(0, 2, "b", 0), add(0, 3, "a", 6), add(0, 4, "b", 3);
    stook__group_open(&sched, &groups[0], SIZE_MAX, 0);
    static const int expected[] = {1, 3, 4, 0, 2}; /* "a" has two in flight, "b" none */
    for (int i = 0; i < 5; i++)
        CHECK(next() == &jobs[0][expected[i]]);
    for (int i = 0; i < 5; i++)
        stook__sched_finish(&sched, &jobs[0][i]);
    end();
}

/* At an origin that was full, the room goes to the highest priority of the batch that is next. */
TEST(priorities_at_a_full_origin)
{
    begin();
    stook__sched_set_origin_limit(&sched, 1);
    struct stook__job *first = add(0, 0, "a", 3), *low = add(0, 1, "a", 0),
                      *other = add(1, 0, "a", 3);
    open_all(SIZE_MAX);
    CHECK(next() == first);
    CHECK(next() == NULL);
    struct stook__job *high = add(0, 2, "a", 6), *middle = add(0, 3, "a", 4);
    CHECK(next() == NULL);
    stook__sched_finish(&sched, first);
    CHECK(next() == other);
    stook__sched_finish(&sched, other);
    CHECK(next() == high); /* instead of the low one */
    stook__sched_finish(&sched, high);
    CHECK(next() == middle);
    stook__sched_finish(&sched, middle);
    CHECK(next() == low);
    stook__sched_finish(&sched, low);
    end();
}

/* A reservation of a lower priority, which the client's limit keeps from starting, is taken over. */
TEST(priorities_at_reserved_room)
{
    begin();
    stook__sched_set_origin_limit(&sched, 1);
    struct stook__job *first = add(0, 0, "a", 3), *elsewhere = add(1, 0, "b", 3),
                      *low = add(0, 1, "a", 0);
    open_all(SIZE_MAX);
    CHECK(next() == first && next() == elsewhere && next() == NULL);
    struct stook__job *another = add(2, 0, "c", 3);
    stook__sched_finish(&sched, first);
    stook__sched_set_limit(&sched, 2);
    CHECK(next() == another); /* the room of "a" is reserved for the low one */
    struct stook__job *high = add(0, 2, "a", 6);
    stook__sched_finish(&sched, another);
    CHECK(next() == high);
    stook__sched_finish(&sched, elsewhere);
    CHECK(next() == NULL);
    stook__sched_finish(&sched, high);
    CHECK(next() == low);
    stook__sched_finish(&sched, low);
    end();
}

TEST(limit_of_the_client)
{
    begin();
    stook__sched_set_limit(&sched, 2);
    add_many(0, 0, 4, "a");
    add_many(1, 0, 1, "b");
    open_all(SIZE_MAX);
    struct stook__job *first = next(), *second = next();
    CHECK(first == &jobs[0][0] && second == &jobs[1][0]);
    CHECK(next() == NULL);
    CHECK(!stook__sched_ready(&sched));
    CHECK_EQ_INT(stook__sched_reason(&sched, &jobs[0][1], 2, NULL), STOOK__BY_CLIENT);
    stook__sched_set_limit(&sched, SIZE_MAX);
    CHECK(stook__sched_ready(&sched));
    for (int i = 1; i < 4; i++)
        CHECK(next() == &jobs[0][i]);
    stook__sched_finish(&sched, second);
    for (int i = 0; i < 4; i++)
        stook__sched_finish(&sched, &jobs[0][i]);
    end();
}

/* While a batch is blocked only its head starts, whether its queue is READY or parked at its origin. */
TEST(head_of_a_blocked_batch)
{
    begin();
    stook__sched_set_origin_limit(&sched, 1);
    add(1, 0, "a", 3);
    stook__group_open(&sched, &groups[1], SIZE_MAX, 0);
    CHECK(next() == &jobs[1][0]);
    add(0, 0, "a", 2), add(0, 1, "b", 3), add(0, 2, "c", 3);
    stook__group_open(&sched, &groups[0], SIZE_MAX, 0);
    CHECK(next() == &jobs[0][1]);
    stook__group_block(&sched, &groups[0], 1, &jobs[0][0]);
    CHECK(next() == NULL);
    CHECK_EQ_INT(stook__sched_reason(&sched, &jobs[0][2], 2, NULL), STOOK__BY_WINDOW);
    CHECK_EQ_INT(stook__sched_reason(&sched, &jobs[0][0], 2, NULL), STOOK__BY_ORIGIN);
    stook__sched_finish(&sched, &jobs[1][0]);
    CHECK(next() == &jobs[0][0]);
    stook__sched_finish(&sched, &jobs[0][0]);
    CHECK(next() == NULL);
    stook__group_block(&sched, &groups[0], 1, &jobs[0][2]);
    CHECK(next() == &jobs[0][2]);
    stook__sched_finish(&sched, &jobs[0][1]);
    stook__sched_finish(&sched, &jobs[0][2]);
    end();
}

/* ---------------------------------------------------------------- histories */

static size_t origin_limit, client_limit;

static size_t running_at(const struct stook__origin *origin)
{
    size_t count = 0;
    for (int i = 0; i < GROUPS; i++)
        for (int k = 0; k < JOBS; k++)
            count += jobs[i][k].state == STOOK__JOB_RUNNING && origin_of[i][k] == origin;
    return count;
}

/* No limit is exceeded, and each waiting job is forbidden by a limit that is reached. */
static void check_limits(void)
{
    size_t all = 0;
    for (int i = 0; i < GROUPS; i++)
        for (int k = 0; k < JOBS; k++) {
            const struct stook__job *job = &jobs[i][k];
            if (job->state == STOOK__JOB_RUNNING) {
                all++;
                CHECK(running_at(origin_of[i][k]) <= origin_limit);
            } else if (stook__job_waits(job) && groups[i].open) {
                CHECK(sched.n_running == client_limit || groups[i].n_running == groups[i].limit ||
                      running_at(origin_of[i][k]) == origin_limit);
            }
        }
    CHECK_EQ_SIZE(all, sched.n_running);
    CHECK(all <= client_limit);
    for (int i = 0; i < GROUPS; i++)
        CHECK(groups[i].n_running <= groups[i].limit);
}

static void act(int *n_added)
{
    char origin[2] = {(char)('a' + rand() % ORIGINS), '\0'};
    int group = rand() % GROUPS, at = rand() % JOBS;
    struct stook__job *job = &jobs[group][at];
    switch (rand() % 8) {
    case 0:
        if (groups[group].n_running <= 2) /* a lower limit would not hold yet */
            stook__group_set_limit(&sched, &groups[group], 2 + (size_t)rand() % 3);
        break;
    case 1:
    case 2:
    case 3:
        if (job->state == STOOK__JOB_NEW)
            add(group, at, origin, (unsigned)rand() % STOOK__PRIORITIES), ++*n_added;
        break;
    default:
        if (job->state == STOOK__JOB_RUNNING || (stook__job_waits(job) && rand() % 16 == 0))
            stook__sched_finish(&sched, job);
    }
}

TEST(random_histories)
{
    for (unsigned seed = 0; seed < 100; seed++) {
        int n_added = 0;
        test_note("seed %u", seed);
        srand(seed);
        begin();
        origin_limit = 1 + seed % 3;
        client_limit = 3 + seed % 5;
        stook__sched_set_origin_limit(&sched, origin_limit);
        stook__sched_set_limit(&sched, client_limit);
        for (int i = 0; i < GROUPS; i++)
            stook__group_open(&sched, &groups[i], 2, 0);
        for (int i = 0; i < 1500; i++) {
            act(&n_added);
            while (rand() % 4 != 0 && next() != NULL)
                ;
            if (i % 8 == 0) {
                while (next() != NULL)
                    ;
                CHECK(!stook__sched_ready(&sched));
                check_limits();
            }
        }
        CHECK(n_added > GROUPS * JOBS / 2);
        for (int i = 0; i < GROUPS; i++)
            for (struct stook__job *job; (job = stook__group_any(&groups[i])) != NULL;)
                stook__sched_finish(&sched, job);
        CHECK_EQ_SIZE(sched.n_running + sched.n_waiting, 0);
        end();
    }
}

/* ---------------------------------------------------------------------- keys */

TEST(keys_of_origins)
{
    static const struct {
        const char *url, *key;
    } cases[] = {
        {"http://a.example/x", "http://a.example:80"},
        {"HTTP://A.Example:80", "http://a.example:80"},
        {"http://a.example:/?q", "http://a.example:80"},
        {"https://a.example?q", "https://a.example:443"},
        {"https://a.example:8443/#x", "https://a.example:8443"},
        {"https://a.example:08443/#x", "https://a.example:8443"},
        {"http://a.example:00080/", "http://a.example:80"},
        {"http://a.example:0/", "http://a.example:0"}, /* refused when it starts */
        {"http://[::1]/", "http://[::1]:80"},
        {"http://[::1]:81/", "http://[::1]:81"},
        {"http:///x", ""},
        {"ftp://a.example/", ""},
        {"a.example", ""},
        {"", ""},
        {"://", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char key[STOOK__ORIGIN_KEY_MAX];
        size_t raw, size = stook__origin_key(cases[i].url, key, &raw);
        CHECK(size == 0 ? raw == 0 : stook__origin_key_ends(cases[i].url + raw));
        test_note("%s gave %.*s", cases[i].url, (int)size, key);
        CHECK(size == strlen(cases[i].key) && memcmp(key, cases[i].key, size) == 0);
    }
    char longest[1000], key[STOOK__ORIGIN_KEY_MAX];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    memcpy(longest, "http://", 7);
    size_t raw;
    CHECK_EQ_SIZE(stook__origin_key(longest, key, &raw), 0);
}
