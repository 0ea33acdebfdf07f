/* SPDX-License-Identifier: MIT */
/* The list of streams with work for the turn; see stream_ready.h. */
#include "http/stream_ready.h"

#include "curl/engine.h"
#include "http/attempt_state.h"

void stook__stream_mark_ready(struct stook__attempt *attempt)
{
    struct stook__stream *stream = attempt->stream;
    if (stook__list_empty(&stream->ready_owners))
        stook__list_append(stook__engine_ready(attempt->engine), &stream->ready_owners);
}

void stook__stream_take_all(struct stook__engine *engine, struct stook__link *list)
{
    stook__list_move_all(stook__engine_ready(engine), list);
}

struct stook__attempt *stook__stream_next(struct stook__link *list)
{
    struct stook__link *first;
    while ((first = stook__list_pop(list)) != NULL) {
        struct stook__attempt *attempt =
            STOOK__OF(struct stook__stream, ready_owners, first)->attempt;
        if (attempt->error == 0)
            return attempt; /* one with an error is about to end: its callbacks are not called */
    }
    return NULL;
}

void stook__stream_moved(struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    if (optional == NULL || optional->on_progress == NULL)
        return;
    attempt->stream->moved = 1;
    stook__stream_mark_ready(attempt);
}

int stook__stream_pause(struct stook__attempt *attempt)
{
    stook__body_flow_pause(&attempt->flow, STOOK__PAUSE_SINK, 0);
    stook__stream_mark_ready(attempt);
    return STOOK__EASY_PAUSE;
}
