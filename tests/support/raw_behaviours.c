/* SPDX-License-Identifier: MIT */
/* The behaviours of the raw server, one row per path. Pure misbehaviour is bytes; wit is code. */
#include "raw_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------ peers that are well */

static enum raw_then ok(struct raw_call *call)
{
    return raw_answer(call, "ok", 2);
}

/* What was received: the head, then the body. */
static enum raw_then echo(struct raw_call *call)
{
    size_t size = call->head_size + call->body_size;
    char *all = malloc(size + 1);
    memcpy(all, call->head, call->head_size);
    memcpy(all + call->head_size, call->body, call->body_size);
    raw_answer(call, all, size);
    free(all);
    return RAW_KEEP;
}

/* /path/7: the path it was asked for. */
static enum raw_then path(struct raw_call *call)
{
    return raw_answer(call, call->path, strlen(call->path));
}

/* /status?code=503 */
static enum raw_then status(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 %ld Status\r\nContent-Length: 0\r\n\r\n", raw_number(call, "code"));
    return RAW_KEEP;
}

/* /delay?ms=20 */
static enum raw_then delay(struct raw_call *call)
{
    raw_pause(raw_number(call, "ms"));
    return ok(call);
}

/* /after?path=/x&n=3&ms=50 answers `ms` after /x was asked for the third time. */
static enum raw_then after(struct raw_call *call)
{
    char path[128];
    long n = raw_number(call, "n");
    if (sscanf(call->query, "path=%127[^&]", path) == 1)
        raw_wait(call->server, path, n > 0 ? (unsigned)n : 1);
    return delay(call);
}

/* /big?n=1000000: a body of n bytes, each the last digit of its place. */
static enum raw_then big(struct raw_call *call)
{
    size_t size = (size_t)raw_number(call, "n");
    char *body = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        body[i] = (char)('0' + i % 10);
    raw_answer(call, body, size);
    free(body);
    return RAW_KEEP;
}

void raw_pattern(char *bytes, size_t size, long i)
{
    unsigned state = (unsigned)i * 2654435761u + 1;
    for (size_t at = 0; at < size; at++) {
        state = state * 1103515245u + 12345u;
        bytes[at] = (char)(state >> 24);
    }
}

/* /pattern?i=7&n=3000: n bytes that only i has. */
static enum raw_then pattern(struct raw_call *call)
{
    size_t size = (size_t)raw_number(call, "n");
    char *body = malloc(size + 1);
    raw_pattern(body, size, raw_number(call, "i"));
    raw_answer(call, body, size);
    free(body);
    return RAW_KEEP;
}

/* /pour?n=1000000&kb=64: the same, in pieces of that many thousand bytes as they are taken; of any size. */
static enum raw_then pour(struct raw_call *call)
{
    long left = raw_number(call, "n"), kb = raw_number(call, "kb");
    size_t size = (size_t)(kb > 0 ? kb : 64) * 1000;
    char *piece = malloc(size);
    for (size_t i = 0; i < size; i++)
        piece[i] = (char)('0' + i % 10);
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\n\r\n", left);
    while (left > 0 && raw_send(call, piece, (long)size < left ? size : (size_t)left))
        left -= (long)size;
    free(piece);
    return left > 0 ? RAW_CLOSE : RAW_KEEP;
}

/* /headers?n=100&size=10: n fields, ... of that many bytes. */
static enum raw_then headers(struct raw_call *call)
{
    long n = raw_number(call, "n"), size = raw_number(call, "size");
    char *value = malloc((size_t)size + 1);
    memset(value, 'v', (size_t)size);
    value[size] = '\0';
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    for (long i = 0; i < n; i++) {
        raw_say(call, "X-%ld: ", i);
        raw_send(call, value, (size_t)size);
        raw_say(call, "\r\n");
    }
    raw_say(call, "\r\n");
    free(value);
    return RAW_KEEP;
}

/* /trailers?n=100: that many fields behind a chunked body. */
static enum raw_then trailers(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n");
    for (long i = 0; i < raw_number(call, "n"); i++)
        raw_say(call, "X-Trailer-%ld: value\r\n", i);
    raw_say(call, "\r\n");
    return RAW_KEEP;
}

/* /1xx?n=3: that many early hints before the answer. */
static enum raw_then informational(struct raw_call *call)
{
    for (long i = 0; i < raw_number(call, "n"); i++)
        raw_say(call, "HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n");
    return ok(call);
}

/* /drip?n=20&ms=30: a body of n bytes, one at a time. */
static enum raw_then drip(struct raw_call *call)
{
    long n = raw_number(call, "n"), ms = raw_number(call, "ms");
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\n\r\n", n);
    for (long i = 0; i < n; i++) {
        raw_pause(ms);
        if (!raw_say(call, "."))
            return RAW_CLOSE;
    }
    return RAW_KEEP;
}

/* -------------------------------------------------- peers that lose interest */

/* Reads a request and closes without an answer: the first /swallow?n=1, or all of them. */
static enum raw_then swallow(struct raw_call *call)
{
    long n = raw_number(call, "n");
    return n == 0 || call->seen <= (unsigned)n ? RAW_CLOSE : ok(call);
}

/* The same with a reset. */
static enum raw_then reset(struct raw_call *call)
{
    long n = raw_number(call, "n");
    return n == 0 || call->seen <= (unsigned)n ? RAW_RESET : ok(call);
}

#define HEAD_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
#define HEAD_10 "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
#define HEAD_CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

const struct raw_behaviour raw_behaviours[] = {
    {"/ok", .answer = ok},
    {"/echo", .answer = echo},
    {"/path", .answer = path},
    {"/status", .answer = status},
    {"/delay", .answer = delay},
    {"/after", .answer = after},
    {"/big", .answer = big},
    {"/pattern", .answer = pattern},
    {"/pour", .answer = pour},
    {"/headers", .answer = headers},
    {"/trailers", .answer = trailers},
    {"/1xx", .answer = informational},
    {"/drip", .answer = drip},
    {"/http10", "HTTP/1.0 200 OK\r\nServer: old\r\n\r\nold", .then = RAW_CLOSE},
    {"/until-close", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil", .then = RAW_CLOSE},
    {"/chunked", HEAD_CHUNKED "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n",
     .then = RAW_KEEP},
    {"/no-content", "HTTP/1.1 204 No Content\r\n\r\n", .then = RAW_KEEP},
    {"/redirect", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n",
     .then = RAW_KEEP},
    {"/set-cookie", "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok", .then = RAW_KEEP},
    {"/close-after", HEAD_2 "ok", .then = RAW_CLOSE},
    {"/rst-after", HEAD_2 "ok", .then = RAW_RESET},
    /* silence */
    {"/stall", .then = RAW_HOLD},
    {"/stall-head", "HTTP/1.1 200 OK\r\nX-Half: ", .then = RAW_HOLD},
    {"/stall-body", HEAD_10 "abc", .then = RAW_HOLD},
    /* loss */
    {"/swallow", .answer = swallow},
    {"/rst", .answer = reset},
    {"/rst-head", "HTTP/1.1 200 OK\r\nX-Half: ", .then = RAW_RESET},
    {"/rst-body", HEAD_10 "abc", .then = RAW_RESET},
    {"/rst-early", .early = 1, .then = RAW_RESET},
    {"/short", HEAD_10 "abc", .then = RAW_CLOSE},
    {"/short-head", "HTTP/1.1 200 OK\r\nX-Half: ", .then = RAW_CLOSE},
    {"/short-chunk", HEAD_CHUNKED "a\r\nabc", .then = RAW_CLOSE},
    {"/short-chunks", HEAD_CHUNKED "3\r\nabc\r\n", .then = RAW_CLOSE},
    /* nonsense */
    {"/garbage", "\x01\x02\x03 this is not HTTP\r\n\r\n", .then = RAW_CLOSE},
    {"/http9", "HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\nok", .then = RAW_CLOSE},
    {"/bad-chunk", HEAD_CHUNKED "zz\r\nabc\r\n0\r\n\r\n", .then = RAW_CLOSE},
    {"/bad-length", "HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\nabc", .then = RAW_CLOSE},
    {"/two-lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
     .then = RAW_CLOSE},
    {"/too-early", "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
     .early = 1, .then = RAW_CLOSE},
    {NULL}};
