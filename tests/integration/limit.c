/* SPDX-License-Identifier: MIT */
/* The number of requests in flight, as the server counts them. The limit is a rolling window. */
#include <stdio.h>
#include <stdlib.h>

#include <stook.h>

#include "support/life.h"
#include "support/plain.h"
#include "support/raw_server.h"

static void gather_at(struct life *life, struct plain *plain, int count, int limit, int delay_ms)
{
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < count; i++)
        add(batch, plain_url(plain, "/todos/%d?delay_ms=%d", i + 1, delay_ms));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = limit)), 0);
    CHECK_EQ_SIZE(stook_batch_count(batch), (size_t)count);
    stook_batch_free(batch);
}

TEST_BOTH(ten_of_199)
{
    struct plain *plain = plain_start();
    life_open(life, NULL);
    gather_at(life, plain, 199, 10, 20);
    CHECK_EQ_INT(plain_count(plain, "most_in_flight"), 10);
    CHECK_EQ_INT(plain_count(plain, "requests"), 199);
    CHECK(plain_count(plain, "connections_opened") <= 10);
}

TEST_BOTH(one_at_a_time)
{
    struct plain *plain = plain_start();
    life_open(life, NULL);
    gather_at(life, plain, 30, 1, 2);
    CHECK_EQ_INT(plain_count(plain, "most_in_flight"), 1);
    CHECK_EQ_INT(plain_count(plain, "requests"), 30);
    CHECK(plain_count(plain, "connections_opened") <= 1);
}

/* One at a time is also in the order of the adds. */
TEST_BOTH(one_at_a_time_in_order)
{
    struct plain *plain = plain_start();
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 20; i++)
        add(batch, plain_url(plain, "/todos/%d?delay_ms=%d", i + 1, i % 3));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    for (size_t i = 0; i < 20; i++)
        CHECK_EQ_SIZE(stook_result_index(stook_batch_result(batch, i)), i);
    stook_batch_free(batch);
}

/* All of them wait for the last one to be seen: without a limit they are in flight together. */
TEST_BOTH(without_a_limit)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 100; i++)
        add(batch, raw_url(server, "/after?path=/after&n=100"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(raw_peak(server, "/after"), 100);
    stook_batch_free(batch);
}

struct roll {
    int before, slow_seen;
};

static void count_before(stook_batch *batch, const stook_result *result, void *user)
{
    struct roll *roll = user;
    (void)batch;
    if (stook_result_index(result) == 3)
        roll->slow_seen = 1;
    else if (!roll->slow_seen)
        roll->before++;
}

/* One slow request holds one slot, not all ten: with waves only nine others would finish. */
TEST_BOTH(rolling)
{
    struct plain *plain = plain_start();
    struct roll roll = {0, 0};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 120; i++)
        add(batch, plain_url(plain, "/todos/%d?delay_ms=%d", i + 1, i == 3 ? 500 : 10));
    CHECK_EQ_INT(
        life_gather(life, batch, &STOOK_GATHER(.limit = 10, .on_result = count_before, .user = &roll)), 0);
    CHECK(roll.before >= 50);
    CHECK(plain_count(plain, "most_in_flight") <= 10);
    stook_batch_free(batch);
}

/* The limit is the batch's own. The first ones are answered only when the limit is reached. */
TEST_BOTH(each_batch_its_own)
{
    struct raw_server *server = raw_server_start(NULL);
    stook_batch *batches[2];
    struct done done[2] = {{0, 0}};
    life_open(life, NULL);
    for (int b = 0; b < 2; b++) {
        batches[b] = life_batch(life);
        for (int i = 0; i < 20; i++)
            add(batches[b], raw_url(server, "/after/%d?path=/after/%d&n=%d", b, b, 2 + b));
        CHECK_ERROR(stook_gather_start(batches[b], &STOOK_GATHER(.limit = 2 + b), count_done, &done[b]), 0);
    }
    life_run(life);
    for (int b = 0; b < 2; b++) {
        CHECK_EQ_INT(done[b].calls, 1);
        CHECK_EQ_INT(done[b].failed, 0);
        stook_batch_free(batches[b]);
    }
    CHECK_EQ_INT(raw_peak(server, "/after/0"), 2);
    CHECK_EQ_INT(raw_peak(server, "/after/1"), 3);
}

/* Responds with the number of the many requests that arrived before it. */
static enum raw_then one_of_few(struct raw_call *call)
{
    char number[16];
    int size = snprintf(number, sizeof number, "%u", raw_seen(call->server, "/after"));
    return raw_answer(call, number, (size_t)size);
}

/* A batch of one does not wait for the many before it: batches start in turn. */
TEST_BOTH(fair)
{
    enum { MANY = 400 };
    static const struct raw_behaviour own[] = {{.path = "/few", .answer = one_of_few}, {.path = NULL}};
    struct raw_server *server = raw_server_start(own);
    struct done many = {0, 0}, one = {0, 0};
    life_open(life, NULL);
    stook_batch *big = life_batch(life), *small = life_batch(life);
    for (int i = 0; i < MANY; i++)
        add(big, raw_url(server, "/after?path=/few")); /* the small one lets them go */
    add(small, raw_url(server, "/few"));
    CHECK_ERROR(stook_gather_start(big, NULL, count_done, &many), 0);
    CHECK_ERROR(stook_gather_start(small, NULL, count_done, &one), 0);
    life_run(life);
    CHECK_EQ_INT(many.calls + one.calls, 2);
    CHECK_EQ_INT(many.failed + one.failed, 0);
    CHECK(atoi(stook_result_body(stook_batch_result(small, 0), NULL)) < MANY / 2);
    stook_batch_free(big);
    stook_batch_free(small);
}

/* ---------------------------------------------------------- work in one turn */

struct pace {
    unsigned results, this_turn, most;
};

static void count_result(stook_batch *batch, const stook_result *result, void *user)
{
    struct pace *pace = user;
    (void)batch, (void)result;
    pace->results++;
    if (++pace->this_turn > pace->most)
        pace->most = pace->this_turn;
}

static void new_turn(uv_prepare_t *prepare)
{
    ((struct pace *)prepare->data)->this_turn = 0;
}

/* A thousand results at once are delivered 128 a turn, at most two turns an iteration of the loop. */
TEST(bounded_deliveries)
{
    static struct life life;
    struct pace pace = {0, 0, 0};
    uv_prepare_t prepare;
    life_begin(&life, 1);
    life_open(&life, NULL);
    uv_prepare_init(&life.loop, &prepare);
    prepare.data = &pace;
    uv_prepare_start(&prepare, new_turn);
    uv_unref((uv_handle_t *)&prepare);
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < 1000; i++)
        add(batch, "http://127.0.0.1:1/");
    stook_batch_cancel(batch);
    CHECK_EQ_INT(life_gather(&life, batch, &STOOK_GATHER(.on_result = count_result, .user = &pace)), 1000);
    CHECK_EQ_INT(pace.results, 1000);
    CHECK(pace.most <= 2 * 128);
    stook_batch_free(batch);
    uv_close((uv_handle_t *)&prepare, NULL);
    life_end(&life);
}
