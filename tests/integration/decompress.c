/* SPDX-License-Identifier: MIT */
/* Content codings: decoded on request, complete or an error. Bombs are stopped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef STOOK_HAS_GZIP
#include <zlib.h>
#endif
#ifdef HAS_BROTLI_ENCODER
#include <brotli/encode.h>
#endif
#ifdef STOOK_HAS_ZSTD
#include <zstd.h>
#endif

#include <stook.h>

#include "support/fail_nth.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { PLAIN = 300000, ROOM = 1 << 20 };

/* -------------------------------------------------------------------- the peer */

static size_t gzip(const void *data, size_t size, unsigned char *room)
{
#ifdef STOOK_HAS_GZIP
    z_stream stream = {.next_in = (unsigned char *)data, .avail_in = (uInt)size, .next_out = room, .avail_out = ROOM};
    deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    return ROOM - stream.avail_out;
#else
    (void)data, (void)room;
    return size;
#endif
}

static size_t brotli(const void *data, size_t size, unsigned char *room)
{
#ifdef HAS_BROTLI_ENCODER
    size_t made = ROOM;
    BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, size, data, &made, room);
    return made;
#else
    (void)data, (void)room;
    return size;
#endif
}

static size_t zstd(const void *data, size_t size, unsigned char *room)
{
#ifdef STOOK_HAS_ZSTD
    return ZSTD_compress(room, ROOM, data, size, 3);
#else
    (void)data, (void)room;
    return size;
#endif
}

/* Bytes that do not shrink to nothing, so that every coding has to work in many pieces. */
static void fill(char *data, size_t size)
{
    unsigned state = 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 1103515245 + 12345;
        data[i] = (char)('a' + (state >> 16) % 16);
    }
}

/* /coded?n=300000&as=gzip&twice=1&cut=10&add=3&junk=1&flip=1&chunk=1: n bytes; encoded once or `twice`; the
   last `cut` bytes not there; `add` more members; junk behind; a bit wrong at the end; as chunks of a byte. */
static enum raw_then coded(struct raw_call *call)
{
    size_t n = (size_t)raw_number(call, "n"), size = 0;
    char name[32] = "";
    char *plain = malloc(n + 1);
    unsigned char *body = malloc(4 * ROOM), *again = malloc(ROOM);
    const char *as = strstr(call->query, "as=");
    if (as)
        sscanf(as, "as=%31[^&]", name);
    if (raw_number(call, "same"))
        memset(plain, 'x', n);
    else
        fill(plain, n);
    for (long i = 0; i <= raw_number(call, "add"); i++)
        size += (!strcmp(name, "br") ? brotli : !strcmp(name, "zstd") ? zstd : gzip)(plain, n, body + size);
    if (raw_number(call, "twice")) {
        size = gzip(body, size, again);
        memcpy(body, again, size);
    }
    if (raw_number(call, "flip"))
        body[size - 6] ^= 1;
    size -= (size_t)raw_number(call, "cut");
    if (raw_number(call, "junk"))
        body[size++] = '!';
    raw_say(call, "HTTP/1.1 200 OK\r\n");
    if (raw_number(call, "raw") == 0)
        raw_say(call, "Content-Encoding: %s%s\r\n", name, raw_number(call, "twice") ? ", GZIP" : "");
    if (raw_number(call, "chunk")) {
        raw_say(call, "Transfer-Encoding: chunked\r\n\r\n");
        for (size_t i = 0; i < size; i++) {
            raw_say(call, "1\r\n");
            raw_send(call, body + i, 1);
            raw_say(call, "\r\n");
        }
        raw_say(call, "0\r\n\r\n");
    } else {
        raw_say(call, "Content-Length: %zu\r\n\r\n", size);
        raw_send(call, body, size);
    }
    free(plain);
    free(body);
    free(again);
    return RAW_KEEP;
}

/* Asks for a Digest in a response that is encoded too, in whatever way. */
static enum raw_then challenged(struct raw_call *call)
{
    if (strstr(call->head, "\r\nAuthorization: Digest ") != NULL)
        return coded(call);
    raw_say(call, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n"
                  "Content-Encoding: %s\r\nContent-Length: 2\r\n\r\nno", strstr(call->query, "before=") + 7);
    return RAW_KEEP;
}

/* What was asked for. */
static enum raw_then accepted(struct raw_call *call)
{
    char *field = strstr(call->head, "Accept-Encoding: ");
    return raw_answer(call, field ? field : "none", field ? strcspn(field, "\r") : 4);
}

static const struct raw_behaviour more[] = {
    {"/coded", .answer = coded},
    {"/accepted", .answer = accepted},
    {"/challenged", .answer = challenged},
    {"/unknown", "HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 2\r\n\r\nbx", .then = RAW_KEEP},
    {"/mixed", "HTTP/1.1 200 OK\r\nContent-Encoding: rot13, gzip\r\nContent-Length: 2\r\n\r\nbx", .then = RAW_KEEP},
    {"/identity", "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", .then = RAW_KEEP},
    {"/not-gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\nplain text..", .then = RAW_KEEP},
    {"/no-bytes", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", .then = RAW_KEEP},
    {"/no-content", "HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n", .then = RAW_KEEP},
    {"/part", "HTTP/1.1 206 Partial Content\r\nContent-Encoding: gzip\r\nContent-Range: bytes 5-6/9\r\nContent-Length: 2\r\n\r\nok",
     .then = RAW_KEEP},
    {"/six", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Encoding: gzip,gzip,gzip , gzip\r\n"
             "Content-Length: 2\r\n\r\nok",
     .then = RAW_KEEP},
    {NULL}};

static struct raw_server *server;

/* -------------------------------------------------------------------- the program */

struct sink {
    char *plain;
    size_t bytes, pieces, largest;
    int wrong, pause;
};

static int take(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct sink *sink = user;
    sink->wrong |= sink->plain && (sink->bytes + size > PLAIN || memcmp(data, sink->plain + sink->bytes, size) != 0);
    sink->bytes += size;
    sink->pieces++;
    sink->largest = size > sink->largest ? size : sink->largest;
    if (!sink->pause)
        return 0;
    stook_batch_resume_request(batch, stook_result_index(result));
    return STOOK_PAUSE;
}

static const char *const names[] = {
#ifdef STOOK_HAS_GZIP
    "gzip", "x-gzip",
#endif
#ifdef HAS_BROTLI_ENCODER
    "br",
#endif
#ifdef STOOK_HAS_ZSTD
    "zstd",
#endif
    NULL};

static void begin(struct life *life)
{
    if (!names[0])
        test_skip("no content coding is built in");
    server = raw_server_start(more);
    life_open(life, NULL);
}

/* To memory and to the program; what came is the same. */
static int get(struct life *life, const char *path, int64_t max_decompress_ratio, struct sink *ret_sink, char message[128])
{
    static char plain[PLAIN];
    int errors[2], flags[2];
    fill(plain, PLAIN);
    memset(ret_sink, 0, sizeof *ret_sink);
    for (int stream = 0; stream < 2; stream++) {
        size_t size;
        struct sink sink = {.plain = strstr(path, "same") ? NULL : plain, .pause = stream};
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "%s", path), .decompress = 1, .max_decompress_ratio = max_decompress_ratio, .on_body = stream ? take : NULL, .user = &sink);
        life_gather(life, batch, NULL);
        const stook_result *result = stook_batch_result(batch, 0);
        const char *body = stook_result_body(result, &size);
        errors[stream] = stook_result_error(result);
        flags[stream] = stook_result_flags(result);
        snprintf(message, 128, "%s", stook_result_message(result));
        if (!stream) {
            take(batch, result, body, size, &sink);
            if (errors[0] == 0)
                ret_sink->bytes = size;
        } else if (errors[0] == 0) {
            CHECK_EQ_SIZE(sink.bytes, ret_sink->bytes);
            CHECK_EQ_INT(stook_result_size(result, STOOK_SIZE_BODY), (long long)sink.bytes);
        }
        if (stream)
            CHECK(sink.largest < 600000);
        CHECK_EQ_INT(strstr(path, "raw") ? 0 : sink.wrong, 0);
        stook_batch_free(batch);
    }
    CHECK_ERROR(errors[1], errors[0]);
    CHECK_EQ_INT(flags[1], flags[0]);
    ret_sink->pieces = (size_t)flags[0];
    return errors[0];
}

static char message[128];

TEST_BOTH(each_coding)
{
    struct sink sink;
    begin(life);
    for (int i = 0; names[i]; i++) {
        test_note("%s", names[i]);
        CHECK_ERROR(get(life, text("/coded?n=%d&as=%s", PLAIN, names[i]), 0, &sink, message), 0);
        CHECK_EQ_SIZE(sink.bytes, PLAIN);
        CHECK_EQ_SIZE(sink.pieces, STOOK_FLAG_DECODED);
        CHECK_ERROR(get(life, text("/coded?n=3000&as=%s&chunk=1", names[i]), 0, &sink, message), 0);
        CHECK_EQ_SIZE(sink.bytes, 3000);
        CHECK_ERROR(get(life, text("/coded?n=0&as=%s", names[i]), 0, &sink, message), 0);
        CHECK_EQ_SIZE(sink.bytes, 0);
    }
}

/* libcurl calls these a success. */
TEST_BOTH(cut_off)
{
    struct sink sink;
    begin(life);
    for (int i = 0; names[i]; i++)
        for (int cut = 1; cut < 20000; cut *= 10) {
            test_note("%s without %d bytes", names[i], cut);
            CHECK_ERROR(get(life, text("/coded?n=%d&as=%s&cut=%d", PLAIN, names[i], cut), 0, &sink, message), STOOK_ETRUNCATED);
        }
    CHECK_ERROR(get(life, text("/coded?n=3000&as=%s&cut=1&chunk=1", names[0]), 0, &sink, message), STOOK_ETRUNCATED);
}

TEST_BOTH(broken)
{
    struct sink sink;
    begin(life);
    CHECK_ERROR(get(life, text("/coded?n=3000&as=%s&flip=1", names[0]), 0, &sink, message), STOOK_EDECODE);
    CHECK_ERROR(get(life, "/six", 0, &sink, message), STOOK_EDECODE);
    CHECK_CONTAINS(message, "more than two codings");
#ifdef STOOK_HAS_GZIP
    CHECK_ERROR(get(life, "/not-gzip?raw=1", 0, &sink, message), STOOK_EDECODE);
    CHECK_CONTAINS(message, "Content-Encoding");
#endif
}

TEST_BOTH(several_streams_and_layers)
{
    struct sink sink;
    begin(life);
    (void)sink;
#ifdef STOOK_HAS_GZIP
    CHECK_ERROR(get(life, "/coded?same=1&n=20000&as=gzip&add=2", 0, &sink, message), 0);
    CHECK_EQ_SIZE(sink.bytes, 60000);
    CHECK_ERROR(get(life, "/coded?n=3000&as=gzip&junk=1", 0, &sink, message), 0);
    CHECK_EQ_SIZE(sink.bytes, 3000);
    CHECK_EQ_SIZE(sink.pieces, STOOK_FLAG_DECODED | STOOK_FLAG_LENIENT);
    for (int i = 0; names[i]; i++) {
        CHECK_ERROR(get(life, text("/coded?n=%d&as=%s&twice=1", PLAIN, names[i]), 0, &sink, message), 0);
        CHECK_EQ_SIZE(sink.bytes, PLAIN);
        CHECK_ERROR(get(life, text("/coded?n=%d&as=%s&twice=1&cut=1", PLAIN, names[i]), 0, &sink, message), STOOK_ETRUNCATED);
    }
#endif
#ifdef STOOK_HAS_ZSTD
    CHECK_ERROR(get(life, "/coded?same=1&n=20000&as=zstd&add=2", 0, &sink, message), 0);
    CHECK_EQ_SIZE(sink.bytes, 60000);
#endif
}

/* The response to a challenge has a decoder of its own, and nothing is left of the one before. */
TEST_BOTH(after_a_challenge)
{
    begin(life);
    for (int i = 0; names[i]; i++)
        for (int before = 0; names[before]; before++) {
            size_t size;
            stook_batch *batch = life_batch(life);
            ADD(batch, raw_url(server, "/challenged?n=3000&as=%s&before=%s", names[i], names[before]), .decompress = 1,
                .username = "user", .password = "secret", .auth = STOOK_AUTH_DIGEST);
            CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
            const stook_result *result = stook_batch_result(batch, 0);
            CHECK_EQ_INT(stook_result_attempts(result), 2);
            stook_result_body(result, &size);
            CHECK_EQ_SIZE(size, 3000);
            stook_batch_free(batch);
        }
}

/* 4 MiB of one letter compress to some kilobytes. */
TEST_BOTH(bombs)
{
    struct sink sink;
    begin(life);
    for (int i = 0; names[i]; i++) {
        const char *path = text("/coded?same=1&n=4194304&as=%s&twice=%d", names[i], i > 0);
        if (i > 0 && strcmp(names[i], "x-gzip") == 0)
            continue;
        CHECK_ERROR(get(life, path, 100, &sink, message), STOOK_ETOOLARGE);
        CHECK_CONTAINS(message, "max_decompress_ratio");
        CHECK_ERROR(get(life, text("/coded?same=1&n=1000000&as=%s", names[i]), 1, &sink, message), 0);
    }
}

static const stook_result *gather_one(struct life *life, stook_batch *batch)
{
    life_gather(life, batch, NULL);
    return stook_batch_result_by_index(batch, stook_batch_count(batch) - 1);
}

TEST_BOTH(max_body_bytes_counts_what_comes_out)
{
    struct sink sink = {0};
    begin(life);
    for (int stream = 0; stream < 2; stream++) {
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "/coded?n=%d&as=%s", PLAIN, names[0]), .decompress = 1, .max_body_bytes = PLAIN - 1,
            .on_body = stream ? take : NULL, .user = &sink);
        CHECK_ERROR(stook_result_error(gather_one(life, batch)), STOOK_ETOOLARGE);
        stook_batch_free(batch);
    }
}

static void all_well(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    CHECK_STR(stook_result_message(result), "OK");
}

/* The head of an ordered await is late: what comes behind it is counted as it comes out, and all but the
   first, whose bytes were few before, wait in their sockets. */
TEST(buffered_as_it_comes_out)
{
    enum { COUNT = 10, SIZE = 1000000 };
    static struct life alone;
    size_t paused = 0;
    life_begin(&alone, 1);
    begin(&alone);
    stook_batch *batch = life_batch(&alone);
    add(batch, raw_url(server, "/after?path=/go&n=1"));
    for (int i = 0; i < COUNT; i++)
        ADD(batch, raw_url(server, "/coded?n=%d&same=1&as=%s", SIZE, names[0]), .decompress = 1);
    CHECK_ERROR(stook_gather_ordered_start(batch, &STOOK_GATHER(.max_buffered_bytes = 100000, .on_result = all_well), NULL, NULL), 0);
    while (paused < COUNT - 1) {
        uv_run(&alone.loop, UV_RUN_ONCE);
        paused = 0;
        for (size_t i = 1; i <= COUNT; i++)
            paused += stook_batch_request_state(batch, i) == STOOK_STATE_PAUSED_BUFFER;
    }
    test_note("%zu bytes at most", alone.memory.peak);
    CHECK(alone.memory.peak < 4 * SIZE);
    raw_signal(server, "/go");
    uv_run(&alone.loop, UV_RUN_DEFAULT);
    stook_batch_free(batch);
    life_end(&alone);
}

static void count_pass(uv_check_t *handle)
{
    ++*(int *)handle->data;
}

/* Decoding is done in bounded steps, and the program's loop runs between them. */
TEST(loop_is_shared)
{
    enum { SIZE = 16000000, STEP = 1 << 20 };
    static struct life alone;
    int passes = 0;
    if (!names[0])
        test_skip("no content coding is built in");
    life_begin(&alone, 1);
    server = raw_server_start(more);
    life_open(&alone, &STOOK_CLIENT(.max_decompress_ratio = STOOK_NONE));
    uv_check_t check;
    uv_check_init(&alone.loop, &check);
    check.data = &passes;
    for (int stream = 0; stream < 2; stream++) {
        struct sink sink = {0};
        stook_batch *batch = life_batch(&alone);
        ADD(batch, raw_url(server, "/coded?n=%d&same=1&as=%s", SIZE, names[0]), .decompress = 1,
            .on_body = stream ? take : NULL, .user = &sink);
        passes = 0;
        uv_check_start(&check, count_pass);
        uv_unref((uv_handle_t *)&check);
        CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
        uv_run(&alone.loop, UV_RUN_DEFAULT);
        uv_check_stop(&check);
        CHECK_STR(stook_result_message(stook_batch_result(batch, 0)), "OK");
        test_note("%d passes", passes);
        CHECK(passes >= SIZE / STEP);
        stook_batch_free(batch);
    }
    uv_close((uv_handle_t *)&check, NULL);
    uv_run(&alone.loop, UV_RUN_NOWAIT);
    life_end(&alone);
}

TEST_BOTH(left_as_it_is)
{
    static const char *const paths[] = {"/unknown", "/mixed", "/identity", "/part"};
    begin(life);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        size_t size;
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "%s", paths[i]), .decompress = 1);
        const stook_result *result = gather_one(life, batch);
        test_note("%s", paths[i]);
        CHECK_ERROR(stook_result_error(result), 0);
        CHECK_EQ_INT(stook_result_flags(result) & STOOK_FLAG_DECODED, 0);
        stook_result_body(result, &size);
        CHECK_EQ_SIZE(size, 2);
        stook_batch_free(batch);
    }
}

TEST_BOTH(without_bytes)
{
    static const char *const paths[] = {"/no-bytes", "/no-content"};
    begin(life);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "%s", paths[i]), .decompress = 1);
        ADD(batch, raw_url(server, "%s", paths[i]), .decompress = 1, .method = "HEAD");
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        stook_batch_free(batch);
    }
}

static void check_asked(struct life *life, int64_t decode, const char *expected)
{
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/accepted"), .decompress = decode);
    CHECK_STR(stook_result_body(gather_one(life, batch), NULL), expected);
    stook_batch_free(batch);
}

TEST_BOTH(asked_for_only_when_on)
{
    char all[64] = "Accept-Encoding: ";
    begin(life);
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], "x-gzip") != 0)
            snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i > 0 ? ", " : "", names[i]);
    check_asked(life, 0, "none");
    check_asked(life, 1, all);
    check_asked(life, STOOK_NONE, "none");
    life_close(life);
    life_open(life, &STOOK_CLIENT(.decompress = 1));
    check_asked(life, 0, all);
    check_asked(life, 1, all);
    check_asked(life, STOOK_NONE, "none");
}

TEST_BOTH(bad_inputs)
{
    const char *const own[] = {"accept-encoding: gzip", NULL};
    begin(life);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/ok"), .decompress = 1, .headers = own);
    ADD(batch, raw_url(server, "/ok"), .headers = own);
    ADD(batch, raw_url(server, "/ok"), .max_decompress_ratio = 1001);
    ADD(batch, raw_url(server, "/ok"), .max_decompress_ratio = STOOK_NONE);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 3);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_EARG);
    CHECK_CONTAINS(stook_result_message(stook_batch_result(batch, 0)), "Accept-Encoding");
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 2)), STOOK_EPOLICY);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 3)), STOOK_EPOLICY);
    stook_batch_free(batch);
    batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/ok"), .decompress = 2)), STOOK_EARG);
    CHECK_CONTAINS(stook_batch_message(batch), "decompress");
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/ok"), .max_decompress_ratio = -3)), STOOK_EARG);
    CHECK_CONTAINS(stook_batch_message(batch), "max_decompress_ratio");
    stook_batch_free(batch);
}

static void decode_flow(struct life *life)
{
    static struct sink sink;
    struct story story;
    story_begin(&story, life);
    for (int i = 0; names[i] && story.batch; i++)
        for (int stream = 0; stream < 2; stream++) {
            const char *url = raw_url(server, "/coded?n=30000&as=%s", names[i]);
            story_add_request(&story, &STOOK_REQUEST(url, .decompress = 1, .on_body = stream ? take : NULL, .user = &sink));
        }
    story_start(&story, 0, NULL);
    story_end(&story);
}

TEST(nomem, slow)
{
    if (!names[0])
        test_skip("no content coding is built in");
    server = raw_server_start(more);
    fail_nth(decode_flow);
}
