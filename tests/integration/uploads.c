/* SPDX-License-Identifier: MIT */
/* Bodies that are not in memory: files, and the parts of a multipart/form-data. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/nginx.h"
#include "support/process.h"
#include "support/raw_server.h"

static const char *file_of(const char *name, const char *content)
{
    const char *path = text("%s/%s", temporary_directory(), name);
    write_file(path, content);
    return path;
}

/* A file of that many bytes, without a disk that holds them. */
static const char *sparse(size_t size)
{
    const char *path = file_of("sparse", "");
    CHECK_EQ_INT(truncate(path, (off_t)size), 0);
    return path;
}

static const char *body_of(const stook_result *result)
{
    return strstr(stook_result_body(result, NULL), "\r\n\r\n") + 4;
}

TEST_BOTH(body_file)
{
    struct raw_server *server = raw_server_start(NULL);
    const char *path = file_of("body", "from a file"), *empty = file_of("empty", "");
    const char *url = raw_url(server, "/echo");
    life_open(life, &STOOK_CLIENT(.direct = STOOK_NONE)); /* on one connection */
    stook_batch *batch = life_batch(life);
    ADD(batch, url, .body_file = path);
    ADD(batch, url, .body_file = empty, .method = "PUT");
    ADD(batch, url, .body_file = path, .method = "PATCH");
    ADD(batch, url);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    const char *sent = stook_result_body(stook_batch_result(batch, 0), NULL);
    CHECK(strncmp(sent, "POST ", 5) == 0);
    CHECK_CONTAINS(sent, "\r\nContent-Length: 11\r\n");
    CHECK(strcasestr(sent, "\r\nContent-Type:") == NULL);
    CHECK(strcasestr(sent, "\r\nExpect:") == NULL);
    CHECK_STR(body_of(stook_batch_result(batch, 0)), "from a file");
    sent = stook_result_body(stook_batch_result(batch, 1), NULL);
    CHECK(strncmp(sent, "PUT ", 4) == 0);
    CHECK_CONTAINS(sent, "\r\nContent-Length: 0\r\n");
    CHECK(strncmp(stook_result_body(stook_batch_result(batch, 2), NULL), "PATCH ", 6) == 0);
    CHECK_STR(body_of(stook_batch_result(batch, 2)), "from a file");
    CHECK(strncmp(stook_result_body(stook_batch_result(batch, 3), NULL), "GET ", 4) == 0);
    CHECK_EQ_INT(raw_connections(server), 1);
    stook_batch_free(batch);
}

/* The error names the file, and the other requests continue. */
TEST_BOTH(files_that_are_none)
{
    struct raw_server *server = raw_server_start(NULL);
    const char *fifo = text("%s/fifo", temporary_directory());
    CHECK_EQ_INT(mkfifo(fifo, 0600), 0);
    const char *url = raw_url(server, "/echo");
    const struct stook_part *const parts[] = {&STOOK_PART(.name = "a", .file = "/nonexistent/part"), NULL};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, url, .body_file = "/nonexistent/file");
    ADD(batch, url, .body_file = "/tmp");
    ADD(batch, url, .body_file = fifo);
    ADD(batch, url, .parts = parts);
    ADD(batch, url, .body_file = file_of("x", "x"), .method = "HEAD");
    ADD(batch, url);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 5);
    static const struct {
        const char *why;
        int os_error;
    } rows[] = {{"/nonexistent/file: No such file", ENOENT}, {"/tmp: it is a directory", ENOTSUP},
                {"fifo: it is a FIFO", ENOTSUP}, {"/nonexistent/part: No such file", ENOENT}, {"HEAD", 0}};
    for (size_t i = 0; i < 5; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        CHECK_ERROR(stook_result_error(result), i < 4 ? STOOK_EFILE : STOOK_EARG);
        CHECK_CONTAINS(stook_result_message(result), rows[i].why);
        CHECK_EQ_INT(stook_result_os_error(result), rows[i].os_error);
        CHECK_EQ_INT(stook_result_attempts(result), 0);
    }
    CHECK_EQ_INT(stook_result_ok(stook_batch_result(batch, 5)), 1);
    CHECK_EQ_INT(raw_seen(server, "/echo"), 1);
    stook_batch_free(batch);
}

/* Tells that it was asked, and reads on when it is told to; what follows is what was sent until it ended. */
static enum raw_then slow_reader(struct raw_call *call)
{
    char waste[65536];
    raw_wait(call->server, "/changed", 1);
    while (raw_read(call, waste, sizeof waste) > 0)
        ;
    raw_signal(call->server, "/incomplete");
    return RAW_CLOSE;
}

static const struct raw_behaviour own[] = {{"/slow-reader", .answer = slow_reader, .early = 1}, {NULL}};

struct change {
    struct raw_server *server;
    char *path;
    off_t size;
};

static void *change_it(void *arg)
{
    const struct change *change = arg;
    raw_wait(change->server, "/slow-reader", 1);
    CHECK_EQ_INT(truncate(change->path, change->size), 0);
    raw_signal(change->server, "/changed");
    return NULL;
}

/* The peer never has a whole body, the program has an error. */
static void change_while_sent(struct life *life, off_t size, const char *why, int in_parts)
{
    struct raw_server *server = raw_server_start(own);
    struct change change = {server, strdup(sparse(64 << 20)), size};
    const struct stook_part *const parts[] = {&STOOK_PART(.name = "a", .file = change.path), NULL};
    pthread_t thread;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    if (in_parts)
        ADD(batch, raw_url(server, "/slow-reader"), .parts = parts);
    else
        ADD(batch, raw_url(server, "/slow-reader"), .body_file = change.path);
    CHECK_EQ_INT(pthread_create(&thread, NULL, change_it, &change), 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_EQ_INT(pthread_join(thread, NULL), 0);
    const stook_result *result = stook_batch_result(batch, 0);
    CHECK_ERROR(stook_result_error(result), STOOK_EFILE);
    CHECK_CONTAINS(stook_result_message(result), text("%s: it has %s", change.path, why));
    CHECK_EQ_INT(stook_result_attempts(result), 1);
    raw_wait(server, "/incomplete", 1);
    stook_batch_free(batch);
    life_close(life);
    free(change.path);
}

TEST_BOTH(file_is_cut)
{
    change_while_sent(life, 1000, "become shorter while it was sent", 0);
    change_while_sent(life, 1000, "become shorter while it was sent", 1);
}

TEST_BOTH(file_grows)
{
    change_while_sent(life, (64 << 20) + 1, "grown while it was sent", 0);
    change_while_sent(life, (64 << 20) + 1, "grown while it was sent", 1);
}

/* ------------------------------------------------------------------ multipart */

/* The headers and the content of the part with that name, as they were sent. */
static const char *part_of(const char *sent, const char *name)
{
    const char *boundary = strstr(sent, "boundary=") + 9;
    const char *line = text("--%.*s\r\nContent-Disposition: form-data; name=\"%s\"", (int)strcspn(boundary, "\r\n"),
                            boundary, name);
    const char *at = strstr(sent, line);
    if (at == NULL)
        FAIL("no part %s in %s", name, sent);
    return at + strlen(line);
}

TEST_BOTH(parts)
{
    static const char bytes[] = "a\0b\r\n";
    struct raw_server *server = raw_server_start(NULL);
    const char *path = file_of("rye.html", "<p>");
    const struct stook_part *const parts[] = {
        &STOOK_PART(.name = "text", .value = "J\xc3\xbcrgen", .value_size = STOOK_AUTO),
        &STOOK_PART(.name = "none", .value = "ignored", .value_size = STOOK_NONE),
        &STOOK_PART(.name = "bytes", .value = bytes, .value_size = sizeof bytes, .type = "application/x-bytes"),
        &STOOK_PART(.name = "file", .file = path),
        &STOOK_PART(.name = "named", .file = path, .filename = "a \"b\".txt", .type = "text/x-own"),
        &STOOK_PART(.name = "as a file", .value = "{}", .value_size = STOOK_AUTO, .filename = "x.json"),
        NULL};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/echo"), .parts = parts);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    size_t size;
    const char *sent = stook_result_body(stook_batch_result(batch, 0), &size);
    CHECK(strncmp(sent, "POST ", 5) == 0);
    CHECK_CONTAINS(sent, "\r\nContent-Type: multipart/form-data; boundary=");
    CHECK_CONTAINS(sent, "\r\nContent-Length: ");
    CHECK(strcasestr(sent, "\r\nExpect:") == NULL);
    CHECK(strncmp(part_of(sent, "text"), "\r\n\r\nJ\xc3\xbcrgen\r\n--", 14) == 0);
    CHECK(strncmp(part_of(sent, "none"), "\r\n\r\n\r\n--", 8) == 0);
    static const char expected[] = "\r\nContent-Type: application/x-bytes\r\n\r\na\0b\r\n\0\r\n--";
    CHECK(memcmp(part_of(sent, "bytes"), expected, sizeof expected - 1) == 0);
    /* Behind the zero byte of `bytes` strstr() finds nothing: look there for the others. */
    const char *rest = memmem(sent, size, "name=\"file\"", 11);
    CHECK(rest != NULL);
    CHECK_CONTAINS(rest, "name=\"file\"; filename=\"rye.html\"\r\nContent-Type: text/html\r\n\r\n<p>\r\n--");
    CHECK_CONTAINS(rest, "name=\"named\"; filename=\"a %22b%22.txt\"\r\nContent-Type: text/x-own\r\n\r\n<p>\r\n--");
    CHECK_CONTAINS(rest, "name=\"as a file\"; filename=\"x.json\"\r\nContent-Type: application/octet-stream\r\n\r\n{}\r\n--");
    stook_batch_free(batch);
}

TEST_BOTH(parts_refused)
{
    static const char *const type[] = {"content-type: multipart/form-data", NULL};
    struct raw_server *server = raw_server_start(NULL);
    const char *url = raw_url(server, "/echo");
    struct {
        struct stook_part part;
        const char *why;
    } rows[] = {
        {STOOK_PART(.value = "x", .value_size = STOOK_AUTO), "a part has no name"},
        {STOOK_PART(.name = "x"), "neither value nor file"},
        {STOOK_PART(.name = "x", .value = "x", .value_size = STOOK_AUTO, .file = "x"), "or both"},
        {STOOK_PART(.name = "x\n", .value = "x", .value_size = STOOK_AUTO), "control byte"},
        {STOOK_PART(.name = "x", .value = "x", .value_size = STOOK_AUTO, .filename = "\r"), "control byte"},
        {STOOK_PART(.name = "x", .value = "x", .value_size = STOOK_AUTO, .type = "text/plain\r\nX: y"), "control byte"},
        {STOOK_PART(.name = "x", .value = "x"), "STOOK_AUTO measures a string, STOOK_NONE is an empty value"},
        {STOOK_PART(.name = "x", .value = ""), "value_size of 0"},
        {STOOK_PART(.name = "x", .value = "x", .value_size = -7), "value_size"},
        {STOOK_PART(.name = "x", .file = "x", .value_size = STOOK_NONE), "value_size"},
        {STOOK_PART(.name = "x", .file = "x", .value_size = 1), "value_size"},
        {{.name = "x", .value = "x"}, "a part has no size"},
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    const struct stook_part *none[] = {NULL}, *one[] = {&STOOK_PART(.name = "x", .value = "x", .value_size = STOOK_AUTO), NULL}, *many[1002];
    for (size_t i = 0; i < 1001; i++)
        many[i] = one[0];
    many[1001] = NULL;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < ROWS; i++) {
        const struct stook_part *bad[] = {one[0], &rows[i].part, NULL};
        ADD(batch, url, .parts = bad);
    }
    ADD(batch, url, .parts = none);
    ADD(batch, url, .parts = many);
    ADD(batch, url, .parts = one, .headers = type);
    ADD(batch, url, .parts = one, .json = "1");
    ADD(batch, url, .body_file = "x", .json = "1");
    ADD(batch, url, .body_file = "");
    const char *const whys[] = {"parts is empty", "more than 1000 parts", "Content-Type header is given beside parts",
                                "more than one body", "more than one body", "body_file is empty"};
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), ROWS + 6);
    for (size_t i = 0; i < ROWS + 6; i++) {
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), STOOK_EARG);
        CHECK_CONTAINS(stook_result_message(stook_batch_result(batch, i)), i < ROWS ? rows[i].why : whys[i - ROWS]);
    }
    CHECK_EQ_INT(raw_connections(server), 0);
    stook_batch_free(batch);
}

/* A repeat sends the whole file again. */
TEST_BOTH(repeated_with_its_file)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.direct = STOOK_NONE)); /* on one connection */
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    ADD(batch, raw_url(server, "/swallow?n=1"), .method = "PUT", .body_file = file_of("a", "again"));
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    CHECK_EQ_INT(stook_result_attempts(stook_batch_result(batch, 1)), 2);
    CHECK_EQ_INT(raw_seen(server, "/swallow"), 2);
    stook_batch_free(batch);
}

/* Over HTTP/1.1 and HTTP/2, among others. */
TEST_BOTH(among_others, nginx)
{
    struct nginx *nginx = nginx_start();
    char *path = strdup(sparse(2000001));
    for (int version = STOOK_HTTP_1_1; version <= STOOK_HTTP_2; version++) {
        life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .http_version = version));
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 10; i++) {
            ADD(batch, nginx_tls_url(nginx, "/taken"), .body_file = path, .method = "PUT");
            add(batch, nginx_tls_url(nginx, "/ok"));
        }
        CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 0);
        for (size_t i = 0; i < 20; i += 2)
            CHECK_STR(stook_result_body(stook_batch_result(batch, i), NULL), "2000001");
        stook_batch_free(batch);
        life_close(life);
    }
    free(path);
}

/* ------------------------------------------------------------------------- size */

/* Takes what Content-Length announces, keeps nothing of it, and says how much it was. */
static enum raw_then sink(struct raw_call *call)
{
    static __thread char waste[65536];
    int64_t left = atoll(strcasestr(call->head, "\r\nContent-Length:") + 17), took = 0;
    while (took < left) {
        size_t size = raw_read(call, waste, sizeof waste);
        if (size == 0)
            return RAW_CLOSE;
        took += (int64_t)size;
    }
    const char *count = text("%lld", (long long)took);
    return raw_answer(call, count, strlen(count));
}

static const struct raw_behaviour sinks[] = {{"/sink", .answer = sink, .early = 1}, {NULL}};

/* The most kB that this process had resident. */
static long most_resident(void)
{
    char line[256];
    long kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %ld", &kb) == 1)
            break;
    fclose(file);
    return kb;
}

enum { GIGABYTE = 1 << 30 };

static int64_t give_zeroes(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    int64_t *left = user;
    (void)batch;
    (void)index;
    if (*left < (int64_t)size)
        size = (size_t)*left;
    memset(buffer, 0, size);
    *left -= (int64_t)size;
    return (int64_t)size;
}

/* However large a body is, little of it is ever in memory. */
TEST_BOTH(a_gigabyte, slow)
{
    struct raw_server *server = raw_server_start(sinks);
    char *path = strdup(sparse(GIGABYTE));
    const struct stook_part *const parts[] = {&STOOK_PART(.name = "a", .file = path), NULL};
    int64_t left = GIGABYTE;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/sink/file"), .body_file = path);
    ADD(batch, raw_url(server, "/sink/parts"), .parts = parts);
    ADD(batch, raw_url(server, "/sink/callback"), .body_read = give_zeroes, .body_size = GIGABYTE, .user = &left);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 0);
    CHECK_EQ_INT(atoll(stook_result_body(stook_batch_result(batch, 0), NULL)), GIGABYTE);
    CHECK(atoll(stook_result_body(stook_batch_result(batch, 1), NULL)) > GIGABYTE);
    CHECK_EQ_INT(atoll(stook_result_body(stook_batch_result(batch, 2), NULL)), GIGABYTE);
#ifndef __SANITIZE_ADDRESS__
    if (most_resident() >= 20000)
        FAIL("%ld kB were resident", most_resident());
#else
    (void)most_resident;
#endif
    stook_batch_free(batch);
    free(path);
}

/* The server answers before it has read the body, and closes: its answer is the result, not the reset
   that its kernel sends. That may reach libcurl within a send() of its own, which then tells of nothing
   else: about one in a hundred. Never is it something else. */
TEST_BOTH(answered_before_it_was_sent)
{
    enum { SIZE = 2 << 20 };
    struct raw_server *server = raw_server_start(NULL);
    char *path = strdup(sparse(SIZE)), *body = calloc(1, SIZE);
    const struct stook_part *const parts[] = {&STOOK_PART(.name = "a", .file = path), NULL};
    int answered = 0;
    life_open(life, NULL);
    for (int round = 0; round < 10; round++) {
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "/too-early"), .body_file = path);
        ADD(batch, raw_url(server, "/too-early"), .parts = parts);
        ADD(batch, raw_url(server, "/too-early"), .body = body, .body_size = SIZE);
        ADD(batch, raw_url(server, "/too-early"), .body = body, .body_size = SIZE, .expect = 1);
        CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 4);
        for (size_t i = 0; i < 4; i++) {
            const stook_result *result = stook_batch_result(batch, i);
            test_note("%zu: %s", i, stook_result_message(result));
            CHECK_EQ_INT(stook_result_attempts(result), 1);
            if (stook_result_error(result) != STOOK_ERESET)
                CHECK_STR(stook_result_message(result), "HTTP 413");
            answered += stook_result_status(result) == 413;
        }
        stook_batch_free(batch);
    }
    CHECK(answered >= 32); /* of 40 */
    free(path);
    free(body);
}

/* No body sends none, and an empty body sends an empty one. */
TEST_BOTH(nothing_to_send)
{
    static const char *const nothing[] = {NULL};
    struct raw_server *server = raw_server_start(NULL);
    const char *url = raw_url(server, "/echo");
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, url, .body = "", .body_size = STOOK_NONE);
    ADD(batch, url, .body = "", .body_size = STOOK_NONE, .method = "POST");
    ADD(batch, url, .form = nothing, .method = "PUT");
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(url, .body_size = 5)), STOOK_EARG);
    stook_batch_free(batch);
    batch = life_batch(life);
    ADD(batch, url, .body = "", .body_size = STOOK_NONE);
    ADD(batch, url, .body = "", .body_size = STOOK_NONE, .method = "POST");
    ADD(batch, url, .form = nothing, .method = "PUT");
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 0);
    CHECK(strncmp(stook_result_body(stook_batch_result(batch, 0), NULL), "GET ", 4) == 0);
    CHECK_CONTAINS(stook_result_body(stook_batch_result(batch, 1), NULL), "\r\nContent-Length: 0\r\n");
    CHECK(strncmp(stook_result_body(stook_batch_result(batch, 2), NULL), "PUT ", 4) == 0);
    stook_batch_free(batch);
}
