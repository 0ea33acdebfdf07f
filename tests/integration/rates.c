/* SPDX-License-Identifier: MIT */
/*
 * Rates: whom they hold back, how fast the others start, what an attempt costs, and what corrects that. Where a test
 * is about who waits, a bucket takes 31 days to fill: what waits for it waits for ever.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/arrivals.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"

enum { SECOND = 1000000, FOR_EVER = 31 * 86400 }; /* us, s */

#define NEVER .per_ms = FOR_EVER * INT64_C(1000)

static enum raw_then note_it(struct raw_call *call)
{
    arrivals_note(call);
    return raw_answer(call, "ok", 2);
}

/* /flaky: 503 once. */
static enum raw_then flaky(struct raw_call *call)
{
    arrivals_note(call);
    if (call->seen > 1)
        return raw_answer(call, "good", 4);
    raw_say(call, "HTTP/1.1 503 Bad\r\nContent-Length: 0\r\n\r\n");
    return RAW_KEEP;
}

static const struct raw_behaviour behaviours[] = {{"/note", .answer = note_it}, {"/flaky", .answer = flaky}, {NULL}};

static struct raw_server *begin(void)
{
    arrivals_begin();
    return raw_server_start(behaviours);
}

#define RATES(...) ((const struct stook_rate *const[]){__VA_ARGS__, NULL})

static void until_state(struct life *life, stook_batch *batch, size_t index, int state)
{
    while (stook_batch_request_state(batch, index) != state) {
        test_note("request %zu: %s", index, stook_state_text(stook_batch_request_state(batch, index)));
        CHECK(stook_batch_request_state(batch, index) != STOOK_STATE_DONE);
        life_turn(life, 1000);
    }
}

/* ------------------------------------------------------------------- how fast they start */

struct pace {
    int64_t count, burst;
    size_t requests;
};

static int earlier(const void *one, const void *other)
{
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

/* How far a time of a start may be off: the clock is read beside the add, not inside. */
static int64_t blur;

/* No span of a second or more has more starts than the burst and what flows back in it, and `more`. */
static int is_bound(const int64_t *at, size_t count, const struct pace *pace, size_t more)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = i; k < count; k++) {
            int64_t span = at[k] - at[i] + blur > SECOND ? at[k] - at[i] + blur : SECOND;
            size_t most = (size_t)(pace->burst + span * pace->count / SECOND) + more;
            test_note("%zu of at most %zu within %lld us", k - i + 1, most, (long long)span);
            if (k - i + 1 > most)
                return 0;
        }
    return 1;
}

/* While requests wait, at least 98 % of the rate is used: in the best of ten parts, because a machine that is busy
   wakes the loop later than can be made up for. What the rate itself loses, each part has lost. */
static void check_use(const int64_t *at, size_t count, const struct pace *pace)
{
    size_t first = (size_t)pace->burst, step = (count - first) / 10;
    int64_t wanted = (int64_t)step * SECOND / pace->count, best = INT64_MAX;
    for (size_t i = 0; i < 10; i++) {
        int64_t part = at[first + (i + 1) * step - 1] - at[first + i * step - 1];
        best = part < best ? part : best;
    }
    test_note("%lld us for what may take %lld", (long long)best, (long long)wanted);
    CHECK(best * 98 <= wanted * 100);
}

/* Adds requests, awaits them, and sorts the times of their starts. */
static void race(struct life *life, const struct raw_server *server, const struct pace *pace, int64_t *ret_at)
{
    stook_batch *batch = life_batch(life);
    blur = 0;
    for (size_t i = 0; i < pace->requests; i++) {
        ret_at[i] = (int64_t)(uv_hrtime() / 1000);
        add(batch, raw_url(server, "/note"));
        int64_t took = (int64_t)(uv_hrtime() / 1000) - ret_at[i];
        blur = took > blur ? took : blur;
    }
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    for (size_t i = 0; i < pace->requests; i++)
        ret_at[i] += stook_result_time_us(stook_batch_result_by_index(batch, i), STOOK_TIME_QUEUED);
    qsort(ret_at, pace->requests, sizeof *ret_at, earlier);
    stook_batch_free(batch);
}

/* The first one makes the connection that all of them use, and its place is full again before the others come. */
static void warm(struct life *life, const struct raw_server *server)
{
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
}

TEST_BOTH(bound_and_use)
{
    static const struct pace paces[] = {{100, 1, 130}, {200, 40, 260}};
    static int64_t at[400];
    struct raw_server *server = begin();
    for (size_t i = 0; i < 2; i++) {
        const struct pace *pace = &paces[i];
        struct stook_rate rate = STOOK_RATE(.count = pace->count, .burst = pace->burst);
        life_open(life, &STOOK_CLIENT(.rates = RATES(&rate), .limit = 20));
        warm(life, server);
        race(life, server, pace, at);
        CHECK(is_bound(at, pace->requests, pace, 0));
        check_use(at, pace->requests, pace);
        life_close(life);
    }
}

/* The same as the server sees it: at most one request more, which was long on its way. On a busy machine two may have
   been, so that one time of three is enough. */
TEST_BOTH(bound_at_the_server)
{
    static const struct pace pace = {200, 1, 300};
    static int64_t at[300];
    struct stook_rate rate = STOOK_RATE(.count = pace.count, .burst = pace.burst);
    struct raw_server *server = begin();
    life_open(life, &STOOK_CLIENT(.rates = RATES(&rate)));
    for (int i = 0; i < 3; i++) {
        arrivals_begin();
        warm(life, server);
        race(life, server, &pace, at);
        CHECK_EQ_SIZE(arrivals_count(), pace.requests);
        for (size_t k = 0; k < pace.requests; k++)
            at[k] = arrivals_at(k).at_us;
        qsort(at, pace.requests, sizeof *at, earlier);
        if (is_bound(at, pace.requests, &pace, 1))
            return;
    }
    FAIL("more came than the rate allows");
}

/* Both hold: a small burst for a short time, and few for a longer one. */
TEST_BOTH(several_at_once)
{
    static const struct pace fast = {100, 1, 60}, slow = {40, 20, 60};
    static int64_t at[60];
    struct stook_rate first = STOOK_RATE(.count = fast.count), second = STOOK_RATE(.count = slow.count * 2, .per_ms = 2000, .burst = slow.burst,
                                                                                 .by = STOOK_RATE_BY_CLIENT);
    struct raw_server *server = begin();
    life_open(life, &STOOK_CLIENT(.rates = RATES(&first, &second)));
    race(life, server, &slow, at);
    CHECK(is_bound(at, 60, &fast, 0));
    CHECK(is_bound(at, 60, &slow, 0));
    for (size_t i = 1; i < 60; i++) /* the short bound: two in a row at most, when the timer was late */
        CHECK(i < 2 || at[i] - at[i - 2] >= 10000 - 4000);
}

/* ------------------------------------------------------------------------ who is held back */

static void tell_user(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    if (stook_result_ok(result))
        tell(stook_result_user(result));
}

/* Awaits until all that may start has been told; the rest waits for ever, in the state for it. */
static void await_told(struct life *life, stook_batch *batch, const char *expected, int64_t limit)
{
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.on_result = tell_user, .limit = limit), NULL, NULL), 0);
    while (strlen(told()) < strlen(expected)) {
        test_note("told: %s", told());
        life_turn(life, 1000);
    }
    for (int i = 0; i < 3; i++)
        life_poke(life);
    CHECK_STR(told(), expected);
    size_t held = 0;
    for (size_t i = 0; i < stook_batch_count(batch); i++)
        held += stook_batch_request_state(batch, i) == STOOK_STATE_QUEUED_RATE;
    struct stook_batch_stats stats = STOOK_BATCH_STATS();
    CHECK_ERROR(stook_batch_stats(batch, &stats), 0);
    CHECK_EQ_INT(stats.in_flight, 0);
    CHECK_EQ_INT(stats.waiting, (int64_t)held);
    stook_batch_cancel(batch);
    life_run(life);
    stook_batch_free(batch);
}

/* Each origin has a bucket. What waits holds no slot, of the client nor of the batch. */
TEST_BOTH(by_origin)
{
    struct stook_rate rate = STOOK_RATE(.count = 1, NEVER);
    struct raw_server *one = begin(), *other = raw_server_start(behaviours);
    life_open(life, &STOOK_CLIENT(.rates = RATES(&rate), .limit = 1));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 100; i++)
        ADD(batch, raw_url(one, "/note"), .user = (void *)"one");
    ADD(batch, raw_url(other, "/note"), .user = (void *)"other");
    ADD(batch, raw_url(other, "/note"), .user = (void *)"other");
    await_told(life, batch, "one other", 1);
}

/* All origins share it. */
TEST_BOTH(by_client)
{
    struct stook_rate rate = STOOK_RATE(.count = 3, .burst = 3, NEVER, .by = STOOK_RATE_BY_CLIENT);
    struct raw_server *one = begin(), *other = raw_server_start(behaviours);
    life_open(life, &STOOK_CLIENT(.rates = RATES(&rate)));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10; i++)
        ADD(batch, raw_url(i % 2 ? other : one, "/note"), .user = (void *)"any");
    await_told(life, batch, "any any any", 1);
    CHECK_EQ_SIZE(arrivals_count(), 3);
}

/* A key has a bucket over all origins; those without a key share one. */
TEST_BOTH(by_key)
{
    struct stook_rate rate = STOOK_RATE(.count = 2, .burst = 2, NEVER, .by = STOOK_RATE_BY_KEY);
    struct raw_server *one = begin(), *other = raw_server_start(behaviours);
    life_open(life, &STOOK_CLIENT(.rates = RATES(&rate)));
    stook_batch *batch = life_batch(life);
    static const char *const keys[] = {"a", NULL, "b"};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 5; i++)
            ADD(batch, raw_url(i % 2 ? other : one, "/note"), .rate_key = keys[k], .user = (void *)(keys[k] != NULL ? keys[k] : "-"),
                .priority = 7 - k);
    await_told(life, batch, "a a - - b b", 1);
    CHECK_EQ_SIZE(arrivals_of(raw_port(one)), 3);
    CHECK_EQ_SIZE(arrivals_of(raw_port(other)), 3);
}

/* A bucket that never fills holds up nobody who is counted by another one of the same kind and the same client. */
TEST_BOTH(others_pass)
{
    struct stook_rate own = STOOK_RATE(.count = 1, NEVER, .by = STOOK_RATE_BY_KEY),
                      all = STOOK_RATE(.count = 1000000, .burst = 1000000, .by = STOOK_RATE_BY_CLIENT);
    struct raw_server *server = begin();
    life_open(life, &STOOK_CLIENT(.rates = RATES(&own, &all), .limit = 2));
    stook_batch *batch = life_batch(life);
    char keys[50][16];
    for (int i = 0; i < 500; i++)
        ADD(batch, raw_url(server, "/note"), .rate_key = "same", .priority = 7);
    for (int i = 0; i < 50; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        ADD(batch, raw_url(server, "/note"), .rate_key = keys[i]);
    }
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 2), NULL, NULL), 0);
    while (arrivals_count() < 51)
        life_poke(life);
    until_state(life, batch, 1, STOOK_STATE_QUEUED_RATE);
    stook_batch_cancel(batch);
    life_run(life);
    CHECK_EQ_SIZE(arrivals_count(), 51);
    stook_batch_free(batch);
}

/* ----------------------------------------------------------------------------------- costs */

/* 10 units: 3 and 7 pass, then only what costs nothing, also behind what waits. */
TEST_BOTH(of_cost)
{
    struct stook_rate rate = STOOK_RATE(.count = 10, NEVER, .of = STOOK_RATE_OF_COST);
    struct raw_server *server = begin();
    life_open(life, &STOOK_CLIENT(.rates = RATES(&rate)));
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/note"), .priority = 7, .cost = 3, .user = (void *)"three");
    ADD(batch, raw_url(server, "/note"), .priority = 6, .cost = 7, .user = (void *)"seven");
    ADD(batch, raw_url(server, "/note"), .priority = 5, .cost = STOOK_NONE, .user = (void *)"nothing");
    ADD(batch, raw_url(server, "/note"), .priority = 4, .user = (void *)"one");
    ADD(batch, raw_url(server, "/note"), .priority = 3, .cost = STOOK_NONE, .user = (void *)"behind");
    await_told(life, batch, "three seven nothing behind", 1);
}

/* More than the burst starts on a full bucket, and the next one waits until the debt is paid. */
TEST_BOTH(larger_than_the_burst)
{
    struct stook_rate rate = STOOK_RATE(.count = 100, .burst = 10, .of = STOOK_RATE_OF_COST, .by = STOOK_RATE_BY_CLIENT);
    struct raw_server *server = begin();
    life_open(life, &STOOK_CLIENT(.rates = RATES(&rate)));
    stook_batch *batch = life_batch(life);
    int64_t adds_us = (int64_t)(uv_hrtime() / 1000);
    ADD(batch, raw_url(server, "/note?n=1"), .priority = 7, .cost = 40);
    ADD(batch, raw_url(server, "/note?n=2"), .priority = 6, .cost = 10);
    ADD(batch, raw_url(server, "/note?n=3"), .priority = 5, .cost = 1);
    adds_us = (int64_t)(uv_hrtime() / 1000) - adds_us; /* they are not of the same time */
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    int64_t at[3];
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ_INT(arrivals_at(i).n, (long)i + 1);
        at[i] = stook_result_time_us(stook_batch_result_by_index(batch, i), STOOK_TIME_QUEUED);
    }
    test_note("%lld %lld %lld", (long long)at[0], (long long)at[1], (long long)at[2]);
    CHECK(at[1] - at[0] >= 400000 - 2000 - adds_us);
    CHECK(at[2] - at[1] >= 10000 - 4000 - 2000 - adds_us);
    stook_batch_free(batch);
}

/* Every attempt takes anew. */
TEST_BOTH(a_retry_takes_anew)
{
    struct stook_rate once = STOOK_RATE(.count = 1, NEVER), twice = STOOK_RATE(.count = 5, .burst = 5, NEVER, .of = STOOK_RATE_OF_COST);
    for (int k = 0; k < 2; k++) {
        struct raw_server *server = begin();
        life_open(life, &STOOK_CLIENT(.rates = RATES(k == 0 ? &once : &twice), .max_retries = 3, .retry_delay_ms = 1));
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "/flaky"), .cost = 3);
        CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
        until_state(life, batch, 0, STOOK_STATE_QUEUED_RATE);
        while (arrivals_count() == 0 || stook_batch_request_state(batch, 0) != STOOK_STATE_QUEUED_RATE)
            life_poke(life);
        CHECK_EQ_SIZE(arrivals_count(), 1);
        stook_batch_cancel(batch);
        life_run(life);
        CHECK_EQ_INT(stook_result_attempts(stook_batch_result_by_index(batch, 0)), 1);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* Nothing was sent: the cost is given back, once, and there is nothing to charge. An attempt it was all the same. */
TEST_BOTH(never_sent)
{
    struct stook_rate cost = STOOK_RATE(.count = 10, NEVER, .of = STOOK_RATE_OF_COST, .by = STOOK_RATE_BY_CLIENT),
                      attempts = STOOK_RATE(.count = 4, .burst = 4, NEVER, .by = STOOK_RATE_BY_CLIENT);
    struct raw_server *server = begin();
    life_open(life, &STOOK_CLIENT(.rates = RATES(&cost, &attempts), .max_retries = 1, .retry_delay_ms = 1));
    stook_batch *batch = life_batch(life);
    ADD(batch, text("http://127.0.0.1:%d/", refusing_port()), .cost = 10, .priority = 7);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    const stook_result *result = stook_batch_result(batch, 0);
    CHECK_ERROR(stook_result_error(result), STOOK_ECONNECT);
    CHECK_EQ_INT(stook_result_attempts(result), 2);
    CHECK_ERROR(stook_client_charge(life->client, result, 5), STOOK_ESTATE);
    stook_batch_free(batch);
    batch = life_batch(life);
    ADD(batch, raw_url(server, "/note"), .cost = 10, .priority = 7, .user = (void *)"ten");
    ADD(batch, raw_url(server, "/note"), .cost = 1, .user = (void *)"one"); /* it was not given back twice */
    await_told(life, batch, "ten", 0);
    batch = life_batch(life);
    ADD(batch, raw_url(server, "/note"), .cost = STOOK_NONE, .user = (void *)"fourth");
    ADD(batch, raw_url(server, "/note"), .cost = STOOK_NONE, .user = (void *)"fifth");
    await_told(life, batch, "ten fourth", 0);
}

/* ---------------------------------------------------------------------------------- charges */

static void charge_it(stook_batch *batch, const stook_result *result, void *user)
{
    struct life *life = user;
    (void)batch;
    CHECK_ERROR(stook_client_charge(life->client, result, *(int64_t *)stook_result_user(result)), 0);
    CHECK_ERROR(stook_client_charge(life->client, result, 1), STOOK_ESTATE);
}

/* Of 10 units one takes 6. It is charged with 9, or with 2; then so many requests of one unit pass. */
TEST_BOTH(charged)
{
    static const struct {
        int64_t by, actual;
        size_t pass;
        int when; /* 0: in on_result; 1: from the batch; 2: when that is freed */
    } cases[] = {
        {STOOK_RATE_BY_CLIENT, 9, 1, 0}, {STOOK_RATE_BY_CLIENT, 2, 8, 0},  {STOOK_RATE_BY_CLIENT, 0, 10, 1}, {STOOK_RATE_BY_CLIENT, 9, 1, 1},
        {STOOK_RATE_BY_CLIENT, 9, 1, 2}, {STOOK_RATE_BY_CLIENT, 2, 8, 2},  {STOOK_RATE_BY_ORIGIN, 9, 1, 0},  {STOOK_RATE_BY_ORIGIN, 2, 8, 1},
        {STOOK_RATE_BY_ORIGIN, 9, 1, 2}, {STOOK_RATE_BY_ORIGIN, 2, 8, 2},  {STOOK_RATE_BY_KEY, 9, 1, 0},     {STOOK_RATE_BY_KEY, 2, 8, 1},
        {STOOK_RATE_BY_KEY, 9, 1, 2},    {STOOK_RATE_BY_KEY, 1000, 0, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stook_rate rate = STOOK_RATE(.count = 10, NEVER, .of = STOOK_RATE_OF_COST, .by = cases[i].by);
        struct raw_server *server = begin();
        int64_t actual = cases[i].actual;
        test_note("case %zu", i);
        life_open(life, &STOOK_CLIENT(.rates = RATES(&rate)));
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "/ok"), .cost = 6, .rate_key = "k", .user = &actual);
        CHECK_EQ_INT(life_gather(life, batch, cases[i].when == 0 ? &STOOK_GATHER(.on_result = charge_it, .user = life) : NULL), 0);
        const stook_result *result = stook_result_ref(stook_batch_result(batch, 0));
        if (cases[i].when == 1)
            CHECK_ERROR(stook_client_charge(life->client, result, actual), 0);
        stook_batch_free(batch);
        if (cases[i].when == 2)
            CHECK_ERROR(stook_client_charge(life->client, result, actual), 0);
        stook_result_unref(result);
        batch = life_batch(life);
        for (size_t k = 0; k < 12; k++)
            ADD(batch, raw_url(server, "/note"), .rate_key = "k");
        CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
        while (arrivals_count() < cases[i].pass)
            life_poke(life);
        for (int k = 0; k < 3; k++)
            life_poke(life);
        CHECK_EQ_INT(stook_batch_request_state(batch, 11), STOOK_STATE_QUEUED_RATE);
        stook_batch_cancel(batch);
        life_run(life);
        CHECK_EQ_SIZE(arrivals_count(), cases[i].pass);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* What was forgotten with its last request, because its bucket was full again: the debt counts from the attempt on.
   1 unit is back at once. */
TEST_BOTH(charged_when_all_was_full_again)
{
    static const int64_t by[] = {STOOK_RATE_BY_ORIGIN, STOOK_RATE_BY_CLIENT, STOOK_RATE_BY_KEY};
    struct raw_server *server = begin(), *other = raw_server_start(behaviours);
    for (size_t i = 0; i < 3; i++) {
        struct stook_rate rate = STOOK_RATE(.count = 1000000, .burst = 1, .of = STOOK_RATE_OF_COST, .by = by[i]);
        test_note("by %d", (int)by[i]);
        life_open(life, &STOOK_CLIENT(.rates = RATES(&rate)));
        stook_batch *batch = life_batch(life), *keep = life_batch(life);
        ADD(batch, raw_url(server, "/ok"), .rate_key = "k");
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        const stook_result *result = stook_result_ref(stook_batch_result(batch, 0));
        stook_batch_free(batch);
        for (int k = 0; k < 10; k++) /* with each new queue some are forgotten */
            ADD(keep, raw_url(other, "/ok"), .rate_key = text("other %d", k), .cost = STOOK_NONE);
        CHECK_EQ_INT(life_gather(life, keep, NULL), 0);
        stook_batch_free(keep);
        CHECK_ERROR(stook_client_charge(life->client, result, INT64_C(1000000000000)), 0); /* of eleven days */
        stook_result_unref(result);
        batch = life_batch(life);
        ADD(batch, raw_url(server, "/note"), .rate_key = "k");
        CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
        until_state(life, batch, 0, STOOK_STATE_QUEUED_RATE);
        for (int k = 0; k < 3; k++)
            life_poke(life);
        CHECK_EQ_INT(stook_batch_request_state(batch, 0), STOOK_STATE_QUEUED_RATE);
        stook_batch_cancel(batch);
        life_run(life);
        stook_batch_free(batch);
        life_close(life);
    }
    CHECK_EQ_SIZE(arrivals_count(), 0);
}

/* A request that waits for its next hop has taken nothing there. What it took before is corrected where it was taken. */
TEST_BOTH(charged_behind_a_redirect)
{
    struct stook_rate rate = STOOK_RATE(.count = 10, NEVER, .of = STOOK_RATE_OF_COST);
    struct raw_server *first = begin();
    static struct raw_behaviour moved[] = {{"/moved", .then = RAW_KEEP}, {NULL}};
    char response[200];
    snprintf(response, sizeof response, "HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:%d/note\r\nContent-Length: 0\r\n\r\n", raw_port(first));
    moved[0].bytes = response;
    struct raw_server *second = raw_server_start(moved);
    life_open(life, &STOOK_CLIENT(.rates = RATES(&rate), .max_redirects = 3));
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(first, "/ok"), .cost = 10, .priority = 7);
    ADD(batch, raw_url(second, "/moved"), .cost = 10);
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    while (raw_seen(second, "/moved") == 0)
        life_poke(life);
    until_state(life, batch, 1, STOOK_STATE_QUEUED_RATE);
    stook_batch_cancel(batch);
    life_run(life);
    CHECK_ERROR(stook_client_charge(life->client, stook_batch_result_by_index(batch, 1), 0), 0);
    stook_batch_free(batch);
    batch = life_batch(life);
    ADD(batch, raw_url(first, "/note"), .cost = 1, .priority = 7, .user = (void *)"first");
    ADD(batch, raw_url(second, "/moved"), .cost = 10, .user = (void *)"second", .max_redirects = STOOK_NONE);
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    while (raw_seen(second, "/moved") == 1)
        life_poke(life);
    CHECK_EQ_INT(stook_batch_request_state(batch, 0), STOOK_STATE_QUEUED_RATE);
    stook_batch_cancel(batch);
    life_run(life);
    stook_batch_free(batch);
    CHECK_EQ_SIZE(arrivals_count(), 0);
}

TEST_BOTH(charged_wrongly)
{
    struct stook_rate rate = STOOK_RATE(.count = 10, NEVER, .of = STOOK_RATE_OF_COST);
    struct raw_server *server = begin();
    stook_client *other, *without;
    life_open(life, &STOOK_CLIENT(.rates = RATES(&rate)));
    CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.rates = RATES(&rate)), &other), 0);
    CHECK_ERROR(stook_client_new(NULL, NULL, &without), 0);
    stook_batch *batch = life_batch(life), *uncounted;
    CHECK_ERROR(stook_batch_new(without, &uncounted), 0);
    add(batch, raw_url(server, "/ok"));
    add(batch, "ftp://x/");
    add(uncounted, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_EQ_INT(stook_gather(uncounted, NULL), 0);
    const stook_result *result = stook_batch_result_by_index(batch, 0), *never = stook_batch_result_by_index(batch, 1);
    CHECK_ERROR(stook_client_charge(NULL, result, 1), STOOK_EARG);
    CHECK_ERROR(stook_client_charge(life->client, NULL, 1), STOOK_EARG);
    CHECK_ERROR(stook_client_charge(life->client, result, -1), STOOK_EARG);
    CHECK_ERROR(stook_client_charge(life->client, result, INT64_C(1000000000001)), STOOK_EARG);
    CHECK_ERROR(stook_client_charge(other, result, 1), STOOK_EARG);
    CHECK_ERROR(stook_client_charge(life->client, never, 1), STOOK_ESTATE);
    CHECK_ERROR(stook_client_charge(without, stook_batch_result(uncounted, 0), 1), STOOK_ESTATE);
    CHECK_ERROR(stook_client_charge(life->client, result, 0), 0);
    CHECK_ERROR(stook_client_charge(life->client, result, 0), STOOK_ESTATE);
    stook_batch_free(batch);
    stook_batch_free(uncounted);
    stook_client_close(without, NULL, NULL);
    stook_client_close(other, NULL, NULL);
}

/* -------------------------------------------------------------------------------- arguments */

TEST(bad_rates)
{
    const struct stook_rate bad[] = {
        STOOK_RATE(.count = 0),
        STOOK_RATE(.count = -1),
        STOOK_RATE(.count = INT64_C(1000000000001)),
        STOOK_RATE(.count = 1, .per_ms = -1),
        STOOK_RATE(.count = 1, .per_ms = INT64_C(2678400001)),
        STOOK_RATE(.count = 1, .burst = -1),
        STOOK_RATE(.count = 1, .burst = INT64_C(1000000000001)),
        STOOK_RATE(.count = 1, .of = 3),
        STOOK_RATE(.count = 1, .of = -1),
        STOOK_RATE(.count = 1, .by = 4),
        STOOK_RATE(.count = 1, .by = -1),
        {.count = 1}, /* no size */
    };
    const struct stook_rate good = STOOK_RATE(.count = INT64_C(1000000000000), .per_ms = INT64_C(2678400000), .burst = INT64_C(1000000000000),
                                              .of = STOOK_RATE_OF_COST, .by = STOOK_RATE_BY_KEY);
    const struct stook_rate *many[18] = {NULL};
    stook_client *client = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        test_note("%zu", i);
        CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.rates = RATES(&bad[i])), &client), STOOK_EARG);
        CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.rates = RATES(&good, &bad[i])), &client), STOOK_EARG);
        CHECK(client == NULL);
    }
    for (size_t i = 0; i < 17; i++)
        many[i] = &good;
    CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.rates = many), &client), STOOK_EARG);
    many[16] = NULL;
    CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.rates = many), &client), 0);
    stook_client_close(client, NULL, NULL);
    CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.rates = many + 16), &client), 0); /* none */
    stook_client_close(client, NULL, NULL);
    struct stook_rate made;
    stook_rate_init(&made, sizeof made);
    made.count = 5;
    CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.rates = RATES(&made)), &client), 0);
    stook_client_close(client, NULL, NULL);
}
