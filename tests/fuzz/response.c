/* SPDX-License-Identifier: MIT */
/*
 * Responses through the whole library. The input is a byte of options and the bytes that a server answers.
 *
 *   whole and in pieces of sizes that the input decides, it has one outcome
 *   a success is one for the reader too, with the same status and the same body: nothing came on other ways
 *   a second request of the client gets its own answer, or an error, and never what was left of the first
 *   exactly one result each; nothing is left in memory or in the loop
 */
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <stook.h>

#include "fuzz.h"
#include "support/memory.h"
#include "server.h"
#include "http1/reader.h"

enum { OPTION_HEAD = 1, OPTION_DECODE = 2, OPTION_STRICT = 4, OPTION_ON_BODY = 8, OPTION_SMALL = 16 };

static const char second[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond";

struct text {
    char *bytes;
    size_t size;
};

static void append(struct text *text, const void *bytes, size_t size)
{
    text->bytes = realloc(text->bytes, text->size + size + 1);
    CHECK(text->bytes != NULL);
    if (size > 0)
        memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
}

struct run {
    uv_loop_t loop;
    struct memory memory;
    struct fuzz_server server;
    unsigned options;
    const uint8_t *answer, *sizes;
    size_t answer_size, n_sizes;
    struct text body; /* by on_body */
    int heads, results, second_results;
    /* Of the first. */
    int error, status, flags;
    struct text fields, content;
    char message[512];
};

static void on_bytes(struct fuzz_connection *connection)
{
    struct run *run = connection->server->user;
    char *end = strstr(connection->in, "\r\n\r\n");
    if (end == NULL)
        return;
    int is_second = strstr(connection->in, " /2 ") != NULL;
    fuzz_connection_drop(connection, (size_t)(end + 4 - connection->in));
    CHECK_EQ_SIZE(connection->in_size, 0);
    if (is_second)
        fuzz_connection_say(connection, second, sizeof second - 1, 0);
    else
        fuzz_connection_drip(connection, (const char *)run->answer, run->answer_size, run->sizes, run->n_sizes, 1);
}

static int on_head(stook_batch *batch, const stook_result *result, void *user)
{
    struct run *run = user;
    (void)batch;
    run->heads++;
    CHECK(stook_result_status(result) >= 100);
    return 0;
}

static int on_body(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct run *run = user;
    (void)batch, (void)result;
    CHECK(size > 0 && run->heads == 1);
    append(&run->body, data, size);
    return 0;
}

static void note_first(struct run *run, const stook_result *result)
{
    size_t size;
    const void *body = stook_result_body(result, &size);
    run->results++;
    run->error = stook_result_error(result);
    run->status = stook_result_status(result);
    run->flags = stook_result_flags(result);
    CHECK(strlen(stook_result_message(result)) < sizeof run->message);
    strcpy(run->message, stook_result_message(result));
    append(&run->content, body, size);
    for (int trailers = 0; trailers < 2; trailers++) {
        size_t count = trailers ? stook_result_trailer_count(result) : stook_result_header_count(result);
        for (size_t i = 0; i < count; i++) {
            const char *name = NULL;
            const char *value = trailers ? stook_result_trailer_at(result, i, &name) : stook_result_header_at(result, i, &name);
            CHECK(name != NULL && value != NULL);
            append(&run->fields, name, strlen(name) + 1);
            append(&run->fields, value, strlen(value) + 1);
            CHECK((trailers ? stook_result_trailer(result, name) : stook_result_header(result, name)) != NULL);
        }
    }
    if (run->options & OPTION_ON_BODY) {
        CHECK_EQ_SIZE(size, 0);
        append(&run->content, run->body.bytes, run->body.size);
    }
    CHECK(run->heads <= 1 && (run->error != 0 || !(run->options & OPTION_ON_BODY) || run->heads == 1));
}

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    struct run *run = user;
    size_t size;
    (void)batch;
    if (stook_result_index(result) == 0) {
        note_first(run, result);
        return;
    }
    run->second_results++;
    const char *body = stook_result_body(result, &size);
    if (stook_result_error(result) == 0) {
        CHECK_EQ_INT(stook_result_status(result), 200);
        CHECK(size == 6 && memcmp(body, "second", 6) == 0);
    }
}

static void play(struct run *run, int with_second)
{
    stook_client *client = NULL;
    stook_batch *batch = NULL;
    int small = (run->options & OPTION_SMALL) != 0;
    memory_begin(&run->memory);
    CHECK_EQ_INT(uv_loop_init(&run->loop), 0);
    run->server.on_bytes = on_bytes;
    run->server.user = run;
    fuzz_server_begin(&run->server, &run->loop);
    CHECK_ERROR(stook_client_new(&run->loop, &STOOK_CLIENT(.allocator = &run->memory.allocator, .decompress = (run->options & OPTION_DECODE) != 0,
                                                         .strict = (run->options & OPTION_STRICT) != 0, .max_header_bytes = small ? 300 : 0,
                                                         .max_header_count = small ? 6 : 0, .max_body_bytes = small ? 100 : 0), &client), 0);
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST("http://h/1", .method = run->options & OPTION_HEAD ? "HEAD" : "GET", .user = run,
                                                      .unix_socket = run->server.path,
                                                      .on_head = run->options & OPTION_ON_BODY ? on_head : NULL,
                                                      .on_body = run->options & OPTION_ON_BODY ? on_body : NULL)), 0);
    if (with_second)
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST("http://h/2", .unix_socket = run->server.path)), 0);
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 1, .on_result = on_result, .user = run), NULL, NULL), 0);
    while (run->results + run->second_results < 1 + with_second)
        CHECK(uv_run(&run->loop, UV_RUN_ONCE) != 0);
    stook_client_close(client, NULL, NULL);
    fuzz_server_end(&run->server);
    CHECK_EQ_INT(uv_run(&run->loop, UV_RUN_DEFAULT), 0);
    stook_batch_free(batch);
    CHECK_EQ_INT(uv_loop_close(&run->loop), 0);
    CHECK_EQ_INT(run->results, 1);
    memory_check_empty(&run->memory);
}

/* What the reader says of it: the status, and the body. */
static void check_parsed(const struct run *run)
{
    static char line[1 << 16];
    struct stook__reader_rules rules = {.strict = (run->options & OPTION_STRICT) != 0, .to_head = run->options & OPTION_HEAD};
    struct stook__reader reader;
    struct text body = {NULL, 0};
    const char *why;
    int more = 1;
    stook__reader_begin(&reader, &rules, line, sizeof line, sizeof line - 1);
    for (size_t at = 0; more;) {
        struct stook__reader_item item;
        size_t used;
        enum stook__reader_event event = stook__reader_feed(&reader, (const char *)run->answer + at, run->answer_size - at, &used, &item);
        if (event == STOOK__READER_BYTES)
            append(&body, item.value, item.value_size);
        more = event != STOOK__READER_NOTHING && event != STOOK__READER_END && event != STOOK__READER_ERROR;
        at += used;
    }
    CHECK_ERROR(stook__reader_eof(&reader, &why), 0);
    CHECK_EQ_INT(run->status, reader.status);
    if (!(run->flags & STOOK_FLAG_DECODED)) {
        CHECK_EQ_SIZE(run->content.size, body.size);
        CHECK(body.size == 0 || memcmp(run->content.bytes, body.bytes, body.size) == 0);
    }
    free(body.bytes);
}

static void clean(struct run *run)
{
    free(run->fields.bytes);
    free(run->content.bytes);
    free(run->body.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run whole, pieces;
    /* libcurl before 8.5 loses what it has read from a NUL at the beginning of a line on, so the cut decides. */
    int loses = curl_version_info(CURLVERSION_NOW)->version_num < 0x080500;
    if (size < 1 || (loses && memmem(data, size, "\n\0", 2) != NULL))
        return 0;
    memset(&whole, 0, sizeof whole);
    whole.options = data[0];
    whole.answer = data + 1;
    whole.answer_size = size - 1;
    pieces = whole;
    pieces.sizes = data;
    pieces.n_sizes = size;
    play(&whole, 1);
    play(&pieces, 0);
    test_note("%s | %s", whole.message, pieces.message);
    /* A body is decoded in the turn. Of a broken coding and a fault behind it the cut decides which is found first. */
    if (!(whole.options & OPTION_DECODE) || whole.error == 0 || pieces.error == 0) {
        CHECK_ERROR(pieces.error, whole.error);
        CHECK_STR(pieces.message, whole.message);
    }
    CHECK_EQ_INT(pieces.status, whole.status);
    if (whole.error == 0) { /* fields of half a head, and flags of half a response, are promised to nobody */
        CHECK_EQ_INT(pieces.flags, whole.flags);
        CHECK_EQ_SIZE(pieces.fields.size, whole.fields.size);
        CHECK(whole.fields.size == 0 || memcmp(pieces.fields.bytes, whole.fields.bytes, whole.fields.size) == 0);
        CHECK_EQ_SIZE(pieces.content.size, whole.content.size);
        CHECK(whole.content.size == 0 || memcmp(pieces.content.bytes, whole.content.bytes, whole.content.size) == 0);
        check_parsed(&whole);
    }
    test_note("%s", "");
    clean(&whole);
    clean(&pieces);
    return 0;
}
