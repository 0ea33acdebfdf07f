/* SPDX-License-Identifier: MIT */
/* What one request is made of; see record.h. */
#include "turn/record.h"

#include "base/facts.h"
#include "deliver/call.h"
#include "transfer/attempt.h"

const struct stook__answer *stook__record_answer(const struct stook_result *record)
{
    static const struct stook__answer nothing;
    switch (record->stage) {
    case STOOK__TRYING:
        return stook__attempt_answer(record->attempt);
    case STOOK__OVER:
        return &record->answer;
    default:
        return &nothing;
    }
}

const char *stook__record_fields(const struct stook_result *record, size_t *ret_size, size_t *ret_trailers)
{
    if (record->stage == STOOK__TRYING)
        return stook__attempt_fields(record->attempt, ret_size, ret_trailers);
    if (record->stage != STOOK__OVER)
        return NULL;
    struct stook__facts facts;
    stook__facts_get(&record->answer.head, &facts);
    *ret_size = facts.fields;
    *ret_trailers = (size_t)facts.number[STOOK__FACT_TRAILERS];
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

void stook__record_stop(struct stook_result *record, struct stook__answer *ret_answer, struct stook__outcome *ret_outcome)
{
    stook__attempt_end(record->attempt, ret_answer, ret_outcome);
    record->stage = STOOK__IDLE;
    record->message = NULL;
}

/* The request's own bytes; what was borrowed has been taken, or goes back now: it was never awaited. */
static void free_request(struct stook_result *record)
{
    struct stook__extra *extra = record->spec.extra;
    if (extra == NULL || extra->body_release == NULL)
        stook__free(record->heap, record->spec.body);
    else if (record->spec.body != NULL)
        stook__call_release(extra);
    stook__free(record->heap, extra);
    record->spec.body = NULL;
    record->spec.extra = NULL;
}

void stook__record_settle(struct stook_result *record, struct stook__answer *answer, const struct stook__outcome *outcome,
                          int kept)
{
    uint32_t attempts = record->job.attempts + answer->attempts; /* and sendings within the last one */
    answer->attempts = attempts < UINT16_MAX ? (uint16_t)attempts : UINT16_MAX;
    answer->time_us[STOOK_TIME_QUEUED] = record->job.first_at - record->job.added_at;
    if (kept) {
        stook__buffer_trim(&answer->head, record->heap);
        stook__buffer_trim(&answer->body, record->heap);
    }
    free_request(record);
    record->answer = *answer;
    record->stage = STOOK__OVER;
    record->error = (int16_t)outcome->error;
    record->message = outcome->message;
    record->message_owned = (uint8_t)outcome->message_owned;
}

void stook__record_drop(struct stook_result *record)
{
    if (record == NULL || atomic_fetch_sub_explicit(&record->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct stook__heap *heap = record->heap;
    if (record->stage == STOOK__OVER)
        stook__answer_free(&record->answer, heap);
    if (record->message_owned)
        stook__free(heap, (char *)record->message);
    free_request(record);
    stook__free(heap, record);
    stook__heap_unref(heap);
}
