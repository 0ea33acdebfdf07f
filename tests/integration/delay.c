/* SPDX-License-Identifier: MIT */
/* delay_ms: not before its time, without a slot meanwhile; its clocks, its place in the order, and its end. */
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

static const int64_t A_DAY = 86400000;

static int64_t queued_us(stook_batch *batch, size_t index)
{
    return stook_result_time_us(stook_batch_result_by_index(batch, index), STOOK_TIME_QUEUED);
}

TEST_BOTH(not_before)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int64_t i = 0; i < 20; i++)
        ADD(batch, raw_url(server, "/ok"), .delay_ms = i * 7 % 60);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    for (size_t i = 0; i < 20; i++)
        CHECK(queued_us(batch, i) >= (int64_t)i * 7 % 60 * 1000);
    stook_batch_free(batch);
}

/* The longer of two is served later, whatever the order of the adds; one without a delay comes before both. */
TEST_BOTH(by_time)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/ok"), .delay_ms = 120, .priority = 7);
    ADD(batch, raw_url(server, "/ok"), .delay_ms = 20, .priority = 1);
    ADD(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ_SIZE(stook_result_index(stook_batch_result(batch, i)), 2 - i);
    stook_batch_free(batch);
}

static void cancel_rest(stook_batch *batch, const stook_result *result, void *user)
{
    int *ok = user;
    if (!stook_result_ok(result)) {
        CHECK_ERROR(stook_result_error(result), STOOK_ECANCELLED);
        CHECK_EQ_INT(stook_result_attempts(result), 0);
        return;
    }
    if (++*ok < 10)
        return;
    CHECK_EQ_INT(stook_batch_request_state(batch, 0), STOOK_STATE_QUEUED_DELAY);
    CHECK_EQ_INT(stook_batch_request_state(batch, 99), STOOK_STATE_QUEUED_DELAY);
    stook_batch_cancel_request(batch, 0);
    stook_batch_cancel(batch);
}

/* A hundred that wait for a day hold no slot, of the client, the origin or the batch; and are cancelled. */
TEST_BOTH(holds_no_slot)
{
    struct raw_server *server = raw_server_start(NULL);
    int ok = 0;
    life_open(life, &STOOK_CLIENT(.limit = 1, .origin_limit = 1));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 100; i++)
        ADD(batch, raw_url(server, "/late"), .delay_ms = A_DAY, .priority = 7);
    for (int i = 0; i < 10; i++)
        add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 1, .on_result = cancel_rest, .user = &ok)), 100);
    CHECK_EQ_INT(raw_seen(server, "/late"), 0);
    stook_batch_free(batch);
}

/* The clock of the queue begins behind the delay; that of the batch does not wait. */
TEST_BOTH(clocks)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.limit = 1));
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/ok"), .delay_ms = 80, .queue_timeout_ms = 60000); /* longer in line than either alone */
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    batch = life_batch(life);
    ADD(batch, raw_url(server, "/stall"), .priority = 7);
    ADD(batch, raw_url(server, "/ok"), .delay_ms = 60, .queue_timeout_ms = 40);
    ADD(batch, raw_url(server, "/ok"), .delay_ms = A_DAY, .queue_timeout_ms = 1);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.timeout_ms = 400)), 3);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 0)), STOOK_ETIMEOUT_BATCH);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 1)), STOOK_ETIMEOUT_QUEUE);
    CHECK(queued_us(batch, 1) >= 100000);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 2)), STOOK_ETIMEOUT_BATCH);
    stook_batch_free(batch);
}

/* With the queue clock as long as the delay, it has not run out when the delay is over. */
TEST_BOTH(queue_clock_behind_it)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/ok"), .delay_ms = 400, .queue_timeout_ms = 390);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
}

/* The states of one that is delayed, waits for its slot, and runs. */
TEST_BOTH(states)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.limit = 1));
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/after?path=/go"), .attempt_timeout_ms = 20000);
    ADD(batch, raw_url(server, "/stall"), .delay_ms = 30);
    CHECK_EQ_INT(stook_batch_request_state(batch, 1), STOOK_STATE_QUEUED_AWAIT);
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    int state = stook_batch_request_state(batch, 1);
    CHECK(state == STOOK_STATE_QUEUED_DELAY || state == STOOK_STATE_QUEUED_CLIENT || state == STOOK_STATE_QUEUED);
    while (stook_batch_request_state(batch, 1) != STOOK_STATE_QUEUED_CLIENT)
        life_turn(life, 1000);
    raw_signal(server, "/go");
    while (stook_batch_request_state(batch, 1) != STOOK_STATE_WAITING)
        life_turn(life, 1000);
    stook_batch_cancel_request(batch, 1);
    life_run(life);
    stook_batch_free(batch);
}

/* --------------------------------------------------------------------------------- many, in order */

struct order {
    size_t next;
};

static void in_order(stook_batch *batch, const stook_result *result, void *user)
{
    struct order *order = user;
    (void)batch;
    CHECK_EQ_SIZE(stook_result_index(result), order->next++);
    CHECK_EQ_INT(stook_result_ok(result), 1);
}

static void head_is_cancelled(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    if (stook_result_index(result) > 0)
        return;
    tell("head");
    CHECK_ERROR(stook_result_error(result), STOOK_ECANCELLED);
}

/* While the head of the order waits for its time, others fill the window, and no more than that. */
TEST_BOTH(head_of_the_order)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/head"), .delay_ms = A_DAY);
    for (int i = 0; i < 100; i++)
        add(batch, raw_url(server, "/others"));
    CHECK_ERROR(stook_gather_ordered_start(batch, &STOOK_GATHER(.limit = 4, .window = 10, .on_result = head_is_cancelled), NULL, NULL), 0);
    for (size_t i = 1; i < 10; i++)
        while (stook_batch_request_state(batch, i) != STOOK_STATE_FINISHED)
            life_turn(life, 1000);
    stook_client_wake(life->client), life_turn(life, 1000);
    CHECK_EQ_INT(raw_seen(server, "/others"), 9);
    CHECK_EQ_INT(stook_batch_request_state(batch, 0), STOOK_STATE_QUEUED_DELAY);
    CHECK_EQ_INT(stook_batch_request_state(batch, 10), STOOK_STATE_QUEUED_WINDOW);
    stook_batch_cancel_request(batch, 0);
    stook_batch_free(batch);
    life_run(life);
    CHECK_STR(told(), "head");
}

/* Delays in all kinds of orders and an ordered await with a window that is smaller by far: all come, in order. */
TEST_BOTH(in_any_order)
{
    static const struct {
        size_t count;
        int64_t limit, window;
        unsigned factor, modulus;
    } cases[] = {{200, 4, 8, 7919, 60}, {600, 10, 64, 104729, 30}, {300, 1, 2, 31, 100}, {300, 0, 40, 7919, 20}};
    struct raw_server *server = raw_server_start(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct order order = {0};
        test_note("case %zu", i);
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        for (size_t k = 0; k < cases[i].count; k++)
            ADD(batch, raw_url(server, "/ok"), .delay_ms = (int64_t)(k * cases[i].factor % cases[i].modulus), .priority = k % 50 == 7 ? 7 : 0);
        CHECK_EQ_INT(life_gather_ordered(life, batch,
                                         &STOOK_GATHER(.limit = cases[i].limit, .window = cases[i].window, .on_result = in_order, .user = &order)),
                     0);
        CHECK_EQ_SIZE(order.next, cases[i].count);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* Ten thousand whose time comes at once. */
TEST_BOTH(ten_thousand)
{
    struct raw_server *server = raw_server_start(NULL);
    struct order order = {0};
    life_open(life, &STOOK_CLIENT(.limit = 20));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10000; i++)
        ADD(batch, raw_url(server, "/ok"), .delay_ms = 200);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.on_result = in_order, .user = &order)), 0);
    CHECK_EQ_SIZE(order.next, 10000);
    CHECK_EQ_INT(raw_seen(server, "/ok"), 10000);
    stook_batch_free(batch);
}

/* One that was cancelled while it was delayed, its batch freed, its client closed: one result each. */
TEST_BOTH(ended_while_delayed)
{
    struct raw_server *server = raw_server_start(NULL);
    for (int how = 0; how < 3; how++) {
        struct done done = {0};
        int ok = 9;
        life->closed = 0;
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 1000; i++)
            ADD(batch, raw_url(server, "/late"), .delay_ms = A_DAY + i % 3);
        add(batch, raw_url(server, "/ok"));
        CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.on_result = how == 0 ? cancel_rest : NULL, .user = &ok), count_done, &done), 0);
        if (how == 0)
            life_run(life);
        else
            life_turn(life, 1000);
        if (how == 1)
            stook_batch_free(batch);
        life_close(life);
        CHECK_EQ_INT(done.calls, 1);
        if (how != 1)
            stook_batch_free(batch);
    }
    CHECK_EQ_INT(raw_seen(server, "/late"), 0);
}
