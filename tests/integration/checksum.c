/* SPDX-License-Identifier: MIT */
/* Bodies whose SHA-256 the program knows, wherever they go; how much of a file was there before. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stook.h>

#include "support/fail_nth.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

/* Of so many digits, as the servers send them: each byte is the last digit of its place. */
#define OF_10 "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
#define OF_1000 "ab6c5f3237f551d208fc2ca5225a4cca20b3fd638794a804f0ed5549d5041734"
#define OF_3000000 "6ca41633343f162f0f0604879eeac607e5e5087adeee2e4247199301968790d0"
#define OF_10000000 "d52fcc26b48dbd4d79b125eb0a29b803ade07613c67ac7c6f2751aefef008486"
#define OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* ------------------------------------------------------------------- the peer */

static void send_digits(struct raw_call *call, long from, long size)
{
    char piece[10000];
    while (size > 0) {
        long n = size < (long)sizeof piece ? size : (long)sizeof piece;
        for (long i = 0; i < n; i++)
            piece[i] = (char)('0' + (from + i) % 10);
        raw_send(call, piece, (size_t)n);
        from += n;
        size -= n;
    }
}

/* /digits?n=1000&cut=600&whole=1: so many digits with an entity tag, of which only `cut` are sent to a request without a
   range; a server that ignores ranges. */
static enum raw_then digits(struct raw_call *call)
{
    long n = raw_number(call, "n"), cut = raw_number(call, "cut"), from = 0;
    const char *range = strstr(call->head, "\r\nRange: bytes=");
    if (range && !raw_number(call, "whole"))
        from = atol(range + 15);
    if (from > 0)
        raw_say(call, "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %ld-%ld/%ld\r\n", from, n - 1, n);
    else
        raw_say(call, "HTTP/1.1 200 OK\r\n");
    raw_say(call, "ETag: \"it\"\r\nContent-Length: %ld\r\n\r\n", n - from);
    long last = cut > 0 && from == 0 ? cut : n;
    send_digits(call, from, last - from);
    return last < n ? RAW_CLOSE : RAW_KEEP;
}

/* The ten digits in gzip. */
static const char packed[] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 30\r\n\r\n"
                             "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x33\x30\x34\x32\x36\x31\x35\x33\xb7\xb0\x04"
                             "\x00\xc6\xc7\x84\xa6\x0a\x00\x00\x00";

static enum raw_then send_packed(struct raw_call *call)
{
    raw_send(call, packed, sizeof packed - 1);
    return RAW_KEEP;
}

static const struct raw_behaviour behaviours[] = {
    {"/digits", .answer = digits},
    {"/packed", .answer = send_packed},
    {"/gone", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", .then = RAW_KEEP},
    {"/nothing", "HTTP/1.1 204 No Content\r\n\r\n", .then = RAW_KEEP},
    {"/led", "HTTP/1.1 302 Found\r\nLocation: /digits?n=10\r\nContent-Length: 3\r\n\r\nled", .then = RAW_KEEP},
    {NULL}};

static struct raw_server *server;
static char path[200];

static void begin(struct life *life)
{
    server = raw_server_start(behaviours);
    snprintf(path, sizeof path, "%s/out", temporary_directory());
    life_open(life, NULL);
}

/* ----------------------------------------------------------------- the program */

static struct {
    int error, status, ok;
    int64_t flags, got, resumed;
    char message[300], body[20];
} last;

static void fetch(struct life *life, const struct stook_request *request)
{
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, request), 0);
    life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    last.error = stook_result_error(result);
    last.status = stook_result_status(result);
    last.ok = stook_result_ok(result);
    last.flags = stook_result_flags(result);
    last.got = stook_result_size(result, STOOK_SIZE_BODY);
    last.resumed = stook_result_size(result, STOOK_SIZE_RESUMED);
    snprintf(last.message, sizeof last.message, "%s", stook_result_message(result));
    snprintf(last.body, sizeof last.body, "%s", (const char *)stook_result_body(result, NULL));
    stook_batch_free(batch);
}

#define FETCH(...) fetch(life, &STOOK_REQUEST(__VA_ARGS__))

static long size_of(const char *name)
{
    struct stat stat;
    return lstat(name, &stat) == 0 ? (long)stat.st_size : -1;
}

static void check_files(long out, long part)
{
    CHECK_EQ_INT(size_of(path), out);
    CHECK_EQ_INT(size_of(text("%s.part", path)), part);
    CHECK_EQ_INT(size_of(text("%s.part.tag", path)) > 0, part >= 0);
}

TEST_BOTH(of_files)
{
    begin(life);
    FETCH(raw_url(server, "/pour?n=3000000"), .output_file = path, .sha256 = OF_3000000);
    CHECK_ERROR(last.error, 0);
    CHECK_EQ_INT(last.resumed, 0);
    check_files(3000000, -1);
    FETCH(raw_url(server, "/pour?n=1000"), .output_file = path,
          .sha256 = "AB6C5F3237F551D208FC2CA5225A4CCA20B3FD638794A804F0ED5549D5041734");
    CHECK_ERROR(last.error, 0);
    check_files(1000, -1);
    for (int64_t resume = 0; resume < 2; resume++) {
        FETCH(raw_url(server, "/digits?n=10"), .output_file = path, .sha256 = OF_1000, .resume = resume);
        CHECK_ERROR(last.error, STOOK_ECHECKSUM);
        CHECK_EQ_INT(last.status, 200);
        CHECK_EQ_INT(last.ok, 0);
        CHECK_STR(last.message, "the body is not the one that was expected: the SHA-256 is 84d89877f0d4041e..., expected was "
                                "ab6c5f3237f551d2...");
        check_files(1000, -1); /* the file of before */
    }
    FETCH(raw_url(server, "/nothing"), .output_file = path, .sha256 = OF_NOTHING);
    CHECK_ERROR(last.error, 0);
    check_files(0, -1);
    FETCH(raw_url(server, "/nothing"), .output_file = path, .sha256 = OF_10);
    CHECK_ERROR(last.error, STOOK_ECHECKSUM);
}

TEST_BOTH(of_memory)
{
    begin(life);
    FETCH(raw_url(server, "/pour?n=3000000"), .sha256 = OF_3000000);
    CHECK_ERROR(last.error, 0);
    CHECK_EQ_INT(last.got, 3000000);
    FETCH(raw_url(server, "/digits?n=10"), .sha256 = OF_10);
    CHECK_EQ_INT(last.ok, 1);
    FETCH(raw_url(server, "/digits?n=10"), .sha256 = OF_1000);
    CHECK_ERROR(last.error, STOOK_ECHECKSUM);
    CHECK_CONTAINS(last.message, "expected was ab6c5f3237f551d2...");
    CHECK_STR(last.body, "0123456789");
    FETCH(raw_url(server, "/nothing"), .sha256 = OF_NOTHING);
    CHECK_ERROR(last.error, 0);
    FETCH(raw_url(server, "/nothing"), .sha256 = OF_10);
    CHECK_ERROR(last.error, STOOK_ECHECKSUM);
    /* What failed before has its own name. */
    FETCH(raw_url(server, "/digits?n=1000&cut=10"), .sha256 = OF_10);
    CHECK_ERROR(last.error, STOOK_ETRUNCATED);
}

static int count_bytes(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    (void)batch, (void)result, (void)data;
    *(size_t *)user += size;
    return 0;
}

TEST_BOTH(of_pieces)
{
    size_t size = 0;
    begin(life);
    FETCH(raw_url(server, "/pour?n=3000000"), .on_body = count_bytes, .user = &size, .sha256 = OF_3000000);
    CHECK_ERROR(last.error, 0);
    CHECK_EQ_SIZE(size, 3000000);
    FETCH(raw_url(server, "/pour?n=3000000"), .on_body = count_bytes, .user = &size, .sha256 = OF_1000);
    CHECK_ERROR(last.error, STOOK_ECHECKSUM);
    CHECK_EQ_SIZE(size, 6000000); /* all of it was delivered */
}

/* The digest is that of what the program receives. */
TEST_BOTH(of_decoded_bytes)
{
    size_t size = 0;
    begin(life);
    FETCH(raw_url(server, "/packed"), .decompress = 1, .sha256 = OF_10);
    if (last.error == STOOK_EUNSUPPORTED)
        test_skip("without gzip");
    CHECK_ERROR(last.error, 0);
    CHECK_STR(last.body, "0123456789");
    FETCH(raw_url(server, "/packed"), .decompress = 1, .sha256 = OF_10, .on_body = count_bytes, .user = &size);
    CHECK_ERROR(last.error, 0);
    FETCH(raw_url(server, "/packed"), .decompress = 1, .sha256 = OF_10, .output_file = path);
    CHECK_ERROR(last.error, 0);
    check_files(10, -1);
    FETCH(raw_url(server, "/packed"), .sha256 = OF_10);
    CHECK_ERROR(last.error, STOOK_ECHECKSUM);
}

/* A response that is not the thing asked for is judged by its status. */
TEST_BOTH(of_other_responses)
{
    size_t size = 0;
    begin(life);
    FETCH(raw_url(server, "/gone"), .sha256 = OF_10);
    CHECK_ERROR(last.error, 0);
    CHECK_STR(last.message, "HTTP 404");
    FETCH(raw_url(server, "/gone"), .sha256 = OF_10, .output_file = path);
    CHECK_ERROR(last.error, 0);
    CHECK_STR(last.body, "gone");
    FETCH(raw_url(server, "/gone"), .sha256 = OF_10, .on_body = count_bytes, .user = &size);
    CHECK_ERROR(last.error, 0);
    FETCH(raw_url(server, "/led"), .sha256 = OF_10);
    CHECK_EQ_INT(last.status, 302);
    FETCH(raw_url(server, "/led"), .sha256 = OF_10, .max_redirects = 1);
    CHECK_EQ_INT(last.ok, 1);
    FETCH(raw_url(server, "/led"), .sha256 = OF_1000, .max_redirects = 1, .output_file = path);
    CHECK_ERROR(last.error, STOOK_ECHECKSUM);
    check_files(-1, -1);
}

TEST_BOTH(bad_inputs)
{
    begin(life);
    const struct stook_request requests[] = {
        STOOK_REQUEST(raw_url(server, "/ok"), .sha256 = ""),
        STOOK_REQUEST(raw_url(server, "/ok"), .sha256 = OF_10 "0"),
        STOOK_REQUEST(raw_url(server, "/ok"), .sha256 = OF_10 + 1),
        STOOK_REQUEST(raw_url(server, "/ok"), .sha256 = "g4d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"),
        STOOK_REQUEST(raw_url(server, "/ok"), .sha256 = OF_10, .method = "HEAD"),
        STOOK_REQUEST(raw_url(server, "/ok"), .output_sync = 1),
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        test_note("%zu", i);
        fetch(life, &requests[i]);
        CHECK_ERROR(last.error, STOOK_EARG);
    }
    CHECK_EQ_INT(raw_connections(server), 0);
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST("http://127.0.0.1/", .output_file = path, .output_sync = 2)), STOOK_EARG);
    CHECK_STR(stook_batch_message(batch), "output_sync is not 0 or 1");
    stook_batch_free(batch);
}

/* ---------------------------------------------------------------------- resumed */

/* The part and its tag as an earlier run has left them: so many digits, the last of them another one if it is `bad`. */
static void leave(const char *url, long size, int bad)
{
    FILE *file = fopen(text("%s.part", path), "wb");
    struct stat part;
    CHECK(file != NULL);
    for (long i = 0; i < size - bad; i++)
        fputc('0' + (int)(i % 10), file);
    if (bad)
        fputc('x', file);
    fclose(file);
    CHECK_EQ_INT(stat(text("%s.part", path), &part), 0);
    write_file(text("%s.part.tag", path),
               text("stook 1\n\"it\"\n%s\n-1\n%llu\n", url, (unsigned long long)part.st_ino));
}

TEST_BOTH(of_resumed_files)
{
    static const struct {
        const char *what, *sha256;
        long whole, size; /* of the part */
        int bad, error;
        int64_t resumed;
    } rows[] = {
        {"/digits?n=1000", OF_1000, 1000, 600, 0, 0, 600},
        {"/digits?n=1000", OF_1000, 1000, 999, 0, 0, 999},
        {"/digits?n=1000", OF_1000, 1000, 600, 1, STOOK_ECHECKSUM, 600},
        {"/digits?n=1000", OF_10, 1000, 600, 0, STOOK_ECHECKSUM, 600},
        {"/digits?n=1000&whole=1", OF_1000, 1000, 600, 1, 0, 0}, /* the digest begins anew */
        {"/digits?n=10000000", OF_10000000, 10000000, 9000000, 0, 0, 9000000},
        {"/digits?n=10000000", OF_10000000, 10000000, 9000000, 1, STOOK_ECHECKSUM, 9000000},
        {"/digits?n=10000000&whole=1", OF_10000000, 10000000, 9000000, 1, 0, 0},
    };
    begin(life);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char url[100];
        snprintf(url, sizeof url, "%s", raw_url(server, "%s", rows[i].what));
        test_note("row %zu", i);
        unlink(path);
        leave(url, rows[i].size, rows[i].bad);
        FETCH(url, .output_file = path, .resume = 1, .sha256 = rows[i].sha256);
        CHECK_ERROR(last.error, rows[i].error);
        CHECK_EQ_INT(last.resumed, rows[i].resumed);
        CHECK_EQ_INT(last.flags & STOOK_FLAG_RESUMED, rows[i].resumed > 0 ? STOOK_FLAG_RESUMED : 0);
        CHECK_EQ_INT(last.got, rows[i].whole - rows[i].resumed);
        check_files(rows[i].error ? -1 : rows[i].whole, -1); /* no part that the next request would resume */
    }
}

/* A loss keeps the part, as without a digest, and the next request goes on with it. */
TEST_BOTH(of_files_that_are_cut)
{
    begin(life);
    FETCH(raw_url(server, "/digits?n=1000&cut=600"), .output_file = path, .resume = 1, .sha256 = OF_1000);
    CHECK_ERROR(last.error, STOOK_ETRUNCATED);
    check_files(-1, 600);
    FETCH(raw_url(server, "/digits?n=1000&cut=600"), .output_file = path, .resume = 1, .sha256 = OF_1000);
    CHECK_ERROR(last.error, 0);
    CHECK_EQ_INT(last.resumed, 600);
    check_files(1000, -1);
}

static int note_resumed(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch;
    *(int64_t *)user = stook_result_size(result, STOOK_SIZE_RESUMED);
    return 0;
}

/* on_head can show already how much is there. Without a digest too. */
TEST_BOTH(resumed_bytes_are_known_with_the_head)
{
    int64_t resumed = -1;
    begin(life);
    leave(raw_url(server, "/digits?n=1000"), 600, 0);
    FETCH(raw_url(server, "/digits?n=1000"), .output_file = path, .resume = 1, .on_head = note_resumed, .user = &resumed);
    CHECK_ERROR(last.error, 0);
    CHECK_EQ_INT(resumed, 600);
    CHECK_EQ_INT(last.resumed, 600);
}

/* A request that is cancelled while its part is read. */
static int cancel(stook_batch *batch, const stook_result *result, void *user)
{
    (void)result, (void)user;
    stook_batch_cancel_request(batch, 0);
    return 0;
}

TEST_BOTH(cancelled_while_a_part_is_read)
{
    begin(life);
    leave(raw_url(server, "/digits?n=10000000"), 9000000, 0);
    FETCH(raw_url(server, "/digits?n=10000000"), .output_file = path, .resume = 1, .on_head = cancel, .sha256 = OF_10000000);
    CHECK_ERROR(last.error, STOOK_ECANCELLED);
    life_close(life);
    CHECK_EQ_INT(size_of(path), -1);
    CHECK(size_of(text("%s.part", path)) >= 9000000); /* what had come of the rest may be there too */
}

/* --------------------------------------------------------------------- no memory */

static void flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    if (story.batch) {
        leave(raw_url(server, "/digits?n=1000"), 600, 0);
        story_add_request(&story, &STOOK_REQUEST(raw_url(server, "/digits?n=1000"), .resume = 1, .sha256 = OF_1000,
                                                 .output_sync = 1, .output_file = path));
        story_add_request(&story, &STOOK_REQUEST(raw_url(server, "/digits?n=10"), .sha256 = OF_1000));
        story_add_request(&story, &STOOK_REQUEST(raw_url(server, "/digits?n=10"), .sha256 = OF_1000,
                                                 .output_file = text("%s.other", path)));
    }
    story_start(&story, 0, NULL);
    story_end(&story);
}

TEST(nomem, slow)
{
    server = raw_server_start(behaviours);
    snprintf(path, sizeof path, "%s/out", temporary_directory());
    fail_nth(flow);
}
