/* SPDX-License-Identifier: MIT */
/*
 * What a result says beside its body: fields, trailers, sizes, the address of the peer; and the progress of
 * a request.
 */
#include <stdio.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

static const struct raw_behaviour more[] = {
    {"/fields", "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Empty:\r\nset-cookie:  b=2 \r\nContent-Length: 2\r\n\r\nok",
     .then = RAW_KEEP},
    {"/behind", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Sum: head\r\n\r\n"
                "2\r\nok\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\nX-More:  last \r\n\r\n",
     .then = RAW_KEEP},
    {"/hints", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Hint: 1\r\n\r\n"
               "HTTP/1.1 200 OK\r\nX-Final: 1\r\nContent-Length: 2\r\n\r\nok",
     .then = RAW_KEEP},
    {NULL}};

static const stook_result *gather_one(struct life *life, stook_batch *batch)
{
    life_gather(life, batch, NULL);
    return stook_batch_result_by_index(batch, stook_batch_count(batch) - 1);
}

static void check_field(const stook_result *result, size_t i, const char *name, const char *value)
{
    const char *found = NULL;
    CHECK_STR(stook_result_header_at(result, i, &found), value);
    CHECK_STR(found, name);
    CHECK_STR(stook_result_header_at(result, i, NULL), value);
}

TEST_BOTH(fields_by_name_and_index)
{
    struct raw_server *server = raw_server_start(more);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/fields"));
    const stook_result *result = gather_one(life, batch);
    const char *name = "untouched";
    CHECK_EQ_SIZE(stook_result_header_count(result), 4);
    check_field(result, 0, "Set-Cookie", "a=1");
    check_field(result, 1, "X-Empty", "");
    check_field(result, 2, "set-cookie", "b=2");
    check_field(result, 3, "Content-Length", "2");
    CHECK(stook_result_header_at(result, 4, &name) == NULL);
    CHECK_STR(name, "untouched");
    CHECK_STR(stook_result_header(result, "SET-COOKIE"), "a=1");
    CHECK_STR(stook_result_header(result, "x-empty"), "");
    CHECK(stook_result_header(result, "") == NULL);
    CHECK(stook_result_header(result, "Set") == NULL);
    CHECK_EQ_SIZE(stook_result_trailer_count(result), 0);
    stook_batch_free(batch);
}

TEST_BOTH(trailers_apart)
{
    struct raw_server *server = raw_server_start(more);
    const char *name = NULL;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/behind"));
    const stook_result *result = gather_one(life, batch);
    CHECK_EQ_SIZE(stook_result_header_count(result), 2);
    CHECK_STR(stook_result_header(result, "X-Sum"), "head");
    CHECK(stook_result_header(result, "X-More") == NULL);
    CHECK_EQ_SIZE(stook_result_trailer_count(result), 3);
    CHECK_STR(stook_result_trailer(result, "x-sum"), "1");
    CHECK_STR(stook_result_trailer_at(result, 1, &name), "2");
    CHECK_STR(name, "X-Sum");
    CHECK_STR(stook_result_trailer(result, "X-More"), "last");
    CHECK(stook_result_trailer(result, "Transfer-Encoding") == NULL);
    CHECK(stook_result_trailer_at(result, 3, NULL) == NULL);
    stook_batch_free(batch);
}

TEST_BOTH(interim_heads)
{
    struct raw_server *server = raw_server_start(more);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/hints"));
    const stook_result *result = gather_one(life, batch);
    CHECK_EQ_INT(stook_result_status(result), 200);
    CHECK(stook_result_header(result, "X-Hint") == NULL);
    CHECK_STR(stook_result_header(result, "X-Final"), "1");
    CHECK_EQ_SIZE(stook_result_header_count(result), 2);
    stook_batch_free(batch);
}

TEST_BOTH(sizes)
{
    struct raw_server *server = raw_server_start(more);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/fields"), .method = "POST", .body = "twelve bytes", .body_size = STOOK_AUTO);
    const stook_result *result = gather_one(life, batch);
    CHECK_EQ_INT(stook_result_size(result, STOOK_SIZE_BODY), 2);
    CHECK_EQ_INT(stook_result_size(result, STOOK_SIZE_WIRE), 2);
    CHECK_EQ_INT(stook_result_size(result, STOOK_SIZE_HEAD), (int)strlen(more[0].bytes) - 2);
    CHECK_EQ_INT(stook_result_size(result, STOOK_SIZE_SENT), 12);
    CHECK_EQ_INT(stook_result_size(result, 4), 0);
    CHECK_EQ_INT(stook_result_size(result, -1), 0);
    stook_batch_free(batch);
}

/* Trailers are counted from their first byte on, however they are cut. */
TEST_BOTH(sizes_of_trailers)
{
    static const char chunks[] = "3\r\nabc\r\n0\r\n";
    static const struct raw_behaviour trailers[] = {
        {"/trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-More: last\r\n\r\n",
         .then = RAW_KEEP},
        {NULL}};
    struct raw_server *server = raw_server_start(trailers);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/trailers"));
    const stook_result *result = gather_one(life, batch);
    CHECK_EQ_INT(stook_result_size(result, STOOK_SIZE_BODY), 3);
    CHECK_EQ_INT(stook_result_size(result, STOOK_SIZE_HEAD), (int)(strlen(trailers[0].bytes) - strlen(chunks)));
    stook_batch_free(batch);
}

/* Without a cap, and beyond what fits into 32 bits of a number or the room that was guessed. */
TEST_BOTH(many_fields)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    add(batch, raw_url(server, "/headers?n=200&size=200"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    const stook_result *result = stook_batch_result_by_index(batch, 1);
    CHECK_EQ_SIZE(stook_result_header_count(result), 201);
    CHECK_EQ_SIZE(strlen(stook_result_header(result, "X-199")), 200);
    CHECK_EQ_SIZE(stook_result_header_count(stook_batch_result_by_index(batch, 0)), 1);
    stook_batch_free(batch);
}

TEST_BOTH(peers)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 2; i++)
        add(batch, raw_url(server, "/ok"));
    add(batch, text("http://127.0.0.1:%d/", 1));
    add(batch, "nonsense");
    life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1));
    for (size_t i = 0; i < 2; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        CHECK_EQ_INT(stook_result_reused(result), i == 1);
        CHECK_STR(stook_result_remote_address(result), text("127.0.0.1:%d", raw_port(server)));
    }
    for (size_t i = 2; i < 4; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        CHECK_EQ_INT(stook_result_reused(result), 0);
        CHECK_STR(stook_result_remote_address(result), "");
        CHECK_EQ_SIZE(stook_result_header_count(result), 0);
        CHECK_EQ_INT(stook_result_size(result, STOOK_SIZE_HEAD), 0);
    }
    stook_batch_free(batch);
}

/* What is known although no answer came. */
TEST_BOTH(of_no_answer)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/rst"));
    const stook_result *result = gather_one(life, batch);
    CHECK_ERROR(stook_result_error(result), STOOK_ERESET);
    CHECK_STR(stook_result_remote_address(result), text("127.0.0.1:%d", raw_port(server)));
    CHECK_EQ_SIZE(stook_result_header_count(result), 0);
    CHECK(stook_result_header(result, "Server") == NULL);
    stook_batch_free(batch);
}

/* ---------------------------------------------------------------- how far it is */

struct seen {
    unsigned calls;
    struct stook_progress last;
    int cancel;
};

static void on_progress(stook_batch *batch, const stook_result *result, const struct stook_progress *progress, void *user)
{
    struct seen *seen = user;
    struct stook_progress asked = STOOK_PROGRESS();
    CHECK(progress->received >= seen->last.received && progress->sent >= seen->last.sent);
    CHECK_ERROR(stook_batch_request_progress(batch, stook_result_index(result), &asked), 0);
    CHECK(memcmp(&asked, progress, sizeof asked) == 0);
    seen->calls++;
    seen->last = *progress;
    if (seen->cancel)
        stook_batch_cancel_request(batch, stook_result_index(result));
}

TEST_BOTH(progress_of_a_download)
{
    struct raw_server *server = raw_server_start(NULL);
    struct seen seen = {0};
    struct stook_progress none = STOOK_PROGRESS(), no_size = {0};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/pour?n=3000000"), .on_progress = on_progress, .user = &seen);
    CHECK_ERROR(stook_batch_request_progress(batch, 0, &none), STOOK_ESTATE);
    CHECK_ERROR(stook_batch_request_progress(batch, 1, &none), STOOK_ESTATE);
    CHECK_ERROR(stook_batch_request_progress(batch, 0, NULL), STOOK_EARG);
    CHECK_ERROR(stook_batch_request_progress(NULL, 0, &none), STOOK_EARG);
    CHECK_ERROR(stook_batch_request_progress(batch, 0, &no_size), STOOK_EARG);
    CHECK_EQ_INT(stook_result_ok(gather_one(life, batch)), 1);
    CHECK_ERROR(stook_batch_request_progress(batch, 0, &none), STOOK_ESTATE);
    CHECK(seen.calls > 1);
    CHECK_EQ_INT(seen.last.received, 3000000);
    CHECK_EQ_INT(seen.last.receive_total, 3000000);
    CHECK_EQ_INT(seen.last.sent, 0);
    stook_batch_free(batch);
}

TEST_BOTH(progress_of_an_upload)
{
    static char body[3000000];
    struct raw_server *server = raw_server_start(NULL);
    struct seen seen = {0};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/chunked"), .on_progress = on_progress, .user = &seen, .body = body,
        .body_size = sizeof body);
    CHECK_EQ_INT(stook_result_ok(gather_one(life, batch)), 1);
    CHECK_EQ_INT(seen.last.sent, sizeof body);
    CHECK_EQ_INT(seen.last.send_total, sizeof body);
    CHECK_EQ_INT(seen.last.received, 7);
    CHECK_EQ_INT(seen.last.receive_total, -1);
    CHECK_EQ_INT(stook_result_size(stook_batch_result_by_index(batch, 0), STOOK_SIZE_SENT), sizeof body);
    stook_batch_free(batch);
}

TEST_BOTH(cancelled_in_progress)
{
    struct raw_server *server = raw_server_start(NULL);
    struct seen seen = {.cancel = 1};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/pour?n=30000000"), .on_progress = on_progress, .user = &seen);
    CHECK_ERROR(stook_result_error(gather_one(life, batch)), STOOK_ECANCELLED);
    CHECK_EQ_INT(seen.calls, 1);
    stook_batch_free(batch);
}
