/* SPDX-License-Identifier: MIT */
/* The direct way: the same results as by libcurl, what it does with its connections, and how a request is sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

/* ------------------------------------------------------------------- the peer */

/* The request line and the fields, as they came. */
static enum raw_then mirror(struct raw_call *call)
{
    return raw_answer(call, call->head, call->head_size);
}

/* The body of the request, and again. */
static enum raw_then echo(struct raw_call *call)
{
    return raw_answer(call, call->body, call->body_size);
}

/* Says which request of its connection it is; then bytes that nobody asked for. */
static enum raw_then stray(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%u", call->on_connection);
    if (raw_number(call, "late"))
        raw_wait(call->server, "/go", call->seen);
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong");
    raw_signal(call->server, "/strayed");
    return RAW_KEEP;
}

/* Refuses before it reads the body, and resets the connection. */
static enum raw_then refuse_body(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 413 Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge");
    raw_pause(20);
    return RAW_RESET;
}

static enum raw_then close_when_told(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%u", call->on_connection);
    raw_wait(call->server, "/go", call->seen);
    raw_signal(call->server, "/closing");
    return RAW_CLOSE;
}

#define ONE(line, fields, body) "HTTP/1." line "\r\n" fields "\r\n" body
static const struct raw_behaviour behaviours[] = {
    {"/mirror", .answer = mirror},
    {"/echo", .answer = echo},
    {"/stray", .answer = stray},
    {"/refuse", .answer = refuse_body, .early = 1},
    {"/closes", .answer = close_when_told},
    {"/none", ONE("1 204 None", "", ""), .then = RAW_KEEP},
    {"/same", ONE("1 304 Same", "Content-Length: 7\r\n", ""), .then = RAW_KEEP},
    {"/early", ONE("1 103 Hints", "Link: x\r\n", "") ONE("1 200 OK", "Content-Length: 2\r\n", "ok"), .then = RAW_KEEP},
    {"/chunks", ONE("1 200 OK", "Transfer-Encoding: chunked\r\n", "2\r\nab\r\n1;x=y\r\nc\r\n0\r\nX-Last: z\r\n\r\n"), .then = RAW_KEEP},
    {"/until", ONE("1 200 OK", "", "until the end"), .then = RAW_CLOSE},
    {"/old", ONE("0 200 OK", "Content-Length: 3\r\n", "old"), .then = RAW_CLOSE},
    {"/kept", ONE("0 200 OK", "Content-Length: 3\r\nConnection: keep-alive\r\n", "old"), .then = RAW_KEEP},
    {"/odd", ONE("1 200 OK", "Content-Length : 2\r\n", "ok"), .then = RAW_CLOSE},
    {"/short", ONE("1 200 OK", "Content-Length: 20\r\n", "short"), .then = RAW_CLOSE},
    {"/two", ONE("1 200 OK", "Content-Length: 2\r\nContent-Length: 3\r\n", "oko"), .then = RAW_CLOSE},
    {"/101", ONE("1 101 Switch", "Upgrade: x\r\n", ""), .then = RAW_CLOSE},
    {NULL}};

static struct raw_server *server;

static void open_with(struct life *life, const struct stook_client_options *options)
{
    server = raw_server_start(behaviours);
    life_open(life, options);
}

/* Awaits one request; its result belongs to *ret_batch. */
static const stook_result *fetch(struct life *life, const struct stook_request *request, stook_batch **ret_batch)
{
    *ret_batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(*ret_batch, request), 0);
    life_gather(life, *ret_batch, NULL);
    return stook_batch_result(*ret_batch, 0);
}

/* ------------------------------------------------------------------- the same by both */

static const char *const accept_nothing[] = {"Accept:", "X-Empty;", "X-Two: a", "X-Two: b", NULL};

static const struct {
    const char *path;
    struct stook_request request;
} cases[] = {
    {"/mirror", {0}},
    {"/mirror?a=b&c=%20d", {0}},
    {"/mirror/a/../b/./c#fragment", {0}},
    {"/mirror/\xc3\xa9", {0}},
    {"/mirror", {.headers = accept_nothing}},
    {"/mirror", {.method = "HEAD"}},
    {"/mirror", {.method = "OPTIONS"}},
    {"/mirror", {.method = "DELETE"}},
    {"/mirror", {.method = "POST"}},
    {"/mirror", {.method = "PUT", .body = "x", .body_size = 1}},
    {"/mirror", {.json = "{}"}},
    {"/mirror", {.username = "u", .password = "p"}},
    {"/mirror", {.decompress = 1}},
    {"/none", {0}}, {"/same", {0}}, {"/early", {0}}, {"/chunks", {0}}, {"/until", {0}}, {"/old", {0}}, {"/kept", {0}},
    {"/odd", {0}}, {"/short", {0}}, {"/two", {0}}, {"/101", {0}}, {"/until", {.strict = 1}}, {"/missing", {0}}};

/* All that a result says, but times and what depends on the connection. */
static char *told_of(const stook_result *result)
{
    char *text_of = NULL;
    size_t size, body_size;
    FILE *out = open_memstream(&text_of, &size);
    const char *body = stook_result_body(result, &body_size);
    fprintf(out, "%s %d flags %d: ", stook_err_name(stook_result_error(result)), stook_result_status(result), (int)stook_result_flags(result));
    const char *name, *value;
    for (size_t i = 0; (value = stook_result_header_at(result, i, &name)) != NULL; i++)
        fprintf(out, "[%s: %s] ", name, value);
    fwrite(body, 1, body_size, out);
    fclose(out);
    return text_of;
}

TEST_BOTH(as_by_libcurl)
{
    enum { N = sizeof cases / sizeof *cases };
    char *by[2][N];
    server = raw_server_start(behaviours);
    for (int way = 0; way < 2; way++) {
        life_open(life, &STOOK_CLIENT(.direct = way ? 1 : STOOK_NONE));
        for (size_t i = 0; i < N; i++) {
            stook_batch *batch;
            struct stook_request request = cases[i].request;
            request.size = sizeof request;
            request.url = raw_url(server, "%s", cases[i].path);
            by[way][i] = told_of(fetch(life, &request, &batch));
            stook_batch_free(batch);
        }
        life_close(life);
    }
    for (size_t i = 0; i < N; i++) {
        test_note("%s, case %zu", cases[i].path, i);
        CHECK_STR(by[1][i], by[0][i]);
        free(by[0][i]);
        free(by[1][i]);
    }
}

/* ------------------------------------------------------------------- connections */

/* Bytes behind a response begin no other, whether they come with it or later. */
TEST_BOTH(stray_bytes)
{
    for (int late = 0; late <= 1; late++) {
        open_with(life, &STOOK_CLIENT(.direct = 1));
        for (unsigned i = 1; i <= 3; i++) {
            stook_batch *batch;
            const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/stray?late=%d", late)), &batch);
            CHECK_STR(stook_result_body(result, NULL), "1");
            stook_batch_free(batch);
            if (late)
                raw_signal(server, "/go");
            raw_wait(server, "/strayed", i);
            life_poke(life);
        }
        CHECK_EQ_INT(raw_connections(server), 3);
        life_close(life);
    }
}

/* A connection that ends while it is idle is closed then, and the next request is sent once, over another one. */
TEST_BOTH(ends_while_idle)
{
    open_with(life, &STOOK_CLIENT(.direct = 1));
    for (unsigned i = 1; i <= 3; i++) {
        stook_batch *batch;
        const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/closes")), &batch);
        CHECK_STR(stook_result_body(result, NULL), "1");
        CHECK_EQ_INT(stook_result_attempts(result), 1);
        stook_batch_free(batch);
        raw_signal(server, "/go");
        raw_wait(server, "/gone", i);
        for (int turn = 0; turn < 5; turn++)
            life_poke(life);
    }
}

/* Connections are kept for all that may follow a response, and for nothing else. */
TEST_BOTH(kept)
{
    static const struct {
        const char *path;
        int kept;
    } rows[] = {{"/mirror", 1}, {"/none", 1}, {"/same", 1}, {"/early", 1}, {"/chunks", 1}, {"/kept", 1}, {"/until", 0}, {"/old", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        open_with(life, &STOOK_CLIENT(.direct = 1));
        for (int n = 0; n < 3; n++) {
            stook_batch *batch;
            test_note("%s, request %d", rows[i].path, n);
            const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "%s", rows[i].path)), &batch);
            CHECK_ERROR(stook_result_error(result), 0);
            CHECK_EQ_INT(stook_result_reused(result), rows[i].kept && n > 0);
            stook_batch_free(batch);
        }
        CHECK_EQ_INT(raw_connections(server), rows[i].kept ? 1 : 3);
        life_close(life);
    }
}

/* ------------------------------------------------------------------- bodies */

struct reader {
    size_t bytes, pauses;
    int wrong;
};

static int read_and_pause(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct reader *reader = user;
    const char *bytes = data;
    for (size_t i = 0; i < size; i += 997)
        reader->wrong += bytes[i] != (char)('a' + (reader->bytes + i) % 23);
    reader->bytes += size;
    if (++reader->pauses % 3 != 0)
        return 0;
    stook_batch_resume_request(batch, stook_result_index(result));
    return STOOK_PAUSE;
}

static char *pattern(size_t size)
{
    char *bytes = malloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i % 23);
    return bytes;
}

/* What the socket does not take at once is sent when it does, and what the program does not take waits. */
static void echo_through(struct life *life, size_t size)
{
    char *body = pattern(size);
    struct reader reader = {0};
    stook_batch *batch;
    const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/echo"), .method = "PUT", .body = body, .body_size = size), &batch);
    size_t got;
    const char *back = stook_result_body(result, &got);
    CHECK_ERROR(stook_result_error(result), 0);
    CHECK_EQ_SIZE(got, size);
    CHECK(memcmp(back, body, size) == 0);
    CHECK_EQ_INT(stook_result_size(result, STOOK_SIZE_SENT), size);
    stook_batch_free(batch);
    result = fetch(life, &STOOK_REQUEST(raw_url(server, "/echo"), .method = "PUT", .body = body, .body_size = size,
                                        .on_body = read_and_pause, .user = &reader), &batch);
    CHECK_ERROR(stook_result_error(result), 0);
    CHECK_EQ_SIZE(reader.bytes, size);
    CHECK_EQ_INT(reader.wrong, 0);
    stook_batch_free(batch);
    free(body);
}

TEST_BOTH(large_uploads)
{
    static const size_t sizes[] = {1, 60000, 65536 - 200, 65536, 70000, 200000, 20000000};
    open_with(life, &STOOK_CLIENT(.direct = 1));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        echo_through(life, sizes[i]);
    CHECK_EQ_INT(raw_connections(server), 1);
}

TEST_BOTH(large_bodies)
{
    open_with(life, &STOOK_CLIENT(.direct = 1));
    echo_through(life, 3000001);
    echo_through(life, 9000000);
    CHECK_EQ_INT(raw_connections(server), 1);
}

/* The refusal of an upload arrives, though the rest of it cannot be sent. */
TEST_BOTH(refused_uploads)
{
    char *body = pattern(8000000);
    open_with(life, &STOOK_CLIENT(.direct = 1));
    for (int i = 0; i < 20; i++) {
        stook_batch *batch;
        const stook_result *result = fetch(life, &STOOK_REQUEST(raw_url(server, "/refuse"), .method = "PUT", .body = body, .body_size = 8000000), &batch);
        test_note("%s", stook_result_message(result));
        CHECK_EQ_INT(stook_result_status(result), 413);
        CHECK_STR(stook_result_body(result, NULL), "large");
        stook_batch_free(batch);
    }
    free(body);
}
