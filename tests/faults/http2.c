/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2: group H. Frames made by hand, over TLS. Each row has a door of its own; the neighbours have
 * one whose HTTP/2 is well. Rows whose fault is of a stream, not of the connection, are run once more
 * with the neighbours on the same connection.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "support/faults.h"
#include "support/life.h"
#include "support/certificates.h"
#include "support/process.h"
#include "support/raw_h2.h"
#include "support/raw_tls.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { ROWS_MAX = 48, CLEAR = 0, WELL = 1, FIRST = 2 };

struct row {
    struct fault fault;
    void (*answer)(struct h2 *h2);
    void (*greet)(struct h2 *h2);
};

static struct raw_door doors[FIRST + ROWS_MAX];
static int same_connection;

static const char *url_of_row(const struct faults *faults, size_t row)
{
    (void)faults;
    return text("https://127.0.0.1:%d/f/%zu?token=hush-hush-7355608", doors[FIRST + row].port, row);
}

static const char *url_of_neighbour(const struct faults *faults, size_t row, size_t n)
{
    (void)faults;
    return text("https://127.0.0.1:%d/path/%zu",
                doors[same_connection && n < 9 ? FIRST + row : WELL].port, n);
}

static void run(const struct row *rows, size_t count, int same)
{
    static struct fault faults[ROWS_MAX];
    static struct h2_answer answers[ROWS_MAX + 1];
    static struct raw_tls tls[FIRST + ROWS_MAX];
    static char paths[ROWS_MAX][16];
    const char *directory = temporary_directory();
    char ca[512];
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2))
        test_skip("this libcurl speaks no HTTP/2");
    CHECK(count <= ROWS_MAX);
    certificates_standard(directory);
    snprintf(ca, sizeof ca, "%s/authority.pem", directory);
    for (size_t i = 0; i < FIRST + count; i++) {
        tls[i] = (struct raw_tls){.directory = directory, .certificate = "leaf", .alpn = "h2",
                                  .inside = raw_h2_serve};
        doors[i] = (struct raw_door){.serve = raw_tls_serve, .arg = &tls[i]};
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(paths[i], sizeof paths[i], "/f/%zu", i);
        faults[i] = rows[i].fault;
        answers[i] = (struct h2_answer){paths[i], rows[i].answer, rows[i].greet};
        tls[FIRST + i].user = &answers[i];
    }
    answers[count].path = NULL;
    raw_h2_answers = answers;
    same_connection = same;
    struct faults all = {.rows = faults, .count = count, .url = url_of_row,
                         .neighbour = url_of_neighbour,
                         .server = raw_server_open(NULL, doors, FIRST + count),
                         .client = {.ca_file = ca, .http_version = STOOK_HTTP_2}};
    faults_run(&all);
}

/* ------------------------------------------------------------ of a stream */

static void head_without_length(struct h2 *h2)
{
    h2_head(h2, H2_NONE, 200, NULL);
    h2_data(h2, H2_NONE, "abc");
}

static void head_of_ten(struct h2 *h2)
{
    h2_head(h2, H2_NONE, 200, "content-length", "10", NULL);
    h2_data(h2, H2_NONE, "abc");
}

static void refused(struct h2 *h2)
{
    h2_number(h2, H2_RST_STREAM, h2->stream, H2_REFUSED_STREAM);
}

static void reset_before_head(struct h2 *h2)
{
    h2_number(h2, H2_RST_STREAM, h2->stream, H2_INTERNAL_ERROR);
}

static void reset_without_length(struct h2 *h2)
{
    head_without_length(h2);
    h2_number(h2, H2_RST_STREAM, h2->stream, H2_NO_ERROR);
}

static void reset_with_length(struct h2 *h2)
{
    head_of_ten(h2);
    h2_number(h2, H2_RST_STREAM, h2->stream, H2_NO_ERROR);
}

static void reset_inside(struct h2 *h2)
{
    head_without_length(h2);
    h2_number(h2, H2_RST_STREAM, h2->stream, H2_INTERNAL_ERROR);
}

static void shorter(struct h2 *h2)
{
    head_of_ten(h2);
    h2_data(h2, H2_END_STREAM, "");
}

static void longer(struct h2 *h2)
{
    h2_head(h2, H2_NONE, 200, "content-length", "3", NULL);
    h2_data(h2, H2_END_STREAM, "abcdef");
}

static void no_status(struct h2 *h2)
{
    h2_head(h2, H2_END_STREAM, 0, "x-field", "v", NULL);
}

static void upper_case(struct h2 *h2)
{
    h2_head(h2, H2_END_STREAM, 200, "X-Field", "v", NULL);
}

static void connection_field(struct h2 *h2)
{
    h2_head(h2, H2_END_STREAM, 200, "connection", "close", NULL);
}

static void late_pseudo_field(struct h2 *h2)
{
    h2_head(h2, H2_END_STREAM, 200, "x-field", "v", ":status", "204", NULL);
}

static void update_of_zero(struct h2 *h2)
{
    h2_number(h2, H2_WINDOW_UPDATE, h2->stream, 0);
}

static void silence(struct h2 *h2)
{
    (void)h2;
}

static void trailers(struct h2 *h2)
{
    h2_head(h2, H2_NONE, 200, NULL);
    h2_data(h2, H2_NONE, "abc");
    h2_head(h2, H2_END_STREAM, 0, "x-trailer", "v", NULL);
}

static void unknown_frames(struct h2 *h2)
{
    h2_frame(h2, 0x42, 0xff, h2->stream, "what is this", 12);
    h2_frame(h2, 0x43, 0, 0, "and this", 8);
    h2_setting(h2, 0x4242, 42);
    h2_ok(h2, "abc");
}

static void hints(struct h2 *h2)
{
    h2_head(h2, H2_NONE, 103, "link", "</s.css>", NULL);
    h2_ok(h2, "abc");
}

static void empty_frames(struct h2 *h2)
{
    h2_head(h2, H2_NONE, 200, NULL);
    for (int i = 0; i < 20000; i++)
        if (!h2_data(h2, H2_NONE, ""))
            return;
    h2_data(h2, H2_END_STREAM, "abc");
}

static void endless_hints(struct h2 *h2)
{
    for (int i = 0; i < 100000; i++)
        if (!h2_head(h2, H2_NONE, 103, "link", "</s.css>", NULL))
            return;
    h2_ok(h2, "abc");
}

static const struct row of_streams[] = {
    {{.id = "H04 refused for ever", .error = STOOK_ERESET, .says = "refused"}, refused, NULL},
    {{.id = "H04 reset before the head", .error = STOOK_EPROTOCOL, .says = "INTERNAL_ERROR"}, reset_before_head, NULL},
    /* Up to the libcurl; where it hides that the end is missing, a flag says that nobody saw it. */
    {{.id = "H06 reset without an error, no length", .error = STOOK_ERESET, .either = 1,
      .status = FAULT_ANY_STATUS, .body = "abc"}, reset_without_length, NULL},
    {{.id = "H06 reset without an error, half of the length", .error = STOOK_ERESET,
      .or_error = STOOK_ETRUNCATED, .status = FAULT_ANY_STATUS, .body = "abc"},
     reset_with_length, NULL},
    {{.id = "H06 reset with an error", .error = STOOK_EPROTOCOL, .status = FAULT_ANY_STATUS,
      .body = "abc", .says = "INTERNAL_ERROR"}, reset_inside, NULL},
    {{.id = "H08 shorter than its length", .error = STOOK_EPROTOCOL, .or_error = STOOK_ERESET,
      .status = FAULT_ANY_STATUS, .body = "abc"}, shorter, NULL},
    {{.id = "H08 longer than its length", .error = STOOK_EPROTOCOL, .or_error = STOOK_ERESET,
      .status = FAULT_ANY_STATUS}, longer, NULL},
    {{.id = "H09 no status", .error = STOOK_EPROTOCOL, .or_error = STOOK_ERESET}, no_status, NULL},
    {{.id = "H09 a name in upper case", .error = STOOK_EPROTOCOL, .or_error = STOOK_ERESET,
      .status = FAULT_ANY_STATUS}, upper_case, NULL},
    {{.id = "H09 a field of the connection", .error = STOOK_EPROTOCOL, .or_error = STOOK_ERESET,
      .status = FAULT_ANY_STATUS}, connection_field, NULL},
    {{.id = "H09 a status behind other fields", .error = STOOK_EPROTOCOL,
      .or_error = STOOK_ERESET, .status = FAULT_ANY_STATUS}, late_pseudo_field, NULL},
    {{.id = "H09 a stream's window grows by 0", .error = STOOK_EPROTOCOL,
      .or_error = STOOK_ERESET}, update_of_zero, NULL},
    {{.id = "H14 one early hint", .status = 200, .body = "abc"}, hints, NULL},
    {{.id = "H15 silence", .error = STOOK_ETIMEOUT_ATTEMPT, .hangs = 1}, silence, NULL},
    {{.id = "H15 silence inside the body", .error = STOOK_ETIMEOUT_ATTEMPT, .status = 200,
      .body = "abc", .hangs = 1}, head_of_ten, NULL},
    {{.id = "H18 frames and settings that nobody knows", .status = 200, .body = "abc"},
     unknown_frames, NULL},
    {{.id = "H18 trailers", .status = 200, .body = "abc"}, trailers, NULL},
    {{.id = "H12 20,000 empty frames", .costly = 1, .error = STOOK_ERESET, .either = 1, .status = 200, .body = "abc"}, empty_frames, NULL},
    {{.id = "H14 100,000 early hints", .costly = 1, .error = STOOK_ETOOLARGE, .or_error = STOOK_ERESET,
      .status = FAULT_ANY_STATUS}, endless_hints, NULL},
};

TEST(streams)
{
    run(of_streams, COUNT(of_streams), 0);
}

/* A fault of one stream does not affect the others. */
TEST(streams_beside_streams)
{
    if (curl_version_info(CURLVERSION_NOW)->version_num < 0x080100)
        test_skip("up to 8.1 libcurl may forget what else is on a connection, see row 0.18 of engine.md");
    run(of_streams, COUNT(of_streams), 1);
}

/* ------------------------------------------------- resets, by their errors */

/* RFC 9113 7, and one that is in no list. */
static const struct reset {
    uint32_t code;
    const char *name;
} resets[] = {{0x1, "PROTOCOL_ERROR"}, {0x2, "INTERNAL_ERROR"}, {0x3, "FLOW_CONTROL_ERROR"}, {0x4, "SETTINGS_TIMEOUT"},
              {0x5, "STREAM_CLOSED"}, {0x6, "FRAME_SIZE_ERROR"}, {0x8, "CANCEL"}, {0x9, "COMPRESSION_ERROR"},
              {0xa, "CONNECT_ERROR"}, {0xb, "ENHANCE_YOUR_CALM"}, {0xc, "INADEQUATE_SECURITY"},
              {0xd, "HTTP_1_1_REQUIRED"}, {0x1234, "0x1234"}};

static const struct reset *reset_of(const struct h2 *h2)
{
    return &resets[(size_t)strtol(h2->path + sizeof "/f/" - 1, NULL, 10) / 2];
}

static void reset_so(struct h2 *h2)
{
    h2_number(h2, H2_RST_STREAM, h2->stream, reset_of(h2)->code);
}

static void reset_so_inside(struct h2 *h2)
{
    head_of_ten(h2);
    reset_so(h2);
}

/* The connection is well: what the peer says of the stream is what happened, before and behind the head. */
static void run_resets(int same)
{
    static struct row rows[2 * COUNT(resets)];
    for (size_t i = 0; i < COUNT(rows); i++) {
        /* libcurl wants to try HTTP/1.1 then, and 8.23 forgets why; so does 7.88 before the head. */
        int forgets = resets[i / 2].code == 0xd;
        rows[i] = (struct row){{.id = resets[i / 2].name, .error = STOOK_EPROTOCOL, .or_error = forgets ? STOOK_ERESET : 0,
                                .status = i % 2 ? 200 : 0, .says = forgets ? NULL : resets[i / 2].name},
                               i % 2 ? reset_so_inside : reset_so, NULL};
    }
    run(rows, COUNT(rows), same);
}

TEST(resets)
{
    run_resets(0);
}

TEST(resets_beside_streams)
{
    if (curl_version_info(CURLVERSION_NOW)->version_num < 0x080100)
        test_skip("up to 8.1 libcurl may forget what else is on a connection, see row 0.18 of engine.md");
    run_resets(1);
}

/* -------------------------------------------------------- of the connection */

static void goaway_zero(struct h2 *h2)
{
    h2_goaway(h2, 0, H2_NO_ERROR);
    h2->done = 1;
}

static void goaway_calm(struct h2 *h2)
{
    h2_goaway(h2, 0, H2_ENHANCE_YOUR_CALM);
    h2->done = 1;
}

static void goaway_gracefully(struct h2 *h2)
{
    h2_head(h2, H2_NONE, 200, NULL);
    h2_goaway(h2, h2->stream, H2_NO_ERROR);
    h2_data(h2, H2_END_STREAM, "abc");
    h2->done = 1;
}

static void close_inside(struct h2 *h2)
{
    head_of_ten(h2);
    h2->done = 1;
}

static void close_at_once(struct h2 *h2)
{
    h2->done = 1;
}

static void close_after(struct h2 *h2)
{
    h2_ok(h2, "abc");
    h2->done = 1;
}

static void data_first(struct h2 *h2)
{
    h2_data(h2, H2_END_STREAM, "abc");
}

static void bad_hpack(struct h2 *h2)
{
    h2_frame(h2, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, h2->stream, "\xff\xff\xff\xff\xff\x7f", 6);
}

static void too_large(struct h2 *h2)
{
    static const char lots[1 << 20];
    h2_head(h2, H2_NONE, 200, NULL);
    h2_frame(h2, H2_DATA, H2_END_STREAM, h2->stream, lots, sizeof lots);
}

static void too_large_of_length(struct h2 *h2)
{
    static const char lots[1 << 20];
    h2_head(h2, H2_NONE, 200, "content-length", "1048576", NULL);
    h2_frame(h2, H2_DATA, H2_END_STREAM, h2->stream, lots, sizeof lots);
}

static void data_on_zero(struct h2 *h2)
{
    h2_frame(h2, H2_DATA, H2_NONE, 0, "abc", 3);
}

static void connection_update_of_zero(struct h2 *h2)
{
    h2_number(h2, H2_WINDOW_UPDATE, 0, 0);
}

static void window_overflow(struct h2 *h2)
{
    h2_number(h2, H2_WINDOW_UPDATE, 0, 0x7fffffff);
    h2_number(h2, H2_WINDOW_UPDATE, 0, 0x7fffffff);
}

static void push(struct h2 *h2)
{
    h2_frame(h2, H2_PUSH_PROMISE, H2_END_HEADERS, h2->stream, "\0\0\0\2\x82\x84\x87", 7);
    h2_ok(h2, "abc");
}

static void headers_on_even(struct h2 *h2)
{
    h2->stream = 2;
    h2_ok(h2, "abc");
}

static void short_settings(struct h2 *h2)
{
    h2_frame(h2, H2_SETTINGS, H2_NONE, 0, "abc", 3);
}

static void continuation_alone(struct h2 *h2)
{
    h2_frame(h2, H2_CONTINUATION, H2_END_HEADERS, h2->stream, "\x88", 1);
}

static void continuation_flood(struct h2 *h2)
{
    h2_frame(h2, H2_HEADERS, H2_NONE, h2->stream, "\x88", 1);
    for (int i = 0; i < 100000; i++)
        if (!h2_frame(h2, H2_CONTINUATION, H2_NONE, h2->stream, "\0\1x\1y", 5))
            return;
}

static void settings_flood(struct h2 *h2)
{
    for (int i = 0; i < 20000; i++)
        if (!h2_setting(h2, 4, 65535))
            return;
    h2_ok(h2, "abc");
}

static void ping_flood(struct h2 *h2)
{
    for (int i = 0; i < 20000; i++)
        if (!h2_frame(h2, H2_PING, H2_NONE, 0, "12345678", 8))
            return;
    h2_ok(h2, "abc");
}

/* A field of 4 KB goes into the table once, and is named 9,000 times: 36 MB out of 13 KB. */
static void hpack_bomb(struct h2 *h2)
{
    unsigned char block[16000] = {0x88, 0x40, 1, 'x', 0x7f, 0xd1, 0x1e}; /* 127 + 0x51 + 0x1e * 128 */
    size_t size = 7 + 127 + 0x51 + 0x1e * 128;
    memset(block + 7, 'v', size - 7);
    memset(block + size, 0xbe, 9000); /* the newest entry of the table */
    h2_frame(h2, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, h2->stream, block, size + 9000);
}

static void headers_after_the_end(struct h2 *h2)
{
    h2_ok(h2, "abc");
    h2_head(h2, H2_END_STREAM, 0, "x-late", "v", NULL);
}

static void no_streams(struct h2 *h2)
{
    h2_setting(h2, 3, 0);
}

static void one_stream(struct h2 *h2)
{
    h2_setting(h2, 3, 1);
}

static void fewer_streams(struct h2 *h2)
{
    h2_setting(h2, 3, 1);
    h2_ok(h2, "abc");
    h2_setting(h2, 3, 100);
}

static void no_window(struct h2 *h2)
{
    h2_setting(h2, 4, 0);
}

static void no_preface(struct h2 *h2)
{
    raw_say(h2->call, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    h2->done = 1;
}

static void abc(struct h2 *h2)
{
    h2_ok(h2, "abc");
}

/* 8.14 may leave what it has read of it aside, and see it when the next clock rings. */
#define BROKEN(id_, answer_)                                                                       \
    {{.id = id_, .error = STOOK_EPROTOCOL, .or_error = STOOK_ERESET, .status = FAULT_ANY_STATUS,    \
      .silent = 1}, answer_, NULL}

TEST(connections)
{
    static char upload[200000];
    static const struct row rows[] = {
        {{.id = "H01 goaway, nothing was looked at", .error = STOOK_ERESET}, goaway_zero, NULL},
        {{.id = "H02 goaway, this one is answered", .status = 200, .body = "abc"},
         goaway_gracefully, NULL},
        /* 8.23 says it of the stream. */
        {{.id = "H03 goaway, calm down", .error = STOOK_ERESET, .or_error = STOOK_EPROTOCOL}, goaway_calm, NULL},
        {{.id = "H07 the end inside the body", .error = STOOK_ETRUNCATED, .or_error = STOOK_ERESET,
          .status = 200, .body = "abc"}, close_inside, NULL},
        {{.id = "H07 the end before the head", .error = STOOK_ERESET},
         close_at_once, NULL},
        /* A newer libcurl may see the end while it sends something itself. */
        {{.id = "H07 the end behind the answer", .error = STOOK_ERESET, .either = 1, .status = 200, .body = "abc"},
         close_after, NULL},
        BROKEN("H09 a body before its head", data_first),
        BROKEN("H09 HPACK that cannot be read", bad_hpack),
        /* 7.88 makes a success of it, as of H06: without a length nothing shows that the end is missing. */
        {{.id = "H09 a frame of 1 MB", .costly = 1, .error = STOOK_ERESET, .or_error = STOOK_EPROTOCOL, .either = 1,
          .status = FAULT_ANY_STATUS, .body = "", .silent = 1}, too_large, NULL},
        {{.id = "H09 a frame of 1 MB, with a length", .costly = 1, .error = STOOK_ERESET,
          .or_error = STOOK_ETRUNCATED, .status = FAULT_ANY_STATUS, .body = "",
          .silent = 1}, too_large_of_length, NULL},
        BROKEN("H09 a body on stream 0", data_on_zero),
        BROKEN("H09 the connection's window grows by 0", connection_update_of_zero),
        BROKEN("H09 the connection's window overflows", window_overflow),
        BROKEN("H09 a push that is not wanted", push),
        BROKEN("H09 an answer on a stream of the server", headers_on_even),
        BROKEN("H09 settings of three bytes", short_settings),
        BROKEN("H09 a continuation of nothing", continuation_alone),
        {{.id = "H10 100,000 continuations", .error = STOOK_EPROTOCOL, .or_error = STOOK_ERESET,
          .status = FAULT_ANY_STATUS, .silent = 1, .costly = 1}, continuation_flood, NULL},
        {{.id = "H11 20,000 settings", .costly = 1, .error = STOOK_ERESET, .either = 1,
          .status = 200, .body = "abc"}, settings_flood, NULL},
        {{.id = "H11 20,000 pings", .costly = 1, .error = STOOK_ERESET, .either = 1,
          .status = 200, .body = "abc"}, ping_flood, NULL},
        {{.id = "H13 a bomb of HPACK", .costly = 1, .error = STOOK_ETOOLARGE, .or_error = STOOK_ERESET,
          .status = FAULT_ANY_STATUS}, hpack_bomb, NULL},
        /* Up to 8.1 libcurl turns in circles meanwhile, one reason more not to offer its HTTP/2. */
        {{.id = "H15 an upload without a window", .error = STOOK_ETIMEOUT_ATTEMPT, .hangs = 1,
          .spins_before = 0x080100, .request = {.body = upload, .body_size = sizeof upload}}, silence, no_window},
        {{.id = "H16 no streams are allowed", .error = STOOK_ETIMEOUT_ATTEMPT, .either = 1,
          .status = 200, .body = "abc", .hangs = 1}, abc, no_streams},
        {{.id = "H16 one stream is allowed", .status = 200, .body = "abc"}, abc, one_stream},
        {{.id = "H16 fewer streams from now on", .status = 200, .body = "abc"}, fewer_streams, NULL},
        {{.id = "H18 a head behind the end", .status = 200, .body = "abc"}, headers_after_the_end, NULL},
        {{.id = "H19 HTTP/1 where HTTP/2 was agreed", .error = STOOK_EPROTOCOL,
          .or_error = STOOK_ERESET}, abc, no_preface},
    };
    run(rows, COUNT(rows), 0);
}
