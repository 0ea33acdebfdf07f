/* SPDX-License-Identifier: MIT */
/*
 * A client inside other event loops: poll(), epoll and GLib watch its descriptor, wait no longer than its
 * time-out, and call a turn. Meanwhile another thread posts. No loop spins, and none sleeps past a clock.
 */
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <glib.h>

#include <stook.h>

#include "support/life.h"
#include "support/plain.h"
#include "support/raw_server.h"

enum { REQUESTS = 120, POSTS = 40, LIMIT = 8, STALL_MS = 200 };

static struct scene {
    struct life life;
    stook_batch *batch, *stalled;
    struct done done, stalled_done;
    unsigned turns, posted, results;
    int64_t stall_due; /* us; its clock has run out by then */
    pthread_t thread;
    sem_t heard;
} scene;

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static void hear(stook_client *client, void *user)
{
    (void)client, (void)user;
    scene.posted++;
    sem_post(&scene.heard);
}

/* One after the other, so that most find the loop asleep. */
static void *post(void *user)
{
    (void)user;
    for (int i = 0; i < POSTS; i++) {
        CHECK_ERROR(stook_client_post(scene.life.client, hear, NULL), 0);
        while (sem_wait(&scene.heard) != 0)
            ;
    }
    return NULL;
}

static void count_result(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    CHECK_EQ_INT(stook_result_ok(result), 1);
    scene.results++;
}

static void begin(void)
{
    struct plain *plain = plain_start();
    struct raw_server *raw = raw_server_start(NULL);
    memset(&scene, 0, sizeof scene);
    sem_init(&scene.heard, 0, 0);
    life_begin(&scene.life, 0);
    life_open(&scene.life, NULL);
    scene.batch = life_batch(&scene.life);
    for (int i = 0; i < REQUESTS; i++)
        add(scene.batch, plain_url(plain, "/todos/%d?delay_ms=%d", 1 + i % 20, i % 4));
    CHECK_ERROR(stook_gather_ordered_start(scene.batch, &STOOK_GATHER(.limit = LIMIT, .on_result = count_result),
                                           count_done, &scene.done), 0);
    scene.stalled = life_batch(&scene.life);
    ADD(scene.stalled, raw_url(raw, "/stall"), .timeout_ms = STALL_MS);
    CHECK_ERROR(stook_gather_start(scene.stalled, NULL, count_done, &scene.stalled_done), 0);
    CHECK_EQ_INT(pthread_create(&scene.thread, NULL, post, NULL), 0);
}

/* How long the loop may wait: never beyond the clock of the request that has no answer. */
static int waits_ms(void)
{
    int64_t now = now_us(), left = stook_client_timeout_ms(scene.life.client);
    CHECK(left >= 0 || left == STOOK_NONE);
    CHECK(left <= INT_MAX);
    if (scene.stall_due != 0 && scene.stalled_done.calls == 0) {
        int64_t most = scene.stall_due > now ? (scene.stall_due - now) / 1000 + 2 : 1; /* whole ms of libuv's clock */
        CHECK(left >= 0 && left <= most);
    }
    return (int)left;
}

static void turn(void)
{
    int left = stook_client_turn(scene.life.client, 0);
    CHECK(left >= 0);
    CHECK_EQ_INT(left, !scene.done.calls + !scene.stalled_done.calls);
    if (scene.turns++ == 1) /* it has started, in the first or the second */
        scene.stall_due = now_us() + STALL_MS * 1000;
}

static int is_over(void)
{
    return scene.done.calls > 0 && scene.stalled_done.calls > 0 && scene.posted == POSTS;
}

/* What was to come has come, in as many turns as there were things to do. */
static void end(void)
{
    CHECK_EQ_INT(scene.done.failed, 0);
    CHECK_EQ_INT((int)scene.results, REQUESTS);
    CHECK_EQ_INT(scene.stalled_done.failed, 1);
    CHECK_ERROR(stook_result_error(stook_batch_result(scene.stalled, 0)), STOOK_ETIMEOUT_TOTAL);
    test_note("%u turns", scene.turns);
    CHECK(scene.turns <= 4 * (REQUESTS + POSTS)); /* one that spins makes ten thousands while the last clock runs */
    pthread_join(scene.thread, NULL);
    sem_destroy(&scene.heard);
    stook_batch_free(scene.batch);
    stook_batch_free(scene.stalled);
    life_end(&scene.life);
}

static int watch(int fd, int timeout_ms)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    return poll(&readable, 1, timeout_ms);
}

TEST(in_poll)
{
    begin();
    while (!is_over()) {
        watch(stook_client_fd(scene.life.client), waits_ms());
        turn();
    }
    end();
}

TEST(in_epoll)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    begin();
    CHECK_EQ_INT(epoll_ctl(epoll, EPOLL_CTL_ADD, stook_client_fd(scene.life.client), &event), 0);
    while (!is_over()) {
        epoll_wait(epoll, &event, 1, waits_ms());
        turn();
    }
    close(epoll); /* before the client closes its own */
    end();
}

/* ------------------------------------------------------------------------- GLib */

struct source {
    GSource base;
    gpointer tag; /* of the descriptor */
};

static gboolean prepare(GSource *base, gint *timeout_ms)
{
    (void)base;
    *timeout_ms = waits_ms();
    return *timeout_ms == 0;
}

static gboolean check(GSource *base)
{
    struct source *source = (struct source *)base;
    return g_source_query_unix_fd(base, source->tag) != 0 || waits_ms() == 0;
}

static gboolean dispatch(GSource *base, GSourceFunc callback, gpointer user)
{
    (void)base, (void)callback, (void)user;
    turn();
    return G_SOURCE_CONTINUE;
}

TEST(in_glib)
{
    GSourceFuncs functions = {.prepare = prepare, .check = check, .dispatch = dispatch};
    GMainContext *context = g_main_context_new();
    begin();
    GSource *base = g_source_new(&functions, sizeof(struct source));
    struct source *source = (struct source *)base;
    source->tag = g_source_add_unix_fd(base, stook_client_fd(scene.life.client), G_IO_IN);
    g_source_attach(base, context);
    while (!is_over())
        g_main_context_iteration(context, TRUE);
    g_source_destroy(base);
    g_source_unref(base);
    g_main_context_unref(context);
    end();
}

/* ---------------------------------------------------------------- while nothing happens */

/* Connections at rest, one of them ended by its server: the outer loop sleeps. */
TEST(at_rest)
{
    struct raw_server *server = raw_server_start(NULL);
    unsigned turns = 0;
    life_begin(&scene.life, 0);
    life_open(&scene.life, NULL);
    stook_client *client = scene.life.client;
    stook_batch *batch = life_batch(&scene.life);
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(server, i % 2 ? "/close-after" : "/ok"));
    CHECK_EQ_INT(stook_gather(batch, NULL), 0);
    stook_batch_free(batch);
    raw_wait(server, "/gone", 10);
    for (int64_t left; (left = stook_client_timeout_ms(client)) != STOOK_NONE || watch(stook_client_fd(client), 0) > 0;) {
        watch(stook_client_fd(client), (int)left);
        CHECK_EQ_INT(stook_client_turn(client, 0), 0);
        CHECK(++turns < 100);
    }
    life_end(&scene.life);
}

static void close_client(stook_batch *batch, int failed, void *user)
{
    count_done(batch, failed, user);
    stook_client_close(scene.life.client, NULL, NULL);
}

/* The end by the same three calls: the last turn says it, and takes the descriptor along. */
TEST(to_the_end)
{
    struct raw_server *server = raw_server_start(NULL);
    struct done done = {0, 0};
    int left = 1;
    life_begin(&scene.life, 0);
    life_open(&scene.life, NULL);
    stook_batch *batch = life_batch(&scene.life);
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(server, "/delay?ms=%d", i % 3));
    CHECK_ERROR(stook_gather_start(batch, NULL, close_client, &done), 0);
    for (unsigned turns = 0; left > 0; turns++) {
        watch(stook_client_fd(scene.life.client), (int)stook_client_timeout_ms(scene.life.client));
        left = stook_client_turn(scene.life.client, 0);
        CHECK(turns < 400);
    }
    CHECK_ERROR(left, STOOK_ECLOSED);
    CHECK_EQ_INT(done.calls, 1);
    scene.life.client = NULL;
    stook_batch_free(batch);
    life_end(&scene.life);
}
