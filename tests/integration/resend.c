/* SPDX-License-Identifier: MIT */
/*
 * Each attempt reaches the server at most once. stook itself repeats a request, once, and counts it: if its
 * method is idempotent and a kept-alive connection died without a response.
 */
#include <stdio.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

/* Leaves so many kept-alive connections behind. */
static void warm_up(struct life *life, struct raw_server *server, unsigned connections)
{
    stook_batch *batch = life_batch(life);
    for (unsigned i = 0; i < connections; i++)
        add(batch, raw_url(server, "/after/warm?path=/after/warm&n=%u", connections));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(raw_connections(server), connections);
    stook_batch_free(batch);
}

struct expected {
    const char *method; /* NULL: GET */
    const char *body;
    const char *path;
    int error;
    unsigned attempts;
    unsigned seen;
};

static void check_one(struct life *life, const struct expected *expected, unsigned connections)
{
    struct raw_server *server = raw_server_start(NULL);
    char path[64];
    test_note("%s %s", expected->method ? expected->method : "GET", expected->path);
    snprintf(path, sizeof path, "%.*s", (int)strcspn(expected->path, "?"), expected->path);
    life_open(life, NULL);
    warm_up(life, server, connections);
    stook_batch *batch = life_batch(life);
    ADD(batch, .url = raw_url(server, "%s", expected->path), .method = expected->method,
        .body = expected->body, .body_size = expected->body ? STOOK_AUTO : 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), expected->error != 0);
    const stook_result *result = stook_batch_result(batch, 0);
    CHECK_ERROR(stook_result_error(result), expected->error);
    CHECK_EQ_INT(stook_result_attempts(result), expected->attempts);
    CHECK_EQ_INT(raw_seen(server, path), expected->seen);
    CHECK_EQ_INT(stook_result_may_have_been_sent(result), 1);
    stook_batch_free(batch);
    life_close(life);
}

/* libcurl would send again on a new connection, or on another one that is idle. */
static void check_cases(struct life *life, const struct expected *cases, size_t count)
{
    for (size_t i = 0; i < 2 * count; i++)
        check_one(life, &cases[i / 2], i % 2 ? 3 : 1);
}

static enum raw_then vanish(struct raw_call *call)
{
    raw_leave_port(call);
    return RAW_CLOSE;
}

/* The server has seen it, and then refuses connections: the result is the first failure. */
TEST_BOTH(repeated_in_vain)
{
    static const struct raw_behaviour extra[] = {{.path = "/vanish", .answer = vanish}, {.path = NULL}};
    struct raw_server *server = raw_server_start(extra);
    life_open(life, NULL);
    warm_up(life, server, 1);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/vanish"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    const stook_result *result = stook_batch_result(batch, 0);
    CHECK_EQ_INT(raw_seen(server, "/vanish"), 1);
    CHECK_EQ_INT(stook_result_attempts(result), 2);
    CHECK_ERROR(stook_result_error(result), STOOK_ERESET);
    CHECK_CONTAINS(stook_result_message(result), stook_strerror(STOOK_ERESET));
    CHECK_CONTAINS(stook_result_message(result), stook_strerror(STOOK_ECONNECT));
    CHECK_EQ_INT(stook_result_may_have_been_sent(result), 1); /* by the first, though not by the last */
    stook_batch_free(batch);
}

/* The server read it and may have acted on it: a second POST could be a second order. */
TEST_BOTH(post_is_sent_once)
{
    static const struct expected cases[] = {
        {"POST", "order", "/swallow", STOOK_ERESET, 1, 1},
        {"POST", NULL, "/swallow", STOOK_ERESET, 1, 1},
        {"POST", "order", "/swallow?n=1", STOOK_ERESET, 1, 1},
        {"PATCH", "order", "/swallow", STOOK_ERESET, 1, 1},
        {"POST", "order", "/rst", STOOK_ERESET, 1, 1},
        {"get", NULL, "/swallow", STOOK_ERESET, 1, 1}, /* not GET: case matters */
    };
    check_cases(life, cases, sizeof cases / sizeof cases[0]);
}

TEST_BOTH(idempotent_is_repeated_once)
{
    static const struct expected cases[] = {
        {NULL, NULL, "/swallow?n=1", 0, 2, 2},
        {"HEAD", NULL, "/swallow?n=1", 0, 2, 2},
        {"PUT", "same", "/swallow?n=1", 0, 2, 2},
        {"DELETE", NULL, "/swallow?n=1", 0, 2, 2},
        {"OPTIONS", NULL, "/swallow?n=1", 0, 2, 2},
        {NULL, NULL, "/rst?n=1", 0, 2, 2},
        {NULL, NULL, "/swallow", STOOK_ERESET, 2, 2}, /* once, not until it works */
        {NULL, NULL, "/rst", STOOK_ERESET, 2, 2},
    };
    check_cases(life, cases, sizeof cases / sizeof cases[0]);
}

/* After the first byte of a response a request is not repeated. */
TEST_BOTH(not_after_a_byte)
{
    static const struct expected cases[] = {
        {NULL, NULL, "/short", STOOK_ETRUNCATED, 1, 1},
        {NULL, NULL, "/short-head", STOOK_ETRUNCATED, 1, 1},
        {NULL, NULL, "/rst-body", STOOK_ERESET, 1, 1},
        {NULL, NULL, "/rst-head", STOOK_ERESET, 1, 1},
    };
    check_cases(life, cases, sizeof cases / sizeof cases[0]);
}

/* A new connection that dies is no reason for a repeat. */
TEST_BOTH(not_on_a_fresh_connection)
{
    static const char *const paths[] = {"/swallow", "/rst"};
    for (size_t i = 0; i < 2; i++) {
        struct raw_server *server = raw_server_start(NULL);
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        add(batch, raw_url(server, "%s", paths[i]));
        CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ERESET);
        CHECK_EQ_INT(stook_result_attempts(stook_batch_result(batch, 0)), 1);
        CHECK_EQ_INT(raw_seen(server, paths[i]), 1);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* The first time swallowed, then what was received is answered. */
static enum raw_then swallow_then_echo(struct raw_call *call)
{
    if (call->seen == 1)
        return RAW_CLOSE;
    return raw_answer(call, call->body, call->body_size);
}

/* The first time swallowed, then nothing. */
static enum raw_then swallow_then_stall(struct raw_call *call)
{
    return call->seen == 1 ? RAW_CLOSE : RAW_HOLD;
}

static const struct raw_behaviour own[] = {
    {.path = "/swallow-then-echo", .answer = swallow_then_echo},
    {.path = "/swallow-then-stall", .answer = swallow_then_stall},
    {.path = NULL}};

/* The body goes along again. */
TEST_BOTH(repeated_with_its_body)
{
    struct raw_server *server = raw_server_start(own);
    life_open(life, NULL);
    warm_up(life, server, 1);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/swallow-then-echo"), .method = "PUT", .body = "sheaf", .body_size = 5);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_STR(stook_result_body(stook_batch_result(batch, 0), NULL), "sheaf");
    CHECK_EQ_INT(stook_result_attempts(stook_batch_result(batch, 0)), 2);
    stook_batch_free(batch);
}

/* A connection that the server closed while nobody looked is not used: even a POST gets through. */
TEST_BOTH(closed_while_idle)
{
    static const char *const paths[] = {"/close-after", "/rst-after", "/close-after", "/rst-after"};
    for (size_t round = 0; round < 4; round++) {
        struct raw_server *server = raw_server_start(NULL);
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 8; i++)
            add(batch, raw_url(server, "%s", paths[round]));
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        stook_batch_free(batch);
        raw_wait(server, "/gone", 8);
        batch = life_batch(life);
        for (int i = 0; i < 8; i++)
            ADD(batch, raw_url(server, "/echo"), .body = "x", .body_size = 1);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        for (size_t i = 0; i < 8; i++)
            CHECK_EQ_INT(stook_result_attempts(stook_batch_result(batch, i)), 1);
        CHECK_EQ_INT(raw_seen(server, "/echo"), 8);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* POSTs keep their warm connections. */
TEST_BOTH(posts_keep_connections)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    for (int round = 0; round < 3; round++) {
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 20; i++)
            ADD(batch, raw_url(server, "/echo"), .body = "x", .body_size = 1);
        CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 4)), 0);
        stook_batch_free(batch);
    }
    CHECK(raw_connections(server) <= 4);
    CHECK_EQ_INT(raw_seen(server, "/echo"), 60);
}

/* The whole clock continues over the repeat; the attempt clock begins again. */
TEST_BOTH(clocks_of_a_repeat)
{
    for (int whole = 0; whole <= 1; whole++) {
        struct raw_server *server = raw_server_start(own);
        life_open(life, &STOOK_CLIENT(.stall_timeout_ms = STOOK_NONE));
        warm_up(life, server, 1);
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "/swallow-then-stall"), .timeout_ms = whole ? 100 : STOOK_NONE,
            .attempt_timeout_ms = whole ? STOOK_NONE : 100);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)),
                    whole ? STOOK_ETIMEOUT_TOTAL : STOOK_ETIMEOUT_ATTEMPT);
        CHECK_EQ_INT(stook_result_attempts(stook_batch_result(batch, 0)), 2);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* ------------------------------------------------------------------- a storm */

/* A connection serves one response and dies with all other requests on it. */
static enum raw_then one_each(struct raw_call *call)
{
    return call->on_connection > 1 ? RAW_CLOSE : raw_answer(call, "ok", 2);
}

static const struct raw_behaviour trouble[] = {{.path = "/one-each", .answer = one_each}, {.path = NULL}};

enum { STORM = 1000 };

struct storm {
    int error, status;
    unsigned most; /* attempts allowed for each */
    unsigned attempts;
};

static void check_attempts(stook_batch *batch, const stook_result *result, void *user)
{
    struct storm *storm = user;
    (void)batch;
    CHECK_ERROR(stook_result_error(result), storm->error);
    CHECK_EQ_INT(stook_result_status(result), storm->status);
    CHECK(stook_result_attempts(result) <= storm->most);
    storm->attempts += stook_result_attempts(result);
}

/* Whatever the server does to all of a thousand, it sees no more of them than the results say. */
TEST_BOTH(no_storm)
{
    static const struct {
        const char *path, *query;
        struct storm storm;
        unsigned least, most; /* seen by the server */
    } cases[] = {
        {"/status", "?code=503", {0, 503, 1, 0}, STORM, STORM},
        {"/close-after", "", {0, 200, 2, 0}, STORM, 2 * STORM},
        {"/one-each", "", {0, 200, 2, 0}, STORM + STORM / 4, 2 * STORM},
        {"/swallow", "", {STOOK_ERESET, 0, 2, 0}, STORM, 2 * STORM},
        {"/rst", "", {STOOK_ERESET, 0, 2, 0}, STORM, 2 * STORM},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct raw_server *server = raw_server_start(trouble);
        struct storm storm = cases[i].storm;
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        for (int k = 0; k < STORM; k++)
            add(batch, raw_url(server, "%s%s", cases[i].path, cases[i].query));
        test_note("%s", cases[i].path);
        life_gather(life, batch, &STOOK_GATHER(.limit = 20, .on_result = check_attempts, .user = &storm));
        unsigned seen = raw_seen(server, cases[i].path);
        test_note("%s: %u attempts, %u seen", cases[i].path, storm.attempts, seen);
        CHECK(seen <= storm.attempts);
        CHECK(seen >= cases[i].least && seen <= cases[i].most);
        stook_batch_free(batch);
        life_close(life);
    }
}
