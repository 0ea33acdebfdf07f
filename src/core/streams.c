/* SPDX-License-Identifier: MIT */
/*
 * Heads and bodies in flight; see streams.h. A file of its own, because this is the one step of the
 * turn that works on attempts and not on batches.
 *
 * Invariant: after each call of the program the attempt may be gone, because any callback may
 * cancel its own request. So each call is followed by is_gone(). A reference keeps the record
 * meanwhile.
 */
#include "core/streams.h"

#include "core/client_state.h"
#include "http/attempt.h"
#include "http/stream.h"
#include "http/upload_source.h"
#include "loop/loop.h"
#include "sched/clocks.h"

/* The bounds of one turn: streams; pieces of one stream, in each direction; bytes that all
   decoders read and write. */
enum { SERVED = 128, PIECES = 8, DECODED = 512 << 10 };

static int is_gone(const struct stook_result *record, const struct stook__attempt *attempt)
{
    return record->state != STOOK__REQUEST_ATTEMPTING || record->attempt != attempt;
}

/* The result that a callback gets. NULL: no memory, and the attempt is to end. */
static const struct stook_result *take_snapshot(struct stook_result *record,
                                                struct stook__attempt *attempt)
{
    const struct stook_result *snapshot = stook__record_snapshot(record);
    if (snapshot == NULL)
        stook__stream_failed(attempt, STOOK_ENOMEM, NULL);
    return snapshot;
}

/* The steps below return 0 to continue and 1 if the attempt is gone or is to end. */

static int deliver_head(struct stook_result *record, struct stook__attempt *attempt)
{
    if (!stook__stream_take_head(attempt))
        return 0;
    const struct stook_result *snapshot = take_snapshot(record, attempt);
    if (snapshot == NULL)
        return 1;
    int answer = stook__call_head(record->spec.optional, stook__record_batch(record), snapshot,
                                  record->user);
    if (answer != 0 && !is_gone(record, attempt))
        stook__stream_failed(attempt, STOOK_ECALLBACK, "on_head refused the response");
    return answer != 0 || is_gone(record, attempt);
}

static int handle_answer(stook_client *client, struct stook_result *record,
                         struct stook__attempt *attempt, int answer)
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

static int deliver_body(stook_client *client, struct stook_result *record,
                        struct stook__attempt *attempt, int64_t *budget)
{
    if (!stook__stream_to_program(attempt))
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
        if (handle_answer(client, record, attempt, answer) != 0)
            return 1;
    }
    return 0;
}

static int report_progress(struct stook_result *record, struct stook__attempt *attempt)
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

static int rewind_body(struct stook_result *record, struct stook__attempt *attempt)
{
    if (!stook__upload_source_take_rewind(attempt))
        return 0;
    if (record->spec.optional->body_rewind == NULL) {
        stook__stream_failed(
            attempt, STOOK_ECALLBACK,
            "body_read was called already, and there is no body_rewind to start over");
        return 1;
    }
    int answer = stook__call_rewind(record->spec.optional, stook__record_batch(record),
                                    record->entry.index, record->user);
    if (answer != 0 && !is_gone(record, attempt))
        stook__stream_failed(attempt, STOOK_ECALLBACK, "body_rewind failed");
    return answer != 0 || is_gone(record, attempt);
}

/* Reads one piece of the request body from the program. */
static int read_body(stook_client *client, struct stook_result *record,
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

static int read_bodies(stook_client *client, struct stook_result *record,
                       struct stook__attempt *attempt)
{
    int over = 0;
    for (int i = 0; over == 0 && i < PIECES && stook__upload_source_wants(attempt); i++)
        over = read_body(client, record, attempt);
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
    stook__record_ref(record);
    if (deliver_head(record, attempt) == 0 && deliver_body(client, record, attempt, budget) == 0 &&
        report_progress(record, attempt) == 0 && read_bodies(client, record, attempt) == 0)
        stook__stream_served(attempt);
    stook__record_drop(record);
}

void stook__streams_serve(stook_client *client)
{
    struct stook__attempt *attempt;
    struct stook__link now; /* those that are ready now */
    int64_t budget = DECODED;
    stook__list_init(&now);
    stook__stream_take_all(client->engine, &now);
    for (int i = 0; i < SERVED && (attempt = stook__stream_next(&now)) != NULL; i++)
        serve(client, attempt, &budget);
    while ((attempt = stook__stream_next(&now)) != NULL)
        stook__stream_mark_ready(attempt);
}

/* A request of the batch in flight; NULL: it is not, or of a parent process. */
static struct stook_result *find_in_flight(const stook_batch *batch, size_t index)
{
    if (batch->client == NULL || stook__client_is_forked(batch->client))
        return NULL;
    struct stook__result_entry *entry = stook__sparse_array_get(&batch->results.entries, index);
    struct stook_result *record = entry != NULL ? stook__record_of_entry(entry) : NULL;
    return record != NULL && record->state == STOOK__REQUEST_ATTEMPTING ? record : NULL;
}

void stook__streams_resume(stook_batch *batch, size_t index)
{
    struct stook_result *record = find_in_flight(batch, index);
    if (record == NULL)
        return;
    stook_client *client = batch->client;
    int64_t paused_us = stook__stream_resume(record->attempt, stook__loop_now());
    if (paused_us >= 0)
        stook__sched_resume(&client->sched, &record->job, paused_us);
    stook__loop_request_turn(client->loop); /* in this turn step 6 may be over */
}

int stook__streams_progress(const stook_batch *batch, size_t index,
                            struct stook_progress *ret_progress)
{
    const struct stook_result *record = find_in_flight(batch, index);
    if (record == NULL)
        return STOOK_ESTATE;
    stook__attempt_progress(record->attempt, ret_progress);
    return 0;
}
