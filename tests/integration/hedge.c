/* SPDX-License-Identifier: MIT */
/* Hedges: when a second attempt is sent beside the first, over what, how many, and which of the two is the result. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/fail_nth.h"
#include "support/life.h"
#include "support/raw_server.h"

/* ------------------------------------------------------------------- the peer */

/* The first hangs, the second says whether it came over a connection of its own. */
static enum raw_then hang_first(struct raw_call *call)
{
    if (call->seen == 1)
        return RAW_HOLD;
    return raw_answer(call, call->on_connection == 1 ? "own" : "same", call->on_connection == 1 ? 3 : 4);
}

/* The first is slow, the second fails. */
static enum raw_then second_fails(struct raw_call *call)
{
    if (call->seen == 1) {
        raw_wait(call->server, "/failed", 1);
        return raw_answer(call, "first", 5);
    }
    raw_signal(call->server, "/failed");
    if (raw_number(call, "status") == 0)
        return RAW_RESET;
    raw_say(call, "HTTP/1.1 %ld Bad\r\nContent-Length: 0\r\n\r\n", raw_number(call, "status"));
    return RAW_KEEP;
}

/* The first has begun its response and hangs in the body until it is told to go on. */
static enum raw_then begins(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo");
    raw_wait(call->server, "/go", 1);
    raw_say(call, "dy");
    return RAW_KEEP;
}

static enum raw_then hang(struct raw_call *call)
{
    (void)call;
    return RAW_HOLD;
}

/* The first hangs, the body of the second comes slowly. */
static enum raw_then drip_second(struct raw_call *call)
{
    if (call->seen == 1)
        return RAW_HOLD;
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n");
    for (int i = 0; i < 12; i++) {
        raw_pause(60);
        raw_say(call, "x");
    }
    return RAW_KEEP;
}

/* The first hangs, the body of the second is long. */
static enum raw_then long_second(struct raw_call *call)
{
    static char body[1 << 20];
    if (call->seen == 1)
        return RAW_HOLD;
    return raw_answer(call, body, sizeof body);
}

/* When it is told to. */
static enum raw_then waits(struct raw_call *call)
{
    raw_wait(call->server, "/go", 1);
    return raw_answer(call, "x", 1);
}

/* The first says when to come back, the second is good. */
static enum raw_then first_refuses(struct raw_call *call)
{
    if (call->seen > 1) {
        raw_wait(call->server, "/refused", 1);
        raw_pause(50);
        return raw_answer(call, "second", 6);
    }
    raw_wait(call->server, call->path, 2);
    raw_say(call, "HTTP/1.1 429 Slow\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n");
    raw_signal(call->server, "/refused");
    return RAW_KEEP;
}

static const struct raw_behaviour behaviours[] = {
    {"/first-refuses", .answer = first_refuses},
    {"/drip-second", .answer = drip_second}, {"/long-second", .answer = long_second}, {"/waits", .answer = waits},
    {"/hang-first", .answer = hang_first}, {"/second-fails", .answer = second_fails}, {"/begins", .answer = begins}, {"/hang", .answer = hang}, {NULL}};

static struct raw_server *server;

static void open_with(struct life *life, const struct stook_client_options *options)
{
    server = raw_server_start(behaviours);
    life_open(life, options);
}

/* A hedge may be sent once twenty requests of the origin have been. */
static void warm_up(struct life *life, int count)
{
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < count; i++)
        ADD(batch, raw_url(server, "/ok"), .hedge_after_ms = 100000);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 2)), 0);
    stook_batch_free(batch);
}

static const stook_result *fetch(struct life *life, const struct stook_request *request, stook_batch **ret_batch)
{
    *ret_batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(*ret_batch, request), 0);
    life_gather(life, *ret_batch, NULL);
    return stook_batch_result(*ret_batch, 0);
}

/* ------------------------------------------------------------------------------- the two */

TEST_BOTH(the_second_wins)
{
    stook_batch *batch;
    open_with(life, NULL);
    warm_up(life, 20);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/hang-first"), .hedge_after_ms = 5), &batch);
    CHECK_EQ_INT(stook_result_ok(result), 1);
    CHECK_STR(stook_result_body(result, NULL), "own");
    CHECK_EQ_INT(raw_seen(server, "/hang-first"), 2);
    CHECK_EQ_INT(stook_result_attempts(result), 2);
    struct stook_attempt attempt = STOOK_ATTEMPT(); /* the pair is one try */
    CHECK_ERROR(stook_result_attempt_at(result, 1, &attempt), STOOK_ESTATE);
    raw_wait(server, "/gone", 1); /* the loser's connection is closed */
    stook_batch_free(batch);
}

TEST_BOTH(the_second_fails)
{
    stook_batch *batch;
    open_with(life, NULL);
    warm_up(life, 40);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/second-fails/a"), .hedge_after_ms = 5), &batch);
    CHECK_STR(stook_result_body(result, NULL), "first");
    CHECK_EQ_INT(raw_seen(server, "/second-fails/a"), 2);
    stook_batch_free(batch);
}

/* What the lost one of two says of the server counts as if it were alone. */
TEST_BOTH(the_first_is_refused)
{
    stook_batch *batch;
    open_with(life, &STOOK_CLIENT(.circuit_failures = 1000));
    warm_up(life, 20);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/first-refuses"), .hedge_after_ms = 5), &batch);
    CHECK_STR(stook_result_body(result, NULL), "second");
    int64_t cooldown = life_origin(life, raw_port(server)).cooldown_ms;
    test_note("cool-down %d ms", (int)cooldown);
    CHECK(cooldown > 20000 && cooldown <= 34000);
    stook_batch_free(batch);
}

/* A refusal is no good response either. */
TEST_BOTH(the_second_is_refused)
{
    stook_batch *batch;
    open_with(life, NULL);
    warm_up(life, 20);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/second-fails?status=503"), .hedge_after_ms = 5), &batch);
    CHECK_STR(stook_result_body(result, NULL), "first");
    stook_batch_free(batch);
}

/* What comes to the second keeps the request alive, whatever the first does. */
TEST_BOTH(the_second_is_slow)
{
    stook_batch *batch;
    open_with(life, &STOOK_CLIENT(.stall_timeout_ms = 400));
    warm_up(life, 20);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/drip-second"), .hedge_after_ms = 5), &batch);
    CHECK_ERROR(stook_result_error(result), 0);
    CHECK_STR(stook_result_body(result, NULL), "xxxxxxxxxxxx");
    stook_batch_free(batch);
}

static void note_ok(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch;
    *(int *)user += stook_result_ok(result);
}

/* A second one that was paused for room is read when its request is the head of the order. Meanwhile no clock
   of the request runs. */
TEST_BOTH(the_second_is_paused)
{
    int n_ok = 0;
    open_with(life, NULL);
    warm_up(life, 20);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/waits"));
    ADD(batch, raw_url(server, "/long-second"), .hedge_after_ms = 5, .stall_timeout_ms = 150, .timeout_ms = 2000);
    CHECK_ERROR(stook_gather_ordered_start(batch, &STOOK_GATHER(.max_buffered_bytes = 1000, .on_result = note_ok, .user = &n_ok), NULL, NULL), 0);
    while (raw_seen(server, "/long-second") < 2)
        life_turn(life, 10);
    stook_batch *other = life_batch(life);
    add(other, raw_url(server, "/delay/x?ms=400"));
    CHECK_ERROR(stook_gather_start(other, NULL, NULL, NULL), 0);
    while (stook_batch_request_state(other, 0) != STOOK_STATE_DONE)
        life_turn(life, 10);
    raw_signal(server, "/go");
    life_run(life);
    CHECK_EQ_INT(n_ok, 2);
    stook_batch_free(batch);
    stook_batch_free(other);
}

/* ------------------------------------------------------------------------------ when not */

TEST_BOTH(off)
{
    open_with(life, NULL);
    warm_up(life, 20);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/hang"));
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    while (raw_seen(server, "/hang") < 1)
        life_turn(life, 10);
    stook_batch_cancel(batch);
    life_run(life);
    CHECK_EQ_INT(raw_seen(server, "/hang"), 1);
    stook_batch_free(batch);
}

/* Once a byte of the response has come, no second one is sent. */
TEST_BOTH(after_the_first_byte)
{
    open_with(life, NULL);
    warm_up(life, 20);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/begins"), .hedge_after_ms = 200);
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    while (stook_batch_request_state(batch, 0) != STOOK_STATE_RECEIVING)
        life_turn(life, 10);
    ADD(batch, raw_url(server, "/delay/x?ms=300")); /* by then the time has passed */
    while (stook_batch_request_state(batch, 1) != STOOK_STATE_DONE)
        life_turn(life, 10);
    CHECK_EQ_INT(raw_seen(server, "/begins"), 1);
    raw_signal(server, "/go");
    life_run(life);
    CHECK_STR(stook_result_body(stook_batch_result_by_index(batch, 0), NULL), "body");
    stook_batch_free(batch);
}

/* Never more than one in twenty of what an origin gets, however many are slow. */
TEST_BOTH(one_in_twenty)
{
    open_with(life, &STOOK_CLIENT(.attempt_timeout_ms = 300));
    warm_up(life, 60);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 40; i++)
        ADD(batch, raw_url(server, "/hang"), .hedge_after_ms = 5);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 40);
    unsigned seen = raw_seen(server, "/hang");
    test_note("%u", seen);
    CHECK(seen > 40 && seen <= 40 + (60 + 40) / 20);
    stook_batch_free(batch);
}

/* It needs a place of its own. */
TEST_BOTH(only_with_room)
{
    open_with(life, &STOOK_CLIENT(.origin_limit = 1, .attempt_timeout_ms = 200));
    warm_up(life, 40);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/hang"), .hedge_after_ms = 5);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_EQ_INT(raw_seen(server, "/hang"), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ETIMEOUT_ATTEMPT);
    stook_batch_free(batch);
}

/* By the times of the origin: not before they are known, and then soon. */
TEST_BOTH(by_the_times_of_the_origin)
{
    stook_batch *batch;
    open_with(life, &STOOK_CLIENT(.attempt_timeout_ms = 20000));
    warm_up(life, 60);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/hang-first"), .hedge_after_ms = STOOK_AUTO), &batch);
    CHECK_STR(stook_result_body(result, NULL), "own");
    stook_batch_free(batch);
}

/* ----------------------------------------------------------------------------- the end of both */

TEST_BOTH(cancelled)
{
    open_with(life, NULL);
    warm_up(life, 20);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/hang"), .hedge_after_ms = 5);
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    while (raw_seen(server, "/hang") < 2)
        life_turn(life, 10);
    struct stook_batch_stats stats = STOOK_BATCH_STATS();
    CHECK_ERROR(stook_batch_stats(batch, &stats), 0);
    CHECK_EQ_INT(stats.in_flight, 1);
    CHECK_EQ_INT(stats.waiting, 0);
    stook_batch_cancel_request(batch, 0);
    life_run(life);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ECANCELLED);
    CHECK_ERROR(stook_batch_stats(batch, &stats), 0);
    CHECK_EQ_INT(stats.in_flight, 0);
    stook_batch_free(batch);
}

TEST_BOTH(closed)
{
    open_with(life, NULL);
    warm_up(life, 20);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/hang"), .hedge_after_ms = 5);
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    while (raw_seen(server, "/hang") < 2)
        life_turn(life, 10);
    life_close(life);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ECLOSED);
    stook_batch_free(batch);
}

TEST_BOTH(what_is_not_hedged)
{
    open_with(life, NULL);
    const char *url = raw_url(server, "/ok");
    static const char *const mirrors[] = {"http://127.0.0.1:1/", NULL};
    const struct stook_request bad[] = {
        STOOK_REQUEST(url, .hedge_after_ms = 5, .method = "PUT"),
        STOOK_REQUEST(url, .hedge_after_ms = 5, .body = "x", .body_size = 1),
        STOOK_REQUEST(url, .hedge_after_ms = 5, .output_file = "x"),
        STOOK_REQUEST(url, .hedge_after_ms = STOOK_AUTO, .mirrors = mirrors),
        STOOK_REQUEST(url, .hedge_after_ms = 5, .coalesce = 1),
    };
    stook_batch *batch;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const stook_result *result = fetch(life, &bad[i], &batch);
        CHECK_ERROR(stook_result_error(result), STOOK_EARG);
        stook_batch_free(batch);
    }
    batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(url, .hedge_after_ms = -3)), STOOK_EARG);
    stook_batch_free(batch);
}
