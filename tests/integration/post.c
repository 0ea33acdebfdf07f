/* SPDX-License-Identifier: MIT */
/* Posted calls from any thread: each runs exactly once, on the loop's thread, never from inside the post. */
#include <pthread.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

enum { THREADS = 4, POSTS = 200 };

struct scene {
    struct life *life;
    struct raw_server *server;
    pthread_t loop_thread;
    unsigned calls[THREADS * POSTS];
    unsigned accepted[THREADS * POSTS];
    unsigned total;
    int closed;
    struct done done;
};

static struct scene scene; /* one a process; `calls` only ever changes on the loop's thread */

static void begin(struct life *life)
{
    memset(&scene, 0, sizeof scene);
    scene.life = life;
    scene.loop_thread = pthread_self();
    life_open(life, NULL);
}

static void count_call(stook_client *client, void *user)
{
    unsigned *calls = user;
    CHECK(client == scene.life->client);
    CHECK_EQ_INT(scene.closed, 0);
    CHECK(pthread_equal(pthread_self(), scene.loop_thread));
    ++*calls;
    scene.total++;
}

static void nothing(uv_idle_t *idle)
{
    (void)idle;
}

/* On a borrowed loop that has nothing else to do, something has to hold it: here an idle handle. */
static void turn_until(struct life *life, unsigned total)
{
    static uv_idle_t idle;
    if (!life->borrowed) {
        CHECK_ERROR(stook_client_run(life->client), 0);
        CHECK_EQ_INT(scene.total, total);
        return;
    }
    uv_idle_init(&life->loop, &idle);
    uv_idle_start(&idle, nothing);
    while (scene.total < total)
        uv_run(&life->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&idle, NULL);
    uv_run(&life->loop, UV_RUN_NOWAIT);
}

static void *post_many(void *user)
{
    unsigned *calls = user;
    for (size_t i = 0; i < POSTS; i++)
        CHECK_ERROR(stook_client_post(scene.life->client, count_call, &calls[i]), 0);
    return NULL;
}

TEST_BOTH(from_one_thread)
{
    begin(life);
    post_many(scene.calls);
    CHECK_EQ_INT(scene.total, 0); /* never from inside the call */
    turn_until(life, POSTS);
    for (size_t i = 0; i < POSTS; i++)
        CHECK_EQ_INT(scene.calls[i], 1);
}

static void start_threads(pthread_t threads[THREADS], void *(*run)(void *))
{
    for (size_t i = 0; i < THREADS; i++)
        CHECK_EQ_INT(pthread_create(&threads[i], NULL, run, &scene.calls[i * POSTS]), 0);
}

static void join(pthread_t threads[THREADS])
{
    for (size_t i = 0; i < THREADS; i++)
        CHECK_EQ_INT(pthread_join(threads[i], NULL), 0);
}

/* Beside a loop that turns, and before an owned one does. */
TEST_BOTH(from_many_threads)
{
    pthread_t threads[THREADS];
    begin(life);
    start_threads(threads, post_many);
    if (life->borrowed) {
        turn_until(life, THREADS * POSTS);
        join(threads);
    } else {
        join(threads);
        turn_until(life, THREADS * POSTS);
    }
    for (size_t i = 0; i < THREADS * POSTS; i++)
        CHECK_EQ_INT(scene.calls[i], 1);
}

static void *post_and_open(void *user)
{
    raw_wait(scene.server, "/after", 1);
    post_many(user);
    raw_signal(scene.server, "/open");
    return NULL;
}

/* An await is under way: calls come in between, and wake a loop that sleeps. */
TEST_BOTH(during_an_await)
{
    pthread_t threads[THREADS];
    begin(life);
    struct raw_server *server = scene.server = raw_server_start(NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/after?path=/open&n=4"));
    start_threads(threads, post_and_open);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    join(threads);
    turn_until(life, THREADS * POSTS);
    for (size_t i = 0; i < THREADS * POSTS; i++)
        CHECK_EQ_INT(scene.calls[i], 1);
    stook_batch_free(batch);
}

/* -------------------------------------------------------------- what it may do */

static void start_await(stook_client *client, void *user)
{
    stook_batch *batch = NULL;
    (void)user;
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
    CHECK_ERROR(stook_gather(batch, NULL), STOOK_ESTATE); /* from inside a callback */
    CHECK_CONTAINS(stook_batch_message(batch), "stook_gather_start");
    CHECK_ERROR(stook_client_run(client), STOOK_ESTATE);
    add(batch, raw_url(scene.server, "/ok"));
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &scene.done), 0);
    stook_batch_free(batch); /* cancel, and free after done */
}

TEST_BOTH(starts_an_await)
{
    begin(life);
    scene.server = raw_server_start(NULL);
    CHECK_ERROR(stook_client_post(life->client, start_await, NULL), 0);
    CHECK_ERROR(stook_client_post(life->client, count_call, &scene.calls[0]), 0);
    turn_until(life, 1);
    life_run(life);
    CHECK_EQ_INT(scene.done.calls, 1);
    CHECK_EQ_INT(scene.done.failed, 1);
}

static void post_again(stook_client *client, void *user)
{
    unsigned *calls = user;
    CHECK_EQ_INT(scene.total, *calls);
    ++*calls;
    if (++scene.total < 50)
        CHECK_ERROR(stook_client_post(client, post_again, calls), 0);
    CHECK_EQ_INT(scene.total, *calls); /* not from inside */
}

TEST_BOTH(posts_again)
{
    begin(life);
    CHECK_ERROR(stook_client_post(life->client, post_again, &scene.calls[0]), 0);
    turn_until(life, 50);
}

/* ------------------------------------------------------------------ at the end */

static void closed(void *user)
{
    (void)user;
    scene.life->closed++;
    scene.closed = 1;
}

/* Posted before the close, still called; and before `closed`. */
TEST_BOTH(before_close)
{
    begin(life);
    post_many(scene.calls);
    stook_client_close(life->client, closed, NULL);
    if (life->borrowed)
        uv_run(&life->loop, UV_RUN_DEFAULT);
    life->client = NULL;
    CHECK_EQ_INT(scene.closed, 1);
    for (size_t i = 0; i < POSTS; i++)
        CHECK_EQ_INT(scene.calls[i], 1);
}

/* From a call that runs while the client is closing: taken and called, or refused and not. */
static void post_while_closing(stook_client *client, void *user)
{
    (void)user;
    CHECK_EQ_INT(scene.closed, 0);
    for (size_t i = 0; i < 10; i++) {
        int error = stook_client_post(client, count_call, &scene.calls[i]);
        if (error)
            CHECK_ERROR(error, STOOK_ESTATE);
        scene.accepted[i] = error == 0;
    }
}

TEST_BOTH(while_closing)
{
    begin(life);
    CHECK_ERROR(stook_client_post(life->client, post_while_closing, NULL), 0);
    stook_client_close(life->client, closed, NULL);
    if (life->borrowed)
        uv_run(&life->loop, UV_RUN_DEFAULT);
    life->client = NULL;
    CHECK_EQ_INT(scene.closed, 1);
    for (size_t i = 0; i < 10; i++)
        CHECK_EQ_INT(scene.calls[i], scene.accepted[i]);
}

/* Threads that post into a close: allowed until `closed`, which waits for them here. */
static void *post_until_refused(void *user)
{
    unsigned *calls = user;
    for (size_t i = 0; i < POSTS; i++) {
        int error = stook_client_post(scene.life->client, count_call, &calls[i]);
        if (error)
            CHECK_ERROR(error, STOOK_ESTATE);
        scene.accepted[(size_t)(calls - scene.calls) + i] = error == 0;
    }
    return NULL;
}

static pthread_t closers[THREADS];

/* The client is alive while its callback runs: the threads are let go and collected within. */
static void post_from_threads(stook_client *client, void *user)
{
    (void)client, (void)user;
    start_threads(closers, post_until_refused);
    join(closers);
}

TEST_BOTH(from_threads_while_closing)
{
    begin(life);
    CHECK_ERROR(stook_client_post(life->client, post_from_threads, NULL), 0);
    stook_client_close(life->client, closed, NULL);
    if (life->borrowed)
        uv_run(&life->loop, UV_RUN_DEFAULT);
    life->client = NULL;
    CHECK_EQ_INT(scene.closed, 1);
    for (size_t i = 0; i < THREADS * POSTS; i++)
        CHECK_EQ_INT(scene.calls[i], scene.accepted[i]);
}

/* Another thread learns of the close by `closed` alone: until then a post is refused, not undefined. */
static struct life *alive;
static int runs;

static void called(stook_client *client, void *user)
{
    (void)client, (void)user;
    runs++;
}

static void post_late(void *user)
{
    CHECK_ERROR(stook_client_post(user, called, NULL), STOOK_ESTATE);
    alive->closed++;
}

TEST_BOTH(until_closed)
{
    alive = life;
    life_open(life, NULL);
    stook_client *client = life->client;
    life->client = NULL;
    stook_client_close(client, post_late, client);
    if (life->borrowed)
        uv_run(&life->loop, UV_RUN_DEFAULT);
    CHECK_EQ_INT(life->closed, 1);
    CHECK_EQ_INT(runs, 0);
    life->closed = 0;
}
