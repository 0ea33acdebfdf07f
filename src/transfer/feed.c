/* SPDX-License-Identifier: MIT */
/* A body that the program is asked for; see feed.h. */
#include "transfer/feed.h"

#include <stdio.h>
#include <string.h>

#include "transfer/parts.h"
#include "transfer/stream.h"

enum { ROOM = 128 << 10, LITTLE = 64 << 10 };

struct stook__feed {
    struct stook__buffer data; /* what libcurl has not had yet begins at `begin` */
    size_t begin;
    int64_t size;     /* that it was said to have; -1: unknown */
    int64_t taken;    /* of the program, since it began */
    int64_t later_at; /* when the program had nothing; 0: it was not asked since, or had */
    int ended;        /* the program has said so */
    int begun;        /* libcurl has asked for it: before that nothing is asked of the program, or a connection
                         that cannot be used would take what may not begin anew */
    int lent;         /* the buffer is with the program, which may run its loop meanwhile */
    int stale;        /* libcurl began anew meanwhile: what the program gives is of the time before */
    int rewind_due;
    int paused;       /* libcurl waits */
    int answered;     /* the answer came before the body was gone */
};

/* The last byte of a body whose length was said is held back until the program has said that it is
   the last: else the peer would take for whole what is too long. */
static size_t ready(const struct stook__feed *feed)
{
    size_t size = feed->data.size - feed->begin;
    return size > 0 && !feed->ended && feed->taken == feed->size ? size - 1 : size;
}

/* ---------------------------------------------------------------- inside libcurl */

static size_t on_read(char *buffer, size_t one, size_t room, void *user)
{
    struct stook__attempt *attempt = user;
    struct stook__feed *feed = attempt->feed;
    size_t size = ready(feed);
    size = size < one * room ? size : one * room;
    if (attempt->error != 0)
        return CURL_READFUNC_ABORT;
    feed->begun = 1;
    if (size > 0) {
        memcpy(buffer, feed->data.data + feed->begin, size);
        feed->begin += size;
    }
    if (stook__feed_wants(attempt))
        stook__stream_stir(attempt);
    if (size > 0 || feed->ended)
        return size;
    feed->paused = 1;
    return CURL_READFUNC_PAUSE;
}

/* Nothing of the program can be called in here: it is only noted that it has to be. */
static int on_seek(void *user, curl_off_t offset, int origin)
{
    struct stook__attempt *attempt = user;
    struct stook__feed *feed = attempt->feed;
    int given = feed->taken > 0 || feed->lent || feed->ended;
    if (offset != 0 || origin != SEEK_SET || (given && attempt->spec->extra->body_rewind == NULL))
        return CURL_SEEKFUNC_FAIL;
    feed->rewind_due = feed->rewind_due || given;
    feed->stale = feed->lent;
    feed->begin = feed->data.size = 0;
    feed->taken = 0;
    feed->ended = 0;
    return CURL_SEEKFUNC_OK;
}

/* libcurl sends no more behind an answer that says no, but while it is paused it does not end either. */
void stook__feed_answered(struct stook__attempt *attempt)
{
    attempt->feed->answered = attempt->feed->paused;
    if (attempt->feed->paused)
        stook__stream_stir(attempt);
}

/* ------------------------------------------------------------------- setting up */

int stook__feed_begin(struct stook__attempt *attempt)
{
    const struct stook__extra *extra = attempt->spec->extra;
    struct stook__feed *feed = stook__alloc(attempt->heap, sizeof *feed);
    if (feed == NULL)
        return STOOK_ENOMEM;
    attempt->feed = feed;
    feed->size = extra->read_size;
    feed->rewind_due = extra->asked;
    stook__slot_set(attempt->slot, CURLOPT_POST, 1L);
    stook__slot_set(attempt->slot, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)extra->read_size);
    stook__slot_set(attempt->slot, CURLOPT_READFUNCTION, on_read);
    stook__slot_set(attempt->slot, CURLOPT_READDATA, (void *)attempt);
    stook__slot_set(attempt->slot, CURLOPT_SEEKFUNCTION, on_seek);
    stook__slot_set(attempt->slot, CURLOPT_SEEKDATA, (void *)attempt);
    return 0;
}

void stook__feed_end(struct stook__attempt *attempt)
{
    if (attempt->feed == NULL)
        return;
    stook__buffer_free(&attempt->feed->data, attempt->heap);
    stook__free(attempt->heap, attempt->feed);
    attempt->feed = NULL;
}

int stook__feed_may_repeat(const struct stook__attempt *attempt)
{
    const struct stook__extra *extra = attempt->spec->extra;
    return attempt->feed == NULL || !extra->asked || extra->body_rewind != NULL;
}

/* ---------------------------------------------------------------- from the turn */

int stook__feed_wants(const struct stook__attempt *attempt)
{
    const struct stook__feed *feed = attempt->feed;
    return feed != NULL && feed->begun && !attempt->stream->over && !feed->ended && feed->later_at == 0 && feed->data.size - feed->begin < LITTLE;
}

int stook__feed_take_rewind(struct stook__attempt *attempt)
{
    struct stook__feed *feed = attempt->feed;
    int due = feed->rewind_due;
    feed->rewind_due = 0;
    return due;
}

int stook__feed_take_room(struct stook__attempt *attempt, struct stook__buffer *ret_room)
{
    struct stook__feed *feed = attempt->feed;
    if (feed->begin > 0) {
        feed->data.size -= feed->begin;
        memmove(feed->data.data, feed->data.data + feed->begin, feed->data.size);
        feed->begin = 0;
    }
    if (stook__buffer_reserve(&feed->data, attempt->heap, ROOM) != 0) {
        attempt->error = STOOK_ENOMEM;
        stook__slot_tell(attempt->slot);
        return 0;
    }
    attempt->spec->extra->asked = 1;
    attempt->stream->woken = 0;
    feed->lent = 1;
    *ret_room = feed->data;
    feed->data = (struct stook__buffer){0};
    return 1;
}

const char *stook__feed_put(struct stook__attempt *attempt, struct stook__buffer *room, int64_t size)
{
    struct stook__feed *feed = attempt->feed;
    /* One less: the room of a NUL is nobody's. */
    int64_t most = (int64_t)(room->capacity - 1 - room->size);
    int stale = feed->stale;
    feed->lent = feed->stale = 0;
    if (stale)
        room->size = 0;
    feed->data = *room;
    if (size > most)
        return "body_read says that it gave more than was asked for";
    if (stale)
        return NULL;
    feed->ended = size == 0;
    if (size > 0) {
        feed->data.size += (size_t)size;
        feed->taken += size;
    }
    if (feed->size >= 0 && feed->taken > feed->size)
        return "body_read gave more than body_size";
    if (feed->ended && feed->size >= 0 && feed->taken < feed->size)
        return "body_read ended before body_size";
    return NULL;
}

int stook__feed_wait(struct stook__attempt *attempt, int64_t now)
{
    if (attempt->stream->woken)
        return 0;
    attempt->feed->later_at = now;
    return 1;
}

int64_t stook__feed_wake(struct stook__attempt *attempt)
{
    int64_t since = attempt->feed != NULL ? attempt->feed->later_at : 0;
    if (since != 0)
        attempt->feed->later_at = 0;
    return since;
}

int stook__feed_is_dry(const struct stook__attempt *attempt)
{
    const struct stook__feed *feed = attempt->feed;
    return feed != NULL && feed->paused && !feed->ended && ready(feed) == 0;
}

void stook__feed_served(struct stook__attempt *attempt)
{
    struct stook__feed *feed = attempt->feed;
    if (feed == NULL || !feed->paused || (stook__feed_is_dry(attempt) && !feed->answered))
        return;
    feed->paused = feed->answered = 0;
    stook__slot_send_on(attempt->slot);
}
