/* SPDX-License-Identifier: MIT */
/* Turns a request into its result; see finish.h. */
#include "core/finish.h"

#include "core/client_state.h"
#include "core/completion.h"
#include "core/describe.h"
#include "core/share.h"
#include "loop/loop.h"
#include "sched/sched.h"
#include "sched/target.h"
#include "util/metadata.h"

/* Turns the record into a result. `answer` takes the place of `job`, and its buffers belong to
   the record then. `kept`: the result is held for long, so its buffers are trimmed. */
static void become_result(struct stook_result *record, struct stook__answer *answer,
                          const struct stook__outcome *outcome, int kept)
{
    /* The answer counts what was sent again within the last attempt. */
    uint32_t attempts = record->job.attempts + answer->attempts;
    answer->attempts = attempts < UINT16_MAX ? (uint16_t)attempts : UINT16_MAX;
    answer->time_us[STOOK_TIME_QUEUED] = record->job.first_at - record->job.added_at;
    if (kept) {
        stook__buffer_trim(&answer->head, record->allocator);
        stook__buffer_trim(&answer->body, record->allocator);
    }
    stook__record_free_request(record);
    record->answer = *answer;
    record->error = (int16_t)outcome->error;
    record->message = outcome->message;
    record->message_owned = outcome->message_owned != 0;
}

/* A request whose attempts are listed gets its last one into the list. */
static void note_last_attempt(struct stook_result *record, int error, int status)
{
    struct stook__history *history =
        record->spec.optional != NULL ? record->spec.optional->history : NULL;
    if (history == NULL)
        return;
    /* One that ended while it waited had its last attempt before. */
    if (record->state == STOOK__REQUEST_ADMITTED && record->job.attempts > 0 &&
        error != STOOK_ECIRCUIT)
        (void)stook__record_note_attempt(record, error, status, STOOK_AGAIN_NOT, stook__loop_now());
}

void stook__record_finish(stook_client *client, struct stook_result *record,
                          struct stook__answer *answer, const struct stook__outcome *outcome)
{
    stook_batch *batch = stook__record_batch(record);
    if (record->job.attempts == 0)
        record->job.first_at = stook__loop_now(); /* never started: all its time was the queue's */
    if (record->spec.optional != NULL) {
        note_last_attempt(record, outcome->own_error != 0 ? outcome->own_error : outcome->error,
                          answer->status);
        stook__share_ends(client, record, outcome->error);
    }
    stook__sched_finish(&client->sched, &record->job);
    struct stook__optional *optional = record->spec.optional;
    struct stook_result *snapshot = optional != NULL ? optional->snapshot : NULL;
    struct stook__hops *hops = optional != NULL ? optional->hops : NULL;
    struct stook__history *history = optional != NULL ? optional->history : NULL;
    struct stook__outcome described;
    if (optional != NULL) {
        described = stook__describe_first_try(record->allocator, optional->mirrors, answer->status,
                                              *outcome);
        outcome = &described;
        optional->snapshot = NULL;
        optional->hops = NULL;
        optional->history = NULL;
    }
    stook__batch_keep_body(batch, record);
    stook__record_move(batch, record, STOOK__REQUEST_FINISHED, "result", outcome->error);
    become_result(record, answer, outcome, !batch->results.options.borrowed);
    /* What the program took of the snapshot lives as long as the result. */
    record->spec.snapshot = snapshot;
    record->spec.hops = hops;
    record->spec.history = history;
    int ok = stook__record_ok(record);
    stook__result_queue_finished(&batch->results, &client->result_queues, &record->entry,
                                 stook__record_bytes(record), ok);
    stook__stat_count(&client->stats, STOOK__STAT_FINISHED);
    if (!ok)
        stook__stat_count(&client->stats, STOOK__STAT_FAILED);
    stook__batch_note_result(batch, record);
    stook__batch_mark_dirty(batch);
}

/* Copies an answer, with a flag that says so, but for the body: that is the sender's, which the
   record then keeps. 0 or STOOK_ENOMEM. */
static int copy_answer(struct stook__allocator *allocator, const struct stook__answer *answer,
                       struct stook__answer *ret_answer)
{
    struct stook__metadata metadata;
    struct stook__answer copy = *answer;
    copy.head = (struct stook__buffer){0};
    copy.body.capacity = STOOK__BODY_OF_SENDER;
    if (answer->head.data != NULL) {
        stook__metadata_get(&answer->head, &metadata);
        metadata.number[STOOK__METADATA_FLAGS] |= STOOK_FLAG_SHARED;
        if (stook__buffer_append(&copy.head, allocator, answer->head.data, metadata.fields) != 0 ||
            stook__metadata_put(&copy.head, allocator, &metadata) != 0) {
            stook__buffer_free(&copy.head, allocator);
            *ret_answer = (struct stook__answer){0};
            return STOOK_ENOMEM;
        }
    }
    *ret_answer = copy;
    return 0;
}

void stook__record_share(stook_client *client, struct stook_result *record,
                         struct stook_result *sender)
{
    struct stook__answer answer;
    struct stook__outcome outcome = {.error = sender->error, .message = sender->message};
    struct stook__hops *hops = NULL;
    struct stook__history *history = NULL;
    int error = copy_answer(client->allocator, &sender->answer, &answer);
    if (error == 0 && sender->spec.hops != NULL) {
        hops = stook__hops_copy(sender->spec.hops, client->allocator);
        error = hops == NULL ? STOOK_ENOMEM : 0;
    }
    if (error == 0 && sender->spec.history != NULL && sender->spec.history->count > 0) {
        history = stook__history_copy(sender->spec.history, client->allocator);
        error = history == NULL ? STOOK_ENOMEM : 0;
    }
    if (sender->message_owned) {
        outcome.message = stook__copy_string(client->allocator, sender->message);
        outcome.message_owned = outcome.message != NULL;
        if (outcome.message == NULL)
            outcome.message = stook_strerror(sender->error);
    }
    if (error != 0) {
        stook__outcome_free(client->allocator, &outcome);
        stook__buffer_free(&answer.head, client->allocator);
        answer = (struct stook__answer){0};
        outcome = (struct stook__outcome){.error = error, .message = stook_strerror(error)};
    }
    record->spec.optional->hops = hops;
    if (history != NULL) {
        stook__history_free(record->spec.optional->history, client->allocator);
        record->spec.optional->history = history;
    }
    if (hops != NULL && hops->count > 0)
        record->spec.url = hops->list[hops->count - 1].url;
    record->sent = sender->sent;
    if (answer.body.data != NULL) { /* a follower has no callbacks, and so no snapshot yet */
        stook__record_ref(sender);
        record->spec.optional->snapshot = sender;
    }
    stook__record_finish(client, record, &answer, &outcome);
}
