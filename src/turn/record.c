/* SPDX-License-Identifier: MIT */
/* What one request is made of; see record.h. */
#include "turn/record.h"

#include "base/facts.h"
#include "deliver/call.h"
#include "transfer/attempt.h"

const struct stook__answer *stook__record_answer(const struct stook_result *record)
{
    static const struct stook__answer nothing;
    return record->stage >= STOOK__OVER ? &record->answer : &nothing;
}

const char *stook__record_fields(const struct stook_result *record, size_t *ret_size, size_t *ret_trailers)
{
    if (record->stage < STOOK__OVER)
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

struct stook_result *stook__record_show(struct stook_result *record)
{
    struct stook__extra *extra = record->spec.extra;
    size_t url_size = strlen(record->spec.url) + 1;
    if (extra->shown != NULL && (extra->shown->answer.head.size > 0) == stook__attempt_has_head(record->attempt))
        return extra->shown;
    struct stook_result *shown = stook__alloc(record->heap, sizeof *shown + url_size);
    if (shown == NULL)
        return NULL;
    shown->heap = stook__heap_ref(record->heap);
    shown->user = record->user;
    shown->parcel.index = record->parcel.index;
    shown->spec.url = memcpy(shown + 1, record->spec.url, url_size);
    shown->stage = STOOK__SHOWN;
    atomic_init(&shown->refs, 1);
    if (stook__attempt_copy_head(record->attempt, &shown->answer) != 0) {
        stook__record_drop(shown);
        return NULL;
    }
    stook__record_drop(extra->shown);
    extra->shown = shown;
    return shown;
}

/* The request's own bytes; what was borrowed has been taken, or goes back now: it was never awaited. */
static void free_request(struct stook_result *record)
{
    struct stook__extra *extra = record->spec.extra;
    if (extra == NULL || extra->body_release == NULL)
        stook__free(record->heap, record->spec.body);
    else if (record->spec.body != NULL)
        stook__call_release(extra);
    if (extra != NULL)
        stook__record_drop(extra->shown);
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
    if (record->stage >= STOOK__OVER)
        stook__answer_free(&record->answer, heap);
    if (record->message_owned)
        stook__free(heap, (char *)record->message);
    if (record->stage < STOOK__OVER)
        free_request(record);
    else
        stook__record_drop(record->spec.shown);
    stook__free(heap, record);
    stook__heap_unref(heap);
}
