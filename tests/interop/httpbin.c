/* SPDX-License-Identifier: MIT */
/* httpbin: what it reports of a request, codings, authentication, streams. */
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/httpbin.h"

static const stook_result *ask(struct life *life, stook_batch **batch, const struct stook_request *request,
                               int ok)
{
    *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(*batch, request), 0);
    life_gather(life, *batch, NULL);
    const stook_result *result = stook_batch_result(*batch, 0);
    test_note("%s: %s", request->url, stook_result_message(result));
    CHECK_ERROR(stook_result_error(result), 0);
    CHECK_EQ_INT(stook_result_ok(result), ok);
    return result;
}

TEST_BOTH(says_what_it_was_asked)
{
    static const char *const headers[] = {"X-One: 1", "Content-Type: text/plain", NULL};
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    static const char *const paths[] = {"/post", "/put", "/patch", "/delete"};
    struct httpbin *httpbin = httpbin_start(1);
    stook_batch *batch;
    life_open(life, NULL);
    for (size_t i = 0; i < 4; i++) {
        const stook_result *result =
            ask(life, &batch, &STOOK_REQUEST(.url = httpbin_url(httpbin, "%s", paths[i]), .method = methods[i],
                                             .headers = headers, .body = "hello, httpbin",
                                             .body_size = STOOK_AUTO), 1);
        CHECK_CONTAINS(stook_result_body(result, NULL), "\"hello, httpbin\"");
        CHECK_CONTAINS(stook_result_body(result, NULL), "\"X-One\"");
        CHECK_CONTAINS(stook_result_body(result, NULL), "\"text/plain\"");
        CHECK_CONTAINS(stook_result_header(result, "content-type"), "application/json");
        stook_batch_free(batch);
    }
}

TEST_BOTH(statuses)
{
    static const int statuses[] = {200, 204, 301, 304, 400, 401, 404, 418, 429, 500, 503};
    struct httpbin *httpbin = httpbin_start(1);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        add(batch, httpbin_url(httpbin, "/status/%d", statuses[i]));
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 9);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        CHECK_EQ_INT(stook_result_status(stook_batch_result(batch, i)), statuses[i]);
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), 0);
    }
    stook_batch_free(batch);
}

/* Z11: not asked for, so not decoded; the program sees what it is. */
TEST_BOTH(codings_that_were_not_asked_for)
{
    struct httpbin *httpbin = httpbin_start(1);
    stook_batch *batch;
    size_t size;
    life_open(life, NULL);
    const stook_result *result = ask(life, &batch, &STOOK_REQUEST(httpbin_url(httpbin, "/gzip")), 1);
    const char *body = stook_result_body(result, &size);
    CHECK_STR(stook_result_header(result, "Content-Encoding"), "gzip");
    CHECK(size > 18 && memcmp(body, "\x1f\x8b\x08", 3) == 0);
    stook_batch_free(batch);
    result = ask(life, &batch, &STOOK_REQUEST(httpbin_url(httpbin, "/deflate")), 1);
    CHECK_STR(stook_result_header(result, "Content-Encoding"), "deflate");
    stook_batch_free(batch);
}

TEST_BOTH(streams)
{
    struct httpbin *httpbin = httpbin_start(1);
    size_t size, lines = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, httpbin_url(httpbin, "/stream/20"));
    add(batch, httpbin_url(httpbin, "/stream-bytes/100000?seed=7&chunk_size=1000"));
    add(batch, httpbin_url(httpbin, "/bytes/50000?seed=7"));
    add(batch, httpbin_url(httpbin, "/drip?duration=0.2&numbytes=10&code=200&delay=0"));
    add(batch, httpbin_url(httpbin, "/range/2000?duration=0"));
    /* One by one: httpbin's threads share their random numbers. */
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    const char *body = stook_result_body(stook_batch_result(batch, 0), &size);
    CHECK_STR(stook_result_header(stook_batch_result(batch, 0), "Transfer-Encoding"), "chunked");
    for (size_t i = 0; i < size; i++)
        lines += body[i] == '\n';
    CHECK_EQ_SIZE(lines, 20);
    const char *bytes = stook_result_body(stook_batch_result(batch, 1), &size);
    CHECK_EQ_SIZE(size, 100000);
    const char *same = stook_result_body(stook_batch_result(batch, 2), &size);
    CHECK_EQ_SIZE(size, 50000);
    CHECK(memcmp(bytes, same, 1000) == 0); /* of the same seed */
    CHECK_STR(stook_result_body(stook_batch_result(batch, 3), NULL), "**********");
    stook_result_body(stook_batch_result(batch, 4), &size);
    CHECK_EQ_SIZE(size, 2000);
    stook_batch_free(batch);
}

TEST_BOTH(authentication)
{
    struct httpbin *httpbin = httpbin_start(1);
    stook_batch *batch;
    life_open(life, NULL);
    const char *basic = httpbin_url(httpbin, "/basic-auth/user/open%%20fields");
    CHECK_EQ_INT(stook_result_status(ask(life, &batch, &STOOK_REQUEST(basic), 0)), 401);
    stook_batch_free(batch);
    const stook_result *result = ask(life, &batch, &STOOK_REQUEST(basic, .username = "user",
                                                                  .password = "open fields"), 1);
    CHECK_CONTAINS(stook_result_body(result, NULL), "\"authenticated\"");
    stook_batch_free(batch);
    result = ask(life, &batch, &STOOK_REQUEST(basic, .username = "user", .password = "wrong"), 0);
    CHECK_EQ_INT(stook_result_status(result), 401);
    stook_batch_free(batch);
    result = ask(life, &batch, &STOOK_REQUEST(httpbin_url(httpbin, "/bearer"), .bearer = "t0ken"), 1);
    CHECK_CONTAINS(stook_result_body(result, NULL), "\"t0ken\"");
    stook_batch_free(batch);
}

/* Eight answers of a quarter of a second each, on eight connections. */
TEST_BOTH(delays_side_by_side)
{
    struct httpbin *httpbin = httpbin_start(1);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 8; i++)
        add(batch, httpbin_url(httpbin, "/delay/0.25"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    for (size_t i = 0; i < 8; i++)
        CHECK(stook_result_time_us(stook_batch_result(batch, i), STOOK_TIME_FIRST_BYTE) >= 200000);
    stook_batch_free(batch);
}
