/* SPDX-License-Identifier: MIT */
/* A body that the program is asked for; see upload_source.h. */
#include "http/upload_source.h"

#include <stdio.h>
#include <string.h>

#include "http/attempt_parts.h"
#include "http/stream.h"

enum { ROOM = 128 << 10, LITTLE = 64 << 10 };

struct stook__upload_source {
    struct stook__buffer data; /* what libcurl has not had yet begins at `begin` */
    size_t begin;
    int64_t size;     /* that it was said to have; -1: unknown */
    int64_t taken;    /* of the program, since it began */
    int64_t later_at; /* when the program had nothing; 0: it was not asked since, or had */
    int ended;        /* the program has said so */
    int begun; /* libcurl has asked for it: before that nothing is asked of the program, or a connection
                         that cannot be used would take what may not begin anew */
    int borrowed; /* the buffer is with the program, which may run its loop meanwhile */
    int stale;    /* libcurl began anew meanwhile: what the program gives is of the time before */
    int rewind_due;
    int paused;   /* libcurl waits */
    int answered; /* the answer came before the body was gone */
};

/* The last byte of a body whose length was said is held back until the program has said that it is
   the last: else the peer would take for whole what is too long. */
static size_t ready(const struct stook__upload_source *source)
{
    size_t size = source->data.size - source->begin;
    return size > 0 && !source->ended && source->taken == source->size ? size - 1 : size;
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
    source->begun = 1;
    if (size > 0) {
        memcpy(buffer, source->data.data + source->begin, size);
        source->begin += size;
    }
    if (stook__upload_source_wants(attempt))
        stook__stream_mark_ready(attempt);
    if (size > 0 || source->ended)
        return size;
    source->paused = 1;
    return CURL_READFUNC_PAUSE;
}

/* Nothing of the program can be called in here: it is only noted that it has to be. */
static int on_seek(void *user, curl_off_t offset, int origin)
{
    struct stook__attempt *attempt = user;
    struct stook__upload_source *source = attempt->source;
    int given = source->taken > 0 || source->borrowed || source->ended;
    if (offset != 0 || origin != SEEK_SET ||
        (given && attempt->spec->optional->body_rewind == NULL))
        return CURL_SEEKFUNC_FAIL;
    source->rewind_due = source->rewind_due || given;
    source->stale = source->borrowed;
    source->begin = source->data.size = 0;
    source->taken = 0;
    source->ended = 0;
    return CURL_SEEKFUNC_OK;
}

/* libcurl sends no more behind an answer that says no, but while it is paused it does not end either. */
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
    return source != NULL && source->begun && !attempt->stream->over && !source->ended &&
           source->later_at == 0 && source->data.size - source->begin < LITTLE;
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
    attempt->stream->woken = 0;
    source->borrowed = 1;
    *ret_room = source->data;
    source->data = (struct stook__buffer){0};
    return 1;
}

const char *stook__upload_source_put(struct stook__attempt *attempt, struct stook__buffer *room,
                                     int64_t size)
{
    struct stook__upload_source *source = attempt->source;
    /* One less: the room of a NUL is nobody's. */
    int64_t most = (int64_t)(room->capacity - 1 - room->size);
    int stale = source->stale;
    source->borrowed = source->stale = 0;
    if (stale)
        room->size = 0;
    source->data = *room;
    if (size > most)
        return "body_read says that it gave more than was asked for";
    if (stale)
        return NULL;
    source->ended = size == 0;
    if (size > 0) {
        source->data.size += (size_t)size;
        source->taken += size;
    }
    if (source->size >= 0 && source->taken > source->size)
        return "body_read gave more than body_size";
    if (source->ended && source->size >= 0 && source->taken < source->size)
        return "body_read ended before body_size";
    return NULL;
}

int stook__upload_source_wait(struct stook__attempt *attempt, int64_t now)
{
    if (attempt->stream->woken)
        return 0;
    attempt->source->later_at = now;
    return 1;
}

int64_t stook__upload_source_wake(struct stook__attempt *attempt)
{
    int64_t since = attempt->source != NULL ? attempt->source->later_at : 0;
    if (since != 0)
        attempt->source->later_at = 0;
    return since;
}

int stook__upload_source_is_empty(const struct stook__attempt *attempt)
{
    const struct stook__upload_source *source = attempt->source;
    return source != NULL && source->paused && !source->ended && ready(source) == 0;
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
