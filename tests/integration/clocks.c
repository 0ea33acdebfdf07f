/* SPDX-License-Identifier: MIT */
/*
 * The clocks, each with its own error. Every test switches the other clocks off, so that only the clock
 * under test can end the request: if it fails, the test hangs.
 */
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"

#define NO_CLOCKS                                                                                 \
    .queue_timeout_ms = STOOK_NONE, .attempt_timeout_ms = STOOK_NONE,                             \
    .connect_timeout_ms = STOOK_NONE, .timeout_ms = STOOK_NONE, .stall_timeout_ms = STOOK_NONE

/* The default of a test: no clock but the one that its request sets. */
static void open_timeless(struct life *life)
{
    life_open(life, &STOOK_CLIENT(NO_CLOCKS));
}

static const stook_result *await_one(struct life *life, stook_batch *batch, int error)
{
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    const stook_result *result = stook_batch_result(batch, 0);
    CHECK_ERROR(stook_result_error(result), error);
    CHECK_CONTAINS(stook_result_message(result), stook_strerror(error));
    CHECK_EQ_INT(stook_result_ok(result), 0);
    return result;
}

/* One exchange at any point: no response, half a header section, half a body. */
TEST_BOTH(attempt)
{
    static const char *const paths[] = {"/stall", "/stall-head", "/stall-body"};
    struct raw_server *server = raw_server_start(NULL);
    open_timeless(life);
    for (size_t i = 0; i < 3; i++) {
        stook_batch *batch = life_batch(life);
        const char *url = raw_url(server, "%s", paths[i]);
        ADD(batch, url, .attempt_timeout_ms = 60);
        const stook_result *result = await_one(life, batch, STOOK_ETIMEOUT_ATTEMPT);
        CHECK_EQ_INT(stook_result_attempts(result), 1);
        CHECK_CONTAINS(stook_result_message(result), "60 ms");
        if (i == 2) { /* what came is there */
            CHECK_EQ_INT(stook_result_status(result), 200);
            CHECK_STR(stook_result_body(result, NULL), "abc");
            CHECK_STR(stook_result_protocol(result), "HTTP/1.1");
        }
        stook_batch_free(batch);
        CHECK_EQ_INT(raw_seen(server, paths[i]), 1); /* a deadline is no reason to ask again */
    }
}

TEST_BOTH(whole)
{
    struct raw_server *server = raw_server_start(NULL);
    open_timeless(life);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/stall"), .timeout_ms = 60);
    CHECK_EQ_INT(stook_result_attempts(await_one(life, batch, STOOK_ETIMEOUT_TOTAL)), 1);
    stook_batch_free(batch);
}

/* The client's clock applies to its requests. A request's own takes precedence, also if it is off. */
TEST_BOTH(levels)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = 60));
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/stall"));
    ADD(batch, raw_url(server, "/delay?ms=180"), .attempt_timeout_ms = STOOK_NONE);
    ADD(batch, raw_url(server, "/delay?ms=180"), .attempt_timeout_ms = 20000);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ETIMEOUT_ATTEMPT);
    CHECK_EQ_INT(stook_result_ok(stook_batch_result(batch, 1)), 1);
    CHECK_EQ_INT(stook_result_ok(stook_batch_result(batch, 2)), 1);
    stook_batch_free(batch);
}

/* Time in the queue has a clock of its own and counts towards no other. */
TEST_BOTH(queue)
{
    struct raw_server *server = raw_server_start(NULL);
    open_timeless(life);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/delay?ms=250"));
    ADD(batch, raw_url(server, "/ok"), .queue_timeout_ms = 60);
    ADD(batch, raw_url(server, "/delay?ms=10"), .attempt_timeout_ms = 200, .timeout_ms = 200,
        .stall_timeout_ms = 200);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 1);
    const stook_result *late = stook_batch_result(batch, 1), *last = stook_batch_result(batch, 2);
    CHECK_ERROR(stook_result_error(late), STOOK_ETIMEOUT_QUEUE);
    CHECK_CONTAINS(stook_result_message(late), "60 ms");
    CHECK_EQ_INT(stook_result_attempts(late), 0);
    CHECK(stook_result_time_us(late, STOOK_TIME_QUEUED) >= 59000);
    CHECK_EQ_INT(stook_result_time_us(late, STOOK_TIME_TOTAL), 0);
    CHECK_EQ_INT(raw_seen(server, "/ok"), 0);
    CHECK_ERROR(stook_result_error(last), 0); /* 250 ms in the queue, and then 200 of its own */
    CHECK(stook_result_time_us(last, STOOK_TIME_QUEUED) >= 240000);
    CHECK(stook_result_time_us(last, STOOK_TIME_TOTAL) < stook_result_time_us(last, STOOK_TIME_QUEUED));
    stook_batch_free(batch);
}

/* The batch's deadline ends what is in flight and what waits. What is finished stays. */
TEST_BOTH(batch)
{
    for (int ordered = 0; ordered <= 1; ordered++) {
        struct raw_server *server = raw_server_start(NULL);
        open_timeless(life);
        stook_batch *batch = life_batch(life);
        add(batch, raw_url(server, "/ok"));
        for (int i = 0; i < 5; i++)
            add(batch, raw_url(server, "/stall"));
        CHECK_EQ_INT((ordered ? life_gather_ordered : life_gather)(
                         life, batch, &STOOK_GATHER(.limit = 3, .timeout_ms = 150)), 5);
        CHECK_EQ_INT(stook_result_ok(stook_batch_result_by_index(batch, 0)), 1);
        for (size_t i = 1; i < 6; i++) {
            const stook_result *result = stook_batch_result_by_index(batch, i);
            CHECK_ERROR(stook_result_error(result), STOOK_ETIMEOUT_BATCH);
            CHECK_EQ_INT(stook_result_attempts(result), i < 4); /* the others never started */
        }
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/ok"))), STOOK_ESTATE);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* It runs from the await, not from the making. */
TEST_BOTH(batch_from_the_await)
{
    struct raw_server *server = raw_server_start(NULL);
    open_timeless(life);
    stook_batch *early = life_batch(life), *batch = life_batch(life);
    add(early, raw_url(server, "/ok"));
    add(batch, raw_url(server, "/delay?ms=300"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(life_gather(life, early, &STOOK_GATHER(.timeout_ms = 250)), 0);
    stook_batch_free(batch);
    stook_batch_free(early);
}

TEST_BOTH(stall)
{
    static const char *const paths[] = {"/stall", "/stall-head", "/stall-body"};
    struct raw_server *server = raw_server_start(NULL);
    open_timeless(life);
    for (size_t i = 0; i < 3; i++) {
        stook_batch *batch = life_batch(life);
        const char *url = raw_url(server, "%s", paths[i]);
        ADD(batch, url, .stall_timeout_ms = 80);
        const stook_result *result = await_one(life, batch, STOOK_ETIMEOUT_STALL);
        CHECK_STR(stook_result_body(result, NULL), i == 2 ? "abc" : "");
        stook_batch_free(batch);
    }
}

/* Each byte of the header section takes 40 ms, and a line takes longer than the clock. */
static enum raw_then drip_header(struct raw_call *call)
{
    static const char bytes[] = "HTTP/1.1 200 OK\r\nX-Long: 0123456789012345678901\r\nContent-Length: 2\r\n\r\nok";
    for (size_t i = 0; i < sizeof bytes - 1 && raw_send(call, bytes + i, 1); i++)
        raw_pause(40);
    return RAW_KEEP;
}

TEST_BOTH(header_byte_by_byte)
{
    static const struct raw_behaviour own[] = {{.path = "/drip-header", .answer = drip_header}, {.path = NULL}};
    struct raw_server *server = raw_server_start(own);
    open_timeless(life);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/drip-header"));
    ADD(batch, raw_url(server, "/drip-header"), .stall_timeout_ms = 700);
    life_gather(life, batch, NULL);
    for (size_t i = 0; i < 2; i++)
        CHECK_STR(stook_result_message(stook_batch_result(batch, i)), "OK");
    stook_batch_free(batch);
    batch = life_batch(life); /* and over a connection that is there */
    ADD(batch, raw_url(server, "/drip-header"), .stall_timeout_ms = 700);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
}

/* A slow body is not stalled: 50 bytes in 2 s, never a second without a byte. */
TEST_BOTH(drip_is_no_stall)
{
    struct raw_server *server = raw_server_start(NULL);
    open_timeless(life);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/drip?n=50&ms=40"), .stall_timeout_ms = 1000);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_SIZE(strlen(stook_result_body(stook_batch_result(batch, 0), NULL)), 50);
    stook_batch_free(batch);
}

/* A port that neither accepts nor refuses. */
TEST_BOTH(connect)
{
    open_timeless(life);
    const char *url = text("http://127.0.0.1:%d/", silent_port());
    stook_batch *batch = life_batch(life);
    ADD(batch, url, .connect_timeout_ms = 80);
    const stook_result *result = await_one(life, batch, STOOK_ETIMEOUT_ATTEMPT);
    CHECK_EQ_INT(stook_result_status(result), 0);
    CHECK_EQ_INT(stook_result_time_us(result, STOOK_TIME_CONNECT), 0);
    CHECK_EQ_INT(stook_result_time_us(result, STOOK_TIME_FIRST_BYTE), 0);
    stook_batch_free(batch);
}

/* Connecting is part of the attempt, and of the whole. */
TEST_BOTH(connect_within_others)
{
    open_timeless(life);
    int port = silent_port();
    stook_batch *batch = life_batch(life);
    ADD(batch, text("http://127.0.0.1:%d/", port), .attempt_timeout_ms = 60);
    ADD(batch, text("http://127.0.0.1:%d/", port), .timeout_ms = 60);
    ADD(batch, text("http://127.0.0.1:%d/", port), .stall_timeout_ms = 60);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 3);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ETIMEOUT_ATTEMPT);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 1)), STOOK_ETIMEOUT_TOTAL);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 2)), STOOK_ETIMEOUT_STALL);
    stook_batch_free(batch);
}

/* The connect clock ends when the request is connected. */
TEST_BOTH(connected_in_time)
{
    struct raw_server *server = raw_server_start(NULL);
    open_timeless(life);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/delay?ms=400"), .connect_timeout_ms = 200);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
}

/* ----------------------------------------------------- reported without delay */

static void too_late(uv_timer_t *timer)
{
    (void)timer;
    FAIL("an await whose last request has timed out is reported only with the next event");
}

/*
 * The last request of a batch ends by a clock, and nothing else happens on the loop: `done` must
 * not wait for the next event. The only other one is ten seconds away.
 */
TEST(last_by_a_clock)
{
    static struct life life;
    struct raw_server *server = raw_server_start(NULL);
    uv_timer_t timer;
    life_begin(&life, 1);
    open_timeless(&life);
    uv_timer_init(&life.loop, &timer);
    uv_timer_start(&timer, too_late, 10000, 0);
    uv_unref((uv_handle_t *)&timer);
    for (int i = 0; i < 4; i++) {
        stook_batch *batch = life_batch(&life);
        struct stook_request request = STOOK_REQUEST(raw_url(server, "/stall"));
        request.attempt_timeout_ms = i == 0 ? 30 : 0;
        request.timeout_ms = i == 1 ? 30 : 0;
        request.stall_timeout_ms = i == 2 ? 30 : 0;
        CHECK_ERROR(stook_batch_add(batch, &request), 0);
        CHECK_EQ_INT(life_gather(&life, batch, &STOOK_GATHER(.timeout_ms = i == 3 ? 30 : 0)), 1);
        stook_batch_free(batch);
    }
    uv_close((uv_handle_t *)&timer, NULL);
    life_end(&life);
}

/* Hundreds of clocks run out together, and more never do. */
TEST_BOTH(many_at_once)
{
    struct raw_server *server = raw_server_start(NULL);
    open_timeless(life);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 300; i++)
        ADD(batch, .url = raw_url(server, i % 2 ? "/stall" : "/ok"),
            .attempt_timeout_ms = i % 2 ? 100 + i % 7 : 50000);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 200)), 150);
    for (size_t i = 0; i < 300; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, i)), i % 2 ? STOOK_ETIMEOUT_ATTEMPT : 0);
    stook_batch_free(batch);
}
