/* SPDX-License-Identifier: MIT */
/* What one request is made of; see record.h. */
#include "core/record.h"

#include "deliver/callbacks.h"
#include "http/attempt.h"
#include "request/copy.h"
#include "util/metadata.h"

int stook__record_new(struct stook__allocator *allocator, const struct stook__settings *client,
                      const struct stook_request *request, struct stook_result **ret_record,
                      const char **ret_why)
{
    struct stook__copied copied;
    int error = stook__request_copy(allocator, sizeof(struct stook_result), client, request,
                                    &copied, ret_why);
    if (error != 0)
        return error;
    struct stook_result *record = copied.block;
    record->spec = copied.spec;
    record->job.policy = copied.settings;
    record->error = (int16_t)copied.error;
    record->message = copied.message;
    record->allocator = stook__allocator_ref(allocator);
    record->user = request->user;
    atomic_init(&record->refs, 1);
    *ret_record = record;
    return 0;
}

const struct stook__answer *stook__record_answer(const struct stook_result *record)
{
    static const struct stook__answer nothing;
    return record->stage >= STOOK__OVER ? &record->answer : &nothing;
}

const char *stook__record_fields(const struct stook_result *record, size_t *ret_size,
                                 size_t *ret_trailers)
{
    if (record->stage < STOOK__OVER)
        return NULL;
    struct stook__metadata facts;
    stook__metadata_get(&record->answer.head, &facts);
    *ret_size = facts.fields;
    *ret_trailers = (size_t)facts.number[STOOK__METADATA_TRAILERS];
    return record->answer.head.data;
}

size_t stook__record_bytes(const struct stook_result *record)
{
    return record->answer.body.size;
}

int stook__record_ok(const struct stook_result *record)
{
    return record->stage == STOOK__OVER && record->error == 0 && record->answer.status >= 200 &&
           record->answer.status <= 299;
}

void stook__record_stop(struct stook_result *record, struct stook__answer *ret_answer,
                        struct stook__outcome *ret_outcome)
{
    if (stook__attempt_connected(record->attempt))
        record->sent = 1;
    stook__attempt_end(record->attempt, ret_answer, ret_outcome);
    record->stage = STOOK__IDLE;
    record->message = NULL;
}

struct stook_result *stook__record_snapshot(struct stook_result *record)
{
    struct stook__optional *optional = record->spec.optional;
    size_t url_size = strlen(record->spec.url) + 1;
    if (optional->snapshot != NULL &&
        (optional->snapshot->answer.head.size > 0) == stook__attempt_has_head(record->attempt))
        return optional->snapshot;
    struct stook_result *snapshot = stook__alloc(record->allocator, sizeof *snapshot + url_size);
    if (snapshot == NULL)
        return NULL;
    snapshot->allocator = stook__allocator_ref(record->allocator);
    snapshot->user = record->user;
    snapshot->entry.index = record->entry.index;
    snapshot->spec.url = memcpy(snapshot + 1, record->spec.url, url_size);
    snapshot->stage = STOOK__SNAPSHOT;
    snapshot->sent = record->sent || stook__attempt_connected(record->attempt);
    atomic_init(&snapshot->refs, 1);
    if (stook__attempt_copy_head(record->attempt, &snapshot->answer) != 0) {
        stook__record_drop(snapshot);
        return NULL;
    }
    stook__record_drop(optional->snapshot);
    optional->snapshot = snapshot;
    return snapshot;
}

/* The request's own bytes; what was borrowed has been taken, or goes back now: it was never awaited. */
static void free_request(struct stook_result *record)
{
    struct stook__optional *optional = record->spec.optional;
    if (optional == NULL || optional->body_release == NULL)
        stook__free(record->allocator, record->spec.body);
    else if (record->spec.body != NULL)
        stook__call_release(optional);
    if (optional != NULL)
        stook__record_drop(optional->snapshot);
    stook__free(record->allocator, optional);
    record->spec.body = NULL;
    record->spec.optional = NULL;
}

void stook__record_settle(struct stook_result *record, struct stook__answer *answer,
                          const struct stook__outcome *outcome, int kept)
{
    uint32_t attempts =
        record->job.attempts + answer->attempts; /* and sendings within the last one */
    answer->attempts = attempts < UINT16_MAX ? (uint16_t)attempts : UINT16_MAX;
    answer->time_us[STOOK_TIME_QUEUED] = record->job.first_at - record->job.added_at;
    if (kept) {
        stook__buffer_trim(&answer->head, record->allocator);
        stook__buffer_trim(&answer->body, record->allocator);
    }
    free_request(record);
    record->answer = *answer;
    record->stage = STOOK__OVER;
    record->error = (int16_t)outcome->error;
    record->message = outcome->message;
    record->message_owned = outcome->message_owned != 0;
}

void stook__record_drop(struct stook_result *record)
{
    if (record == NULL || atomic_fetch_sub_explicit(&record->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct stook__allocator *allocator = record->allocator;
    if (record->stage >= STOOK__OVER)
        stook__answer_free(&record->answer, allocator);
    if (record->message_owned)
        stook__free(allocator, (char *)record->message);
    if (record->stage < STOOK__OVER)
        free_request(record);
    else
        stook__record_drop(record->spec.snapshot);
    stook__free(allocator, record);
    stook__allocator_unref(allocator);
}
