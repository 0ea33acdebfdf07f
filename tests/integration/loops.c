/* SPDX-License-Identifier: MIT */
/* A borrowed loop: however the program runs it, an await ends, and nothing spins. */
#include <poll.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

static struct life life;

static struct raw_server *begin(void)
{
    life_begin(&life, 1);
    life_open(&life, NULL);
    return raw_server_start(NULL);
}

static stook_batch *start_some(struct raw_server *server, struct done *done)
{
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < 30; i++)
        add(batch, raw_url(server, "/delay?ms=%d", i % 4));
    memset(done, 0, sizeof *done);
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 5), count_done, done), 0);
    return batch;
}

static void check_done(stook_batch *batch, const struct done *done)
{
    CHECK_EQ_INT(done->calls, 1);
    CHECK_EQ_INT(done->failed, 0);
    stook_batch_free(batch);
}

TEST(one_round_at_a_time)
{
    static const uv_run_mode modes[] = {UV_RUN_ONCE, UV_RUN_NOWAIT};
    struct raw_server *server = begin();
    for (size_t i = 0; i < 2; i++) {
        struct done done;
        stook_batch *batch = start_some(server, &done);
        while (done.calls == 0)
            CHECK(uv_run(&life.loop, modes[i]) != 0 || done.calls == 1);
        check_done(batch, &done);
    }
    life_end(&life);
}

static void stop(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

/* The program stops its loop in the middle and runs it again, many times. */
TEST(stopped_and_run_again)
{
    struct raw_server *server = begin();
    struct done done;
    uv_timer_t timer;
    unsigned rounds = 0;
    uv_timer_init(&life.loop, &timer);
    uv_timer_start(&timer, stop, 1, 1);
    stook_batch *batch = start_some(server, &done);
    while (done.calls == 0) {
        uv_run(&life.loop, UV_RUN_DEFAULT);
        rounds++;
    }
    CHECK(rounds > 1);
    check_done(batch, &done);
    uv_close((uv_handle_t *)&timer, NULL);
    life_end(&life);
}

/* Inside another kind of loop: what libuv says of its descriptor and its time-out is the truth. */
TEST(inside_another_loop)
{
    struct raw_server *server = begin();
    struct done done = {0, 0};
    unsigned rounds = 0;
    stook_batch *batch = life_batch(&life);
    add(batch, raw_url(server, "/delay?ms=300"));
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
    while (done.calls == 0) {
        struct pollfd readable = {.fd = uv_backend_fd(&life.loop), .events = POLLIN};
        poll(&readable, 1, uv_backend_timeout(&life.loop));
        uv_run(&life.loop, UV_RUN_NOWAIT);
        rounds++;
    }
    CHECK(rounds < 100); /* about ten are needed; a loop that spins makes many thousands */
    check_done(batch, &done);
    life_end(&life);
}

static void count_round(uv_prepare_t *prepare)
{
    ++*(unsigned *)prepare->data;
}

/* Waiting for an answer, for a clock, for a connection at rest: the loop sleeps. */
TEST(nothing_spins)
{
    struct raw_server *server = begin();
    unsigned rounds = 0;
    uv_prepare_t prepare;
    uv_prepare_init(&life.loop, &prepare);
    prepare.data = &rounds;
    uv_prepare_start(&prepare, count_round);
    uv_unref((uv_handle_t *)&prepare);
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < 5; i++)
        add(batch, raw_url(server, "/close-after")); /* ended by the server, at rest */
    add(batch, raw_url(server, "/delay?ms=250"));
    ADD(batch, raw_url(server, "/stall"), .timeout_ms = 250);
    CHECK_EQ_INT(life_gather(&life, batch, NULL), 1);
    CHECK(rounds < 200);
    stook_batch_free(batch);
    uv_close((uv_handle_t *)&prepare, NULL);
    life_end(&life);
}

static int depth, results;

/* The program runs its loop inside a callback. It should not; nothing may come of it. */
static void run_inside(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    CHECK_EQ_INT(depth++, 0); /* no callback within a callback */
    for (int i = 0; i < 5; i++)
        uv_run(&life.loop, UV_RUN_NOWAIT);
    CHECK_EQ_INT(stook_result_ok(result), 1);
    depth--;
    results++;
}

TEST(run_inside_a_callback)
{
    struct raw_server *server = begin();
    stook_batch *batch = life_batch(&life);
    depth = results = 0;
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(server, "/delay?ms=%d", i % 3));
    CHECK_EQ_INT(life_gather(&life, batch, &STOOK_GATHER(.limit = 4, .on_result = run_inside)), 0);
    CHECK_EQ_INT(results, 20);
    stook_batch_free(batch);
    life_end(&life);
}

struct timed {
    struct raw_server *server;
    stook_batch *batch;
    struct done done;
};

static void start_later(uv_timer_t *timer)
{
    struct timed *timed = timer->data;
    timed->batch = life_batch(&life);
    add(timed->batch, raw_url(timed->server, "/ok"));
    CHECK_ERROR(stook_gather_start(timed->batch, NULL, count_done, &timed->done), 0);
    CHECK_EQ_INT(timed->done.calls, 0);
    uv_close((uv_handle_t *)timer, NULL);
}

/* Started from a callback that is not ours, as the last thing that keeps the loop alive. */
TEST(started_from_a_timer)
{
    struct timed timed = {begin(), NULL, {0, 0}};
    uv_timer_t timer;
    uv_timer_init(&life.loop, &timer);
    timer.data = &timed;
    uv_timer_start(&timer, start_later, 1, 0);
    uv_run(&life.loop, UV_RUN_DEFAULT);
    check_done(timed.batch, &timed.done);
    CHECK_EQ_INT(uv_loop_alive(&life.loop), 0);
    life_end(&life);
}

static void close_if_not_stooks(uv_handle_t *handle, void *user)
{
    unsigned *counts = user;
    int is_stooks = stook_owns_handle(handle);
    counts[is_stooks]++;
    if (!is_stooks && !uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* A program that closes the handles of its loop skips ours, and they close with their client. */
TEST(walked_and_closed)
{
    unsigned counts[2] = {0};
    uv_timer_t timer;
    uv_async_t async;
    struct raw_server *server = begin();
    struct done done;
    CHECK_EQ_INT(stook_owns_handle(NULL), 0);
    uv_timer_init(&life.loop, &timer);
    uv_timer_start(&timer, stop, 1000000, 0);
    CHECK_EQ_INT(uv_async_init(&life.loop, &async, NULL), 0);
    stook_batch *batch = start_some(server, &done);
    for (int i = 0; i < 5; i++)
        uv_run(&life.loop, UV_RUN_NOWAIT);
    uv_walk(&life.loop, close_if_not_stooks, counts);
    CHECK_EQ_INT(counts[0], 2);
    CHECK(counts[1] >= 5); /* the client's own, and a connection */
    uv_run(&life.loop, UV_RUN_DEFAULT);
    check_done(batch, &done);
    life_end(&life);
}
