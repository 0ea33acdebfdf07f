/* SPDX-License-Identifier: MIT */
/* HTTP/1 framing: group F. What a server may do to the bytes of a response, and the result of it. */
#include <stdlib.h>
#include <string.h>

#include "support/faults.h"
#include "support/harness.h"

#define OK_200 "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK_200 "Transfer-Encoding: chunked\r\n\r\n"
#define LENGTH(value) OK_200 "Content-Length: " value "\r\n\r\n"
#define TEN "0123456789"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Bytes again and again, until that many times or until the client has had enough; 0: no end. */
static enum raw_then flood(struct raw_call *call, const char *bytes, long times, long pause_ms)
{
    for (long i = 0; times == 0 || i < times; i++) {
        if (!raw_say(call, "%s", bytes))
            return RAW_CLOSE;
        if (pause_ms)
            raw_pause(pause_ms);
    }
    return RAW_KEEP;
}

/* ------------------------------------------------------------------- lengths */

TEST(lengths)
{
    static const struct fault rows[] = {
        {"F01 shorter than its length", {.bytes = LENGTH("10") "abc", .then = RAW_CLOSE},
         .error = STOOK_ETRUNCATED, .status = 200, .body = "abc"},
        {"F01 nothing of its length", {.bytes = LENGTH("10"), .then = RAW_CLOSE},
         .error = STOOK_ETRUNCATED, .status = 200, .body = ""},
        {"F02 more than its length", {.bytes = LENGTH("3") "abcdef", .then = RAW_CLOSE},
         .status = 200, .body = "abc"},
        {"F02 more than its length, and kept", {.bytes = LENGTH("3") "abcdef"},
         .status = 200, .body = "abc"},
        {"F03 no length, close", {.bytes = OK_200 "\r\nabc", .then = RAW_CLOSE},
         .status = 200, .body = "abc"},
        {"F04 -1", {.bytes = LENGTH("-1") "abc", .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL, .status = 200,
         .body = ""},
        {"F04 letters", {.bytes = LENGTH("abc") "abc", .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL,
         .status = 200, .body = ""},
        {"F04 empty", {.bytes = LENGTH("") "abc", .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL, .status = 200,
         .body = ""},
        {"F05 +3", {.bytes = LENGTH("+3") "abc", .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL, .status = 200,
         .body = ""},
        {"F06 hexadecimal", {.bytes = LENGTH("0x20") TEN TEN TEN TEN, .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F06 30s", {.bytes = LENGTH("30s") TEN TEN TEN TEN, .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL,
         .status = 200, .body = ""},
        {"F06 30,", {.bytes = LENGTH("30,") TEN TEN TEN TEN, .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL,
         .status = 200, .body = ""},
        {"F06 ,30", {.bytes = LENGTH(",30") TEN TEN TEN TEN, .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL,
         .status = 200, .body = ""},
        {"F06 42s", {.bytes = LENGTH("42s") TEN TEN TEN TEN TEN, .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F06 3 0", {.bytes = LENGTH("3 0") TEN TEN TEN, .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL,
         .status = 200, .body = ""},
        {"F06 3.0", {.bytes = LENGTH("3.0") TEN TEN TEN, .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL,
         .status = 200, .body = ""},
        {"F06 quoted", {.bytes = LENGTH("\"3\"") "abc", .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL,
         .status = 200, .body = ""},
        {"F07 23 digits", {.bytes = LENGTH("11111111111111111111111") "abc", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F07 2^64 + 3", {.bytes = LENGTH("18446744073709551619") "abc", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F08 two that differ",
         {.bytes = OK_200 "Content-Length: 30\r\nContent-Length: 42\r\n\r\n" TEN TEN TEN TEN TEN,
          .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F08 a list that differs", {.bytes = LENGTH("30,42") TEN TEN TEN TEN TEN, .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F09 two that agree",
         {.bytes = OK_200 "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"},
         .status = 200, .body = "abc"},
        /* From 8.7 on libcurl itself takes no list. */
        {"F09 a list that agrees", {.bytes = LENGTH("3, 3") "abc", .then = RAW_CLOSE}, .or_error = STOOK_EPROTOCOL, .status = 200, .body = "abc"},
        {"F09 zeros in front", {.bytes = LENGTH("0003") "abc"}, .status = 200, .body = "abc"},
        {"F10 length and chunks",
         {.bytes = OK_200 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
          .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F23 a space before the colon", {.bytes = OK_200 "Content-Length : 2\r\n\r\nok"},
         .error = STOOK_ETIMEOUT_ATTEMPT, .or_error = STOOK_EPROTOCOL, .status = FAULT_ANY_STATUS, .body = "ok",
         .hangs = 1},
    };
    faults_in_the_clear(rows, COUNT(rows));
}

/* -------------------------------------------------------------------- chunks */

static enum raw_then long_extension(struct raw_call *call)
{
    static char part[3000];
    memset(part, 'x', sizeof part - 1);
    raw_say(call, CHUNKED "3;");
    flood(call, part, 10000, 0);
    raw_say(call, "\r\nabc\r\n0\r\n\r\n");
    return RAW_CLOSE;
}

static enum raw_then endless_extension(struct raw_call *call)
{
    raw_say(call, CHUNKED "3;");
    return flood(call, "x=yyyyyyyyyyyyyyyyyyyy;", 0, 2);
}

static enum raw_then trailers(struct raw_call *call)
{
    raw_say(call, CHUNKED "3\r\nabc\r\n0\r\n");
    flood(call, "X-Trailer: value\r\n", 20000, 0);
    raw_say(call, "\r\n");
    return RAW_CLOSE;
}

static enum raw_then endless_trailers(struct raw_call *call)
{
    raw_say(call, CHUNKED "3\r\nabc\r\n0\r\n");
    return flood(call, "X-Trailer: value\r\n", 0, 0);
}

/* Within max_header_bytes, and more than libcurl takes of a trailer, which is 4096 bytes. */
static enum raw_then long_trailer(struct raw_call *call)
{
    raw_say(call, CHUNKED "3\r\nabc\r\n0\r\nX-Trailer: ");
    flood(call, "0123456789", 2000, 0);
    raw_say(call, "\r\n\r\n");
    return RAW_CLOSE;
}

TEST(chunks)
{
    static const struct fault rows[] = {
        {"F11 end inside a chunk", {.bytes = CHUNKED "a\r\nabc", .then = RAW_CLOSE},
         .error = STOOK_ETRUNCATED, .status = 200, .body = "abc"},
        {"F11 end behind a chunk", {.bytes = CHUNKED "3\r\nabc\r\n", .then = RAW_CLOSE},
         .error = STOOK_ETRUNCATED, .status = 200, .body = "abc"},
        {"F11 end behind the last size", {.bytes = CHUNKED "3\r\nabc\r\n0\r\n", .then = RAW_CLOSE},
         .error = STOOK_ETRUNCATED, .status = 200, .body = "abc"},
        {"F11 end inside a size", {.bytes = CHUNKED "3\r\nabc\r\n1", .then = RAW_CLOSE},
         .error = STOOK_ETRUNCATED, .status = 200, .body = "abc"},
        {"F12 a size of no digits", {.bytes = CHUNKED "zz\r\nabc\r\n0\r\n\r\n", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F12 a negative size", {.bytes = CHUNKED "-3\r\nabc\r\n0\r\n\r\n", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F12 an empty size", {.bytes = CHUNKED "\r\nabc\r\n0\r\n\r\n", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F12 17 F", {.bytes = CHUNKED "FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F12 41 digits",
         {.bytes = CHUNKED "00000000000000000000000000000000000000003\r\nabc\r\n0\r\n\r\n",
          .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F12 no end of line behind the data", {.bytes = CHUNKED "3\r\nabcdef\r\n0\r\n\r\n",
                                                .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = "abc"},
        {"F12 a space before the size", {.bytes = CHUNKED " 3\r\nabc\r\n0\r\n\r\n", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F12 garbage behind a chunk", {.bytes = CHUNKED "3\r\nabc\r\n!!\r\n", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = "abc"},
        {"F14 a small extension", {.bytes = CHUNKED "3;a=b\r\nabc\r\n0;last\r\n\r\n"},
         .status = 200, .body = "abc"},
        {"F14 a quoted extension", {.bytes = CHUNKED "3;a=\"b;c\"\r\nabc\r\n0\r\n\r\n"},
         .status = 200, .body = "abc"},
        {"F14 an extension of 30 MB", {.answer = long_extension}, .costly = 1, .error = STOOK_ETOOLARGE, .status = 200, .body = ""},
        {"F14 an extension without end", {.answer = endless_extension}, .costly = 1, .error = STOOK_ETIMEOUT_ATTEMPT,
         .status = 200, .body = "", .hangs = 1},
        {"F15 a line feed alone", {.bytes = CHUNKED "3\nabc\n0\n\n", .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F12 a letter behind the size", {.bytes = CHUNKED "3X\r\nabc\r\n0\r\n\r\n", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F12 a digit behind a blank", {.bytes = CHUNKED "3 0\r\nabc\r\n0\r\n\r\n", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F12 an underscore", {.bytes = CHUNKED "0_3\r\nabc\r\n0\r\n\r\n", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = ""},
        {"F12 a blank behind the size", {.bytes = CHUNKED "3  \r\nabc\r\n0\r\n\r\n"}, .status = 200, .body = "abc"},
        {"F12 a CR alone behind the data", {.bytes = CHUNKED "3\r\nabc\r0\r\n\r\n", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = "abc"},
        {"F11 end inside the last line", {.bytes = CHUNKED "3\r\nabc\r\n0\r\n\r", .then = RAW_CLOSE},
         .error = STOOK_ETRUNCATED, .status = 200, .body = "abc"},
        {"F15 a comma before chunked",
         {.bytes = OK_200 "Transfer-Encoding: ,chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
          .then = RAW_CLOSE}, .status = 200, .body = "abc"},
        {"F15 chunked twice",
         {.bytes = OK_200 "Transfer-Encoding: chunked, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
          .then = RAW_CLOSE}, .status = 200, .body = "abc"},
        {"F15 chunked in HTTP/1.0",
         {.bytes = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
          .then = RAW_CLOSE}, .status = 200, .body = "abc"},
        {"F16 an unknown transfer coding",
         {.bytes = OK_200 "Transfer-Encoding: foo\r\n\r\nabc", .then = RAW_CLOSE},
         .error = STOOK_EDECODE, .or_error = STOOK_EPROTOCOL, .status = 200},
        {"F16 chunked before another",
         {.bytes = OK_200 "Transfer-Encoding: chunked, gzip\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
          .then = RAW_CLOSE}, .error = STOOK_EDECODE, .or_error = STOOK_EPROTOCOL, .status = 200},
        {"F17 one trailer", {.bytes = CHUNKED "3\r\nabc\r\n0\r\nX-Trailer: value\r\n\r\n"},
         .status = 200, .body = "abc"},
        {"F17 20,000 trailers", {.answer = trailers}, .costly = 1, .error = STOOK_ETOOLARGE, .status = 200, .body = "abc"},
        {"F17 trailers without end", {.answer = endless_trailers}, .costly = 1, .error = STOOK_ETOOLARGE, .status = 200,
         .body = "abc"},
        {"F17 a trailer of 20,000 bytes", {.answer = long_trailer}, .error = STOOK_ETOOLARGE, .direct = FAULT_NONE, .says = "longer than libcurl's limit", .status = 200, .body = "abc"},
        {"F17 a CR in a trailer that has no end", {.bytes = CHUNKED "3\r\nabc\r\n0\r\nX-Trailer: a\rb", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = "abc", .says = "a NUL byte or a CR"},
        {"F17 an empty line that ends otherwise", {.bytes = CHUNKED "3\r\nabc\r\n0\r\n\rX", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 200, .body = "abc", .says = "a NUL byte or a CR"},
        {"F17 end inside the trailers",
         {.bytes = CHUNKED "3\r\nabc\r\n0\r\nX-Trailer: val", .then = RAW_CLOSE}, .error = STOOK_ETRUNCATED,
         .status = 200, .body = "abc"},
    };
    faults_in_the_clear(rows, COUNT(rows));
}

/* --------------------------------------------------------------------- heads */

static enum raw_then many_fields(struct raw_call *call)
{
    raw_say(call, OK_200);
    flood(call, "X-Field: v\r\n", 6000, 0);
    raw_say(call, "Content-Length: 2\r\n\r\nok");
    return RAW_KEEP;
}

static enum raw_then endless_fields(struct raw_call *call)
{
    raw_say(call, OK_200);
    return flood(call, "X-Field: 0123456789012345678901234567890123456789012345678901234567890123456789"
                       "01234567890123456789\r\n", 50000, 0);
}

static enum raw_then twenty_hints(struct raw_call *call)
{
    flood(call, "HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n", 20, 0);
    raw_say(call, LENGTH("2") "ok");
    return RAW_KEEP;
}

static enum raw_then endless_processing(struct raw_call *call)
{
    flood(call, "HTTP/1.1 102 Processing\r\n\r\n", 30000, 0);
    raw_say(call, LENGTH("2") "ok");
    return RAW_KEEP;
}

#define STATUS_LINE(line) "HTTP/1.1 " line "\r\nContent-Length: 2\r\n\r\nok"

TEST(heads)
{
    static const struct fault rows[] = {
        {"F18 a body alone", {.bytes = "<html>HTTP/0.9</html>\r\n", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL},
        {"F18 binary garbage", {.bytes = "\x01\x02\x03\xff\xfe not HTTP\r\n\r\n", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL},
        {"F18 one byte", {.bytes = "H", .then = RAW_CLOSE}, .error = STOOK_ERESET, .or_error = STOOK_EPROTOCOL, .direct = STOOK_ETRUNCATED},
        {"F18 empty", {.then = RAW_CLOSE}, .error = STOOK_ERESET},
        {"F18 another version", {.bytes = "HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\nok",
                                 .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL, .status = FAULT_ANY_STATUS},
        {"F19 99", {.bytes = STATUS_LINE("99 Odd"), .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL,
         .status = FAULT_ANY_STATUS},
        {"F19 000", {.bytes = STATUS_LINE("000 Odd"), .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL,
         .status = FAULT_ANY_STATUS},
        {"F19 1000", {.bytes = STATUS_LINE("1000 Odd"), .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL,
         .status = FAULT_ANY_STATUS},
        {"F19 abc", {.bytes = STATUS_LINE("abc Odd"), .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL,
         .status = FAULT_ANY_STATUS},
        {"F19 -20", {.bytes = STATUS_LINE("-20 Odd"), .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL,
         .status = FAULT_ANY_STATUS},
        {"F19 999", {.bytes = STATUS_LINE("999 Odd")}, .status = 999, .body = "ok", .says = "HTTP 999"},
        {"F19 no reason", {.bytes = STATUS_LINE("200")}, .status = 200, .body = "ok"},
        {"F19 an empty reason", {.bytes = STATUS_LINE("200 ")}, .status = 200, .body = "ok"},
        {"F19 lower case", {.bytes = "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 0},
        {"F19 an interim answer in lower case",
         {.bytes = "http/1.1 100 Continue\r\n\r\n" LENGTH("2") "ok", .then = RAW_CLOSE}, .error = STOOK_EPROTOCOL, .status = 0},
        {"F19 HTTP/2 in the clear", {.bytes = "HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .status = 0},
        {"F24 a folded line", {.bytes = OK_200 "X-Long: a\r\n  b\r\nContent-Length: 2\r\n\r\nok"},
         .status = 200, .body = "ok"},
        /* libcurl 8.14 leaves such a line out. */
        {"F24 a fold on the first line",
         {.bytes = OK_200 " X-Long: a\r\nContent-Length: 2\r\n\r\nok", .then = RAW_CLOSE},
         .error = STOOK_EPROTOCOL, .either = 1, .status = FAULT_ANY_STATUS},
        {"F25 end inside a field", {.bytes = "HTTP/1.1 200 OK\r\nContent-Le", .then = RAW_CLOSE},
         .error = STOOK_ETRUNCATED, .status = 200, .body = ""},
        {"F25 end behind a field",
         {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", .then = RAW_CLOSE},
         .error = STOOK_ETRUNCATED, .status = 200, .body = ""},
        {"F25 end inside the status line", {.bytes = "HTTP/1.1 20", .then = RAW_CLOSE},
         .error = STOOK_ERESET, .or_error = STOOK_EPROTOCOL, .direct = STOOK_ETRUNCATED, .status = FAULT_ANY_STATUS, .body = ""},
        {"F27 6,000 fields", {.answer = many_fields}, .costly = 1, .error = STOOK_ETOOLARGE, .status = 200, .body = ""},
        {"F27 fields without end", {.answer = endless_fields}, .costly = 1, .error = STOOK_ETOOLARGE, .status = 200,
         .body = ""},
        {"F28 one 100", {.bytes = "HTTP/1.1 100 Continue\r\n\r\n" LENGTH("2") "ok"},
         .status = 200, .body = "ok"},
        {"F28 20 hints", {.answer = twenty_hints}, .status = 200, .body = "ok"},
        {"F28 30,000 interim answers", {.answer = endless_processing}, .costly = 1, .error = STOOK_ETOOLARGE,
         .status = FAULT_ANY_STATUS, .body = ""},
        {"F28 an interim answer alone", {.bytes = "HTTP/1.1 100 Continue\r\n\r\n", .then = RAW_CLOSE},
         .error = STOOK_ERESET, .direct = STOOK_ETRUNCATED, .status = FAULT_ANY_STATUS, .body = ""},
    };
    faults_in_the_clear(rows, COUNT(rows));
}

static enum raw_then line_of_99_kb(struct raw_call *call)
{
    raw_say(call, OK_200 "X-Long: ");
    flood(call, "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
                "890123456789", 990, 0);
    raw_say(call, "\r\nContent-Length: 2\r\n\r\nok");
    return RAW_KEEP;
}

static enum raw_then line_of_150_kb(struct raw_call *call)
{
    raw_say(call, OK_200 "X-Long: ");
    flood(call, "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
                "890123456789", 1500, 0);
    raw_say(call, "\r\nContent-Length: 2\r\n\r\nok");
    return RAW_KEEP;
}

/* If the program has removed its own caps, libcurl's still hold. */
TEST(heads_without_caps)
{
    static const struct fault rows[] = {
        {"F26 a line of 99 KB", {.answer = line_of_99_kb}, .status = 200, .body = "ok"},
        {"F26 a line of 150 KB", {.answer = line_of_150_kb}, .error = STOOK_ETOOLARGE, .direct = FAULT_NONE,
         .status = 200},
    };
    struct faults faults = {.rows = rows, .count = COUNT(rows),
                            .server = faults_server(rows, COUNT(rows), NULL, 0),
                            .client = {.max_header_bytes = 16 << 20, .max_header_count = 100000}};
    faults_run(&faults);
}

/* ------------------------------------------------------- bodies, and their ends */

static enum raw_then slowly(struct raw_call *call)
{
    raw_say(call, LENGTH("10"));
    flood(call, ".", 10, 2);
    return RAW_KEEP;
}

static enum raw_then for_ever(struct raw_call *call)
{
    raw_say(call, LENGTH("1000000"));
    return flood(call, ".", 0, 20);
}

static enum raw_then timed_out_while_idle(struct raw_call *call)
{
    raw_say(call, LENGTH("2") "ok");
    raw_say(call, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlate");
    return RAW_CLOSE;
}

TEST(ends)
{
    static char upload[2 << 20];
    static const struct fault rows[] = {
        {"F30 a body on 204", {.bytes = "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc"},
         .status = 204, .body = ""},
        {"F30 chunks on 204",
         {.bytes = "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
         .status = 204, .body = ""},
        {"F30 a body on 304", {.bytes = "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\nabc"},
         .status = 304, .body = ""},
        {"F30 a body on HEAD", {.bytes = LENGTH("3") "abc"}, .status = 200, .body = "",
         .request = {.method = "HEAD"}},
        {"F31 two answers at once", {.bytes = LENGTH("3") "abc" LENGTH("6") "wicked"},
         .status = 200, .body = "abc"},
        {"F32 answered and closed before the request was read",
         {.bytes = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
          .early = 1, .then = RAW_CLOSE},
         .costly = 1, .error = STOOK_ERESET, .either = 1, .status = 413, .body = "",
         .request = {.body = upload, .body_size = sizeof upload}},
        {"F33 whole, then reset", {.bytes = LENGTH("3") "abc", .then = RAW_RESET},
         .status = 200, .body = "abc"},
        {"F33 no length, then reset", {.bytes = OK_200 "\r\nabc", .then = RAW_RESET}, .error = STOOK_ERESET,
         .status = 200, .body = "abc"},
        {"F34 reset inside the body", {.bytes = LENGTH("10") "abc", .then = RAW_RESET}, .error = STOOK_ERESET,
         .status = 200, .body = "abc"},
        {"F34 reset inside a chunk", {.bytes = CHUNKED "a\r\nabc", .then = RAW_RESET}, .error = STOOK_ERESET,
         .status = 200, .body = "abc"},
        {"F34 reset inside the head", {.bytes = "HTTP/1.1 200 OK\r\nX-Ha", .then = RAW_RESET},
         .error = STOOK_ERESET, .status = FAULT_ANY_STATUS, .body = ""},
        {"F36 a byte every 2 ms", {.answer = slowly}, .status = 200, .body = ".........."},
        {"F36 a byte every 20 ms for ever", {.answer = for_ever}, .error = STOOK_ETIMEOUT_ATTEMPT,
         .status = 200, .hangs = 1},
        {"F36 silence inside the body", {.bytes = LENGTH("10") "abc", .then = RAW_HOLD},
         .error = STOOK_ETIMEOUT_STALL, .status = 200, .body = "abc", .hangs = 1,
         .request = {.stall_timeout_ms = FAULT_DEADLINE_MS, .attempt_timeout_ms = 20000}},
        {"F37 408 on the idle connection", {.answer = timed_out_while_idle}, .status = 200,
         .body = "ok"},
    };
    faults_in_the_clear(rows, COUNT(rows));
}
