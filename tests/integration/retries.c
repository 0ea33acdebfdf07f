/* SPDX-License-Identifier: MIT */
/* Retries: after what, how often, with what request, when not; and what the result says of each attempt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stook.h>

#include "support/fail_nth.h"
#include "support/life.h"
#include "support/raw_server.h"

/* ------------------------------------------------------------------- the peer */

/* /flaky?bad=2&status=503: so many times that status, then 200; the body names the request. */
static enum raw_then flaky(struct raw_call *call)
{
    long bad = raw_number(call, "bad"), status = raw_number(call, "status");
    if ((long)call->seen > bad)
        return raw_answer(call, call->body_size > 0 ? call->body : "good", call->body_size > 0 ? call->body_size : 4);
    raw_say(call, "HTTP/1.1 %ld Bad\r\nContent-Length: 3\r\n\r\nbad", status > 0 ? status : 503);
    return RAW_KEEP;
}

/* /slow-down?bad=1&wait=0: 429 with Retry-After. */
static enum raw_then slow_down(struct raw_call *call)
{
    if ((long)call->seen > raw_number(call, "bad"))
        return raw_answer(call, "good", 4);
    raw_say(call, "HTTP/1.1 429 Slow\r\nRetry-After: %ld\r\nContent-Length: 0\r\n\r\n", raw_number(call, "wait"));
    return RAW_KEEP;
}

/* The first is reset, before or in its body. The second says whether it came over a connection of its own. */
static enum raw_then reset_first(struct raw_call *call)
{
    if (call->seen > 1)
        return raw_answer(call, call->on_connection == 1 ? "fresh" : "reused", call->on_connection == 1 ? 5 : 6);
    if (raw_number(call, "body") > 0)
        raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    return RAW_RESET;
}

/* Hangs once. */
static enum raw_then hang_first(struct raw_call *call)
{
    return call->seen > 1 ? raw_answer(call, "good", 4) : RAW_HOLD;
}

/* The value of Idempotency-Key, after one failure. */
static enum raw_then keyed(struct raw_call *call)
{
    static char first[200];
    const char *at = strstr(call->head, "Idempotency-Key: ");
    char value[200] = "none";
    if (at != NULL)
        sscanf(at, "Idempotency-Key: %199[^\r]", value);
    if (call->seen == 1) {
        strcpy(first, value);
        raw_say(call, "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n");
        return RAW_KEEP;
    }
    return raw_answer(call, strcmp(first, value) == 0 ? value : "differs", strcmp(first, value) == 0 ? strlen(value) : 7);
}

/* 503 with more than a mebibyte, then 200. */
static enum raw_then lengthy(struct raw_call *call)
{
    static char body[3 << 19];
    if ((long)call->seen > raw_number(call, "bad"))
        return raw_answer(call, "good", 4);
    memset(body, 'x', sizeof body);
    raw_say(call, "HTTP/1.1 503 Bad\r\n%sContent-Length: %zu\r\n\r\n", raw_number(call, "later") ? "Retry-After: 1000\r\n" : "", sizeof body);
    raw_send(call, body, sizeof body);
    return RAW_CLOSE;
}

/* It is gone before the retry. */
static enum raw_then reset_and_leave(struct raw_call *call)
{
    raw_leave_port(call);
    return RAW_RESET;
}

/* "hello" */
#define GZIPPED "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00"
#define LATER "HTTP/1.1 503 Later\r\nRetry-After: 1000\r\n"
static const char gzipped[] = LATER "Content-Encoding: gzip\r\nContent-Length: 25\r\n\r\n" GZIPPED;

static const struct raw_behaviour behaviours[] = {
    {"/later/gzip", gzipped, sizeof gzipped - 1, .then = RAW_KEEP},
    {"/later/until-close", LATER "\r\nuntil the end", .then = RAW_CLOSE},
    {"/long", .answer = lengthy},
    {"/reset-and-leave", .answer = reset_and_leave},
    {"/lead", "HTTP/1.1 302 Found\r\nLocation: /flaky?bad=1\r\nContent-Length: 0\r\n\r\n", .then = RAW_KEEP},
    {"/flaky", .answer = flaky},         {"/slow-down", .answer = slow_down}, {"/reset-first", .answer = reset_first},
    {"/hang-first", .answer = hang_first}, {"/keyed", .answer = keyed},         {NULL}};

static struct raw_server *server;

static void open_with(struct life *life, const struct stook_client_options *options)
{
    server = raw_server_start(behaviours);
    life_open(life, options);
}

#define OPEN(life, ...) open_with(life, &STOOK_CLIENT(.retry_delay_ms = 1, .retry_max_delay_ms = 2, __VA_ARGS__))

/* Awaits one request; its result belongs to *ret_batch. */
static const stook_result *fetch(struct life *life, const struct stook_request *request, stook_batch **ret_batch)
{
    *ret_batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(*ret_batch, request), 0);
    life_gather(life, *ret_batch, NULL);
    return stook_batch_result(*ret_batch, 0);
}

static void check_attempt(const stook_result *result, size_t i, int64_t error, int64_t status, int64_t again)
{
    struct stook_attempt attempt = STOOK_ATTEMPT(), before = STOOK_ATTEMPT();
    CHECK_ERROR(stook_result_attempt_at(result, i, &attempt), 0);
    CHECK_EQ_INT(attempt.error, error);
    CHECK_EQ_INT(attempt.status, status);
    CHECK_EQ_INT(attempt.again, again);
    CHECK(attempt.started_us >= 0 && attempt.ended_us >= attempt.started_us);
    if (i > 0 && stook_result_attempt_at(result, i - 1, &before) == 0)
        CHECK(attempt.started_us >= before.ended_us);
}

/* ------------------------------------------------------------- after what, how often */

TEST_BOTH(after_a_status)
{
    stook_batch *batch;
    OPEN(life, .max_retries = 3);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/flaky?bad=2")), &batch);
    CHECK_STR(stook_result_body(result, NULL), "good");
    CHECK_EQ_INT(stook_result_attempts(result), 3);
    check_attempt(result, 0, 0, 503, STOOK_AGAIN_STATUS);
    check_attempt(result, 1, 0, 503, STOOK_AGAIN_STATUS);
    check_attempt(result, 2, 0, 200, STOOK_AGAIN_NOT);
    struct stook_attempt attempt = STOOK_ATTEMPT();
    CHECK_ERROR(stook_result_attempt_at(result, 3, &attempt), STOOK_ESTATE);
    stook_batch_free(batch);
}

/* The last failure is the result when no retry is left, with its body. */
TEST_BOTH(at_most_so_often)
{
    stook_batch *batch;
    OPEN(life, .max_retries = 2);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/flaky?bad=9")), &batch);
    CHECK_EQ_INT(stook_result_status(result), 503);
    CHECK_STR(stook_result_body(result, NULL), "bad");
    CHECK_STR(stook_result_message(result), "HTTP 503");
    CHECK_EQ_INT(stook_result_attempts(result), 3);
    CHECK_EQ_INT(raw_seen(server, "/flaky"), 3);
    check_attempt(result, 2, 0, 503, STOOK_AGAIN_NOT);
    stook_batch_free(batch);
}

/* Of a request that was sent once, too, its one attempt is told. */
TEST_BOTH(one_attempt)
{
    stook_batch *batch;
    OPEN(life, .max_retries = 2);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/ok")), &batch);
    check_attempt(result, 0, 0, 200, STOOK_AGAIN_NOT);
    struct stook_attempt attempt = STOOK_ATTEMPT();
    CHECK_ERROR(stook_result_attempt_at(result, 1, &attempt), STOOK_ESTATE);
    CHECK_ERROR(stook_result_attempt_at(NULL, 0, &attempt), STOOK_EARG);
    CHECK_ERROR(stook_result_attempt_at(result, 0, NULL), STOOK_EARG);
    attempt.size = 0;
    CHECK_ERROR(stook_result_attempt_at(result, 0, &attempt), STOOK_EARG);
    stook_batch_free(batch);
    result = fetch(life, &STOOK_REQUEST("ftp://x/"), &batch); /* never begun */
    attempt = STOOK_ATTEMPT();
    CHECK_ERROR(stook_result_attempt_at(result, 0, &attempt), STOOK_ESTATE);
    stook_batch_free(batch);
}

TEST_BOTH(which_statuses)
{
    static const struct {
        int status, again;
    } cases[] = {{400, 0}, {404, 0}, {408, 1}, {409, 0}, {425, 1}, {429, 1}, {500, 1}, {501, 0}, {502, 1}, {503, 1}, {504, 1}, {507, 0}};
    stook_batch *batch;
    OPEN(life, .max_retries = 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_note("%d", cases[i].status);
        const stook_result *result =
            fetch(life, &STOOK_REQUEST(raw_url(server, "/flaky/%d?bad=1&status=%d", cases[i].status, cases[i].status)), &batch);
        CHECK_EQ_INT(stook_result_status(result), cases[i].again ? 200 : cases[i].status);
        stook_batch_free(batch);
    }
}

TEST_BOTH(statuses_of_the_program)
{
    static const int64_t statuses[] = {404, 0};
    stook_batch *batch;
    OPEN(life, .max_retries = 1, .retry_statuses = statuses);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/flaky/a?bad=1&status=404")), &batch);
    CHECK_EQ_INT(stook_result_status(result), 200);
    stook_batch_free(batch);
    result = fetch(life, &STOOK_REQUEST(raw_url(server, "/flaky/b?bad=1")), &batch);
    CHECK_EQ_INT(stook_result_status(result), 503);
    stook_batch_free(batch);
}

/* Off unless it is asked for; and a request may switch it off or on. */
TEST_BOTH(off)
{
    stook_batch *batch;
    OPEN(life, .max_retries = 0);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/flaky/a?bad=1")), &batch);
    CHECK_EQ_INT(stook_result_status(result), 503);
    CHECK_EQ_INT(stook_result_attempts(result), 1);
    stook_batch_free(batch);
    result = fetch(life, &STOOK_REQUEST(raw_url(server, "/flaky/b?bad=1"), .max_retries = 1), &batch);
    CHECK_EQ_INT(stook_result_status(result), 200);
    stook_batch_free(batch);
}

TEST_BOTH(off_for_one_request)
{
    stook_batch *batch;
    OPEN(life, .max_retries = 3);
    const stook_result *result =
        fetch(life, &STOOK_REQUEST(raw_url(server, "/flaky?bad=1"), .max_retries = STOOK_NONE), &batch);
    CHECK_EQ_INT(stook_result_status(result), 503);
    stook_batch_free(batch);
}

/* A transport error goes to a fresh connection, also one in the middle of a body. */
TEST_BOTH(after_a_reset)
{
    stook_batch *batch;
    OPEN(life, .max_retries = 1);
    stook_result_unref(stook_result_ref(fetch(life, &STOOK_REQUEST(raw_url(server, "/ok")), &batch)));
    stook_batch_free(batch);
    for (int body = 0; body < 2; body++) {
        const stook_result *result =
            fetch(life, &STOOK_REQUEST(raw_url(server, "/reset-first/%d?body=%d", body, body)), &batch);
        CHECK_STR(stook_result_message(result), "OK");
        CHECK_STR(stook_result_body(result, NULL), "fresh");
        CHECK_EQ_INT(stook_result_attempts(result), 2);
        stook_batch_free(batch);
    }
}

TEST_BOTH(after_a_timeout)
{
    stook_batch *batch;
    OPEN(life, .max_retries = 1, .attempt_timeout_ms = 60);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/hang-first")), &batch);
    CHECK_STR(stook_result_body(result, NULL), "good");
    check_attempt(result, 0, STOOK_ETIMEOUT_ATTEMPT, 0, STOOK_AGAIN_ERROR);
    stook_batch_free(batch);
}

/* A server that is not there: nothing was sent, so any method is tried again. */
TEST_BOTH(when_nothing_was_sent)
{
    stook_batch *batch;
    OPEN(life, .max_retries = 2);
    const stook_result *result = fetch(life, &STOOK_REQUEST("http://127.0.0.1:1/", .method = "POST", .body = "x", .body_size = 1), &batch);
    CHECK_ERROR(stook_result_error(result), STOOK_ECONNECT);
    CHECK_EQ_INT(stook_result_attempts(result), 3);
    CHECK_EQ_INT(stook_result_may_have_been_sent(result), 0);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------------- what is safe */

TEST_BOTH(methods)
{
    static const struct {
        const char *method;
        int again;
    } cases[] = {{"GET", 1}, {"HEAD", 1}, {"PUT", 1}, {"DELETE", 1}, {"OPTIONS", 1}, {"POST", 0}, {"PATCH", 0}, {"LOCK", 0}};
    stook_batch *batch;
    OPEN(life, .max_retries = 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_note("%s", cases[i].method);
        const stook_result *result =
            fetch(life, &STOOK_REQUEST(raw_url(server, "/flaky/%s?bad=1", cases[i].method), .method = cases[i].method), &batch);
        CHECK_EQ_INT(stook_result_status(result), cases[i].again ? 200 : 503);
        stook_batch_free(batch);
    }
}

/* The program vouches for it, or a key makes it safe: the same one each time. A body is sent again. */
TEST_BOTH(vouched_for)
{
    stook_batch *batch;
    OPEN(life, .max_retries = 1);
    const stook_result *result = fetch(
        life, &STOOK_REQUEST(raw_url(server, "/flaky?bad=1"), .body = "body", .body_size = 4, .idempotent = 1), &batch);
    CHECK_STR(stook_result_body(result, NULL), "body");
    stook_batch_free(batch);
    result = fetch(life, &STOOK_REQUEST(raw_url(server, "/keyed"), .json = "{}", .idempotency_key = "\"8e03978e-40d5\""), &batch);
    CHECK_STR(stook_result_body(result, NULL), "\"8e03978e-40d5\"");
    CHECK_EQ_INT(stook_result_attempts(result), 2);
    stook_batch_free(batch);
    result = fetch(life, &STOOK_REQUEST(raw_url(server, "/keyed/other"), .json = "{}", .idempotent = 1), &batch);
    CHECK_STR(stook_result_body(result, NULL), "none"); /* no field is sent */
    stook_batch_free(batch);
}

/* What may have reached the server is not sent again, unless the program vouches for it. */
TEST_BOTH(post_after_a_reset)
{
    stook_batch *batch;
    OPEN(life, .max_retries = 3);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/reset-first/a"), .json = "{}"), &batch);
    CHECK_ERROR(stook_result_error(result), STOOK_ERESET);
    CHECK_EQ_INT(stook_result_attempts(result), 1);
    CHECK_EQ_INT(raw_seen(server, "/reset-first/a"), 1);
    stook_batch_free(batch);
    result = fetch(life, &STOOK_REQUEST(raw_url(server, "/reset-first/b"), .json = "{}", .idempotency_key = "k"), &batch);
    CHECK_STR(stook_result_body(result, NULL), "fresh");
    CHECK_EQ_INT(raw_seen(server, "/reset-first/b"), 2);
    stook_batch_free(batch);
}

/* One byte, and its end. */
static int64_t give_one(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    int *given = user;
    (void)batch, (void)index, (void)size;
    memset(buffer, 'x', 1);
    return (*given)++ == 0;
}

static int give_anew(stook_batch *batch, size_t index, void *user)
{
    int *given = user;
    (void)batch, (void)index;
    *given = 0;
    return 0;
}

/* A body that was read, and that nobody can begin anew, is sent once, whatever the method. */
TEST_BOTH(what_is_read_once)
{
    int given = 0;
    stook_batch *batch;
    OPEN(life, .max_retries = 2);
    const stook_result *result = fetch(
        life, &STOOK_REQUEST(raw_url(server, "/flaky/a?bad=1"), .method = "PUT", .body_read = give_one, .body_size = 1, .user = &given), &batch);
    CHECK_EQ_INT(stook_result_status(result), 503);
    CHECK_EQ_INT(stook_result_attempts(result), 1);
    CHECK_EQ_INT(raw_seen(server, "/flaky/a"), 1);
    stook_batch_free(batch);
    given = 0;
    result = fetch(life, &STOOK_REQUEST(raw_url(server, "/flaky/b?bad=1"), .method = "PUT", .body_read = give_one,
                                        .body_rewind = give_anew, .body_size = 1, .user = &given), &batch);
    CHECK_STR(stook_result_body(result, NULL), "x");
    CHECK_EQ_INT(stook_result_attempts(result), 2);
    stook_batch_free(batch);
    given = 0;
    result = fetch(life, &STOOK_REQUEST("http://127.0.0.1:1/", .body_read = give_one, .body_size = 1, .user = &given), &batch);
    CHECK_ERROR(stook_result_error(result), STOOK_ECONNECT);
    CHECK_EQ_INT(stook_result_attempts(result), 3); /* nothing was read */
    CHECK_EQ_INT(given, 0);
    stook_batch_free(batch);
}

struct shown {
    int heads, bytes;
};

static int see_head(stook_batch *batch, const stook_result *result, void *user)
{
    struct shown *shown = user;
    (void)batch;
    CHECK_EQ_INT(stook_result_status(result), 200);
    shown->heads++;
    return 0;
}

static int see_body(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct shown *shown = user;
    (void)batch, (void)result, (void)data;
    shown->bytes += (int)size;
    return 0;
}

static int see_any_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result;
    ((struct shown *)user)->heads++;
    return 0;
}

/* A response after which the request cannot be sent again is shown, whatever its status. */
TEST_BOTH(callbacks_of_what_is_not_sent_again)
{
    struct shown shown = {0, 0};
    stook_batch *batch;
    OPEN(life, .max_retries = 2);
    const stook_result *result = fetch(
        life, &STOOK_REQUEST(raw_url(server, "/flaky/post?bad=9"), .method = "POST", .on_head = see_any_head, .on_body = see_body, .user = &shown), &batch);
    CHECK_EQ_INT(stook_result_status(result), 503);
    CHECK_EQ_INT(stook_result_attempts(result), 1);
    CHECK_EQ_INT(shown.heads, 1);
    CHECK_EQ_INT(shown.bytes, 3);
    stook_batch_free(batch);
}

/* A response that is followed by another attempt is not shown; one that was shown is not followed. */
TEST_BOTH(callbacks)
{
    struct shown shown = {0, 0};
    stook_batch *batch;
    OPEN(life, .max_retries = 2);
    const stook_result *result =
        fetch(life, &STOOK_REQUEST(raw_url(server, "/flaky?bad=2"), .on_head = see_head, .on_body = see_body, .user = &shown), &batch);
    CHECK_EQ_INT(stook_result_status(result), 200);
    CHECK_EQ_INT(shown.heads, 1);
    CHECK_EQ_INT(shown.bytes, 4);
    stook_batch_free(batch);
    shown = (struct shown){0, 0};
    result = fetch(life, &STOOK_REQUEST(raw_url(server, "/reset-first?body=1"), .on_body = see_body, .user = &shown), &batch);
    CHECK(stook_result_error(result) == STOOK_ERESET || stook_result_error(result) == STOOK_ETRUNCATED);
    CHECK_EQ_INT(shown.bytes, 3);
    CHECK_EQ_INT(stook_result_attempts(result), 1);
    stook_batch_free(batch);
}

/* A response that is held back, because it may be followed by another, is treated as any other: decoded, counted,
   bounded, judged. */
TEST_BOTH(held_back)
{
    struct shown shown = {0, 0};
    struct {
        const char *path;
        int64_t decompress, strict, max_body_bytes;
        int error;
        const char *body;
    } cases[] = {
        {"/later/gzip", 1, 0, 0, 0, "hello"},
        {"/later/until-close", 0, 0, 0, 0, "until the end"},
        {"/later/until-close", 0, 1, 0, STOOK_ETRUNCATED, NULL},
        {"/later/until-close", 0, 0, 5, STOOK_ETOOLARGE, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        stook_batch *batch;
        OPEN(life, .max_retries = 2, .max_cooldown_ms = 100);
        test_note("%s, case %zu", cases[i].path, i);
        const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "%s", cases[i].path), .decompress = cases[i].decompress, .strict = cases[i].strict,
                                                 .max_body_bytes = cases[i].max_body_bytes, .on_body = see_body, .user = &shown), &batch);
        CHECK_ERROR(stook_result_error(result), cases[i].error);
        CHECK_EQ_INT(stook_result_status(result), 503);
        CHECK_EQ_INT(stook_result_attempts(result), cases[i].error == STOOK_ETRUNCATED ? 3 : 1); /* that is sent again */
        if (cases[i].body != NULL) {
            CHECK_STR(stook_result_body(result, NULL), cases[i].body);
            CHECK_EQ_INT(stook_result_size(result, STOOK_SIZE_BODY), strlen(cases[i].body));
            CHECK_EQ_INT(stook_result_flags(result) & (STOOK_FLAG_DECODED | STOOK_FLAG_UNTIL_CLOSE),
                         cases[i].decompress ? STOOK_FLAG_DECODED : STOOK_FLAG_UNTIL_CLOSE);
        }
        stook_batch_free(batch);
        life_close(life);
    }
    CHECK_EQ_INT(shown.bytes, 0);
}

/* Of a body over 1 MiB the rest is not read. */
TEST_BOTH(held_back_and_too_long)
{
    struct shown shown = {0, 0};
    stook_batch *batch;
    OPEN(life, .max_retries = 2, .max_cooldown_ms = 100);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/long?bad=1"), .on_body = see_body, .user = &shown), &batch);
    CHECK_ERROR(stook_result_error(result), 0);
    CHECK_EQ_INT(stook_result_status(result), 200);
    CHECK_EQ_INT(stook_result_attempts(result), 2);
    CHECK_EQ_INT(shown.bytes, 4);
    stook_batch_free(batch);
    result = fetch(life, &STOOK_REQUEST(raw_url(server, "/long/again?bad=9&later=1"), .on_body = see_body, .user = &shown), &batch);
    CHECK_ERROR(stook_result_error(result), STOOK_ETOOLARGE);
    CHECK_EQ_INT(stook_result_status(result), 503);
    CHECK_EQ_INT(stook_result_attempts(result), 1);
    CHECK_EQ_INT(shown.bytes, 4);
    stook_batch_free(batch);
}

/* Hops are attempts too, from the first. */
TEST_BOTH(behind_a_redirect)
{
    stook_batch *batch;
    OPEN(life, .max_retries = 2, .max_redirects = 3);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/lead")), &batch);
    CHECK_EQ_INT(stook_result_attempts(result), 3);
    check_attempt(result, 0, 0, 302, STOOK_AGAIN_REDIRECT);
    check_attempt(result, 1, 0, 503, STOOK_AGAIN_STATUS);
    check_attempt(result, 2, 0, 200, STOOK_AGAIN_NOT);
    stook_batch_free(batch);
}

/* With retries the last failure is the result, whatever came before. */
TEST_BOTH(the_last_failure)
{
    stook_batch *batch;
    OPEN(life, .max_retries = 1);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/reset-and-leave")), &batch);
    CHECK_ERROR(stook_result_error(result), STOOK_ECONNECT);
    check_attempt(result, 0, STOOK_ERESET, 0, STOOK_AGAIN_ERROR);
    check_attempt(result, 1, STOOK_ECONNECT, 0, STOOK_AGAIN_NOT);
    CHECK(stook_result_may_have_been_sent(result));
    stook_batch_free(batch);
}

/* The end of an attempt that a clock has ended is when that was. */
TEST_BOTH(the_end_of_a_timeout)
{
    struct stook_attempt attempt = STOOK_ATTEMPT();
    stook_batch *batch;
    OPEN(life, .attempt_timeout_ms = 300);
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/hang-first/alone")), &batch);
    CHECK_ERROR(stook_result_error(result), STOOK_ETIMEOUT_ATTEMPT);
    CHECK_ERROR(stook_result_attempt_at(result, 0, &attempt), 0);
    test_note("%d to %d us", (int)attempt.started_us, (int)attempt.ended_us);
    CHECK(attempt.ended_us - attempt.started_us >= 300000);
    CHECK(stook_result_time_us(result, STOOK_TIME_TOTAL) >= 300000);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------------------ when not */

/* A wait that would pass the whole clock is not begun. */
TEST_BOTH(too_late)
{
    stook_batch *batch;
    open_with(life, &STOOK_CLIENT(.max_retries = 3, .timeout_ms = 5000));
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/slow-down?bad=9&wait=6")), &batch);
    CHECK_EQ_INT(stook_result_status(result), 429);
    CHECK_EQ_INT(stook_result_attempts(result), 1);
    CHECK_CONTAINS(stook_result_message(result), "HTTP 429; no retry: the wait before it would pass timeout_ms");
    stook_batch_free(batch);
}

TEST_BOTH(too_long)
{
    stook_batch *batch;
    open_with(life, &STOOK_CLIENT(.max_retries = 3, .max_cooldown_ms = 1000));
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/slow-down?bad=9&wait=2")), &batch);
    CHECK_EQ_INT(stook_result_status(result), 429);
    CHECK_CONTAINS(stook_result_message(result), "beyond max_cooldown_ms");
    stook_batch_free(batch);
}

TEST_BOTH(as_soon_as_it_says)
{
    stook_batch *batch;
    open_with(life, &STOOK_CLIENT(.max_retries = 3, .retry_delay_ms = 1));
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/slow-down?bad=1&wait=1")), &batch);
    struct stook_attempt first = STOOK_ATTEMPT(), second = STOOK_ATTEMPT();
    CHECK_EQ_INT(stook_result_status(result), 200);
    CHECK_ERROR(stook_result_attempt_at(result, 0, &first), 0);
    CHECK_ERROR(stook_result_attempt_at(result, 1, &second), 0);
    CHECK(second.started_us - first.ended_us >= 1000000);
    stook_batch_free(batch);
}

/* A thousand failing requests get 20 % and a hundred retries, not three thousand; none gets more than its three.
   The last failure is the result, and says why it is the last. */
static void storm(struct life *life, const char *path, const char *failure)
{
    OPEN(life, .max_retries = 3, .limit = 50, .timeout_ms = 60000);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 1000; i++)
        add(batch, raw_url(server, "%s?bad=1000000", path));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1000);
    unsigned seen = raw_seen(server, path);
    test_note("%u sent", seen);
    CHECK(seen > 1100 && seen <= 1000 + 200 + 100);
    size_t refused = 0, attempts = 0;
    for (size_t i = 0; i < 1000; i++) {
        const stook_result *result = stook_batch_result_by_index(batch, i);
        const char *message = stook_result_message(result);
        int is_refused = strstr(message, "; no retry: the retry budget of its origin") != NULL;
        CHECK(strncmp(message, failure, strlen(failure)) == 0);
        CHECK(stook_result_attempts(result) <= 4 && (is_refused || stook_result_attempts(result) == 4));
        attempts += (size_t)stook_result_attempts(result);
        refused += (size_t)is_refused;
    }
    CHECK_EQ_SIZE(attempts, seen);
    CHECK(refused >= 700);
    stook_batch_free(batch);
}

TEST_BOTH(budget)
{
    storm(life, "/flaky", "HTTP 503");
}

TEST_BOTH(budget_of_resets)
{
    storm(life, "/rst", "the connection was lost: ");
}

/* A request in back-off holds no place: another one is served meanwhile. */
TEST_BOTH(holds_nothing)
{
    open_with(life, &STOOK_CLIENT(.max_retries = 1, .limit = 1, .max_cooldown_ms = STOOK_NONE, .retry_delay_ms = 100000,
                                  .retry_max_delay_ms = 100000));
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/flaky/x?bad=1"));
    add(batch, raw_url(server, "/ok"));
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    while (raw_seen(server, "/ok") == 0)
        if (life->borrowed)
            uv_run(&life->loop, UV_RUN_ONCE);
        else
            stook_client_turn(life->client, 10);
    struct stook_batch_stats stats = STOOK_BATCH_STATS();
    CHECK_ERROR(stook_batch_stats(batch, &stats), 0);
    if (stats.waiting == 1) /* but for a back-off of next to nothing */
        CHECK_EQ_INT(stook_batch_request_state(batch, 0), STOOK_STATE_BACKOFF);
    stook_batch_cancel(batch);
    life_run(life);
    stook_batch_free(batch);
}

/* A drain begins no retry: one that waits for its own ends then. */
static void note_drained(void *user)
{
    struct life *life = user;
    life->closed++;
}

static void drain_then(stook_batch *batch, const stook_result *result, void *user)
{
    struct life *life = user;
    (void)batch;
    if (stook_result_index(result) == 0) {
        stook_client *client = life->client;
        life->client = NULL;
        CHECK_ERROR(stook_client_drain(client, STOOK_NONE, note_drained, life), 0);
        return;
    }
    CHECK(stook_result_error(result) == STOOK_ECLOSED || stook_result_status(result) == 503);
    if (stook_result_error(result) == STOOK_ECLOSED)
        check_attempt(result, 0, 0, 503, STOOK_AGAIN_STATUS);
}

TEST_BOTH(drained)
{
    open_with(life, &STOOK_CLIENT(.max_retries = 5, .retry_delay_ms = 1000000, .retry_max_delay_ms = 1000000, .limit = 1));
    stook_client *client = life->client;
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/delay/one?ms=50"));
    ADD(batch, raw_url(server, "/flaky?bad=100"), .priority = 7, .timeout_ms = STOOK_NONE);
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.on_result = drain_then, .user = life), NULL, NULL), 0);
    while (life->closed == 0)
        if (life->borrowed)
            uv_run(&life->loop, UV_RUN_ONCE);
        else if (stook_client_turn(client, 10) == STOOK_ECLOSED)
            break;
    CHECK_EQ_INT(life->closed, 1);
    stook_batch_free(batch);
}

/* Pulled, in either order and within a window: each result comes once, and only when no attempt is left. */
TEST_BOTH(pulled)
{
    enum { COUNT = 60 };
    OPEN(life, .max_retries = 3, .retry_budget = STOOK_NONE);
    for (int ordered = 0; ordered < 2; ordered++) {
        int seen[COUNT] = {0}, answer;
        const stook_result *result;
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < COUNT; i++)
            ADD(batch, raw_url(server, "/flaky/%d.%d?bad=%d", ordered, i, i % 3), .coalesce = i % 2);
        CHECK_ERROR((ordered ? stook_gather_ordered_start : stook_gather_start)(batch, &STOOK_GATHER(.limit = 10, .pull = 1, .window = 7), NULL, NULL), 0);
        for (size_t n = 0; (answer = stook_batch_next(batch, &result)) != 0;) {
            if (answer == STOOK_AGAIN) {
                life_turn(life, 10000);
                continue;
            }
            CHECK_EQ_INT(answer, 1);
            size_t index = stook_result_index(result);
            CHECK(!ordered || index == n);
            CHECK_EQ_INT(seen[index]++, 0);
            CHECK_STR(stook_result_body(result, NULL), "good");
            CHECK_EQ_INT(stook_result_attempts(result), (int)index % 3 + 1);
            n++;
        }
        for (size_t i = 0; i < COUNT; i++)
            CHECK_EQ_INT(seen[i], 1);
        stook_batch_free(batch);
    }
}

/* A child of the process leaves what waits for its retry to its parent. */
TEST_BOTH(forked_meanwhile)
{
    int status = 0;
    OPEN(life, .max_retries = 3);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/slow-down?bad=1&wait=1"));
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    while (stook_batch_request_state(batch, 0) != STOOK_STATE_BACKOFF)
        life_turn(life, 10);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK_ERROR(stook_client_turn(life->client, 2000), STOOK_ESTATE);
        CHECK_EQ_INT(stook_batch_request_state(batch, 0), STOOK_STATE_NONE);
        stook_batch_cancel(batch);
        stook_client_close(life->client, NULL, NULL);
        test_exit_child();
    }
    CHECK_EQ_INT(waitpid(child, &status, 0), child);
    CHECK_EQ_INT(status, 0);
    life_run(life);
    CHECK_STR(stook_result_body(stook_batch_result(batch, 0), NULL), "good");
    CHECK_EQ_INT(raw_seen(server, "/slow-down"), 2);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------------------ arguments */

TEST(arguments)
{
    static const int64_t low[] = {399, 0}, high[] = {600, 0}, none[] = {0};
    const struct stook_client_options bad[] = {
        STOOK_CLIENT(.max_retries = 51),
        STOOK_CLIENT(.max_retries = -2),
        STOOK_CLIENT(.retry_delay_ms = -1),
        STOOK_CLIENT(.retry_max_delay_ms = -1),
        STOOK_CLIENT(.retry_delay_ms = 10, .retry_max_delay_ms = 9),
        STOOK_CLIENT(.retry_budget = 1001),
        STOOK_CLIENT(.retry_budget = -2),
        STOOK_CLIENT(.retry_statuses = low),
        STOOK_CLIENT(.retry_statuses = high),
        STOOK_CLIENT(.max_cooldown_ms = -2),
        STOOK_CLIENT(.circuit_failures = 1001),
        STOOK_CLIENT(.circuit_failures = -2),
    };
    stook_client *client;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        test_note("%zu", i);
        CHECK_ERROR(stook_client_new(NULL, &bad[i], &client), STOOK_EARG);
    }
    CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.retry_statuses = none, .retry_delay_ms = 30000), &client), 0);
    stook_batch *batch;
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST("http://x/", .max_retries = 51)), STOOK_EARG);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST("http://x/", .idempotent = 2)), STOOK_EARG);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST("http://x/", .delay_ms = -2)), STOOK_EARG);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST("http://x/", .cost = -2)), STOOK_EARG);
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
}

TEST_BOTH(keys)
{
    static const char *const headers[] = {"Idempotency-Key: 1", NULL};
    stook_batch *batch;
    OPEN(life, .max_retries = 1);
    const struct stook_request bad[] = {
        STOOK_REQUEST("http://127.0.0.1:1/", .idempotency_key = ""),
        STOOK_REQUEST("http://127.0.0.1:1/", .idempotency_key = "a\nb"),
        STOOK_REQUEST("http://127.0.0.1:1/", .idempotency_key = "a", .headers = headers),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERROR(stook_result_error(fetch(life, &bad[i], &batch)), STOOK_EARG);
        stook_batch_free(batch);
    }
}

/* Whichever allocation fails, each request has one result. */
static void flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    if (story.batch != NULL) {
        story_add_request(&story, &STOOK_REQUEST(raw_url(server, "/flaky/a?bad=1000000"), .max_retries = 2));
        story_add_request(&story, &STOOK_REQUEST(raw_url(server, "/flaky/b?bad=1000000"), .max_retries = 1, .json = "{}", .idempotency_key = "k", .rate_key = "tenant"));
    }
    story_start(&story, 0, NULL);
    story_end(&story);
}

TEST(nomem, slow)
{
    server = raw_server_start(behaviours);
    fail_nth(flow);
}
