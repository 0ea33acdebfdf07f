/* SPDX-License-Identifier: MIT */
/*
 * Whether a request may have been sent: never 0 if the server has seen it, and 0 in every case where it
 * cannot have.
 */
#include <stdio.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

/* One request alone; 1: it may have been sent. */
static int sent(struct life *life, int error, const struct stook_request *request)
{
    stook_batch *batch = life_batch(life);
    test_note("%s", request->url);
    CHECK_ERROR(stook_batch_add(batch, request), 0);
    life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    CHECK_ERROR(stook_result_error(result), error);
    int answer = stook_result_may_have_been_sent(result);
    stook_batch_free(batch);
    return answer;
}

#define SENT(life, error, ...) sent((life), (error), &STOOK_REQUEST(__VA_ARGS__))

static enum raw_then leave(struct raw_call *call)
{
    raw_leave_port(call);
    raw_say(call, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    return RAW_CLOSE;
}

static void speak_no_tls(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 400 Bad Request\r\n\r\n");
}

TEST_BOTH(no_byte_of_it)
{
    static const struct raw_behaviour extra[] = {{.path = "/leave", .answer = leave}, {.path = NULL}};
    struct raw_door doors[] = {{.serve = NULL}, {.serve = speak_no_tls}};
    struct raw_server *server = raw_server_open(extra, doors, 2);
    char url[64];
    life_open(life, NULL);
    CHECK_EQ_INT(stook_result_may_have_been_sent(NULL), 0);
    CHECK_EQ_INT(SENT(life, STOOK_EURL, "no url at all"), 0);
    CHECK_EQ_INT(SENT(life, STOOK_EPOLICY, "ftp://127.0.0.1/"), 0);
    CHECK_EQ_INT(SENT(life, STOOK_EARG, raw_url(server, "/ok"), .body = "x"), 0);
    CHECK_EQ_INT(SENT(life, STOOK_ECONNECT, raw_url(server, "/ok"), .unix_socket = "/nowhere/at/all"), 0);
    CHECK_EQ_INT(SENT(life, STOOK_EFILE, raw_url(server, "/ok"), .body_file = "/nowhere/at/all"), 0);
    /* A connection is there, and TLS is not: of the request nothing went out. */
    snprintf(url, sizeof url, "https://127.0.0.1:%d/ok", doors[1].port);
    CHECK_EQ_INT(SENT(life, STOOK_ETLS, url), 0);
    CHECK_EQ_INT(SENT(life, 0, raw_url(server, "/leave")), 1);
    CHECK_EQ_INT(SENT(life, STOOK_ECONNECT, raw_url(server, "/ok"), .body = "order", .body_size = 5), 0);
    CHECK_EQ_INT((int)raw_seen(server, "/ok"), 0);
}

TEST_BOTH(while_it_waits)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/stall"));
    ADD(batch, raw_url(server, "/ok"), .queue_timeout_ms = 30);
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 1, .timeout_ms = 100)), 3);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 1)), STOOK_ETIMEOUT_QUEUE);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 2)), STOOK_ETIMEOUT_BATCH);
    CHECK_EQ_INT(stook_result_may_have_been_sent(stook_batch_result_by_index(batch, 0)), 1); /* and cut off */
    CHECK_EQ_INT(stook_result_may_have_been_sent(stook_batch_result_by_index(batch, 1)), 0);
    CHECK_EQ_INT(stook_result_may_have_been_sent(stook_batch_result_by_index(batch, 2)), 0);
    stook_batch_free(batch);
}

static int heads;

static int look_at_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    heads++;
    CHECK_EQ_INT(stook_result_may_have_been_sent(result), 1);
    return 0;
}

TEST_BOTH(maybe)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    heads = 0;
    CHECK_EQ_INT(SENT(life, 0, raw_url(server, "/ok"), .on_head = look_at_head), 1);
    CHECK_EQ_INT(heads, 1);
    CHECK_EQ_INT(SENT(life, 0, raw_url(server, "/status?code=503")), 1);
    CHECK_EQ_INT(SENT(life, STOOK_ERESET, raw_url(server, "/swallow/1"), .method = "POST"), 1);
    CHECK_EQ_INT(SENT(life, STOOK_ERESET, raw_url(server, "/rst/1"), .method = "POST"), 1);
    CHECK_EQ_INT(SENT(life, STOOK_ETRUNCATED, raw_url(server, "/short")), 1);
    CHECK_EQ_INT(SENT(life, STOOK_EPROTOCOL, raw_url(server, "/garbage")), 1);
    CHECK_EQ_INT(SENT(life, STOOK_ETIMEOUT_TOTAL, raw_url(server, "/stall"), .timeout_ms = 30), 1);
}
