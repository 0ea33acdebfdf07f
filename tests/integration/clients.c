/* SPDX-License-Identifier: MIT */
/* Several clients: on one loop, on several threads, one inside a callback of another. */
#include <pthread.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

enum { CLIENTS = 3, THREADS = 8 };

static void count_closed(void *user)
{
    ++*(int *)user;
}

/* Each has its own end; the last one standing is not disturbed. */
TEST(on_one_loop)
{
    static struct memory memory;
    struct raw_server *server = raw_server_start(NULL);
    stook_client *clients[CLIENTS];
    stook_batch *batches[CLIENTS];
    struct done done[CLIENTS] = {{0, 0}};
    uv_loop_t loop;
    int closed = 0;
    memory_begin(&memory);
    CHECK_EQ_INT(uv_loop_init(&loop), 0);
    for (int i = 0; i < CLIENTS; i++) {
        CHECK_ERROR(stook_client_new(&loop, &STOOK_CLIENT(.allocator = &memory.allocator), &clients[i]), 0);
        CHECK_ERROR(stook_batch_new(clients[i], &batches[i]), 0);
        for (int k = 0; k < 20; k++)
            add(batches[i], raw_url(server, "/delay/%d?ms=2", i));
        CHECK_ERROR(stook_gather_start(batches[i], &STOOK_GATHER(.limit = 5), count_done, &done[i]), 0);
    }
    stook_client_close(clients[0], count_closed, &closed); /* while the others work */
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_EQ_INT(closed, 1);
    CHECK_EQ_INT(done[0].failed, 20);
    for (int i = 0; i < CLIENTS; i++) {
        CHECK_EQ_INT(done[i].calls, 1);
        if (i > 0)
            CHECK_EQ_INT(done[i].failed, 0);
        stook_batch_free(batches[i]);
    }
    for (int i = 1; i < CLIENTS; i++)
        stook_client_close(clients[i], count_closed, &closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_EQ_INT(closed, CLIENTS);
    CHECK_EQ_INT(uv_loop_close(&loop), 0);
    memory_check_empty(&memory);
}

/* One client a thread, at the same time, first ones of the process: also its one-time set-up. */
static struct raw_server *shared_server;

static void *live(void *user)
{
    stook_client *client;
    int closed = 0;
    (void)user;
    for (int round = 0; round < 3; round++) {
        stook_batch *batch;
        CHECK_ERROR(stook_client_new(NULL, NULL, &client), 0);
        CHECK_ERROR(stook_batch_new(client, &batch), 0);
        for (int i = 0; i < 30; i++)
            add(batch, raw_url(shared_server, "/ok"));
        CHECK_EQ_INT(stook_gather(batch, &STOOK_GATHER(.limit = 4)), 0);
        stook_batch_free(batch);
        stook_client_close(client, count_closed, &closed);
    }
    CHECK_EQ_INT(closed, 3);
    return NULL;
}

/* The same on a loop of the thread's. */
static void *live_on_loop(void *user)
{
    uv_loop_t loop;
    int closed = 0;
    (void)user;
    CHECK_EQ_INT(uv_loop_init(&loop), 0);
    for (int round = 0; round < 3; round++) {
        stook_client *client;
        stook_batch *batch;
        struct done done = {0, 0};
        CHECK_ERROR(stook_client_new(&loop, NULL, &client), 0);
        CHECK_ERROR(stook_batch_new(client, &batch), 0);
        for (int i = 0; i < 30; i++)
            add(batch, raw_url(shared_server, "/ok"));
        CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 4), count_done, &done), 0);
        uv_run(&loop, UV_RUN_DEFAULT);
        CHECK_EQ_INT(done.calls, 1);
        CHECK_EQ_INT(done.failed, 0);
        stook_batch_free(batch);
        stook_client_close(client, count_closed, &closed);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    CHECK_EQ_INT(closed, 3);
    CHECK_EQ_INT(uv_loop_close(&loop), 0);
    return NULL;
}

TEST(on_threads)
{
    pthread_t threads[THREADS];
    shared_server = raw_server_start(NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ_INT(pthread_create(&threads[i], NULL, i % 2 ? live_on_loop : live, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ_INT(pthread_join(threads[i], NULL), 0);
    CHECK_EQ_INT(raw_seen(shared_server, "/ok"), THREADS * 3 * 30);
}

/* A client made on one thread may be used on another, one at a time. */
static void *use(void *user)
{
    struct life *life = user;
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(shared_server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    return NULL;
}

TEST_BOTH(moved_to_a_thread)
{
    pthread_t thread;
    shared_server = raw_server_start(NULL);
    life_open(life, NULL);
    use(life);
    CHECK_EQ_INT(pthread_create(&thread, NULL, use, life), 0);
    CHECK_EQ_INT(pthread_join(thread, NULL), 0);
    use(life);
}

/* ------------------------------------------------------- one inside the other */

struct inner {
    stook_client *client;
    int results;
};

/* A blocking await of another client, that owns its loop, is no mistake. */
static void await_inside(stook_batch *batch, const stook_result *result, void *user)
{
    struct inner *inner = user;
    stook_batch *other;
    (void)batch, (void)result;
    CHECK_ERROR(stook_batch_new(inner->client, &other), 0);
    for (int i = 0; i < 5; i++)
        add(other, raw_url(shared_server, "/ok"));
    CHECK_EQ_INT(stook_gather_ordered(other, &STOOK_GATHER(.limit = 2)), 0);
    stook_batch_free(other);
    inner->results++;
}

TEST_BOTH(blocking_inside_another)
{
    struct inner inner = {NULL, 0};
    shared_server = raw_server_start(NULL);
    life_open(life, NULL);
    CHECK_ERROR(stook_client_new(NULL, NULL, &inner.client), 0);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 5; i++)
        add(batch, raw_url(shared_server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.on_result = await_inside, .user = &inner)), 0);
    CHECK_EQ_INT(inner.results, 5);
    stook_batch_free(batch);
    stook_client_close(inner.client, NULL, NULL);
}

/* And a whole life of another inside a callback. */
static void live_inside(stook_batch *batch, int failed, void *user)
{
    (void)batch, (void)user;
    CHECK_EQ_INT(failed, 0);
    live(NULL);
    tell("lived");
}

TEST_BOTH(a_life_inside_another)
{
    shared_server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(shared_server, "/ok"));
    CHECK_ERROR(stook_gather_start(batch, NULL, live_inside, NULL), 0);
    life_run(life);
    CHECK_STR(told(), "lived");
    stook_batch_free(batch);
}
