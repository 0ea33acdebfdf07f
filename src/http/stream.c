/* SPDX-License-Identifier: MIT */
/*
 * The stream of an attempt: which callbacks are due, and what pauses it; see stream.h. Owns struct
 * stook__stream. A stream that has work for the turn is in the list of stream_ready.h.
 */
#include "http/stream.h"

#include "http/attempt_state.h"
#include "http/body_sink.h"
#include "http/error_map.h"
#include "http/resend.h"
#include "http/upload_source.h"

int stook__stream_begin(struct stook__attempt *attempt)
{
    struct stook__stream *stream = stook__alloc(attempt->allocator, sizeof *stream);
    if (stream == NULL)
        return STOOK_ENOMEM;
    stook__list_init(&stream->ready_owners);
    stream->attempt = attempt;
    attempt->stream = stream;
    return 0;
}

void stook__stream_end(struct stook__attempt *attempt)
{
    struct stook__stream *stream = attempt->stream;
    if (stream == NULL)
        return;
    stook__list_remove(&stream->ready_owners);
    stook__free(attempt->allocator, stream);
    attempt->stream = NULL;
}

/* ---------------------------------------------------------------- inside libcurl */

void stook__stream_head(struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    if (optional == NULL || optional->on_head == NULL)
        return;
    attempt->stream->head_due = 1;
    /* If another response may follow, on_head waits for the first byte of the body or the end. */
    if (!stook__resend_may_follow(attempt))
        stook__stream_mark_ready(attempt);
}

/* ---------------------------------------------------------------- from the turn */

/* libcurl discards the body of a response that is followed by another one within the attempt,
   and a 408 that is repeated has none for the program. So a byte of a body makes the response
   the last. */
int stook__stream_head_is_final(const struct stook__attempt *attempt)
{
    if (attempt->passed_over)
        return 0;
    return attempt->wire > 0 || attempt->state == STOOK__ATTEMPT_DELIVERING ||
           (!stook__resend_may_follow(attempt) && !stook__error_map_given_up(attempt));
}

int stook__stream_take_head(struct stook__attempt *attempt)
{
    struct stook__stream *stream = attempt->stream;
    if (!stream->head_due || stook__attempt_paused(attempt, STOOK__PAUSE_PROGRAM) ||
        !stook__stream_head_is_final(attempt))
        return 0;
    stream->head_due = 0;
    stream->shown = 1;
    return 1;
}

int stook__stream_take_body(struct stook__attempt *attempt, int64_t *budget,
                            struct stook__buffer *ret_piece)
{
    struct stook__stream *stream = attempt->stream;
    if (stook__attempt_paused(attempt, STOOK__PAUSE_PROGRAM))
        return 0;
    stream->resumed = 0;
    int found = stook__body_sink_take(attempt, budget, ret_piece);
    if (found < 0)
        stook__easy_notify(attempt->easy);
    if (found > 0)
        stream->shown = 1;
    return found;
}

int stook__stream_to_program(const struct stook__attempt *attempt)
{
    return stook__body_sink_for_program(attempt) &&
           attempt->passed_over != STOOK__PASSED_OVER_RETRY;
}

int stook__stream_was_shown(const struct stook__attempt *attempt)
{
    return attempt->stream != NULL && attempt->stream->shown;
}

int stook__stream_pump(struct stook__attempt *attempt, int64_t *budget)
{
    if (stook__body_sink_pump(attempt, budget) == 0)
        return 0;
    stook__easy_notify(attempt->easy);
    return -1;
}

void stook__stream_give_back(struct stook__attempt *attempt, struct stook__buffer *piece)
{
    stook__body_sink_give_back(attempt, piece);
}

int stook__stream_take_progress(struct stook__attempt *attempt)
{
    int moved = attempt->stream->moved;
    attempt->stream->moved = 0;
    return moved;
}

int stook__stream_program_paused(struct stook__attempt *attempt, int64_t now)
{
    struct stook__stream *stream = attempt->stream;
    if (stream->resumed)
        return 0;
    stook__body_flow_pause(&attempt->flow, STOOK__PAUSE_PROGRAM, now);
    stook__easy_program_paused(attempt->easy);
    return 1;
}

int64_t stook__stream_resume(struct stook__attempt *attempt, int64_t now)
{
    struct stook__stream *stream = attempt->stream;
    if (stream == NULL)
        return -1;
    int64_t since =
        stook__attempt_paused(attempt, STOOK__PAUSE_PROGRAM) ? attempt->flow.paused_at : 0;
    int64_t later_at = stook__upload_source_wake(attempt);
    if (since == 0 || (later_at != 0 && later_at < since))
        since = later_at;
    int64_t paused_us = since != 0 ? now - since : -1;
    stream->resumed = 1;
    stook__body_flow_resume(&attempt->flow, STOOK__PAUSE_PROGRAM, now);
    stook__stream_mark_ready(attempt);
    return paused_us;
}

void stook__stream_served(struct stook__attempt *attempt)
{
    if (stook__attempt_paused(attempt, STOOK__PAUSE_PROGRAM) || attempt->easy == NULL ||
        stook__body_sink_full(attempt))
        return;
    if (stook__body_sink_waiting(attempt)) {
        /* A body that is paused for room is marked when it is resumed. */
        if (!stook__attempt_paused(attempt, STOOK__PAUSE_BUFFER))
            stook__stream_mark_ready(attempt);
        return;
    }
    if (attempt->state > STOOK__ATTEMPT_BODY) {
        if (attempt->state == STOOK__ATTEMPT_DELIVERING)
            stook__easy_notify(attempt->easy);
        return;
    }
    if (!stook__attempt_paused(attempt, STOOK__PAUSE_SINK)) {
        stook__easy_program_resumed(attempt->easy); /* libcurl had no more bytes during the pause */
        return;
    }
    stook__body_flow_resume(&attempt->flow, STOOK__PAUSE_SINK, 0);
    stook__easy_continue(attempt->easy,
                         stook__upload_source_is_empty(attempt) ? CURLPAUSE_SEND : CURLPAUSE_CONT);
}

void stook__stream_failed(struct stook__attempt *attempt, int error, const char *why)
{
    attempt->error = error;
    attempt->why = why;
    stook__easy_notify(attempt->easy);
}

int stook__stream_defers(struct stook__attempt *attempt)
{
    struct stook__stream *stream = attempt->stream;
    if (stream == NULL || attempt->error != 0 || attempt->state > STOOK__ATTEMPT_DELIVERING ||
        stook__error_map_given_up(attempt) || stook__body_sink_is_cut(attempt) ||
        (!stream->head_due && !stream->moved && !stook__body_sink_waiting(attempt)))
        return 0;
    if (attempt->state != STOOK__ATTEMPT_DELIVERING)
        stook__attempt_move(attempt, STOOK__ATTEMPT_DELIVERING, "the transfer has ended");
    stook__stream_mark_ready(attempt);
    return 1;
}

/* -------------------------------------------------------------------- flow control of the batch */

void stook__attempt_count_body(struct stook__attempt *attempt, struct stook__flow_control *batch)
{
    const struct stook__optional *optional = attempt->spec->optional;
    /* These bodies are not buffered until the result is delivered, or not by the library alone. */
    if (optional != NULL && (optional->on_body != NULL || optional->body_read != NULL))
        return;
    stook__body_flow_enter(&attempt->flow, batch);
}

struct stook__body_flow *stook__attempt_flow(struct stook__attempt *attempt)
{
    return &attempt->flow;
}

struct stook__attempt *stook__attempt_of_flow(struct stook__body_flow *flow)
{
    return STOOK__OF(struct stook__attempt, flow, flow);
}

int stook__attempt_paused(const struct stook__attempt *attempt, enum stook__pause reason)
{
    return (attempt->flow.paused & reason) != 0;
}

void stook__attempt_pause_for_buffer(struct stook__attempt *attempt)
{
    stook__easy_program_paused(attempt->easy);
}

int64_t stook__attempt_resume_for_buffer(struct stook__attempt *attempt, int64_t now)
{
    if (!stook__attempt_paused(attempt, STOOK__PAUSE_BUFFER))
        return 0;
    int64_t paused_us = stook__body_flow_resume(&attempt->flow, STOOK__PAUSE_BUFFER, now);
    attempt->moved_at = now;
    if (attempt->stream != NULL)
        stook__stream_mark_ready(attempt); /* the sink may hold bytes that are not decoded yet */
    stook__easy_continue(attempt->easy, 0);
    return paused_us;
}
