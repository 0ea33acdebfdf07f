/* SPDX-License-Identifier: MIT */
/* Cool-downs: what begins one, whom it holds back and for how long, and how the origin is tried again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/arrivals.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { SECOND = 1000000 };

static void refuse(struct raw_call *call, int status, const char *fields)
{
    raw_say(call, "HTTP/1.1 %d Slow\r\n%sContent-Length: 0\r\n\r\n", status, fields);
}

/* /slow?bad=1&kind=0: so many are refused, by one of these. */
static const struct kind {
    int status;
    const char *fields;
    int wait_ms; /* at least; -1: none */
} kinds[] = {
    {429, "Retry-After: 1\r\n", 1000},
    {503, "Retry-After: 1\r\n", 1000},
    {429, "retry-after-ms: 500\r\n", 500},
    {429, "RateLimit: \"default\";r=0;t=1\r\n", 1000},
    {429, "RateLimit-Remaining: 0\r\nRateLimit-Reset: 1\r\n", 1000},
    {429, "", -1},
    {503, "", -1},
    {429, "Retry-After: soon\r\n", -1},
    {500, "Retry-After: 1\r\n", -1},
    {404, "Retry-After: 1\r\n", -1},
};

static enum raw_then slow(struct raw_call *call)
{
    const struct kind *kind = &kinds[raw_number(call, "kind")];
    arrivals_note(call);
    if ((long)call->seen > raw_number(call, "bad"))
        return raw_answer(call, "good", 4);
    refuse(call, kind->status, kind->fields);
    return RAW_KEEP;
}

/* /crowd?n=5: the first that is refused waits until so many are in flight. */
static enum raw_then crowd(struct raw_call *call)
{
    long n = raw_number(call, "n");
    arrivals_note(call);
    if ((long)call->seen > n)
        return raw_answer(call, "good", 4);
    raw_wait(call->server, call->path, (unsigned)n);
    if (call->seen == 1) {
        refuse(call, 429, "retry-after-ms: 600\r\n");
        return RAW_KEEP;
    }
    raw_wait(call->server, "/go", 1);
    return raw_answer(call, "good", 4);
}

/* Every 100th is refused for a moment. */
static enum raw_then every_100th(struct raw_call *call)
{
    if (call->seen % 100 != 0)
        return raw_answer(call, "good", 4);
    refuse(call, 429, "retry-after-ms: 20\r\n");
    return RAW_KEEP;
}

static enum raw_then note_it(struct raw_call *call)
{
    arrivals_note(call);
    return raw_answer(call, "ok", 2);
}

/* Tells how many are there beside it, and stays until /go was asked for so often. */
static enum raw_then held(struct raw_call *call)
{
    arrivals_note(call);
    raw_wait(call->server, "/go", call->seen);
    return raw_answer(call, "ok", 2);
}

static const struct raw_behaviour behaviours[] = {{"/slow", .answer = slow},   {"/crowd", .answer = crowd}, {"/100", .answer = every_100th},
                                                  {"/note", .answer = note_it}, {"/held", .answer = held},   {NULL}};

static struct raw_server *server;

static void open_with(struct life *life, const struct stook_client_options *options)
{
    arrivals_begin();
    server = raw_server_start(behaviours);
    life_open(life, options);
}

#define OPEN(life, ...) open_with(life, &STOOK_CLIENT(__VA_ARGS__))

static void until_state(struct life *life, stook_batch *batch, size_t index, int state)
{
    while (stook_batch_request_state(batch, index) != state) {
        test_note("request %zu: %s", index, stook_state_text(stook_batch_request_state(batch, index)));
        life_turn(life, 10000);
    }
}

static int one(struct life *life, const char *url)
{
    stook_batch *batch = life_batch(life);
    add(batch, url);
    life_gather(life, batch, NULL);
    int status = stook_result_status(stook_batch_result(batch, 0));
    stook_batch_free(batch);
    return status;
}

/* ------------------------------------------------------------------------ what begins one */

TEST_BOTH(what_begins_one)
{
    OPEN(life, .limit = 10);
    struct raw_server *other = raw_server_start(behaviours);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct raw_server *mine = raw_server_start(behaviours);
        test_note("%d %s", kinds[i].status, kinds[i].fields);
        CHECK_EQ_INT(one(life, raw_url(mine, "/slow?bad=1&kind=%zu", i)), kinds[i].status);
        int64_t rest = life_origin(life, raw_port(mine)).cooldown_ms;
        CHECK_EQ_INT(rest > 0, kinds[i].wait_ms > 0);
        CHECK(rest <= kinds[i].wait_ms + kinds[i].wait_ms / 10 || rest == 0);
        CHECK_EQ_INT(life_origin(life, raw_port(other)).cooldown_ms, 0);
        CHECK_EQ_INT(one(life, raw_url(other, "/note")), 200);
        CHECK_EQ_INT(life_origin(life, raw_port(mine)).cooldown_ms > 0, kinds[i].wait_ms > 0); /* it went first */
    }
}

/* It lasts as long as the response says at least, and not longer than the client allows. */
TEST_BOTH(how_long)
{
    static const struct {
        int kind;
        int64_t max_ms, least, most;
    } cases[] = {{2, 0, 500, INT64_MAX}, {2, 100, 100, INT64_MAX}, {2, STOOK_NONE, 0, 0}, {0, 50, 50, INT64_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_note("case %zu", i);
        OPEN(life, .max_cooldown_ms = cases[i].max_ms);
        CHECK_EQ_INT(one(life, raw_url(server, "/slow?bad=1&kind=%d", cases[i].kind)), 429);
        int64_t rest = life_origin(life, raw_port(server)).cooldown_ms;
        CHECK(cases[i].max_ms == 0 || rest <= (cases[i].max_ms < 0 ? 0 : cases[i].max_ms));
        CHECK_EQ_INT(one(life, raw_url(server, "/note")), 200);
        CHECK(arrivals_at(1).at_us - arrivals_at(0).at_us >= cases[i].least * 1000);
        life_close(life);
    }
}

/* --------------------------------------------------------------------------- whom it holds back */

enum { IN_FLIGHT = 8, CROWD = 100 };

/* The cool-down begins before the result of the response that says so. */
static void look_at_refusal(stook_batch *batch, const stook_result *result, void *user)
{
    int *refused = user;
    if (stook_result_status(result) != 429)
        return;
    CHECK_EQ_INT(++*refused, 1);
    CHECK_EQ_INT(stook_batch_request_state(batch, CROWD - 1), STOOK_STATE_QUEUED_COOLDOWN);
    CHECK_EQ_INT(raw_seen(server, "/crowd"), IN_FLIGHT);
    raw_signal(server, "/go");
}

/* Those in flight continue, no other comes during the cool-down; then one comes alone. */
TEST_BOTH(only_those_in_flight)
{
    int refused = 0;
    OPEN(life, .origin_limit = IN_FLIGHT);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < CROWD; i++)
        add(batch, raw_url(server, "/crowd?n=%d", IN_FLIGHT));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.on_result = look_at_refusal, .user = &refused)), 1);
    CHECK_EQ_INT(refused, 1);
    CHECK_EQ_SIZE(arrivals_count(), CROWD);
    CHECK(arrivals_at(IN_FLIGHT).at_us - arrivals_at(IN_FLIGHT - 1).at_us >= 600000);
    stook_batch_free(batch);
}

/* A healthy origin beside one that cools down: all of its thousand requests are done before the first is sent there. */
TEST_BOTH(others_are_not_held)
{
    OPEN(life, .limit = 4);
    struct raw_server *other = raw_server_start(behaviours);
    CHECK_EQ_INT(one(life, raw_url(server, "/slow?bad=1&kind=0")), 429);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 1000; i++)
        ADD(batch, raw_url(server, "/note"), .priority = 7);
    for (int i = 0; i < 100; i++)
        add(batch, raw_url(other, "/note"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 4)), 0);
    CHECK_EQ_SIZE(arrivals_count(), 1101);
    for (size_t i = 1; i <= 100; i++)
        CHECK_EQ_INT(arrivals_at(i).port, raw_port(other));
    stook_batch_free(batch);
}

/* With a rate_key only those of the same origin and key wait; also where those without a key share a bucket. */
TEST_BOTH(of_one_key)
{
    static const char *const keys[] = {"a", "b", NULL};
    struct stook_rate rate = STOOK_RATE(.count = 1000, .burst = 1000, .by = STOOK_RATE_BY_KEY);
    for (int by_key = 0; by_key < 2; by_key++)
        for (size_t cooled = 0; cooled < 3; cooled++) {
            test_note("key %s, %d", keys[cooled] != NULL ? keys[cooled] : "none", by_key);
            OPEN(life, .rates = by_key ? (const struct stook_rate *const[]){&rate, NULL} : NULL);
            stook_batch *batch = life_batch(life);
            ADD(batch, raw_url(server, "/slow?bad=1&kind=2"), .rate_key = keys[cooled]);
            CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
            stook_batch_free(batch);
            CHECK_EQ_INT(life_origin(life, raw_port(server)).cooldown_ms > 0, keys[cooled] == NULL);
            batch = life_batch(life);
            for (size_t i = 0; i < 3; i++)
                ADD(batch, raw_url(server, "/note?n=%zu", i), .rate_key = keys[i], .priority = i == cooled ? 7 : 1);
            CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
            CHECK_EQ_INT(arrivals_at(3).n, (long)cooled);
            CHECK(arrivals_at(3).at_us - arrivals_at(0).at_us >= 500000);
            stook_batch_free(batch);
            life_close(life);
        }
}

/* ------------------------------------------------------------------------------ tried again */

/* One alone; for each response that is none of these one more. */
TEST_BOTH(a_probe_first)
{
    OPEN(life, .limit = STOOK_NONE);
    CHECK_EQ_INT(one(life, raw_url(server, "/slow?bad=1&kind=2")), 429);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 200; i++)
        add(batch, raw_url(server, "/held"));
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    until_state(life, batch, 199, STOOK_STATE_QUEUED_COOLDOWN);
    CHECK_EQ_INT(raw_seen(server, "/held"), 0);
    until_state(life, batch, 199, STOOK_STATE_QUEUED_PROBE);
    /* After k responses k + 1 may be in flight: 2k + 1 have come. */
    for (unsigned k = 0; k < 20; k++) {
        while (raw_seen(server, "/held") < 2 * k + 1)
            life_poke(life);
        life_poke(life);
        CHECK_EQ_INT(raw_seen(server, "/held"), 2 * k + 1);
        CHECK_EQ_INT(stook_batch_request_state(batch, 199), STOOK_STATE_QUEUED_PROBE);
        raw_signal(server, "/go");
    }
    for (int k = 0; k < 200; k++)
        raw_signal(server, "/go");
    life_run(life);
    CHECK_EQ_INT(raw_seen(server, "/held"), 200);
    stook_batch_free(batch);
}

/* The probe is refused too: it cools down again, and the next one is alone again. */
TEST_BOTH(a_probe_that_is_refused)
{
    OPEN(life, .limit = 10);
    stook_batch *batch = life_batch(life);
    CHECK_EQ_INT(one(life, raw_url(server, "/slow?bad=3&kind=2")), 429);
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(server, "/slow?bad=3&kind=2"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 2);
    CHECK_EQ_SIZE(arrivals_count(), 21);
    for (size_t i = 1; i < 4; i++)
        CHECK(arrivals_at(i).at_us - arrivals_at(i - 1).at_us >= 500000);
    stook_batch_free(batch);
}

/* With retries the one that was refused is sent again: none is lost, and each is answered well. */
TEST_BOTH(every_hundredth)
{
    OPEN(life, .max_retries = 5, .retry_delay_ms = 1, .limit = 20);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 1000; i++)
        add(batch, raw_url(server, "/100"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(raw_seen(server, "/100"), 1000 + 1000 / 99);
    stook_batch_free(batch);
    life_close(life);
    OPEN(life, .limit = 20);
    batch = life_batch(life);
    for (int i = 0; i < 1000; i++)
        add(batch, raw_url(server, "/100"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 10);
    CHECK_EQ_INT(raw_seen(server, "/100"), 1000);
    stook_batch_free(batch);
}

/* What waits for a cool-down can be cancelled, and its clock of the queue runs out. */
TEST_BOTH(ended_meanwhile)
{
    OPEN(life, .limit = 1);
    CHECK_EQ_INT(one(life, raw_url(server, "/slow?bad=1&kind=0")), 429);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 100; i++)
        ADD(batch, raw_url(server, "/note"), .queue_timeout_ms = i % 2 ? 20 : 0);
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    until_state(life, batch, 0, STOOK_STATE_QUEUED_COOLDOWN);
    for (size_t i = 1; i < 100; i += 2)
        until_state(life, batch, i, STOOK_STATE_DONE);
    stook_batch_cancel(batch);
    life_run(life);
    for (size_t i = 0; i < 100; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, i)), i % 2 ? STOOK_ETIMEOUT_QUEUE : STOOK_ECANCELLED);
    CHECK_EQ_SIZE(arrivals_count(), 1);
    stook_batch_free(batch);
}
