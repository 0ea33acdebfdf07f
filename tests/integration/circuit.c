/* SPDX-License-Identifier: MIT */
/* Circuits: what opens one, who is refused and who waits, the probe, and what counts for nothing. How long one is open,
   and that the time doubles, is for unit/circuit.c. */
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/arrivals.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"

/* /first?bad=3: 500 so many times, then 200. */
static enum raw_then first_bad(struct raw_call *call)
{
    arrivals_note(call);
    if ((long)call->seen > raw_number(call, "bad"))
        return raw_answer(call, "good", 4);
    raw_say(call, "HTTP/1.1 500 Bad\r\nContent-Length: 0\r\n\r\n");
    return RAW_KEEP;
}

/* /busy: a failure that says when to come back. */
static enum raw_then busy(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 %ld Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", raw_number(call, "code"));
    return RAW_KEEP;
}

static const struct raw_behaviour behaviours[] = {{"/first", .answer = first_bad}, {"/busy", .answer = busy}, {NULL}};

static struct raw_server *server;

static void open_with(struct life *life, const struct stook_client_options *options)
{
    arrivals_begin();
    server = raw_server_start(behaviours);
    life_open(life, options);
}

#define OPEN(life, ...) open_with(life, &STOOK_CLIENT(__VA_ARGS__))

/* One request alone. Returns its error, or its status. */
static int one(struct life *life, const char *url)
{
    stook_batch *batch = life_batch(life);
    add(batch, url);
    life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    int end = stook_result_error(result) != 0 ? stook_result_error(result) : stook_result_status(result);
    stook_batch_free(batch);
    return end;
}

/* ------------------------------------------------------------------------- what opens it */

TEST_BOTH(failures_in_a_row)
{
    OPEN(life, .circuit_failures = 3);
    struct raw_server *other = raw_server_start(NULL);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ_INT(life_origin(life, raw_port(server)).circuit, STOOK_CIRCUIT_CLOSED);
        CHECK_EQ_INT(life_origin(life, raw_port(server)).failures, i);
        CHECK_EQ_INT(one(life, raw_url(server, "/status?code=500")), 500);
    }
    struct stook_origin origin = life_origin(life, raw_port(server));
    CHECK_EQ_INT(origin.circuit, STOOK_CIRCUIT_OPEN);
    CHECK_EQ_INT(origin.failures, 3);
    CHECK(origin.circuit_ms > 0 && origin.circuit_ms <= 6000);
    CHECK_EQ_INT(one(life, raw_url(server, "/ok")), STOOK_ECIRCUIT);
    CHECK_EQ_INT(raw_seen(server, "/ok"), 0);
    CHECK_EQ_INT(one(life, raw_url(other, "/ok")), 200); /* another origin */
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    const stook_result *result = stook_batch_result(batch, 0);
    CHECK_CONTAINS(stook_result_message(result), "for ");
    CHECK_CONTAINS(stook_result_message(result), " ms more");
    CHECK_EQ_INT(stook_result_attempts(result), 0);
    CHECK_EQ_INT(stook_result_may_have_been_sent(result), 0);
    struct stook_attempt attempt = STOOK_ATTEMPT();
    CHECK_ERROR(stook_result_attempt_at(result, 0, &attempt), STOOK_ESTATE);
    stook_batch_free(batch);
}

TEST_BOTH(off_by_default)
{
    OPEN(life, .max_retries = 0);
    for (int i = 0; i < 20; i++)
        CHECK_EQ_INT(one(life, raw_url(server, "/status?code=500")), 500);
    CHECK_EQ_INT(life_origin(life, raw_port(server)).circuit, STOOK_CIRCUIT_CLOSED);
    life_close(life);
    life_open(life, &STOOK_CLIENT(.circuit_failures = STOOK_NONE));
    for (int i = 0; i < 20; i++)
        CHECK_EQ_INT(one(life, raw_url(server, "/status?code=500")), 500);
}

/* What is a failure, what is none, and what says nothing. After two failures one more opens it, unless there was a
   success in between. */
TEST_BOTH(what_counts)
{
    enum { SUCCESS, NOTHING, FAILURE };
    static const struct {
        const char *path;
        int effect;
    } cases[] = {
        {"/status?code=200", SUCCESS}, {"/status?code=404", SUCCESS}, {"/status?code=301", SUCCESS}, {"/status?code=429", SUCCESS},
        {"/status?code=500", FAILURE}, {"/status?code=503", FAILURE}, {"/status?code=501", FAILURE}, {"/busy?code=503", NOTHING},
        {"/busy?code=500", NOTHING},   {"/rst", FAILURE},             {"/short", FAILURE},           {"/stall", FAILURE},
        {"/garbage", NOTHING},         {"/big?n=2000", NOTHING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_note("%s", cases[i].path);
        OPEN(life, .circuit_failures = 3, .attempt_timeout_ms = strcmp(cases[i].path, "/stall") == 0 ? 100 : 0, .max_body_bytes = 1000);
        for (int k = 0; k < 2; k++)
            one(life, raw_url(server, "/status?code=500"));
        one(life, raw_url(server, "%s", cases[i].path));
        CHECK_EQ_INT(life_origin(life, raw_port(server)).circuit, cases[i].effect == FAILURE ? STOOK_CIRCUIT_OPEN : STOOK_CIRCUIT_CLOSED);
        if (cases[i].effect != FAILURE)
            CHECK_EQ_INT(one(life, raw_url(server, "/status?code=500")), 500);
        CHECK_EQ_INT(one(life, raw_url(server, "/ok")), cases[i].effect == SUCCESS ? 200 : STOOK_ECIRCUIT);
        life_close(life);
    }
}

/* A port where nobody listens. */
TEST_BOTH(refused_connections)
{
    int port = refusing_port();
    OPEN(life, .circuit_failures = 2);
    CHECK_EQ_INT(one(life, text("http://127.0.0.1:%d/", port)), STOOK_ECONNECT);
    CHECK_EQ_INT(one(life, text("http://127.0.0.1:%d/", port)), STOOK_ECONNECT);
    CHECK_EQ_INT(one(life, text("http://127.0.0.1:%d/", port)), STOOK_ECIRCUIT);
}

/* A circuit that stays open longer than a request may take lets none wait for it, retries or not: each probe of a dead
   server would end one of them. */
TEST_BOTH(no_wait_beyond_the_clock)
{
    enum { N = 20 };
    int port = refusing_port();
    OPEN(life, .circuit_failures = 3, .max_retries = 5, .timeout_ms = 3000, .retry_delay_ms = 1, .retry_max_delay_ms = 1);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < N; i++)
        add(batch, text("http://127.0.0.1:%d/%d", port, i));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 2)), N);
    int refused = 0;
    for (size_t i = 0; i < N; i++)
        refused += stook_result_error(stook_batch_result(batch, i)) == STOOK_ECIRCUIT;
    CHECK(refused >= N - 4);
    CHECK_EQ_INT(life_origin(life, port).circuit, STOOK_CIRCUIT_OPEN); /* the first time: it was not probed */
    stook_batch_free(batch);
}

/* Failures are remembered from one batch to the next, however long each takes. */
TEST_BOTH(failures_are_kept)
{
    OPEN(life, .circuit_failures = 2);
    CHECK_EQ_INT(one(life, raw_url(server, "/status?code=500")), 500);
    CHECK_EQ_INT(life_origin(life, raw_port(server)).failures, 1);
    int port = raw_port(server);
    CHECK_EQ_INT(one(life, text("http://127.0.0.1:%d/", refusing_port())), STOOK_ECONNECT);
    CHECK_EQ_INT(life_origin(life, port).failures, 1);
}

/* ------------------------------------------------------------ those that wait when it opens */

struct counts {
    int refused, sent, other;
};

static void count(stook_batch *batch, const stook_result *result, void *user)
{
    struct counts *counts = user;
    (void)batch;
    counts->refused += stook_result_error(result) == STOOK_ECIRCUIT;
    counts->sent += stook_result_status(result) == 500;
    counts->other += stook_result_error(result) != STOOK_ECIRCUIT && stook_result_status(result) != 500;
}

/* Wherever they wait: for a slot of batch, origin or client, for a rate, for a cool-down of their key. They end at
   once, not when the circuit lets the next one pass. */
TEST_BOTH(those_that_wait_end)
{
    static const char *const names[] = {"batch", "origin", "client", "rate"};
    struct stook_rate rate = STOOK_RATE(.count = 3, .burst = 3, .per_ms = INT64_C(2678400000));
    for (int how = 0; how < 4; how++) {
        struct counts counts = {0};
        test_note("limit of %s", names[how]);
        OPEN(life, .circuit_failures = 3, .origin_limit = how == 1 ? 1 : 0, .limit = how == 2 ? 1 : 0,
             .rates = how == 3 ? (const struct stook_rate *const[]){&rate, NULL} : NULL);
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 500; i++)
            ADD(batch, raw_url(server, "/first?bad=1000"), .priority = i % 7 + 1);
        CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = how == 0 ? 1 : 0, .on_result = count, .user = &counts)), 500);
        test_note("limit of %s: %d refused, %d sent, %d other", names[how], counts.refused, counts.sent, counts.other);
        CHECK_EQ_INT(counts.other, 0);
        CHECK_EQ_INT(counts.refused, 497);
        CHECK_EQ_INT(counts.sent, 3);
        CHECK_EQ_SIZE(arrivals_count(), 3); /* no probe was among them */
        stook_batch_free(batch);
        life_close(life);
    }
}

/* One that has a retry left waits, and others do not wait behind it. */
TEST_BOTH(one_with_retries_waits)
{
    for (int priority = 4; priority <= 7; priority += 3) {
        struct counts counts = {0};
        test_note("priority %d", priority);
        OPEN(life, .circuit_failures = 1);
        CHECK_EQ_INT(one(life, raw_url(server, "/status?code=500")), 500);
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 20; i++)
            ADD(batch, raw_url(server, "/ok"), .max_retries = i % 2 ? 0 : 2, .priority = i % 2 ? 0 : priority);
        CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.on_result = count, .user = &counts), NULL, NULL), 0);
        for (int i = 0; i < 10 && counts.refused < 10; i++)
            life_poke(life);
        CHECK_EQ_INT(counts.refused, 10);
        for (size_t i = 0; i < 20; i += 2)
            CHECK_EQ_INT(stook_batch_request_state(batch, i), STOOK_STATE_QUEUED_CIRCUIT);
        stook_batch_cancel(batch);
        life_run(life);
        CHECK_EQ_INT(counts.refused, 10);
        CHECK_EQ_INT(raw_seen(server, "/ok"), 0);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* A clock that runs out meanwhile names the circuit. The first has been tried before, and waits while the circuit
   opens, for longer than its clock allows; the second comes to an open one. */
static enum raw_then busy_for_a_moment(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 503 Busy\r\nretry-after-ms: 300\r\nContent-Length: 0\r\n\r\n");
    return RAW_KEEP;
}

static enum raw_then fail_at_go(struct raw_call *call)
{
    raw_wait(call->server, "/go", 1);
    raw_say(call, "HTTP/1.1 500 Bad\r\nContent-Length: 0\r\n\r\n");
    return RAW_KEEP;
}

TEST_BOTH(clocks_name_it)
{
    static const struct raw_behaviour rows[] = {{"/moment", .answer = busy_for_a_moment}, {"/fail", .answer = fail_at_go}, {NULL}};
    static const int errors[] = {STOOK_ECIRCUIT, STOOK_ETIMEOUT_QUEUE};
    server = raw_server_start(rows);
    life_open(life, &STOOK_CLIENT(.circuit_failures = 1, .retry_delay_ms = 1));
    for (size_t i = 0; i < 2; i++) {
        stook_batch *batch = life_batch(life);
        if (i == 0)
            ADD(batch, raw_url(server, "/fail"));
        ADD(batch, raw_url(server, "/moment"), .max_retries = 50, .timeout_ms = i == 0 ? 1500 : 0, .queue_timeout_ms = 50);
        CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
        while (i == 0 && stook_batch_request_state(batch, 1) != STOOK_STATE_BACKOFF)
            life_turn(life, 10);
        raw_signal(server, "/go");
        life_run(life);
        const stook_result *result = stook_batch_result(batch, stook_batch_count(batch) - 1);
        CHECK_ERROR(stook_result_error(result), errors[i]);
        CHECK_CONTAINS(stook_result_message(result), i == 0 ? "for " : "; it was queued because its origin is left alone after failures");
        stook_batch_free(batch);
    }
}

/* They end while others have all slots of batch or client, and before these. */
TEST_BOTH(refused_without_a_slot)
{
    for (int of_client = 0; of_client < 2; of_client++) {
        struct counts counts = {0};
        test_note("limit of %s", of_client ? "client" : "batch");
        OPEN(life, .circuit_failures = 1, .limit = of_client ? 1 : 0);
        struct raw_server *other = raw_server_start(NULL);
        CHECK_EQ_INT(one(life, raw_url(server, "/status?code=500")), 500);
        stook_batch *batch = life_batch(life);
        add(batch, raw_url(other, "/stall"));
        for (int i = 0; i < 1000; i++)
            add(batch, raw_url(server, "/ok"));
        CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = of_client ? 0 : 1, .on_result = count, .user = &counts), NULL, NULL), 0);
        for (int i = 0; i < 100 && counts.refused < 1000; i++)
            life_poke(life);
        CHECK_EQ_INT(counts.refused, 1000);
        CHECK_EQ_INT(counts.other, 0);
        stook_batch_cancel(batch);
        life_run(life);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* In order and with a window they end as it moves, and not beyond it: results are held for the program. */
TEST_BOTH(refused_in_a_window)
{
    enum { ALL = 200, WINDOW = 10 };
    OPEN(life, .circuit_failures = 1);
    struct raw_server *other = raw_server_start(NULL);
    struct counts counts = {0};
    struct stook_batch_stats stats = STOOK_BATCH_STATS();
    CHECK_EQ_INT(one(life, raw_url(server, "/status?code=500")), 500);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(other, "/after?path=/go&n=1"));
    for (int i = 1; i < ALL; i++)
        add(batch, raw_url(server, "/ok"));
    CHECK_ERROR(stook_gather_ordered_start(batch, &STOOK_GATHER(.window = WINDOW, .on_result = count, .user = &counts), NULL, NULL), 0);
    for (int i = 0; i < 100; i++)
        life_poke(life);
    CHECK_ERROR(stook_batch_stats(batch, &stats), 0);
    CHECK_EQ_INT(stats.finished, WINDOW - 1);
    CHECK_EQ_INT(counts.refused, 0);
    raw_signal(other, "/go");
    life_run(life);
    CHECK_EQ_INT(counts.refused, ALL - 1);
    CHECK_EQ_INT(raw_seen(server, "/ok"), 0);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------------------- the probe */

static void count_good(stook_batch *batch, const stook_result *result, void *user)
{
    int *good = user;
    (void)batch;
    CHECK_STR(stook_result_body(result, NULL), "good");
    ++*good;
}

/* Those with retries left wait, in a state that tells why; then one of them is sent alone, then all others. */
static void after_five_seconds(struct life *life)
{
    int good = 0;
    OPEN(life, .circuit_failures = 3, .max_retries = 3, .retry_delay_ms = 1, .retry_max_delay_ms = 2);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 50; i++)
        ADD(batch, raw_url(server, "/first?bad=3&n=%d", i));
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 1, .on_result = count_good, .user = &good), NULL, NULL), 0);
    while (life_origin(life, raw_port(server)).circuit != STOOK_CIRCUIT_OPEN)
        life_turn(life, 10000);
    CHECK_EQ_SIZE(arrivals_count(), 3);
    CHECK_EQ_INT(good, 0);
    life_poke(life);
    CHECK_EQ_INT(stook_batch_request_state(batch, 49), STOOK_STATE_QUEUED_CIRCUIT);
    struct stook_origin origin = life_origin(life, raw_port(server));
    CHECK_EQ_INT(origin.in_flight, 0);
    CHECK_EQ_INT(origin.waiting, 50);
    life_run(life);
    CHECK_EQ_INT(good, 50);
    CHECK_EQ_SIZE(arrivals_count(), 53);
    CHECK(arrivals_at(3).at_us - arrivals_at(2).at_us >= 3900000); /* 5 s, less a fifth */
    CHECK_EQ_INT(life_origin(life, raw_port(server)).circuit, STOOK_CIRCUIT_CLOSED);
    stook_batch_free(batch);
}

TEST(one_probe, slow)
{
    static struct life life;
    life_begin(&life, 0);
    after_five_seconds(&life);
    life_end(&life);
}

/* While the probe runs no other does, and those that wait say so. Its failure opens the circuit again, and what has no
   retry left ends. */
static enum raw_then hold_then_fail(struct raw_call *call)
{
    arrivals_note(call);
    if (call->seen > 1)
        raw_wait(call->server, "/go", 1);
    raw_say(call, "HTTP/1.1 500 Bad\r\nContent-Length: 0\r\n\r\n");
    return RAW_KEEP;
}

static void fail_the_probe(struct life *life)
{
    static const struct raw_behaviour held[] = {{"/hold", .answer = hold_then_fail}, {NULL}};
    struct counts counts = {0};
    arrivals_begin();
    server = raw_server_start(held);
    life_open(life, &STOOK_CLIENT(.circuit_failures = 1));
    CHECK_EQ_INT(one(life, raw_url(server, "/hold")), 500);
    stook_batch *batch = life_batch(life), *with_retries = life_batch(life);
    ADD(with_retries, raw_url(server, "/hold"), .max_retries = 1, .method = "POST"); /* is not sent again */
    for (int i = 0; i < 3; i++)
        ADD(with_retries, raw_url(server, "/hold"), .max_retries = 1);
    CHECK_ERROR(stook_gather_start(with_retries, NULL, NULL, NULL), 0);
    while (life_origin(life, raw_port(server)).circuit != STOOK_CIRCUIT_PROBE)
        life_turn(life, 10000);
    while (arrivals_count() < 2)
        life_poke(life);
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(server, "/hold"));
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.on_result = count, .user = &counts), NULL, NULL), 0);
    life_poke(life);
    CHECK_EQ_INT(stook_batch_request_state(batch, 19), STOOK_STATE_QUEUED_CIRCUIT);
    CHECK_EQ_INT(stook_batch_request_state(with_retries, 1), STOOK_STATE_QUEUED_CIRCUIT);
    raw_signal(server, "/go");
    while (counts.refused < 20)
        life_turn(life, 10000);
    struct stook_origin origin = life_origin(life, raw_port(server));
    CHECK_EQ_INT(origin.circuit, STOOK_CIRCUIT_OPEN);
    CHECK(origin.circuit_ms > 6000 && origin.circuit_ms <= 12000); /* for longer this time */
    CHECK_EQ_SIZE(arrivals_count(), 2);
    stook_batch_cancel(with_retries);
    life_run(life);
    stook_batch_free(batch);
    stook_batch_free(with_retries);
}

TEST(probe_that_fails, slow)
{
    static struct life life;
    life_begin(&life, 1);
    fail_the_probe(&life);
    life_end(&life);
}
