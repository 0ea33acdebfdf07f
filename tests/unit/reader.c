/* SPDX-License-Identifier: MIT */
/* The reader alone: each row at once, byte by byte, and in pieces of every size, with one outcome. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/harness.h"
#include "http1/reader.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define LENGTH(value) OK "Content-Length: " value "\r\n\r\n"

/* What came of a row, as text: "200 Name=value; |body| Trailer=value." with a "~" where something was
   overlooked, and the error at the end. */
struct outcome {
    char text[2048];
    int error; /* at the end of the connection */
};

struct row {
    const char *bytes;
    size_t size; /* 0: up to the NUL */
    int error;
    const char *text; /* NULL: any */
    int strict;       /* the error with `strict`; 0: that of `error` */
};

static void say(struct outcome *outcome, const char *bytes, size_t size)
{
    size_t at = strlen(outcome->text);
    CHECK(at + size < sizeof outcome->text);
    memcpy(outcome->text + at, bytes, size);
    outcome->text[at + size] = '\0';
}

static void tell(struct outcome *outcome, const struct stook__reader *reader, enum stook__reader_event event,
                 const struct stook__reader_item *item)
{
    char status[16];
    switch (event) {
    case STOOK__READER_STATUS:
        snprintf(status, sizeof status, "%d ", reader->status);
        say(outcome, status, strlen(status));
        break;
    case STOOK__READER_FIELD:
        say(outcome, item->name, item->name_size);
        say(outcome, "=", 1);
        say(outcome, item->value, item->value_size);
        say(outcome, ";", 1);
        break;
    case STOOK__READER_FOLD:
        say(outcome, "+", 1);
        say(outcome, item->value, item->value_size);
        say(outcome, ";", 1);
        break;
    case STOOK__READER_HEAD:
        say(outcome, "|", 1);
        break;
    case STOOK__READER_BYTES:
        say(outcome, item->value, item->value_size);
        break;
    case STOOK__READER_END:
        say(outcome, ".", 1);
        break;
    default:
        break;
    }
}

static void parse(struct outcome *outcome, const char *bytes, size_t size, size_t piece, const struct stook__reader_rules *rules)
{
    static char line[4096];
    struct stook__reader reader;
    const char *why;
    memset(outcome, 0, sizeof *outcome);
    stook__reader_begin(&reader, rules, line, sizeof line);
    int ended = 0;
    for (size_t at = 0; at < size && !ended; at += piece) {
        /* In a block of its own size, so that a sanitizer sees who reads on. */
        size_t part = size - at < piece ? size - at : piece, done = 0;
        while (!ended) {
            struct stook__reader_item item = {0};
            size_t used;
            enum stook__reader_event event = stook__reader_feed(&reader, bytes + at + done, part - done, &used, &item);
            CHECK(used <= part - done);
            done += used;
            tell(outcome, &reader, event, &item);
            ended = event == STOOK__READER_END || event == STOOK__READER_ERROR;
            if (event == STOOK__READER_NOTHING)
                break;
        }
    }
    if (reader.lenient != NULL)
        say(outcome, "~", 1);
    outcome->error = stook__reader_eof(&reader, &why);
    CHECK(outcome->error == 0 || why != NULL);
}

static void check(const struct row *rows, size_t count, int to_head)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        size_t size = row->size != 0 ? row->size : strlen(row->bytes);
        for (int strict = 0; strict < 2; strict++) {
            const struct stook__reader_rules rules = {.strict = strict, .to_head = to_head};
            int error = strict && row->strict != 0 ? row->strict : row->error;
            struct outcome whole, cut;
            test_note("row %zu%s: %.60s", i, strict ? ", strict" : "", row->bytes);
            parse(&whole, row->bytes, size, size > 0 ? size : 1, &rules);
            CHECK_ERROR(whole.error, error);
            if (row->text != NULL && (!strict || row->strict == 0))
                CHECK_STR(whole.text, row->text);
            for (size_t piece = 1; piece < size; piece++) {
                parse(&cut, row->bytes, size, piece, &rules);
                CHECK_ERROR(cut.error, whole.error);
                CHECK_STR(cut.text, whole.text);
            }
        }
    }
}

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define P STOOK_EPROTOCOL
#define T STOOK_ETRUNCATED

TEST(status_lines)
{
    static const struct row rows[] = {
        {OK "Content-Length: 0\r\n\r\n", 0, 0, "200 Content-Length=0;|.", 0},
        {"HTTP/1.0 404\r\nContent-Length: 0\r\n\r\n", 0, 0, "404 Content-Length=0;|.", 0},
        {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 0, 0, "200 Content-Length=0;|.", 0},
        {"HTTP/1.1 999 \xe4\tx\r\nContent-Length: 0\r\n\r\n", 0, 0, "999 Content-Length=0;|.", 0},
        {"http/1.1 200 OK\r\n\r\n", 0, P, "", 0},
        {"Http/1.1 200 OK\r\n\r\n", 0, P, "", 0},
        {"http/1.1 100 Continue\r\n\r\n" LENGTH("0"), 0, P, "", 0},
        {"HTTP/2 200 OK\r\n\r\n", 0, P, "", 0},
        {"HTTP/1 200 OK\r\n\r\n", 0, P, "", 0},
        {"HTTP/1.12 200 OK\r\n\r\n", 0, P, "", 0},
        {"HTTP/9.9 200 OK\r\n\r\n", 0, P, "", 0},
        {"HTTP/1.1  200 OK\r\n\r\n", 0, P, "", 0},
        {"HTTP/1.1\t200 OK\r\n\r\n", 0, P, "", 0},
        {"HTTP/1.1 20\r\n\r\n", 0, P, "", 0},
        {"HTTP/1.1 2000 OK\r\n\r\n", 0, P, "", 0},
        {"HTTP/1.1 099 OK\r\n\r\n", 0, P, "", 0},
        {"HTTP/1.1 -20 OK\r\n\r\n", 0, P, "", 0},
        {"HTTP/1.1 101 Switching\r\n\r\n", 0, P, "", 0},
        {"HTTP/1.1 200 O\rK\r\n\r\n", 0, P, "", 0},
        {" HTTP/1.1 200 OK\r\n\r\n", 0, P, "", 0},
        {"\r\nHTTP/1.1 200 OK\r\n\r\n", 0, P, "", 0},
        {"<html>\r\n", 0, P, "", 0},
        {"HTTP/1.1 200", 0, T, "", 0},
        {"H", 0, T, "", 0},
        {"", 0, T, "", 0},
    };
    check(rows, COUNT(rows), 0);
}

TEST(fields)
{
    static const struct row rows[] = {
        {OK "A: b\r\nc:d\r\nE:\t f g \t\r\nContent-Length: 0\r\n\r\n", 0, 0, "200 A=b;c=d;E=f g;Content-Length=0;|.", 0},
        {OK "A:\r\nContent-Length: 0\r\n\r\n", 0, 0, "200 A=;Content-Length=0;|.", 0},
        {OK "A: \xff\xfe\r\nContent-Length: 0\r\n\r\n", 0, 0, "200 A=\xff\xfe;Content-Length=0;|.", 0},
        /* One reading. */
        {OK "A: b\nContent-Length: 0\r\n\r\n", 0, 0, "200 A=b;Content-Length=0;|.~", P},
        {"HTTP/1.1 200 OK\nContent-Length: 0\n\n", 0, 0, "200 Content-Length=0;|.~", P},
        {OK "A : b\r\nContent-Length: 0\r\n\r\n", 0, 0, "200 A =b;Content-Length=0;|.~", P},
        {OK "A B: c\r\nContent-Length: 0\r\n\r\n", 0, 0, "200 A B=c;Content-Length=0;|.~", P},
        {OK ": b\r\nContent-Length: 0\r\n\r\n", 0, 0, "200 =b;Content-Length=0;|.~", P},
        {OK "no field\r\nContent-Length: 0\r\n\r\n", 0, 0, "200 Content-Length=0;|.~", P},
        {OK "A: b\x01 c\r\nContent-Length: 0\r\n\r\n", 0, 0, "200 A=b\x01 c;Content-Length=0;|.~", P},
        {OK "A: 12345678\x7f\r\nContent-Length: 0\r\n\r\n", 0, 0, "200 A=12345678\x7f;Content-Length=0;|.~", P},
        {OK "A: b\r\n  c\r\n\td\r\nContent-Length: 0\r\n\r\n", 0, 0, "200 A=b;+c;+d;Content-Length=0;|.~", P},
        /* Two. */
        {OK "A: b\rX: c\r\nContent-Length: 0\r\n\r\n", 0, P, NULL, 0},
        {OK "A: b\r\r\nContent-Length: 0\r\n\r\n", 0, P, NULL, 0},
        {OK "Content-Length: 0\r\n\r\r\n", 0, P, NULL, 0},
        {OK "A: b\0c\r\n\r\n", sizeof(OK "A: b\0c\r\n\r\n") - 1, P, NULL, 0},
        {OK "\0A: b\r\n\r\n", sizeof(OK "\0A: b\r\n\r\n") - 1, P, NULL, 0},
        {OK "A: b\r\n\0\r\n\r\n", sizeof(OK "A: b\r\n\0\r\n\r\n") - 1, P, NULL, 0},
        {OK " A: b\r\n\r\n", 0, P, NULL, 0},
        {OK "Content-Length:\r\n 3\r\n\r\nabc", 0, P, NULL, 0},
        {OK "Content-Length: 3\r\n 0\r\n\r\nabc", 0, P, NULL, 0},
        {OK "Transfer-Encoding: chunked\r\n , x\r\n\r\n", 0, P, NULL, 0},
        {OK "Content-Length : 3\r\n\r\nabc", 0, P, NULL, 0},
        {OK "Transfer-Encoding\t: chunked\r\n\r\n", 0, P, NULL, 0},
        {OK "A: b\r\nConten", 0, T, "200 A=b;", 0},
        {OK "A: b\r\n", 0, T, "200 A=b;", 0},
    };
    check(rows, COUNT(rows), 0);
}

TEST(lengths)
{
    static const struct row rows[] = {
        {LENGTH("3") "abc", 0, 0, "200 Content-Length=3;|abc.", 0},
        {LENGTH("3") "abcdef", 0, 0, "200 Content-Length=3;|abc.", 0},
        {LENGTH("0003") "abc", 0, 0, "200 Content-Length=0003;|abc.", 0},
        {LENGTH("3") "ab", 0, T, "200 Content-Length=3;|ab", 0},
        {LENGTH("3"), 0, T, NULL, 0},
        {LENGTH("9223372036854775807") "a", 0, T, NULL, 0},
        {LENGTH("9223372036854775800") "a", 0, T, NULL, 0},
        {LENGTH("9223372036854775808") "a", 0, P, NULL, 0},
        {LENGTH("18446744073709551619") "a", 0, P, NULL, 0},
        {LENGTH("3, 3") "abc", 0, 0, "200 Content-Length=3, 3;|abc.~", P},
        {OK "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 0, 0, NULL, P},
        {OK "Content-Length: 3\r\ncontent-length: 4\r\n\r\nabc", 0, P, NULL, 0},
        {LENGTH("3,4") "abc", 0, P, NULL, 0},
        {LENGTH("3,") "abc", 0, P, NULL, 0},
        {LENGTH(",3") "abc", 0, P, NULL, 0},
        {LENGTH("") "abc", 0, P, NULL, 0},
        {LENGTH("-1") "abc", 0, P, NULL, 0},
        {LENGTH("+3") "abc", 0, P, NULL, 0},
        {LENGTH("0x3") "abc", 0, P, NULL, 0},
        {LENGTH("3 0") "abc", 0, P, NULL, 0},
        {LENGTH("3.0") "abc", 0, P, NULL, 0},
        {LENGTH("3s") "abc", 0, P, NULL, 0},
        {LENGTH("\"3\"") "abc", 0, P, NULL, 0},
        {OK "\r\nabc", 0, 0, "200 |abc", 0},
    };
    check(rows, COUNT(rows), 0);
}

TEST(chunks)
{
    static const struct row rows[] = {
        {CHUNKED "3\r\nabc\r\n0\r\n\r\n", 0, 0, "200 Transfer-Encoding=chunked;|abc.", 0},
        {CHUNKED "1\r\na\r\n00000002\r\nbc\r\n000\r\n\r\n", 0, 0, "200 Transfer-Encoding=chunked;|abc.", 0},
        {CHUNKED "A\r\n0123456789\r\na;x\r\n0123456789\r\n0;y=\"z;\"\r\n\r\n", 0, 0,
         "200 Transfer-Encoding=chunked;|01234567890123456789.", 0},
        {CHUNKED "3 ;a=b\r\nabc\r\n0\r\n\r\n", 0, 0, "200 Transfer-Encoding=chunked;|abc.", 0},
        {CHUNKED "0\r\nA: b\r\nContent-Length: x\r\n\r\n", 0, 0, "200 Transfer-Encoding=chunked;|A=b;Content-Length=x;.", 0},
        {OK "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", 0, 0, NULL, 0},
        /* One reading. */
        {CHUNKED "3  \r\nabc\r\n0\r\n\r\n", 0, 0, "200 Transfer-Encoding=chunked;|abc.~", P},
        {CHUNKED "0\r\nA: b\n\r\n", 0, 0, "200 Transfer-Encoding=chunked;|A=b;.~", P},
        {OK "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", 0, 0, NULL, P},
        {OK "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 0, 0, NULL, P},
        {OK "Transfer-Encoding: identity\r\n\r\na", 0, 0, NULL, P},
        {OK "Transfer-Encoding: \r\n\r\na", 0, 0, NULL, P},
        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 0, NULL, P},
        /* Two. */
        {OK "Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na", 0, P, NULL, 0},
        {OK "Content-Length: 1\r\nTransfer-Encoding: \r\n\r\na", 0, P, NULL, 0},
        {CHUNKED "1X\r\na\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "1 A\r\na\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "0_2e\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "0x3\r\nabc\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "-3\r\nabc\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "+3\r\nabc\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED " 3\r\nabc\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "\r\nabc\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED ";x\r\nabc\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "zz\r\nabc\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "3\nabc\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "3;a\nabc\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "3\rabc\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "3\r\r\nabc\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "3\r\nabc\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "3\r\nabc\r0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "3\r\nabcd\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "4\r\nabc\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "FFFFFFFFFFFFFFFFF\r\nabc", 0, P, NULL, 0},
        {CHUNKED "0000000000000001\r\na\r\n0\r\n\r\n", 0, 0, "200 Transfer-Encoding=chunked;|a.", 0},
        {CHUNKED "00000000000000001\r\na\r\n0\r\n\r\n", 0, P, NULL, 0},
        {CHUNKED "0\r\n A: b\r\n\r\n", 0, P, NULL, 0},
        {OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, P, NULL, 0},
        {OK "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 0, P, NULL, 0},
        {OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0, P, NULL, 0},
        {OK "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 0, P, NULL, 0},
        /* Not there yet. */
        {CHUNKED "a\r\nabc", 0, T, "200 Transfer-Encoding=chunked;|abc", 0},
        {CHUNKED "3\r\nabc\r\n", 0, T, NULL, 0},
        {CHUNKED "3\r\nabc\r\n0\r\n\r", 0, T, NULL, 0},
        {CHUNKED "3\r\nabc\r\n0\r\nA: b\r\n", 0, T, NULL, 0},
    };
    check(rows, COUNT(rows), 0);
}

TEST(responses_without_a_body)
{
    static const struct row rows[] = {
        {"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", 0, 0, "204 Content-Length=3;|.", 0},
        {"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 0, "304 Transfer-Encoding=chunked;|.", 0},
        {"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: gzip\r\n\r\n", 0, 0, "304 Transfer-Encoding=gzip;|.", 0},
        {"HTTP/1.1 204 No Content\r\n\r\n", 0, 0, "204 |.", 0},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" LENGTH("1") "a", 0, 0,
         "100 |103 Link=x;|200 Content-Length=1;|a.", 0},
        {"HTTP/1.1 100 Continue\r\n\r\n", 0, T, "100 |", 0},
        {"HTTP/1.1 100 Continue\r\n\r\nhttp/1.1 200 OK\r\n\r\n", 0, P, "100 |", 0},
    };
    static const struct row to_head[] = {
        {LENGTH("3"), 0, 0, "200 Content-Length=3;|.", 0},
        {CHUNKED, 0, 0, "200 Transfer-Encoding=chunked;|.", 0},
        {OK "\r\n", 0, 0, "200 |.", 0},
    };
    check(rows, COUNT(rows), 0);
    check(to_head, COUNT(to_head), 1);
}

static enum stook__reader_event one_field(struct stook__reader *reader, const char *name, size_t size, size_t at,
                                            char byte, int strict)
{
    const struct stook__reader_rules rules = {.strict = strict};
    struct stook__reader_item item;
    size_t before = strlen(name) + 2, all = before + size + 2;
    char *line = malloc(all); /* of its own size, so that a sanitizer sees who reads on */
    CHECK(line != NULL);
    memset(line, 'x', all);
    memcpy(line, name, before - 2);
    memcpy(line + before - 2, ": ", 2);
    line[before + at] = byte;
    memcpy(line + all - 2, "\r\n", 2);
    stook__reader_begin(reader, &rules, NULL, 0);
    CHECK_EQ_INT(stook__reader_line(reader, OK, sizeof OK - 1, &item), STOOK__READER_STATUS);
    enum stook__reader_event event = stook__reader_line(reader, line, all, &item);
    free(line);
    return event;
}

/* Values are looked at eight bytes at a time: so one odd byte at each place of values of each length. */
TEST(control_bytes)
{
    static const struct {
        char byte;
        int lenient, fatal;
    } bytes[] = {{'\0', 1, 1},   {'\r', 1, 1},   {'\x01', 1, 0}, {'\x1f', 1, 0}, {'\x7f', 1, 0},
                 {'\t', 0, 0},   {' ', 0, 0},    {'~', 0, 0},    {'\x80', 0, 0}, {'\xff', 0, 0}};
    static const char *const names[] = {"A", "Names", "Content-Type", "Content-Encoding"};
    for (size_t i = 0; i < COUNT(bytes) * COUNT(names); i++) {
        for (size_t size = 1; size < 36; size++) {
            for (size_t at = 0; at < size; at++) {
                const char *name = names[i / COUNT(bytes)];
                struct stook__reader reader;
                size_t k = i % COUNT(bytes);
                test_note("byte %d at %zu of %zu, of %s", bytes[k].byte, at, size, name);
                enum stook__reader_event event = one_field(&reader, name, size, at, bytes[k].byte, 0);
                CHECK_EQ_INT(event, bytes[k].fatal ? STOOK__READER_ERROR : STOOK__READER_FIELD);
                CHECK(bytes[k].fatal || (reader.lenient != NULL) == bytes[k].lenient);
                event = one_field(&reader, name, size, at, bytes[k].byte, 1);
                CHECK_EQ_INT(event, bytes[k].lenient ? STOOK__READER_ERROR : STOOK__READER_FIELD);
            }
        }
    }
}

/* A line that does not fit into the block is an error of its own, whole and in pieces; if it is broken before, that
   is told. One that libcurl gives needs no block. */
TEST(long_lines)
{
    static char line[64], bytes[400];
    const struct stook__reader_rules rules = {0};
    struct stook__reader reader;
    struct stook__reader_item item;
    size_t used;
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, "A: ", 3);
    bytes[sizeof bytes - 2] = '\r';
    bytes[sizeof bytes - 1] = '\n';
    for (int cut = 0; cut < 2; cut++) {
        stook__reader_begin(&reader, &rules, line, sizeof line);
        CHECK_EQ_INT(stook__reader_feed(&reader, OK, sizeof OK - 1, &used, &item), STOOK__READER_STATUS);
        CHECK_EQ_INT(stook__reader_feed(&reader, bytes, sizeof bytes - (size_t)cut, &used, &item), STOOK__READER_ERROR);
        CHECK_ERROR(reader.error, STOOK_ETOOLARGE);
    }
    for (size_t at = 20; at < 300; at += 20) {
        bytes[at] = '\r';
        for (size_t piece = 1; piece <= sizeof bytes; piece++) {
            stook__reader_begin(&reader, &rules, line, sizeof line);
            stook__reader_feed(&reader, OK, sizeof OK - 1, &used, &item);
            for (size_t i = 0; i < sizeof bytes; i += piece)
                stook__reader_feed(&reader, bytes + i, sizeof bytes - i < piece ? sizeof bytes - i : piece, &used, &item);
            test_note("a CR at %zu, in pieces of %zu", at, piece);
            CHECK_ERROR(reader.error, at < sizeof line - 1 ? STOOK_EPROTOCOL : STOOK_ETOOLARGE);
        }
        bytes[at] = 'x';
    }
    stook__reader_begin(&reader, &rules, NULL, 0);
    CHECK_EQ_INT(stook__reader_line(&reader, OK, sizeof OK - 1, &item), STOOK__READER_STATUS);
    CHECK_EQ_INT(stook__reader_line(&reader, bytes, sizeof bytes, &item), STOOK__READER_FIELD);
}

/* A line of trailers that can only be an error is one before its end has come: libcurl waits for no end either. */
TEST(broken_before_its_end)
{
    static const struct {
        const char *bytes;
        int broken;
    } rows[] = {{"X: a\rb", 1}, {"X: a\r\r", 1}, {"\rX", 1}, {"X: a\r", 0}, {"\r", 0}, {"X: ab", 0}, {"X\x01", 0}};
    const struct stook__reader_rules rules = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t piece = 1; piece <= strlen(rows[i].bytes); piece++) {
            static char line[64];
            struct stook__reader reader;
            struct stook__reader_item item;
            size_t used;
            test_note("row %zu, in pieces of %zu", i, piece);
            stook__reader_begin(&reader, &rules, line, sizeof line);
            reader.state = STOOK__READER_TRAILERS;
            for (size_t at = 0; at < strlen(rows[i].bytes); at += piece) {
                size_t left = strlen(rows[i].bytes + at);
                stook__reader_feed(&reader, rows[i].bytes + at, left < piece ? left : piece, &used, &item);
            }
            CHECK_EQ_INT(reader.state == STOOK__READER_FAILED, rows[i].broken);
        }
    }
}
