/* SPDX-License-Identifier: MIT */
/*
 * A request body that the program provides; see upload_source.h. libcurl's callbacks read the
 * buffer and never call the program; core/streams.c fills it from the turn.
 */
#include "http/upload_source.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "http/attempt_state.h"
#include "http/stream_ready.h"
#include "util/trace.h"

enum {
    ROOM = 128 << 10, /* Bytes of the buffer. */
    LITTLE = 64 << 10 /* The program is called while fewer bytes than this are in it. */
};

enum source_state {
    /* libcurl has not read yet. The program is not called before that: a connection that turns out
       to be unusable would consume a body that cannot be rewound. */
    NOT_STARTED,
    READING, /* The program is called for more bytes. */
    WAITING, /* The program has no bytes now, since `waiting_since`. */
    ENDED    /* The program has ended the body. */
};

struct stook__upload_source {
    enum source_state state;   /* Only move() sets it. */
    struct stook__buffer data; /* Bytes for libcurl, from `begin` on. */
    size_t begin;
    int64_t size;  /* The body_size of the request; -1: unknown. */
    int64_t taken; /* Bytes that the program gave since the start or the last rewind. */
    int64_t waiting_since;
    /* These flags are independent of the state: they concern libcurl and the loan of the buffer. */
    int borrowed;   /* The program writes into the buffer; it may run its loop meanwhile. */
    int stale;      /* libcurl has rewound since the loan: what the program writes is dropped. */
    int rewind_due; /* body_rewind must be called before body_read. */
    int paused;     /* libcurl waits for bytes. */
    int answered;   /* The response came while libcurl waited. */
};

static void move(struct stook__upload_source *source, enum source_state state)
{
    static const unsigned allowed[] = {[NOT_STARTED] = 1 << READING,
                                       [READING] = 1 << WAITING | 1 << ENDED,
                                       [WAITING] = 1 << READING,
                                       [ENDED] = 1 << READING};
    assert(allowed[source->state] >> state & 1);
    (void)allowed;
    static const char *const names[] = {"not started", "reading", "waiting", "ended"};
    (void)names; /* in release builds */
    STOOK__TRACE("http", "upload source %p: %s -> %s", (void *)source, names[source->state],
                 names[state]);
    source->state = state;
}

/*
 * Returns how many bytes libcurl may have. The last byte of a body of known size is withheld until
 * the program has ended the body: otherwise the peer would accept a body that is too long as
 * complete.
 */
static size_t ready(const struct stook__upload_source *source)
{
    size_t size = source->data.size - source->begin;
    return size > 0 && source->state != ENDED && source->taken == source->size ? size - 1 : size;
}

/* ---------------------------------------------------------------- inside libcurl */

static size_t on_read(char *buffer, size_t one, size_t room, void *user)
{
    struct stook__attempt *attempt = user;
    struct stook__upload_source *source = attempt->source;
    size_t size = ready(source);
    size = size < one * room ? size : one * room;
    if (attempt->error != 0)
        return CURL_READFUNC_ABORT;
    if (source->state == NOT_STARTED)
        move(source, READING);
    if (size > 0) {
        memcpy(buffer, source->data.data + source->begin, size);
        source->begin += size;
    }
    if (stook__upload_source_wants(attempt))
        stook__stream_mark_ready(attempt);
    if (size > 0 || source->state == ENDED)
        return size;
    source->paused = 1;
    return CURL_READFUNC_PAUSE;
}

/* The program cannot be called inside libcurl, so a rewind is only noted. */
static int on_seek(void *user, curl_off_t offset, int origin)
{
    struct stook__attempt *attempt = user;
    struct stook__upload_source *source = attempt->source;
    int given = source->taken > 0 || source->borrowed || source->state == ENDED;
    if (offset != 0 || origin != SEEK_SET ||
        (given && attempt->spec->optional->body_rewind == NULL))
        return CURL_SEEKFUNC_FAIL;
    source->rewind_due = source->rewind_due || given;
    source->stale = source->borrowed;
    source->begin = source->data.size = 0;
    source->taken = 0;
    if (source->state == ENDED)
        move(source, READING);
    return CURL_SEEKFUNC_OK;
}

/* After an error response libcurl sends no more, but while it is paused it does not end either. */
void stook__upload_source_answered(struct stook__attempt *attempt)
{
    attempt->source->answered = attempt->source->paused;
    if (attempt->source->paused)
        stook__stream_mark_ready(attempt);
}

/* ------------------------------------------------------------------- setting up */

int stook__upload_source_begin(struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    struct stook__upload_source *source = stook__alloc(attempt->allocator, sizeof *source);
    if (source == NULL)
        return STOOK_ENOMEM;
    attempt->source = source;
    source->size = optional->read_size;
    source->rewind_due = optional->read_called;
    stook__easy_set(attempt->easy, CURLOPT_POST, 1L);
    stook__easy_set(attempt->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)optional->read_size);
    stook__easy_set(attempt->easy, CURLOPT_READFUNCTION, on_read);
    stook__easy_set(attempt->easy, CURLOPT_READDATA, (void *)attempt);
    stook__easy_set(attempt->easy, CURLOPT_SEEKFUNCTION, on_seek);
    stook__easy_set(attempt->easy, CURLOPT_SEEKDATA, (void *)attempt);
    return 0;
}

void stook__upload_source_end(struct stook__attempt *attempt)
{
    if (attempt->source == NULL)
        return;
    stook__buffer_free(&attempt->source->data, attempt->allocator);
    stook__free(attempt->allocator, attempt->source);
    attempt->source = NULL;
}

int stook__upload_source_may_repeat(const struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    return attempt->source == NULL || !optional->read_called || optional->body_rewind != NULL;
}

/* ---------------------------------------------------------------- from the turn */

int stook__upload_source_wants(const struct stook__attempt *attempt)
{
    const struct stook__upload_source *source = attempt->source;
    return source != NULL && source->state == READING && attempt->state <= STOOK__ATTEMPT_BODY &&
           source->data.size - source->begin < LITTLE;
}

int stook__upload_source_take_rewind(struct stook__attempt *attempt)
{
    struct stook__upload_source *source = attempt->source;
    int due = source->rewind_due;
    source->rewind_due = 0;
    return due;
}

int stook__upload_source_take_room(struct stook__attempt *attempt, struct stook__buffer *ret_room)
{
    struct stook__upload_source *source = attempt->source;
    if (source->begin > 0) {
        source->data.size -= source->begin;
        memmove(source->data.data, source->data.data + source->begin, source->data.size);
        source->begin = 0;
    }
    if (stook__buffer_reserve(&source->data, attempt->allocator, ROOM) != 0) {
        attempt->error = STOOK_ENOMEM;
        stook__easy_notify(attempt->easy);
        return 0;
    }
    attempt->spec->optional->read_called = 1;
    attempt->stream->resumed = 0;
    source->borrowed = 1;
    *ret_room = source->data;
    source->data = (struct stook__buffer){0};
    return 1;
}

const char *stook__upload_source_put(struct stook__attempt *attempt, struct stook__buffer *room,
                                     int64_t size)
{
    struct stook__upload_source *source = attempt->source;
    /* One less: the buffer keeps a byte for its NUL. */
    int64_t most = (int64_t)(room->capacity - 1 - room->size);
    int stale = source->stale;
    source->borrowed = source->stale = 0;
    if (stale)
        room->size = 0;
    source->data = *room;
    if (size > most)
        return "body_read returned more than was asked for";
    if (stale)
        return NULL;
    if (size == 0)
        move(source, ENDED);
    if (size > 0) {
        source->data.size += (size_t)size;
        source->taken += size;
    }
    if (source->size >= 0 && source->taken > source->size)
        return "body_read gave more than body_size";
    if (source->state == ENDED && source->size >= 0 && source->taken < source->size)
        return "body_read ended before body_size";
    return NULL;
}

int stook__upload_source_wait(struct stook__attempt *attempt, int64_t now)
{
    if (attempt->stream->resumed)
        return 0;
    move(attempt->source, WAITING);
    attempt->source->waiting_since = now;
    return 1;
}

int64_t stook__upload_source_wake(struct stook__attempt *attempt)
{
    struct stook__upload_source *source = attempt->source;
    if (source == NULL || source->state != WAITING)
        return 0;
    move(source, READING);
    return source->waiting_since;
}

int stook__upload_source_is_empty(const struct stook__attempt *attempt)
{
    const struct stook__upload_source *source = attempt->source;
    return source != NULL && source->paused && source->state != ENDED && ready(source) == 0;
}

void stook__upload_source_served(struct stook__attempt *attempt)
{
    struct stook__upload_source *source = attempt->source;
    if (source == NULL || !source->paused ||
        (stook__upload_source_is_empty(attempt) && !source->answered))
        return;
    source->paused = source->answered = 0;
    stook__easy_continue_upload(attempt->easy);
}
