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
    int by_chunks, keeps;
    size_t used; /* bytes of the message */
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

/* How a response arrives: a first piece, then pieces of one size. */
struct cut {
    size_t first, rest;
    int grows; /* the block for lines begins as none, and gets the bytes that it must have and no more */
};

enum { LINE_MAX_BYTES = 4096 };

static void enlarge(struct stook__reader *reader)
{
    CHECK(reader->line_wanted > reader->line_capacity && reader->line_wanted <= reader->line_max);
    reader->line = realloc(reader->line, reader->line_wanted);
    CHECK(reader->line != NULL);
    reader->line_capacity = reader->line_wanted;
}

/* Feeds a piece. Returns 1 after the last event of the response. */
static int feed(struct outcome *outcome, struct stook__reader *reader, const char *piece, size_t size)
{
    enum stook__reader_event event;
    size_t done = 0, used;
    do {
        struct stook__reader_item item = {0};
        event = stook__reader_feed(reader, piece + done, size - done, &used, &item);
        CHECK(used <= size - done);
        done += used;
        tell(outcome, reader, event, &item);
        if (event == STOOK__READER_NOTHING && done < size)
            enlarge(reader);
    } while (event != STOOK__READER_END && event != STOOK__READER_ERROR && (event != STOOK__READER_NOTHING || done < size));
    outcome->used += done;
    return event != STOOK__READER_NOTHING;
}

/* Feeds pieces, each in a block of its own size, so that a sanitizer sees who reads on. */
static void feed_pieces(struct outcome *outcome, struct stook__reader *reader, const char *bytes, size_t size, struct cut cut)
{
    int ended = 0;
    for (size_t at = 0, part; at < size && !ended; at += part) {
        part = at == 0 ? cut.first : cut.rest;
        part = part < size - at ? part : size - at;
        char *piece = malloc(part);
        CHECK(piece != NULL);
        memcpy(piece, bytes + at, part);
        ended = feed(outcome, reader, piece, part);
        free(piece);
    }
}

static void parse(struct outcome *outcome, const char *bytes, size_t size, struct cut cut, const struct stook__reader_rules *rules)
{
    struct stook__reader reader;
    const char *why;
    char *line = cut.grows ? NULL : malloc(LINE_MAX_BYTES);
    CHECK(cut.grows || line != NULL);
    memset(outcome, 0, sizeof *outcome);
    stook__reader_begin(&reader, rules, line, cut.grows ? 0 : LINE_MAX_BYTES, LINE_MAX_BYTES);
    feed_pieces(outcome, &reader, bytes, size, cut);
    if (reader.lenient != NULL)
        say(outcome, "~", 1);
    outcome->error = stook__reader_eof(&reader, &why);
    CHECK(outcome->error == 0 || why != NULL);
    outcome->by_chunks = reader.by_chunks;
    outcome->keeps = stook__reader_keeps_connection(&reader);
    CHECK(!outcome->keeps || stook__reader_is_over(&reader));
    free(reader.line);
}

static void check_cut(const struct outcome *whole, const char *bytes, size_t size, struct cut cut, const struct stook__reader_rules *rules)
{
    struct outcome outcome;
    parse(&outcome, bytes, size, cut, rules);
    CHECK_ERROR(outcome.error, whole->error);
    CHECK_STR(outcome.text, whole->text);
    CHECK_EQ_INT(outcome.by_chunks, whole->by_chunks);
    CHECK_EQ_INT(outcome.keeps, whole->keeps);
    if (whole->error == 0) /* else a line may be broken before its end has come */
        CHECK_EQ_SIZE(outcome.used, whole->used);
}

/* In pieces of every size, and cut in two at every place, with both kinds of block. */
static void check_cuts(const struct outcome *whole, const char *bytes, size_t size, const struct stook__reader_rules *rules)
{
    for (size_t at = 1; at < size; at++) {
        for (int grows = 0; grows < 2; grows++) {
            check_cut(whole, bytes, size, (struct cut){at, at, grows}, rules);
            check_cut(whole, bytes, size, (struct cut){at, size, grows}, rules);
        }
    }
}

static void check(const struct row *rows, size_t count, int to_head)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        size_t size = row->size != 0 ? row->size : strlen(row->bytes);
        for (int strict = 0; strict < 2; strict++) {
            const struct stook__reader_rules rules = {.strict = strict, .to_head = to_head};
            int error = strict && row->strict != 0 ? row->strict : row->error;
            struct outcome whole;
            test_note("row %zu%s: %.60s", i, strict ? ", strict" : "", row->bytes);
            parse(&whole, row->bytes, size, (struct cut){size, size, 0}, &rules);
            CHECK_ERROR(whole.error, error);
            if (row->text != NULL && (!strict || row->strict == 0))
                CHECK_STR(whole.text, row->text);
            check_cuts(&whole, row->bytes, size, &rules);
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
    stook__reader_begin(reader, &rules, NULL, 0, 0);
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
        stook__reader_begin(&reader, &rules, line, sizeof line, sizeof line);
        CHECK_EQ_INT(stook__reader_feed(&reader, OK, sizeof OK - 1, &used, &item), STOOK__READER_STATUS);
        CHECK_EQ_INT(stook__reader_feed(&reader, bytes, sizeof bytes - (size_t)cut, &used, &item), STOOK__READER_ERROR);
        CHECK_ERROR(reader.error, STOOK_ETOOLARGE);
    }
    for (size_t at = 20; at < 300; at += 20) {
        bytes[at] = '\r';
        for (size_t piece = 1; piece <= sizeof bytes; piece++) {
            stook__reader_begin(&reader, &rules, line, sizeof line, sizeof line);
            stook__reader_feed(&reader, OK, sizeof OK - 1, &used, &item);
            for (size_t i = 0; i < sizeof bytes; i += piece)
                stook__reader_feed(&reader, bytes + i, sizeof bytes - i < piece ? sizeof bytes - i : piece, &used, &item);
            test_note("a CR at %zu, in pieces of %zu", at, piece);
            CHECK_ERROR(reader.error, at < sizeof line - 1 ? STOOK_EPROTOCOL : STOOK_ETOOLARGE);
        }
        bytes[at] = 'x';
    }
    stook__reader_begin(&reader, &rules, NULL, 0, 0);
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
            stook__reader_begin(&reader, &rules, line, sizeof line, sizeof line);
            reader.state = STOOK__READER_TRAILERS;
            for (size_t at = 0; at < strlen(rows[i].bytes); at += piece) {
                size_t left = strlen(rows[i].bytes + at);
                stook__reader_feed(&reader, rows[i].bytes + at, left < piece ? left : piece, &used, &item);
            }
            CHECK_EQ_INT(reader.state == STOOK__READER_FAILED, rows[i].broken);
        }
    }
}

/* ---------------------------------------------------------------------------- a whole stream */

/* The reader asks for what a piece needs, and no more often than it must. */
TEST(blocks)
{
    static const char head[] = OK "A: 0123456789\r\nB: c\r\n";
    const struct stook__reader_rules rules = {0};
    struct stook__reader reader;
    struct stook__reader_item item;
    size_t used;
    /* Whole lines need no block. */
    stook__reader_begin(&reader, &rules, NULL, 0, 64);
    for (size_t at = 0; at < sizeof head - 1; at += used) {
        CHECK(stook__reader_feed(&reader, head + at, sizeof head - 1 - at, &used, &item) != STOOK__READER_NOTHING);
        CHECK(used > 0);
    }
    /* A piece is refused until there is room for it, and then kept. */
    for (int again = 0; again < 2; again++) {
        CHECK_EQ_INT(stook__reader_feed(&reader, "Name: v", 7, &used, &item), STOOK__READER_NOTHING);
        CHECK_EQ_SIZE(used, 0);
        CHECK_EQ_SIZE(reader.line_wanted, 7);
    }
    enlarge(&reader);
    CHECK_EQ_INT(stook__reader_feed(&reader, "Name: v", 7, &used, &item), STOOK__READER_NOTHING);
    CHECK_EQ_SIZE(used, 7);
    CHECK_EQ_INT(stook__reader_feed(&reader, "alue\r\nmore", 10, &used, &item), STOOK__READER_NOTHING);
    CHECK_EQ_SIZE(used, 0);
    CHECK_EQ_SIZE(reader.line_wanted, 13);
    enlarge(&reader);
    CHECK_EQ_INT(stook__reader_feed(&reader, "alue\r\nmore", 10, &used, &item), STOOK__READER_FIELD);
    CHECK_EQ_SIZE(used, 6);
    CHECK(item.name_size == 4 && item.value_size == 5 && memcmp(item.value, "value", 5) == 0);
    /* The next line goes into the same block. */
    CHECK_EQ_INT(stook__reader_feed(&reader, "more", 4, &used, &item), STOOK__READER_NOTHING);
    CHECK_EQ_SIZE(used, 4);
    /* A line that is too long, or broken, is an error before it is a piece for which there is no room. */
    static char xs[100];
    memset(xs, 'x', sizeof xs);
    CHECK_EQ_INT(stook__reader_feed(&reader, xs, sizeof xs, &used, &item), STOOK__READER_ERROR);
    CHECK_ERROR(reader.error, STOOK_ETOOLARGE);
    free(reader.line);
}

/* The line of the last chunk and the beginning of a trailer come together: the first is consumed, the second is not. */
TEST(blocks_of_trailers)
{
    static const char bytes[] = "0\r\nName: v", more[] = "alue\r\n\r\nHTTP/1.1 ";
    const struct stook__reader_rules rules = {0};
    struct outcome outcome = {0};
    for (uint64_t trailer_max = 0; trailer_max < 20; trailer_max++) {
        struct stook__reader reader;
        struct stook__reader_item item;
        size_t used;
        memset(&outcome, 0, sizeof outcome);
        stook__reader_begin(&reader, &rules, NULL, 0, 64);
        CHECK_EQ_INT(feed(&outcome, &reader, CHUNKED, sizeof CHUNKED - 1), 0);
        CHECK(reader.line == NULL && reader.by_chunks);
        reader.trailer_max = trailer_max;
        if (trailer_max > 0) {
            size_t wanted = trailer_max < 7 ? (size_t)trailer_max : 7;
            CHECK_EQ_INT(stook__reader_feed(&reader, bytes, sizeof bytes - 1, &used, &item), STOOK__READER_NOTHING);
            CHECK_EQ_SIZE(used, 3);
            CHECK_EQ_SIZE(reader.line_wanted, wanted);
            CHECK(feed(&outcome, &reader, bytes + 3, sizeof bytes - 4) == (trailer_max < 7));
        }
        if (trailer_max >= 7)
            CHECK(feed(&outcome, &reader, more, sizeof more - 1));
        test_note("trailer_max %d: %s", (int)trailer_max, outcome.text);
        if (trailer_max == 0) {
            CHECK(feed(&outcome, &reader, bytes, sizeof bytes - 1));
            CHECK(reader.line == NULL);
        }
        CHECK_ERROR(reader.error, trailer_max < 15 ? STOOK_ETOOLARGE : 0);
        if (trailer_max >= 15)
            CHECK_STR(outcome.text, "200 Transfer-Encoding=chunked;|Name=value;.");
        free(reader.line);
    }
}

/* After which responses the connection may carry another. */
TEST(kept_connections)
{
#define OLD "HTTP/1.0 200 OK\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"
    static const struct {
        const char *bytes;
        int keeps, to_head;
    } rows[] = {
        {OK EMPTY, 1, 0},
        {LENGTH("3") "abc", 1, 0},
        {CHUNKED "3\r\nabc\r\n0\r\n\r\n", 1, 0},
        {"HTTP/1.1 204 No\r\n\r\n", 1, 0},
        {"HTTP/1.1 204 No\r\n" EMPTY, 1, 0},
        {"HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\n", 1, 0},
        {LENGTH("3"), 1, 1},
        {"HTTP/1.7 200 OK\r\n" EMPTY, 1, 0},
        {OK "Connection: keep-alive\r\n" EMPTY, 1, 0},
        {OK "Connection: closed, xclose, close-, clos, keep-close\r\n" EMPTY, 1, 0},
        {OK "Connections: close\r\nconnectioN-: close\r\n" EMPTY, 1, 0},
        {OK "Keep-Alive: close\r\nSet-Cookie: close\r\nProxy-Connection: close\r\n" EMPTY, 1, 0},
        {OK "Connection:\r\n" EMPTY, 1, 0},
        {OK "Connection: ,, \t,\r\n" EMPTY, 1, 0},
        /* Only what the final response says in its header section. */
        {"HTTP/1.1 103 Early\r\nConnection: close\r\n\r\n" OK EMPTY, 1, 0},
        {"HTTP/1.0 100 Early\r\nConnection: keep-alive\r\n\r\n" OLD EMPTY, 0, 0},
        {CHUNKED "0\r\nConnection: close\r\nConnection : close\r\n x\r\n\r\n", 1, 0},
        /* Close. */
        {OK "Connection: close\r\n" EMPTY, 0, 0},
        {OK "connection:CLOSE\r\n" EMPTY, 0, 0},
        {OK "CONNECTION: \tcLose \t\r\n" EMPTY, 0, 0},
        {OK EMPTY "", 1, 0},
        {OK "Connection: keep-alive, close\r\n" EMPTY, 0, 0},
        {OK "Connection: close , keep-alive\r\n" EMPTY, 0, 0},
        {OK "Connection: x,,close\r\n" EMPTY, 0, 0},
        {OK "Connection: close\r\nConnection: keep-alive\r\n" EMPTY, 0, 0},
        {OK "Connection: keep-alive\r\nA: b\r\nConnection: close\r\n" EMPTY, 0, 0},
        {"HTTP/1.1 304 No\r\nConnection: close\r\n\r\n", 0, 0},
        {LENGTH("3") "ab", 0, 0},
        {LENGTH("3"), 0, 0},
        {CHUNKED "3\r\nabc\r\n0\r\n\r", 0, 0},
        {CHUNKED "zz\r\n", 0, 0},
        {OK "\r\nabc", 0, 0},
        {OK "Connection: keep-alive\r\n\r\nabc", 0, 0},
        {"HTTP/1.1 100 Continue\r\n\r\n", 0, 0},
        {"HTTP/1.1 101 Switching\r\n\r\n", 0, 0},
        {OK, 0, 0},
        {"", 0, 0},
        /* Others may not see the option. */
        {OK "Connection : close\r\n" EMPTY, 0, 0},
        {OK "Connection: keep-alive\r\n , close\r\n" EMPTY, 0, 0},
        {OK "Connection: clo\r\n se\r\n" EMPTY, 0, 0},
        {OK "Connection: x\r\nA: b\r\n close\r\n" EMPTY, 1, 0},
        /* A server that declares a body of a 204 may send it. */
        {"HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", 0, 0},
        {"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 0},
        /* HTTP/1.0 */
        {OLD EMPTY, 0, 0},
        {OLD "Connection: keep-alive\r\n" EMPTY, 1, 0},
        {OLD "Connection: Keep-Alive\r\nContent-Length: 3\r\n\r\nabc", 1, 0},
        {OLD "Connection: keep-alive, close\r\n" EMPTY, 0, 0},
        {OLD "Connection: x, keep-alive\r\nConnection: y\r\n" EMPTY, 1, 0},
        {OLD "Connection: keep-alive\r\n\r\nabc", 0, 0},
        {OLD "Keep-Alive: timeout=5\r\n" EMPTY, 0, 0},
        {OLD "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 0},
        {OLD "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct stook__reader_rules rules = {.to_head = rows[i].to_head};
        struct outcome whole;
        size_t size = strlen(rows[i].bytes);
        test_note("row %zu: %s", i, rows[i].bytes);
        parse(&whole, rows[i].bytes, size, (struct cut){size, size, 0}, &rules);
        CHECK_EQ_INT(whole.keeps, rows[i].keeps);
        check_cuts(&whole, rows[i].bytes, size, &rules);
    }
}

/* The byte that completes a message is known without the one behind it. */
TEST(over_with_its_last_byte)
{
    static const struct {
        const char *bytes;
        int is_over, by_chunks, to_head;
    } rows[] = {
        {LENGTH("0"), 1, 0, 0},
        {LENGTH("3") "abc", 1, 0, 0},
        {LENGTH("3"), 1, 0, 1},
        {CHUNKED, 1, 0, 1},
        {CHUNKED "3\r\nabc\r\n0\r\n\r\n", 1, 1, 0},
        {CHUNKED "0\r\nA: b\r\n\r\n", 1, 1, 0},
        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1, 1, 0},
        {"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", 1, 0, 0},
        {"HTTP/1.1 103 Early\r\nContent-Length: 0\r\n\r\n" LENGTH("1") "a", 1, 0, 0},
        {OK "\r\nabc", 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct stook__reader_rules rules = {.to_head = rows[i].to_head};
        size_t size = strlen(rows[i].bytes);
        for (size_t first = 0; first <= size; first++) {
            struct outcome outcome = {0};
            struct stook__reader reader;
            stook__reader_begin(&reader, &rules, NULL, 0, LINE_MAX_BYTES);
            test_note("row %zu, %zu bytes", i, first);
            feed_pieces(&outcome, &reader, rows[i].bytes, first, (struct cut){first, first, 1});
            CHECK_EQ_INT(stook__reader_is_over(&reader), first == size && rows[i].is_over);
            CHECK(first < size || reader.by_chunks == rows[i].by_chunks);
            free(reader.line);
        }
    }
    struct stook__reader reader;
    struct stook__reader_item item;
    const struct stook__reader_rules rules = {0};
    static const char head[] = LENGTH("3");
    size_t used, at = 0;
    stook__reader_begin(&reader, &rules, NULL, 0, LINE_MAX_BYTES);
    while (reader.state != STOOK__READER_LENGTH) {
        stook__reader_feed(&reader, head + at, sizeof head - 1 - at, &used, &item);
        at += used;
    }
    CHECK_EQ_INT(stook__reader_feed(&reader, "ab", 2, &used, &item), STOOK__READER_BYTES);
    CHECK(!stook__reader_is_over(&reader) && !stook__reader_keeps_connection(&reader));
    CHECK_EQ_INT(stook__reader_feed(&reader, "cHTTP", 5, &used, &item), STOOK__READER_BYTES);
    CHECK_EQ_SIZE(used, 1);
    CHECK(stook__reader_is_over(&reader) && stook__reader_keeps_connection(&reader));
}

/* Several responses on a connection, with one block for the lines of all: each takes its own bytes. HTTP/2 has chunks of
   its own, whatever its fields say. */
TEST(one_after_another)
{
    static const char bytes[] = LENGTH("3") "abc" CHUNKED "2;x\r\nde\r\n0\r\nA: b\r\n\r\n"
                                "HTTP/1.1 100 Continue\r\n\r\n" OK "B: c\r\nContent-Length: 1\r\n\r\nf"
                                "HTTP/1.1 204 No\r\n\r\n" LENGTH("2") "gh";
    static const char *const texts[] = {"200 Content-Length=3;|abc.", "200 Transfer-Encoding=chunked;|deA=b;.",
                                        "100 |200 B=c;Content-Length=1;|f.", "204 |.", "200 Content-Length=2;|gh."};
    const struct stook__reader_rules rules = {0}, framed = {.framed = 1};
    for (size_t piece = 1; piece < sizeof bytes; piece++) {
        struct stook__reader reader;
        struct outcome outcome;
        size_t at = 0, n = 0, end = piece;
        stook__reader_begin(&reader, &rules, NULL, 0, 64);
        memset(&outcome, 0, sizeof outcome);
        while (n < COUNT(texts)) {
            test_note("pieces of %zu: response %zu at %zu", piece, n, at);
            size_t stop = end < sizeof bytes - 1 ? end : sizeof bytes - 1, before = outcome.used;
            int ended = feed(&outcome, &reader, bytes + at, stop - at);
            at += outcome.used - before;
            if (!ended)
                end += piece;
            if (!ended)
                continue;
            CHECK_STR(outcome.text, texts[n++]);
            CHECK(stook__reader_keeps_connection(&reader));
            stook__reader_begin(&reader, &rules, reader.line, reader.line_capacity, 64);
            memset(&outcome, 0, sizeof outcome);
        }
        CHECK_EQ_SIZE(at, sizeof bytes - 1);
        free(reader.line);
    }
    struct stook__reader reader;
    struct stook__reader_item item;
    stook__reader_begin(&reader, &framed, NULL, 0, 0);
    CHECK_EQ_INT(stook__reader_line(&reader, "HTTP/2 200\r\n", 12, &item), STOOK__READER_STATUS);
    CHECK_EQ_INT(stook__reader_line(&reader, "transfer-encoding: chunked\r\n", 28, &item), STOOK__READER_FIELD);
    CHECK_EQ_INT(stook__reader_line(&reader, "\r\n", 2, &item), STOOK__READER_HEAD);
    CHECK(!reader.by_chunks && !stook__reader_keeps_connection(&reader));
}
