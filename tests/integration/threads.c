/* SPDX-License-Identifier: MIT */
/*
 * Eight threads use one client: a million posts, wake-ups that coalesce, and 50,000 requests whose results
 * other threads reference and release. These tests also run under the thread sanitizer.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/harness.h"
#include "support/plain.h"

enum { THREADS = 8, POSTS = 125000, WAKES = 20000, REQUESTS = 6250 };

static stook_client *client;
static stook_batch *batch;
static pthread_t threads[THREADS];

static void start_threads(void *(*run)(void *))
{
    for (size_t i = 0; i < THREADS; i++)
        CHECK_EQ_INT(pthread_create(&threads[i], NULL, run, (void *)i), 0);
}

static void join_threads(void)
{
    for (size_t i = 0; i < THREADS; i++)
        CHECK_EQ_INT(pthread_join(threads[i], NULL), 0);
}

static void begin(const struct stook_client_options *options)
{
    CHECK_ERROR(stook_client_new(NULL, options, &client), 0);
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
}

static void end(void)
{
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
}

/* ------------------------------------------------------------------------ posts */

static size_t called[THREADS]; /* on the loop's thread only */
static atomic_int posting;

static void count_call(stook_client *which, void *user)
{
    CHECK(which == client);
    called[(size_t)user]++;
}

static void *post_many(void *user)
{
    for (int i = 0; i < POSTS; i++)
        CHECK_ERROR(stook_client_post(client, count_call, user), 0);
    atomic_fetch_sub(&posting, 1);
    return NULL;
}

static int wait_for_posts(stook_batch *which, void *user)
{
    (void)which, (void)user;
    return atomic_load(&posting) > 0 ? STOOK_AGAIN : 0;
}

static void *wake_at_the_end(void *user)
{
    (void)user;
    while (atomic_load(&posting) > 0)
        sched_yield();
    stook_batch_wake(batch);
    return NULL;
}

/* Beside a loop that turns: an await without requests keeps it going. */
TEST(a_million_posts, slow)
{
    pthread_t waker;
    begin(NULL);
    atomic_store(&posting, THREADS);
    start_threads(post_many);
    CHECK_EQ_INT(pthread_create(&waker, NULL, wake_at_the_end, NULL), 0);
    CHECK_EQ_INT(stook_gather(batch, &STOOK_GATHER(.more = wait_for_posts)), 0);
    join_threads();
    CHECK_EQ_INT(pthread_join(waker, NULL), 0);
    CHECK_ERROR(stook_client_run(client), 0); /* those that came last */
    for (size_t i = 0; i < THREADS; i++)
        CHECK_EQ_SIZE(called[i], POSTS);
    end();
}

/* --------------------------------------------------------------------- wake-ups */

static atomic_int made;
static int taken, asked;

static void *make_and_wake(void *user)
{
    (void)user;
    for (int i = 0; i < WAKES; i++) {
        atomic_fetch_add(&made, 1);
        stook_batch_wake(batch);
    }
    return NULL;
}

static int take_made(stook_batch *which, void *user)
{
    (void)which, (void)user;
    asked++;
    taken += atomic_exchange(&made, 0);
    return taken < THREADS * WAKES ? STOOK_AGAIN : 0;
}

/* Wake-ups coalesce, and the last one is never lost: otherwise the await would not end. */
TEST(wakes_coalesce)
{
    begin(NULL);
    start_threads(make_and_wake);
    CHECK_EQ_INT(stook_gather(batch, &STOOK_GATHER(.more = take_made)), 0);
    join_threads();
    CHECK_EQ_INT(taken, THREADS * WAKES);
    CHECK(asked <= taken + 1);
    end();
}

/* --------------------------------------------------------------------- requests */

static char urls[THREADS][128];
static const stook_result *_Atomic results[THREADS * REQUESTS];
static int added;

static void add_one(stook_client *which, void *user)
{
    (void)which;
    size_t of = (size_t)user / REQUESTS;
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(urls[of], .user = user)), 0);
    added++;
}

static int until_all_are_added(stook_batch *which, void *user)
{
    (void)which, (void)user;
    return added < THREADS * REQUESTS ? STOOK_AGAIN : 0;
}

/* The thread that asked for it gets it. */
static void hand_over(stook_batch *which, const stook_result *result, void *user)
{
    (void)which, (void)user;
    size_t slot = (size_t)stook_result_user(result);
    CHECK(atomic_exchange(&results[slot], stook_result_ref(result)) == NULL);
    if (added == THREADS * REQUESTS)
        stook_batch_wake(batch);
}

static void *ask_and_take(void *user)
{
    size_t first = (size_t)user * REQUESTS;
    struct stook_stats counters = STOOK_STATS();
    for (size_t i = 0; i < REQUESTS; i++) {
        CHECK_ERROR(stook_client_post(client, add_one, (void *)(first + i)), 0);
        CHECK_ERROR(stook_client_stats(client, &counters), 0);
        CHECK(counters.finished <= counters.added);
    }
    for (size_t i = 0; i < REQUESTS; i++) {
        const stook_result *result;
        while ((result = atomic_exchange(&results[first + i], NULL)) == NULL)
            sched_yield();
        CHECK_EQ_INT(stook_result_ok(result), 1);
        CHECK_STR(stook_result_url(result), urls[(size_t)user]);
        CHECK_CONTAINS(stook_result_body(result, NULL), "userId");
        stook_result_unref(result);
    }
    return NULL;
}

static void gather_from_threads(const struct plain *plain)
{
    for (size_t i = 0; i < THREADS; i++)
        snprintf(urls[i], sizeof urls[i], "%s", plain_url(plain, "/todos/%zu", i + 1));
    begin(&STOOK_CLIENT(.origin_limit = 100));
    start_threads(ask_and_take);
    struct stook_gather_options options = STOOK_GATHER(.more = until_all_are_added, .on_result = hand_over);
    CHECK_EQ_INT(stook_gather(batch, &options), 0);
    join_threads();
    struct stook_stats counters = STOOK_STATS();
    CHECK_ERROR(stook_client_stats(client, &counters), 0);
    CHECK_EQ_INT(counters.finished, THREADS * REQUESTS);
    end();
}

TEST(fifty_thousand_requests, slow)
{
    struct plain *plain = plain_start();
    gather_from_threads(plain);
    CHECK_EQ_INT(plain_count((struct plain *)plain, "requests"), THREADS * REQUESTS);
}

/* ---------------------------------------------------------------------- cancels */

static stook_batch *victims[THREADS * 20];

static void *cancel_mine(void *user)
{
    for (size_t i = 0; i < 20; i++) {
        stook_batch_cancel(victims[(size_t)user * 20 + i]);
        stook_batch_wake(victims[(size_t)user * 20 + i]);
        sched_yield();
    }
    return NULL;
}

/* Each request has one result, cancelled or not; so has each batch its end. */
TEST(cancels)
{
    struct plain *plain = plain_start();
    begin(NULL);
    for (size_t i = 0; i < THREADS * 20; i++) {
        CHECK_ERROR(stook_batch_new(client, &victims[i]), 0);
        for (int k = 0; k < 20; k++)
            CHECK_ERROR(stook_batch_add(victims[i], &STOOK_REQUEST(plain_url(plain, "/todos/1?delay_ms=%d", k))), 0);
        CHECK_ERROR(stook_gather_start(victims[i], &STOOK_GATHER(.limit = 2), NULL, NULL), 0);
    }
    start_threads(cancel_mine);
    CHECK_ERROR(stook_client_run(client), 0);
    join_threads();
    for (size_t i = 0; i < THREADS * 20; i++) {
        for (size_t k = 0; k < 20; k++) {
            const stook_result *result = stook_batch_result_by_index(victims[i], k);
            CHECK(result != NULL);
            CHECK(stook_result_ok(result) || stook_result_error(result) == STOOK_ECANCELLED);
        }
        stook_batch_free(victims[i]);
    }
    end();
}
