/* SPDX-License-Identifier: MIT */
/* Bodies that the program gives while they are sent: body_read, body_rewind, STOOK_AGAIN. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/nginx.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"

/* Gives `total` bytes, each the last digit of its place, in portions, and has nothing every `later`th time. */
struct giver {
    int64_t total, given;
    size_t portion; /* 0: as many as are asked for */
    int later;      /* 0: never */
    int calls, laters, rewinds;
    int64_t answer; /* instead of the end, if not 0 */
    int resume_now; /* before it says that it has nothing */
    int cancel_at;  /* the call that cancels; 0: none */
    uv_timer_t timer;
    stook_batch *batch;
    size_t index;
};

static void give_again(stook_client *client, void *user)
{
    struct giver *giver = user;
    (void)client;
    stook_batch_resume_request(giver->batch, giver->index);
}

static struct life *the_life;

static int64_t give(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    struct giver *giver = user;
    char *bytes = buffer;
    CHECK(size >= 65536);
    giver->calls++;
    if (giver->calls == giver->cancel_at) {
        stook_batch_cancel_request(batch, index);
        memset(buffer, 'x', size); /* it is ours until we return */
        return (int64_t)size;
    }
    if (giver->later > 0 && giver->calls % giver->later == 0) {
        giver->laters++;
        giver->batch = batch;
        giver->index = index;
        if (giver->resume_now)
            stook_batch_resume_request(batch, index);
        else
            CHECK_ERROR(stook_client_post(the_life->client, give_again, giver), 0);
        return STOOK_AGAIN;
    }
    if (giver->given == giver->total && giver->answer != 0)
        return giver->answer;
    if (giver->portion > 0 && giver->portion < size)
        size = giver->portion;
    if ((int64_t)size > giver->total - giver->given)
        size = (size_t)(giver->total - giver->given);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('0' + (giver->given + (int64_t)i) % 10);
    giver->given += (int64_t)size;
    return (int64_t)size;
}

static int rewind_it(stook_batch *batch, size_t index, void *user)
{
    struct giver *giver = user;
    (void)batch;
    (void)index;
    giver->rewinds++;
    giver->given = 0;
    return 0;
}

static void check_echo(const stook_result *result, int64_t total)
{
    size_t size;
    const char *sent = stook_result_body(result, &size), *body = strstr(sent, "\r\n\r\n") + 4;
    CHECK_ERROR(stook_result_error(result), 0);
    CHECK_EQ_SIZE(size - (size_t)(body - sent), (size_t)total);
    for (int64_t i = 0; i < total; i++)
        if (body[i] != '0' + i % 10)
            FAIL("byte %ld is %c", (long)i, body[i]);
}

/* Lengths known and not, portions of all sizes, with and without waiting. */
TEST_BOTH(whole)
{
    static const struct giver kinds[] = {
        {.total = 0}, {.total = 1}, {.total = 10, .portion = 1}, {.total = 300000}, {.total = 300000, .portion = 7777},
        {.total = 65536, .portion = 65536}, {.total = 40, .portion = 1, .later = 2}, {.total = 1000000, .later = 2},
        {.total = 1000000, .portion = 9999, .later = 3, .resume_now = 1}, {.total = 0, .later = 1000},
    };
    enum { KINDS = sizeof kinds / sizeof kinds[0] };
    struct raw_server *server = raw_server_start(NULL);
    static struct giver givers[2 * KINDS];
    the_life = life;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < 2 * KINDS; i++) {
        givers[i] = kinds[i % KINDS];
        ADD(batch, raw_url(server, "/echo"), .body_read = give, .user = &givers[i],
            .body_size = i < KINDS ? 0 : givers[i].total);
    }
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 0);
    for (size_t i = 0; i < 2 * KINDS; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        const char *sent = stook_result_body(result, NULL);
        test_note("kind %zu", i);
        check_echo(result, givers[i].total);
        CHECK(strncmp(sent, "POST ", 5) == 0);
        CHECK(strcasestr(sent, "\r\nExpect:") == NULL);
        CHECK_EQ_INT(strcasestr(sent, "\r\nTransfer-Encoding: chunked\r\n") != NULL, i < KINDS || givers[i].total == 0);
        CHECK_EQ_INT(givers[i].laters > 0, givers[i].later > 0 && givers[i].later < 1000);
    }
    stook_batch_free(batch);
}

TEST_BOTH(whole_over_nginx, nginx)
{
    struct nginx *nginx = nginx_start();
    the_life = life;
    for (int version = STOOK_HTTP_1_1; version <= STOOK_HTTP_2; version++) {
        struct giver known = {.total = 2000000, .later = 3}, unknown = {.total = 2000001};
        life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .http_version = version));
        stook_batch *batch = life_batch(life);
        ADD(batch, nginx_tls_url(nginx, "/taken"), .body_read = give, .user = &known, .body_size = known.total);
        ADD(batch, nginx_tls_url(nginx, "/taken"), .body_read = give, .user = &unknown, .method = "PUT");
        CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 0);
        CHECK_STR(stook_result_body(stook_batch_result(batch, 0), NULL), "2000000");
        CHECK_STR(stook_result_body(stook_batch_result(batch, 1), NULL), "2000001");
        stook_batch_free(batch);
        life_close(life);
    }
}

/* What a body_read may not say; each has words of its own, and the peer never has a whole body. */
TEST_BOTH(refused)
{
    static const struct {
        struct giver giver;
        int64_t size;
        const char *why;
    } rows[] = {
        {{.total = 10, .answer = -1}, 0, "body_read failed"},
        {{.total = 10, .answer = INT64_MIN}, 0, "body_read failed"},
        {{.total = 10, .answer = INT64_MAX}, 0, "more than was asked for"},
        {{.total = 10, .answer = 1 << 20}, 0, "more than was asked for"},
        {{.total = 10}, 11, "ended before body_size"},
        {{.total = 200000}, 300000, "ended before body_size"},
        {{.total = 0}, 1, "ended before body_size"},
        {{.total = 10}, 9, "gave more than body_size"},
        {{.total = 10, .portion = 1}, 9, "gave more than body_size"},
        {{.total = 300000, .portion = 65536}, 299999, "gave more than body_size"},
        {{.total = 10, .answer = -1}, 10, "body_read failed"},
        {{.total = 10, .portion = 9, .later = 2}, 9, "gave more than body_size"},
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    struct raw_server *server = raw_server_start(NULL);
    static struct giver givers[ROWS];
    the_life = life;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < ROWS; i++) {
        givers[i] = rows[i].giver;
        ADD(batch, raw_url(server, "/echo"), .body_read = give, .user = &givers[i], .body_size = rows[i].size);
    }
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        test_note("row %zu: %s", i, stook_result_message(result));
        CHECK_ERROR(stook_result_error(result), STOOK_ECALLBACK);
        CHECK_CONTAINS(stook_result_message(result), rows[i].why);
    }
    CHECK_EQ_INT(raw_seen(server, "/echo"), 0);
    stook_batch_free(batch);
}

TEST_BOTH(bad_input)
{
    struct raw_server *server = raw_server_start(NULL);
    struct giver giver = {.total = 1};
    const char *url = raw_url(server, "/echo");
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, url, .body_rewind = rewind_it);
    ADD(batch, url, .body_read = give, .json = "1", .user = &giver);
    ADD(batch, url, .body_read = give, .method = "HEAD", .user = &giver);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 3);
    CHECK_CONTAINS(stook_result_message(stook_batch_result(batch, 0)), "without body_read");
    CHECK_CONTAINS(stook_result_message(stook_batch_result(batch, 1)), "more than one body");
    CHECK_CONTAINS(stook_result_message(stook_batch_result(batch, 2)), "HEAD");
    CHECK_EQ_INT(giver.calls, 0);
    stook_batch_free(batch);
}

/* The first two connections are used again, and closed behind the request. */
static void on_warm(struct life *life, struct raw_server *server, struct giver *giver, int with_rewind, int failed)
{
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    ADD(batch, raw_url(server, "/swallow?n=1"), .method = "PUT", .body_read = give,
        .body_rewind = with_rewind ? rewind_it : NULL, .user = giver);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), failed);
    const stook_result *result = stook_batch_result(batch, 1);
    CHECK_ERROR(stook_result_error(result), failed ? STOOK_ERESET : 0);
    CHECK_EQ_INT(stook_result_attempts(result), failed ? 1 : 2);
    stook_batch_free(batch);
}

/* Before libcurl wants its first byte, however often it is told to go on: the connection may be one that cannot be used. */
static void resume_early(stook_client *client, void *user)
{
    struct giver *giver = user;
    if (stook_batch_request_state(giver->batch, 0) != STOOK_STATE_CONNECTING)
        return;
    CHECK_EQ_INT(giver->calls, 0);
    stook_batch_resume_request(giver->batch, 0);
    if (++giver->laters < 50)
        CHECK_ERROR(stook_client_post(client, resume_early, user), 0);
    else
        stook_batch_cancel_request(giver->batch, 0);
}

static void begin_early(stook_client *client, void *user)
{
    struct giver *giver = user;
    if (stook_batch_request_state(giver->batch, 0) == STOOK_STATE_CONNECTING)
        resume_early(client, user);
    else
        CHECK_ERROR(stook_client_post(client, begin_early, user), 0);
}

TEST_BOTH(not_asked_before_it_is_sent)
{
    struct giver giver = {.total = 10};
    life_open(life, NULL);
    giver.batch = life_batch(life);
    ADD(giver.batch, text("http://127.0.0.1:%d/", silent_port()), .body_read = give, .user = &giver);
    CHECK_ERROR(stook_client_post(life->client, begin_early, &giver), 0);
    CHECK_EQ_INT(life_gather(life, giver.batch, NULL), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result(giver.batch, 0)), STOOK_ECANCELLED);
    CHECK_EQ_INT(giver.laters, 50);
    CHECK_EQ_INT(giver.calls, 0);
    stook_batch_free(giver.batch);
}

/* A body that cannot start over is not sent again. */
TEST_BOTH(repeats)
{
    for (int with_rewind = 0; with_rewind <= 1; with_rewind++) {
        struct raw_server *server = raw_server_start(NULL);
        struct giver giver = {.total = 100000};
        life_open(life, &STOOK_CLIENT(.direct = STOOK_NONE)); /* on one connection */
        on_warm(life, server, &giver, with_rewind, !with_rewind);
        CHECK_EQ_INT(giver.rewinds, with_rewind);
        CHECK_EQ_INT(raw_seen(server, "/swallow"), 1 + with_rewind);
        life_close(life);
    }
}

/* Asks for a Digest, and finds the nonce stale when the whole body is there. */
static enum raw_then find_stale(struct raw_call *call)
{
    char *all = malloc(call->head_size + call->body_size);
    if (call->seen < 3) {
        raw_say(call, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n%u\", qop=\"auth\"%s\r\n"
                      "Content-Length: 0\r\n\r\n", call->seen, call->seen == 2 ? ", stale=true" : "");
    } else {
        memcpy(all, call->head, call->head_size);
        memcpy(all + call->head_size, call->body, call->body_size);
        raw_answer(call, all, call->head_size + call->body_size);
    }
    free(all);
    return RAW_KEEP;
}

static const struct raw_behaviour finding_stale[] = {{"/stale", .answer = find_stale}, {NULL}};

/* A body that had ended begins anew, also one that the program gives bit by bit. */
TEST_BOTH(sent_again_after_a_challenge)
{
    the_life = life;
    for (int known = 0; known <= 1; known++) {
        struct raw_server *server = raw_server_start(finding_stale);
        struct giver giver = {.total = 200000, .portion = 50000, .later = 2};
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "/stale"), .body_read = give, .body_rewind = rewind_it, .user = &giver,
            .body_size = known ? giver.total : 0, .username = "user", .password = "secret", .auth = STOOK_AUTH_DIGEST);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        const stook_result *result = stook_batch_result(batch, 0);
        check_echo(result, giver.total);
        CHECK_EQ_INT(stook_result_attempts(result), 3);
        CHECK_EQ_INT(giver.rewinds, 1);
        CHECK(giver.laters > 4);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* Its own request, from inside; the buffer lives until the callback returns. */
TEST_BOTH(cancelled_inside)
{
    struct raw_server *server = raw_server_start(NULL);
    for (int at = 1; at <= 3; at++) {
        struct giver giver = {.total = 1000000, .portion = 1000, .cancel_at = at};
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "/echo"), .body_read = give, .user = &giver);
        add(batch, raw_url(server, "/ok"));
        CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 1);
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ECANCELLED);
        CHECK_EQ_INT(giver.calls, at);
        stook_batch_free(batch);
        life_close(life);
    }
}

static int64_t never_now(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    int *calls = user;
    (void)batch;
    (void)index;
    (void)buffer;
    (void)size;
    ++*calls;
    return STOOK_AGAIN;
}

static int64_t never_free(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    stook_batch_free(batch);
    return never_now(batch, index, buffer, size, user);
}

/* Waiting for the program costs no turns, ends with a cancel, and is nobody's time out. */
TEST_BOTH(waits_for_ever)
{
    struct raw_server *server = raw_server_start(NULL);
    int calls = 0;
    life_open(life, &STOOK_CLIENT(.stall_timeout_ms = 200));
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/echo"), .body_read = never_now, .user = &calls);
    ADD(batch, raw_url(server, "/drip?n=10&ms=20"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.timeout_ms = 800)), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 0)), STOOK_ETIMEOUT_BATCH);
    CHECK_EQ_INT(stook_result_ok(stook_batch_result_by_index(batch, 1)), 1);
    CHECK_EQ_INT(calls, 1);
    stook_batch_free(batch);
}

/* Nine of nine bytes, then nothing until the test resumes it, then one more. */
static int64_t nine_and_one(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    int *calls = user;
    (void)batch, (void)index, (void)size;
    if (++*calls == 2)
        return STOOK_AGAIN;
    memset(buffer, 'x', 9);
    return *calls == 1 ? 9 : 1;
}

static void resume_0(stook_batch *batch, const stook_result *result, void *user)
{
    (void)user;
    if (stook_result_index(result) == 1)
        stook_batch_resume_request(batch, 0);
}

/*
 * The last byte waits until the program has ended the body, so one too many is still an error, and the
 * server never has a whole request. With all nine it would answer long before the neighbour's delay ends.
 */
TEST_BOTH(the_last_byte_waits)
{
    struct raw_server *server = raw_server_start(NULL);
    int calls = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/echo"), .body_read = nine_and_one, .user = &calls, .body_size = 9);
    ADD(batch, raw_url(server, "/delay?ms=300"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.on_result = resume_0)), 1);
    CHECK_EQ_INT(calls, 3);
    stook_batch_free(batch);
}

TEST_BOTH(freed_inside)
{
    struct raw_server *server = raw_server_start(NULL);
    struct done done = {0, 0};
    int calls = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/echo"), .body_read = never_free, .user = &calls);
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
    life_run(life);
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(done.failed, 1);
    CHECK_EQ_INT(calls, 1);
}

/* The server answers before it has the body, and closes: that answer is the result, and nobody is
   asked for more. */
TEST_BOTH(early_answers)
{
    struct raw_server *server = raw_server_start(NULL);
    struct giver giver = {.total = 2000000}, endless = {.total = INT64_MAX};
    int calls = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/too-early"), .body_read = give, .user = &giver, .body_size = giver.total);
    ADD(batch, raw_url(server, "/too-early"), .body_read = give, .user = &endless);
    ADD(batch, raw_url(server, "/too-early"), .body_read = never_now, .user = &calls);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 3);
    for (size_t i = 0; i < 3; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        /* A reset may reach libcurl while it sends; see answered_before_it_was_sent in uploads.c. */
        if (i == 2 || stook_result_error(result) != STOOK_ERESET)
            CHECK_STR(stook_result_message(result), "HTTP 413");
    }
    stook_batch_free(batch);
}
