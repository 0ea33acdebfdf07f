/* SPDX-License-Identifier: MIT */
/* The head of a request over HTTP/1.1, byte by byte, and what never becomes one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "http1/writer.h"
#include "support/assertions.h"
#include "support/harness.h"

enum { LINES_MAX = 20, NO_BODY = STOOK__HTTP1_NO_BODY, CHUNKED = STOOK__HTTP1_CHUNKED };

#define AGENT "User-Agent: stook/1"

/* -------------------------------------------------------------------------------- exact bytes */

static const struct row {
    const char *method, *target;
    int64_t length;
    const char *lines[LINES_MAX];
    const char *absolute;
    const char *bytes;
} rows[] = {
    {"GET", "/path", NO_BODY, {AGENT}, NULL, "GET /path HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nUser-Agent: stook/1\r\n\r\n"},
    {"GET", "/", NO_BODY, {NULL}, NULL, "GET / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\n\r\n"},
    /* targets */
    {"GET", "", NO_BODY, {NULL}, NULL, "GET / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\n\r\n"},
    {"GET", "?", NO_BODY, {NULL}, NULL, "GET /? HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\n\r\n"},
    {"GET", "?q=1", NO_BODY, {NULL}, NULL, "GET /?q=1 HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\n\r\n"},
    {"GET", "/a?/b%20c~", NO_BODY, {NULL}, NULL, "GET /a?/b%20c~ HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\n\r\n"},
    /* the absolute form */
    {"GET", "/p", NO_BODY, {NULL}, "http://", "GET http://h:81/p HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\n\r\n"},
    {"GET", "", NO_BODY, {NULL}, "http://", "GET http://h:81/ HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\n\r\n"},
    {"GET", "?q", NO_BODY, {NULL}, "http://", "GET http://h:81/?q HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\n\r\n"},
    /* methods */
    {"HEAD", "/", NO_BODY, {NULL}, NULL, "HEAD / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\n\r\n"},
    {"!#$%&'*+-.^_`|~09azAZ", "/", NO_BODY, {NULL}, NULL, "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\n\r\n"},
    /* Accept */
    {"GET", "/", NO_BODY, {"X: 1", "accept: text/html", AGENT}, NULL,
     "GET / HTTP/1.1\r\nHost: h:81\r\nX: 1\r\naccept: text/html\r\nUser-Agent: stook/1\r\n\r\n"},
    {"GET", "/", NO_BODY, {"Accept:", AGENT}, NULL, "GET / HTTP/1.1\r\nHost: h:81\r\nUser-Agent: stook/1\r\n\r\n"},
    {"GET", "/", NO_BODY, {"ACCEPT: \t ", AGENT}, NULL, "GET / HTTP/1.1\r\nHost: h:81\r\nUser-Agent: stook/1\r\n\r\n"},
    {"GET", "/", NO_BODY, {"Accept;"}, NULL, "GET / HTTP/1.1\r\nHost: h:81\r\nAccept:\r\n\r\n"},
    {"GET", "/", NO_BODY, {"Accept-Encoding: br", "Accep: 1"}, NULL,
     "GET / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nAccept-Encoding: br\r\nAccep: 1\r\n\r\n"},
    /* forms of lines: removed ones, empty ones, and values as they are written */
    {"GET", "/", NO_BODY, {"X:", "Y:  ", "Z;", "A:b", "C: \t d \t", "E: f;", "G: \xc3\xa4\t\xff", "H: i: j"}, NULL,
     "GET / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nZ:\r\nA:b\r\nC: \t d \t\r\nE: f;\r\nG: \xc3\xa4\t\xff\r\nH: i: j\r\n\r\n"},
    {"GET", "/", NO_BODY, {"X: 1", "X: 2", "x: 1"}, NULL,
     "GET / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nX: 1\r\nX: 2\r\nx: 1\r\n\r\n"},
    /* orders to libcurl that remove nothing of ours */
    {"PUT", "/", 1, {"Host:", "Content-Length:", "Transfer-Encoding: "}, NULL,
     "PUT / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nContent-Length: 1\r\n\r\n"},
    {"GET", "/", NO_BODY, {"Hosts: 1", "Hos: 1", "X-Content-Length: 1", "Pontent-Length: 1"}, NULL,
     "GET / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nHosts: 1\r\nHos: 1\r\nX-Content-Length: 1\r\nPontent-Length: 1\r\n\r\n"},
    /* more lines than are remembered */
    {"GET", "/", NO_BODY, {"A: 1", "B: 2", "C: 3", "D: 4", "E:", "F: 6", "G: 7", "H: 8", "I;", "J:", "K: 11", "L: 12", "Accept: 13"}, NULL,
     "GET / HTTP/1.1\r\nHost: h:81\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nF: 6\r\nG: 7\r\nH: 8\r\nI:\r\nK: 11\r\nL: 12\r\nAccept: 13\r\n\r\n"},
    /* bodies, with the lines that http/request_fields.c makes for them */
    {"POST", "/", 3, {"Content-Type:", "Expect:", AGENT}, NULL,
     "POST / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nUser-Agent: stook/1\r\nContent-Length: 3\r\n\r\n"},
    {"POST", "/", 0, {"Content-Type:", "Expect:", AGENT}, NULL,
     "POST / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nUser-Agent: stook/1\r\nContent-Length: 0\r\n\r\n"},
    {"GET", "/", 10, {"Content-Type: text/plain", "Expect: 100-continue"}, NULL,
     "GET / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n"},
    {"PUT", "/", INT64_MAX, {NULL}, NULL, "PUT / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nContent-Length: 9223372036854775807\r\n\r\n"},
    {"PUT", "/", CHUNKED, {AGENT}, NULL,
     "PUT / HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nUser-Agent: stook/1\r\nTransfer-Encoding: chunked\r\n\r\n"},
};

/* A head, and memory of the exact sizes, so that a sanitizer sees who reads or writes on. */
struct example {
    struct stook__http1_head head;
    struct curl_slist fields[LINES_MAX];
    char *target, *host;
};

static char *copy(const char *text, size_t size)
{
    char *bytes = malloc(size + (size == 0));
    CHECK(bytes != NULL);
    memcpy(bytes, text, size);
    return bytes;
}

static void make(struct example *example, const struct row *row)
{
    size_t n = 0;
    memset(example, 0, sizeof *example);
    for (; n < LINES_MAX && row->lines[n] != NULL; n++) {
        example->fields[n].data = copy(row->lines[n], strlen(row->lines[n]) + 1);
        example->fields[n].next = n + 1 < LINES_MAX && row->lines[n + 1] != NULL ? &example->fields[n + 1] : NULL;
    }
    example->target = copy(row->target, strlen(row->target));
    example->host = copy("h:81", 4);
    example->head = (struct stook__http1_head){.method = row->method, .target = example->target, .target_size = strlen(row->target),
        .host = example->host, .host_size = 4, .absolute = row->absolute, .fields = n > 0 ? example->fields : NULL, .length = row->length};
}

static void drop(struct example *example)
{
    for (size_t i = 0; i < LINES_MAX; i++)
        free(example->fields[i].data);
    free(example->target);
    free(example->host);
}

/* Each with every size of room: too small a one is left as it is. */
static void check_row(const struct row *row)
{
    struct example example;
    size_t size = strlen(row->bytes);
    test_note("%s", row->bytes);
    make(&example, row);
    CHECK_EQ_SIZE(stook__http1_write_head(&example.head, NULL, 0), size);
    for (size_t room = 1; room <= size + 1; room++) {
        char *bytes = malloc(room), *before = malloc(room);
        CHECK(bytes != NULL && before != NULL);
        memset(bytes, '?', room);
        memset(before, '?', room);
        CHECK_EQ_SIZE(stook__http1_write_head(&example.head, bytes, room), size);
        if (room >= size)
            memcpy(before, row->bytes, size);
        CHECK(memcmp(bytes, before, room) == 0);
        free(bytes);
        free(before);
    }
    drop(&example);
}

TEST(bytes, valgrind)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_row(&rows[i]);
}

TEST(no_target_at_all)
{
    struct stook__http1_head head = {.method = "GET", .host = "h", .host_size = 1, .length = NO_BODY};
    static const char bytes[] = "GET / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n";
    char room[sizeof bytes] = "";
    CHECK_EQ_SIZE(stook__http1_write_head(&head, room, sizeof room - 1), sizeof bytes - 1);
    CHECK_STR(room, bytes);
}

TEST(lengths)
{
    static const struct {
        int64_t length;
        const char *field;
    } lengths[] = {{1, "1"}, {9, "9"}, {10, "10"}, {99, "99"}, {100, "100"}, {4294967296, "4294967296"}, {1000000000000000000, "1000000000000000000"}};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct stook__http1_head head = {.method = "PUT", .host = "h", .host_size = 1, .length = lengths[i].length};
        char room[256], line[64];
        size_t size = stook__http1_write_head(&head, room, sizeof room - 1);
        CHECK(size < sizeof room);
        room[size] = '\0';
        snprintf(line, sizeof line, "\r\nContent-Length: %s\r\n\r\n", lengths[i].field);
        CHECK_CONTAINS(room, line);
    }
}

/* ---------------------------------------------------------------------------------- bad bytes */

struct call {
    const struct stook__http1_head *head;
    char room[512];
    size_t result;
};

static void write_head(void *arg)
{
    struct call *call = arg;
    call->result = stook__http1_write_head(call->head, call->room, sizeof call->room);
}

/* 0 for a head that is refused, by an assertion where there are any: it has written nothing. */
static size_t try(const struct stook__http1_head *head)
{
    struct call call = {.head = head};
    int failed = test_fails_assertion(write_head, &call);
    if (!failed && call.result > 0)
        return call.result;
    CHECK_EQ_INT(failed, TEST_ASSERTS);
    for (size_t i = 0; i < sizeof call.room; i++)
        CHECK(call.room[i] == '\0');
    return 0;
}

static int is_token_char(unsigned c)
{
    return c > 0x20 && c < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", (int)c) == NULL;
}

/* Every byte at every place of a text of that size: the words of eight bytes overlap in each way. */
static void check_text(size_t size, int is_host)
{
    char *text = malloc(size);
    CHECK(text != NULL);
    for (size_t i = 0; i < size; i++) {
        memset(text, '/', size);
        for (unsigned c = 0; c < 256; c++) {
            struct stook__http1_head head = {.method = "GET", .target = is_host ? "/" : text, .target_size = is_host ? 1 : size,
                .host = is_host ? text : "h", .host_size = is_host ? size : 1, .length = NO_BODY};
            text[i] = (char)c;
            test_note("%s of %zu bytes, byte %zu is 0x%02x", is_host ? "host" : "target", size, i, c);
            int good = c > 0x20 && c < 0x7f && (is_host || i > 0 || c == '/' || c == '?');
            CHECK_EQ_INT(try(&head) > 0, good);
        }
    }
    free(text);
}

TEST(targets_and_hosts, valgrind)
{
    for (size_t size = 1; size <= 26; size += size < 18 ? 1 : 4) {
        check_text(size, 0);
        check_text(size, 1);
    }
}

TEST(methods)
{
    for (unsigned c = 0; c < 256; c++)
        for (size_t i = 0; i < 3; i++) {
            char method[] = "GET";
            struct stook__http1_head head = {.method = method, .target = "/", .target_size = 1, .host = "h", .host_size = 1, .length = NO_BODY};
            method[i] = (char)c;
            test_note("byte %zu is 0x%02x", i, c);
            CHECK_EQ_INT(try(&head) > 0, is_token_char(c) || (c == 0 && i > 0)); /* a shorter one */
        }
}

static size_t try_line(const char *line)
{
    char *text = copy(line, strlen(line) + 1);
    struct curl_slist field = {text, NULL};
    struct stook__http1_head head = {.method = "GET", .target = "/", .target_size = 1, .host = "h", .host_size = 1, .fields = &field, .length = NO_BODY};
    size_t size = try(&head);
    free(text);
    return size;
}

TEST(names_of_fields)
{
    for (unsigned c = 1; c < 256; c++)
        for (size_t i = 0; i < 4; i++) {
            char line[] = "Name: value";
            line[i] = (char)c;
            test_note("byte %zu is 0x%02x", i, c);
            int good = is_token_char(c) || (c == ':' && i > 0); /* a shorter one */
            CHECK_EQ_INT(try_line(line) > 0, good);
        }
}

TEST(values_of_fields, valgrind)
{
    for (size_t size = 1; size <= 20; size++)
        for (size_t i = 0; i < size; i++)
            for (unsigned c = 1; c < 256; c++) {
                char line[32] = "X: ";
                memset(line + 3, 'v', size);
                line[3 + i] = (char)c;
                test_note("a value of %zu bytes, byte %zu is 0x%02x", size, i, c);
                CHECK_EQ_INT(try_line(line) > 0, (c >= 0x20 && c != 0x7f) || c == '\t');
                line[3 + (i + 1) % size] = '\xe4'; /* a tab or such a byte beside it changes nothing */
                if (size > 1)
                    CHECK_EQ_INT(try_line(line) > 0, (c >= 0x20 && c != 0x7f) || c == '\t');
            }
}

TEST(lines_of_no_form)
{
    static const char *const lines[] = {"",       ":",         ": x",          ";",      "X",       "X ",     "X;x",      "X; ",      "X;;",
                                        "X : 1",  " X: 1",     "X: 1\r\nY: 2", "X: 1\n", "X:\n",    "X:\r\n", "X\r\n: 1", "X;\r\n",   "X: 1\r\n 2",
                                        "Host: a", "host;",    "HOST:a",       "Content-Length: 1", "content-length;",    "Transfer-Encoding: chunked",
                                        "transfer-encoding;"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        test_note("\"%s\"", lines[i]);
        CHECK_EQ_SIZE(try_line(lines[i]), 0);
    }
}

/* Beyond the lines that are remembered too. */
TEST(bad_lines_anywhere)
{
    for (size_t bad = 0; bad < LINES_MAX; bad++) {
        struct curl_slist fields[LINES_MAX];
        static char good[] = "X: 1", broken[] = "X: 1\r\nHost: b";
        struct stook__http1_head head = {.method = "GET", .target = "/", .target_size = 1, .host = "h", .host_size = 1, .fields = fields, .length = NO_BODY};
        for (size_t i = 0; i < LINES_MAX; i++)
            fields[i] = (struct curl_slist){good, i + 1 < LINES_MAX ? &fields[i + 1] : NULL};
        CHECK(try(&head) > 0);
        fields[bad].data = broken;
        CHECK_EQ_SIZE(try(&head), 0);
    }
}

TEST(members_that_make_no_head)
{
    const struct stook__http1_head good = {.method = "GET", .target = "/", .target_size = 1, .host = "h", .host_size = 1, .length = NO_BODY};
    struct stook__http1_head head = good;
    CHECK(try(&head) > 0);
    head.method = "";
    CHECK_EQ_SIZE(try(&head), 0);
    head = good;
    head.host_size = 0;
    CHECK_EQ_SIZE(try(&head), 0);
    head = good;
    head.length = -3;
    CHECK_EQ_SIZE(try(&head), 0);
    head.length = INT64_MIN;
    CHECK_EQ_SIZE(try(&head), 0);
    head = good;
    head.absolute = "http:// ";
    CHECK_EQ_SIZE(try(&head), 0);
    /* With "http://h" before it, this would be another host. */
    head = good;
    head.target = ".example/";
    head.target_size = 9;
    head.absolute = "http://";
    CHECK_EQ_SIZE(try(&head), 0);
    head.absolute = NULL;
    CHECK_EQ_SIZE(try(&head), 0);
}
