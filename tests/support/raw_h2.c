/* SPDX-License-Identifier: MIT */
#include "raw_h2.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw_tls.h"

enum { FRAME_MAX = 16384, PREFACE = 24 };

const struct h2_answer *raw_h2_answers;

/* ------------------------------------------------------------ what it writes */

static void put_number(unsigned char *at, uint32_t number, int bytes)
{
    while (bytes-- > 0) {
        at[bytes] = (unsigned char)number;
        number >>= 8;
    }
}

int h2_frame(struct h2 *h2, unsigned type, unsigned flags, uint32_t stream, const void *bytes,
             size_t size)
{
    unsigned char *frame = malloc(9 + size);
    put_number(frame, (uint32_t)size, 3);
    frame[3] = (unsigned char)type;
    frame[4] = (unsigned char)flags;
    put_number(frame + 5, stream, 4);
    if (size > 0)
        memcpy(frame + 9, bytes, size);
    int sent = raw_send(h2->call, frame, 9 + size);
    free(frame);
    return sent;
}

/* A literal, not indexed, not compressed (RFC 7541 6.2.2). */
static size_t put_field(unsigned char *at, const char *name, const char *value)
{
    size_t name_size = strlen(name), value_size = strlen(value);
    at[0] = 0;
    at[1] = (unsigned char)name_size; /* below 127, as all of ours are */
    memcpy(at + 2, name, name_size);
    at[2 + name_size] = (unsigned char)value_size;
    memcpy(at + 3 + name_size, value, value_size);
    return 3 + name_size + value_size;
}

int h2_head(struct h2 *h2, unsigned flags, int status, ...)
{
    unsigned char block[2048];
    char number[8];
    const char *name;
    va_list fields;
    size_t size = 0;
    snprintf(number, sizeof number, "%d", status);
    if (status > 0)
        size = put_field(block, ":status", number);
    va_start(fields, status);
    while ((name = va_arg(fields, const char *)) != NULL)
        size += put_field(block + size, name, va_arg(fields, const char *));
    va_end(fields);
    return h2_frame(h2, H2_HEADERS, flags | H2_END_HEADERS, h2->stream, block, size);
}

int h2_data(struct h2 *h2, unsigned flags, const char *bytes)
{
    return h2_frame(h2, H2_DATA, flags, h2->stream, bytes, strlen(bytes));
}

int h2_number(struct h2 *h2, unsigned type, uint32_t stream, uint32_t number)
{
    unsigned char bytes[4];
    put_number(bytes, number, 4);
    return h2_frame(h2, type, H2_NONE, stream, bytes, sizeof bytes);
}

int h2_setting(struct h2 *h2, unsigned id, uint32_t value)
{
    unsigned char bytes[6];
    put_number(bytes, id, 2);
    put_number(bytes + 2, value, 4);
    return h2_frame(h2, H2_SETTINGS, H2_NONE, 0, bytes, sizeof bytes);
}

int h2_goaway(struct h2 *h2, uint32_t last, uint32_t code)
{
    unsigned char bytes[8];
    put_number(bytes, last, 4);
    put_number(bytes + 4, code, 4);
    return h2_frame(h2, H2_GOAWAY, H2_NONE, 0, bytes, sizeof bytes);
}

void h2_ok(struct h2 *h2, const char *body)
{
    char size[24];
    snprintf(size, sizeof size, "%zu", strlen(body));
    h2_head(h2, H2_NONE, 200, "content-length", size, NULL);
    h2_data(h2, H2_END_STREAM, body);
}

/* ------------------------------------------------------------- what it reads */

/* How many bits the bytes of a path have in HPACK's code, from the blank on (RFC 7541, appendix B). It
   is a canonical code: shorter ones first, and in the order of the bytes. */
static const unsigned char bits_of[] = {
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13};

/* The byte that has this code of so many bits; 0: none of a path has. */
static char decode_one(unsigned code, unsigned bits)
{
    unsigned next = 0;
    for (unsigned length = 5; length <= 12; length++) {
        next <<= length > 5;
        for (size_t i = 0; i < sizeof bits_of; i++)
            if (bits_of[i] == length && next++ == code && length == bits)
                return (char)(' ' + i);
    }
    return 0;
}

static void decode(const unsigned char *bytes, size_t size, char *text, size_t room)
{
    unsigned code = 0, bits = 0;
    size_t used = 0;
    for (size_t i = 0; i < size * 8; i++) {
        code = code << 1 | (bytes[i / 8] >> (7 - i % 8) & 1u);
        char c = decode_one(code, ++bits);
        if (!c)
            continue;
        if (used < room - 1)
            text[used++] = c;
        code = bits = 0;
    }
    text[used] = '\0';
}

static uint32_t get_number(const unsigned char *at, int bytes)
{
    uint32_t number = 0;
    for (int i = 0; i < bytes; i++)
        number = number << 8 | at[i];
    return number;
}

/* An integer of HPACK, whose first byte has so many bits for it. */
static size_t get_integer(const unsigned char **at, unsigned bits)
{
    size_t value = *(*at)++ & ((1u << bits) - 1), shift = 0;
    if (value < (1u << bits) - 1)
        return value;
    do {
        value += (size_t)(**at & 127) << shift;
        shift += 7;
    } while (*(*at)++ & 128);
    return value;
}

/* Steps over a string, and keeps it if asked to. */
static void get_string(const unsigned char **at, char *text, size_t room)
{
    int packed = **at >> 7;
    size_t size = get_integer(at, 7);
    if (text && packed)
        decode(*at, size, text, room);
    else if (text)
        snprintf(text, room, "%.*s", (int)size, (const char *)*at);
    *at += size;
}

/* The path of a request: a client has no reason to keep it in the table, and libcurl's does not. */
static void get_path(struct h2 *h2, const unsigned char *at, size_t size)
{
    const unsigned char *end = at + size;
    strcpy(h2->path, "/");
    while (at < end) {
        if (*at & 0x80) {
            get_integer(&at, 7);
        } else if ((*at & 0xe0) == 0x20) {
            get_integer(&at, 5);
        } else {
            size_t name = get_integer(&at, *at & 0x40 ? 6 : 4);
            if (name == 0)
                get_string(&at, NULL, 0);
            get_string(&at, name == 4 || name == 5 ? h2->path : NULL, sizeof h2->path);
        }
    }
    char *query = strchr(h2->path, '?');
    if (query)
        *query = '\0';
}

static int read_all(struct h2 *h2, void *bytes, size_t size)
{
    for (size_t have = 0; have < size;) {
        ssize_t got = h2->call->receive(h2->call, (char *)bytes + have, size - have);
        if (got <= 0)
            return 0;
        have += (size_t)got;
    }
    return 1;
}

/* --------------------------------------------------------------- connections */

static const struct h2_answer *find(const char *path)
{
    for (const struct h2_answer *answer = raw_h2_answers; answer && answer->path; answer++)
        if (strcmp(answer->path, path) == 0)
            return answer;
    return NULL;
}

static void answer_one(struct h2 *h2)
{
    struct raw_call call = *h2->call; /* counted by its path */
    const struct h2_answer *answer = find(h2->path);
    snprintf(call.path, sizeof call.path, "%s", h2->path);
    raw_enter(&call);
    raw_leave(&call);
    h2->nth++;
    if (answer)
        answer->answer(h2);
    else
        h2_ok(h2, h2->path);
}

void raw_h2_serve(struct raw_call *call)
{
    static const struct raw_tls none;
    const struct raw_tls *tls = call->door->arg ? call->door->arg : &none;
    const struct h2_answer *row = tls->user;
    unsigned char *bytes = malloc(FRAME_MAX), head[9];
    struct h2 h2 = {.call = call};
    call->answered = 1;
    if (bytes && read_all(&h2, bytes, PREFACE)) {
        if (row && row->greet)
            row->greet(&h2);
        else
            h2_frame(&h2, H2_SETTINGS, H2_NONE, 0, NULL, 0);
    }
    while (bytes && !h2.done && read_all(&h2, head, sizeof head)) {
        size_t size = get_number(head, 3);
        if (size > FRAME_MAX || !read_all(&h2, bytes, size))
            break;
        h2.stream = get_number(head + 5, 4);
        if (head[3] == H2_SETTINGS && !(head[4] & H2_ACK))
            h2_frame(&h2, H2_SETTINGS, H2_ACK, 0, NULL, 0);
        if (head[3] != H2_HEADERS)
            continue;
        size_t priority = head[4] & 0x20 ? 5 : 0; /* libcurl gives one */
        get_path(&h2, bytes + priority, size - priority);
        answer_one(&h2);
    }
    free(bytes);
}
