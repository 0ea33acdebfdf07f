/* SPDX-License-Identifier: MIT */
/* The await: both orders, the count of requests that are not ok, small batches. */
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/plain.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"

enum { FIVE = 5 };

/* Five requests that are answered in reverse, far enough apart for a busy machine. */
static void add_reversed(stook_batch *batch, const struct plain *plain)
{
    for (int i = 0; i < FIVE; i++)
        add(batch, plain_url(plain, "/todos/%d?delay_ms=%d", i + 1, (FIVE - i) * 80));
}

TEST_BOTH(completion_order)
{
    struct plain *plain = plain_start();
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add_reversed(batch, plain);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    for (size_t i = 0; i < FIVE; i++) {
        CHECK_EQ_SIZE(stook_result_index(stook_batch_result(batch, i)), FIVE - 1 - i);
        CHECK_EQ_SIZE(stook_result_index(stook_batch_result_by_index(batch, i)), i);
    }
    stook_batch_free(batch);
}

TEST_BOTH(add_order)
{
    struct plain *plain = plain_start();
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add_reversed(batch, plain);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 0);
    for (size_t i = 0; i < FIVE; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        CHECK_EQ_SIZE(stook_result_index(result), i);
        CHECK(result == stook_batch_result_by_index(batch, i));
    }
    stook_batch_free(batch);
}

/* The result of a good exchange. */
TEST_BOTH(one)
{
    static int mark;
    struct plain *plain = plain_start();
    size_t size = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    const char *url = plain_url(plain, "/todos/7");
    ADD(batch, url, .user = &mark);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    const stook_result *result = stook_batch_result(batch, 0);
    const char *body = stook_result_body(result, &size);
    CHECK_EQ_INT(stook_result_ok(result), 1);
    CHECK_ERROR(stook_result_error(result), 0);
    CHECK_EQ_INT(stook_result_status(result), 200);
    CHECK_EQ_INT(stook_result_attempts(result), 1);
    CHECK_STR(stook_result_message(result), "OK");
    CHECK_STR(stook_result_url(result), url);
    CHECK_STR(stook_result_final_url(result), url);
    CHECK_CONTAINS(body, "\"id\":7");
    CHECK_EQ_SIZE(size, strlen(body)); /* a NUL follows, not counted */
    CHECK_STR(stook_result_header(result, "content-TYPE"), "application/json");
    CHECK(stook_result_header(result, "X-None") == NULL);
    CHECK_EQ_INT(atoi(stook_result_header(result, "Content-Length")), (long long)size);
    CHECK(stook_result_user(result) == &mark);
    CHECK_STR(stook_result_protocol(result), "HTTP/1.1");
    CHECK_EQ_INT(stook_result_curl_code(result), 0);
    CHECK_EQ_INT(stook_result_os_error(result), 0);
    stook_batch_free(batch);
}

/* Points in time come in their order. */
TEST_BOTH(timings)
{
    struct plain *plain = plain_start();
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, plain_url(plain, "/todos/1?delay_ms=20"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    const stook_result *result = stook_batch_result(batch, 0);
    int64_t dns = stook_result_time_us(result, STOOK_TIME_DNS);
    int64_t connect = stook_result_time_us(result, STOOK_TIME_CONNECT);
    int64_t first = stook_result_time_us(result, STOOK_TIME_FIRST_BYTE);
    int64_t total = stook_result_time_us(result, STOOK_TIME_TOTAL);
    CHECK(stook_result_time_us(result, STOOK_TIME_QUEUED) >= 0);
    CHECK(dns >= 0 && dns <= connect && connect > 0);
    CHECK(connect <= first && first <= total);
    CHECK(first >= 19000); /* the server took 20 ms, and clocks tick in ms */
    CHECK_EQ_INT(stook_result_time_us(result, STOOK_TIME_TLS), 0);
    CHECK_EQ_INT(stook_result_time_us(result, -1), 0);
    CHECK_EQ_INT(stook_result_time_us(result, 6), 0);
    stook_batch_free(batch);

    batch = life_batch(life); /* on the connection that is there */
    add(batch, plain_url(plain, "/todos/1"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(stook_result_time_us(stook_batch_result(batch, 0), STOOK_TIME_CONNECT), 0);
    stook_batch_free(batch);
}

TEST_BOTH(none)
{
    life_open(life, NULL);
    for (int ordered = 0; ordered <= 1; ordered++) {
        stook_batch *batch = life_batch(life);
        CHECK_EQ_INT((ordered ? life_gather_ordered : life_gather)(life, batch, NULL), 0);
        CHECK_EQ_SIZE(stook_batch_count(batch), 0);
        CHECK(stook_batch_result(batch, 0) == NULL);
        stook_batch_free(batch);
    }
}

/* The return value counts requests that are not ok, with and without a response. */
TEST_BOTH(not_ok_is_counted)
{
    struct raw_server *server = raw_server_start(NULL);
    int nobody = refusing_port();
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    add(batch, raw_url(server, "/status?code=404"));
    add(batch, text("http://127.0.0.1:%d/", nobody));
    add(batch, raw_url(server, "/status?code=299"));
    add(batch, raw_url(server, "/status?code=503"));
    add(batch, "not a url");
    add(batch, raw_url(server, "/redirect"));
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 5);
    static const struct {
        int ok, error, status;
        const char *message;
    } expected[] = {{1, 0, 200, "OK"},       {0, 0, 404, "HTTP 404"},
                    {0, STOOK_ECONNECT, 0, NULL}, {1, 0, 299, "OK"},
                    {0, 0, 503, "HTTP 503"}, {0, STOOK_EURL, 0, NULL},
                    {0, 0, 302, "HTTP 302"}};
    for (size_t i = 0; i < 7; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        test_note("request %zu", i);
        CHECK_EQ_INT(stook_result_ok(result), expected[i].ok);
        CHECK_ERROR(stook_result_error(result), expected[i].error);
        CHECK_EQ_INT(stook_result_status(result), expected[i].status);
        if (expected[i].message)
            CHECK_STR(stook_result_message(result), expected[i].message);
        else
            CHECK(stook_result_message(result)[0] != '\0');
    }
    CHECK_EQ_INT(raw_seen(server, "/ok"), 1); /* the redirect was not followed */
    stook_batch_free(batch);
}

/* A kept-alive connection is used again, also by the next batch. */
TEST_BOTH(connections_are_kept)
{
    struct plain *plain = plain_start();
    life_open(life, NULL);
    for (int round = 0; round < 5; round++) {
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 10; i++)
            add(batch, plain_url(plain, "/todos/1"));
        CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 2)), 0);
        stook_batch_free(batch);
    }
    CHECK(plain_count(plain, "connections_opened") <= 2);
}

/* An add copies everything: the program may overwrite it at once. */
TEST_BOTH(requests_are_copied)
{
    struct raw_server *server = raw_server_start(NULL);
    char url[64], method[] = "PUT", header[] = "X-Kept: yes", body[] = "sheaf";
    const char *headers[] = {header, NULL};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    strcpy(url, raw_url(server, "/echo"));
    ADD(batch, .url = url, .method = method, .headers = headers, .body = body, .body_size = STOOK_AUTO);
    memset(url, '!', sizeof url);
    memset(method, '!', sizeof method);
    memset(header, '!', sizeof header);
    memset(body, '!', sizeof body);
    headers[0] = NULL;
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    const char *seen = stook_result_body(stook_batch_result(batch, 0), NULL);
    CHECK(strncmp(seen, "PUT /echo HTTP/1.1\r\n", 20) == 0);
    CHECK_CONTAINS(seen, "\r\nX-Kept: yes\r\n");
    CHECK_CONTAINS(seen, "\r\n\r\nsheaf");
    stook_batch_free(batch);
}

/* Several awaits of one client at a time, each with its own end. */
TEST_BOTH(several_at_once)
{
    struct raw_server *server = raw_server_start(NULL);
    struct done done[4] = {{0, 0}};
    stook_batch *batches[4];
    life_open(life, NULL);
    for (int i = 0; i < 4; i++) {
        batches[i] = life_batch(life);
        for (int k = 0; k <= i; k++)
            add(batches[i], raw_url(server, "/status?code=%d", k % 2 ? 500 : 200));
        CHECK_ERROR(stook_gather_start(batches[i], NULL, count_done, &done[i]), 0);
    }
    life_run(life);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ_INT(done[i].calls, 1);
        CHECK_EQ_INT(done[i].failed, (i + 1) / 2);
        stook_batch_free(batches[i]);
    }
}

/* A blocking await also runs the other awaits of its client, and ends with its own batch. */
TEST(blocking_beside_started)
{
    static struct life life;
    struct raw_server *server = raw_server_start(NULL);
    struct done done = {0, 0};
    life_begin(&life, 0);
    life_open(&life, NULL);
    stook_batch *other = life_batch(&life), *batch = life_batch(&life);
    add(other, raw_url(server, "/ok/other"));
    add(other, raw_url(server, "/after?path=/open"));
    CHECK_ERROR(stook_gather_start(other, NULL, count_done, &done), 0);
    add(batch, raw_url(server, "/after?path=/ok/other"));
    CHECK_EQ_INT(stook_gather(batch, NULL), 0);
    CHECK_EQ_INT(done.calls, 0); /* nobody opened yet */
    raw_signal(server, "/open");
    CHECK_ERROR(stook_client_run(life.client), 0);
    CHECK_EQ_INT(done.calls, 1);
    stook_batch_free(batch);
    stook_batch_free(other);
    life_end(&life);
}
