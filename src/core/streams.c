/* SPDX-License-Identifier: MIT */
/*
 * Heads and bodies, handed to the program as they come. Any callback may cancel its own request, so
 * after each the record is asked whether it still has that attempt; the record itself is held.
 */
#include "core/streams.h"

#include "http/attempt.h"
#include "http/stream.h"
#include "http/upload_source.h"
#include "loop/loop.h"

/* A turn, at most: requests; pieces of one of them, each way; bytes that decoders read and produce. */
enum { SERVED = 128, PIECES = 8, DECODED = 512 << 10 };

static int is_gone(const struct stook_result *record, const struct stook__attempt *attempt)
{
    return record->stage != STOOK__TRYING || record->attempt != attempt;
}

/* What a callback is shown; NULL: no memory, and the attempt's end is on its way. */
static const struct stook_result *take_snapshot(struct stook_result *record,
                                                struct stook__attempt *attempt)
{
    const struct stook_result *snapshot = stook__record_snapshot(record);
    if (snapshot == NULL)
        stook__stream_failed(attempt, STOOK_ENOMEM, NULL);
    return snapshot;
}

/* 0: go on. 1: it is over, or its end is on its way. */
static int tell_head(struct stook_result *record, struct stook__attempt *attempt)
{
    if (!stook__stream_take_head(attempt))
        return 0;
    const struct stook_result *snapshot = take_snapshot(record, attempt);
    if (snapshot == NULL)
        return 1;
    int answer = stook__call_head(record->spec.optional, stook__record_batch(record), snapshot,
                                  record->user);
    if (answer != 0 && !is_gone(record, attempt))
        stook__stream_failed(attempt, STOOK_ECALLBACK, "on_head refused the answer");
    return answer != 0 || is_gone(record, attempt);
}

/* What the program has said to a piece. */
static int heed(stook_client *client, struct stook_result *record, struct stook__attempt *attempt,
                int answer)
{
    if (answer == STOOK_PAUSE) {
        if (stook__stream_program_paused(attempt, stook__loop_now()))
            stook__sched_pause(&client->sched, &record->job);
    } else if (answer != 0) {
        stook__stream_failed(attempt, STOOK_ECALLBACK, "on_body failed");
        return 1;
    }
    return 0;
}

static int tell_body(stook_client *client, struct stook_result *record,
                     struct stook__attempt *attempt, int64_t *budget)
{
    if (record->spec.optional == NULL || record->spec.optional->on_body == NULL)
        return stook__stream_pump(attempt, budget);
    for (int i = 0; i < PIECES; i++) {
        struct stook__buffer piece = {0};
        int found = stook__stream_take_body(attempt, budget, &piece);
        if (found <= 0) {
            stook__stream_give_back(attempt, &piece);
            return found;
        }
        const struct stook_result *snapshot = take_snapshot(record, attempt);
        if (snapshot == NULL) {
            stook__stream_give_back(attempt, &piece);
            return 1;
        }
        int answer = stook__call_body(record->spec.optional, stook__record_batch(record), snapshot,
                                      piece.data, piece.size, record->user);
        if (is_gone(record, attempt)) {
            stook__buffer_free(&piece, client->allocator);
            return 1;
        }
        stook__stream_give_back(attempt, &piece);
        if (heed(client, record, attempt, answer) != 0)
            return 1;
    }
    return 0;
}

static int tell_progress(struct stook_result *record, struct stook__attempt *attempt)
{
    struct stook_progress progress;
    if (!stook__stream_take_progress(attempt))
        return 0;
    const struct stook_result *snapshot = take_snapshot(record, attempt);
    if (snapshot == NULL)
        return 1;
    stook__attempt_progress(attempt, &progress);
    stook__call_progress(record->spec.optional, stook__record_batch(record), snapshot, &progress,
                         record->user);
    return is_gone(record, attempt);
}

/* 0: go on. 1: it is over, or its end is on its way. */
static int rewind_body(struct stook_result *record, struct stook__attempt *attempt)
{
    if (!stook__upload_source_take_rewind(attempt))
        return 0;
    if (record->spec.optional->body_rewind == NULL) {
        stook__stream_failed(
            attempt, STOOK_ECALLBACK,
            "body_read was called already, and there is no body_rewind to begin anew");
        return 1;
    }
    int answer = stook__call_rewind(record->spec.optional, stook__record_batch(record),
                                    record->entry.index, record->user);
    if (answer != 0 && !is_gone(record, attempt))
        stook__stream_failed(attempt, STOOK_ECALLBACK, "body_rewind failed");
    return answer != 0 || is_gone(record, attempt);
}

/* Some bytes of the body that goes out. */
static int ask_body(stook_client *client, struct stook_result *record,
                    struct stook__attempt *attempt)
{
    struct stook__buffer room = {0};
    if (rewind_body(record, attempt) != 0 || !stook__upload_source_take_room(attempt, &room))
        return 1;
    int64_t size =
        stook__call_read(record->spec.optional, stook__record_batch(record), record->entry.index,
                         room.data + room.size, room.capacity - 1 - room.size, record->user);
    if (is_gone(record, attempt)) {
        stook__buffer_free(&room, client->allocator);
        return 1;
    }
    const char *why = stook__upload_source_put(attempt, &room, size);
    if (why == NULL && size < 0 && size != STOOK_AGAIN)
        why = "body_read failed";
    if (why != NULL) {
        stook__stream_failed(attempt, STOOK_ECALLBACK, why);
        return 1;
    }
    if (size == STOOK_AGAIN && stook__upload_source_wait(attempt, stook__loop_now()))
        stook__sched_pause(&client->sched, &record->job);
    return 0;
}

static int ask_more(stook_client *client, struct stook_result *record,
                    struct stook__attempt *attempt)
{
    int over = 0;
    for (int i = 0; over == 0 && i < PIECES && stook__upload_source_wants(attempt); i++)
        over = ask_body(client, record, attempt);
    if (over != 0)
        return 1;
    if (stook__upload_source_wants(attempt))
        stook__stream_mark_ready(attempt);
    stook__upload_source_served(attempt);
    return 0;
}

static void serve(stook_client *client, struct stook__attempt *attempt, int64_t *budget)
{
    struct stook_result *record = stook__attempt_owner(attempt);
    stook_result_ref(record);
    if (tell_head(record, attempt) == 0 && tell_body(client, record, attempt, budget) == 0 &&
        tell_progress(record, attempt) == 0 && ask_more(client, record, attempt) == 0)
        stook__stream_served(attempt);
    stook__record_drop(record);
}

void stook__streams_serve(stook_client *client)
{
    struct stook__attempt *attempt;
    struct stook__link now;
    int64_t budget = DECODED;
    stook__list_init(&now);
    stook__stream_take_all(client->engine, &now);
    for (int i = 0; i < SERVED && (attempt = stook__stream_next(&now)) != NULL; i++)
        serve(client, attempt, &budget);
    while ((attempt = stook__stream_next(&now)) != NULL)
        stook__stream_mark_ready(attempt);
}

void stook__streams_wake(stook_client *client, struct stook_result *record)
{
    if (record->stage != STOOK__TRYING)
        return;
    int64_t held = stook__stream_wake(record->attempt, stook__loop_now());
    if (held >= 0)
        stook__sched_resume(&client->sched, &record->job, held);
    stook__loop_want(client->loop); /* this turn may be past them already */
}
