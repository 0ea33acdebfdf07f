/* SPDX-License-Identifier: MIT */
/* What one request is made of; see record.h. */
#include "turn/record.h"

#include "transfer/attempt.h"

size_t stook__record_bytes(const struct stook_result *record)
{
    return record->answer != NULL ? record->answer->body.size : 0;
}

int stook__record_ok(const struct stook_result *record)
{
    return record->error == 0 && record->answer != NULL && record->answer->status >= 200 &&
           record->answer->status <= 299;
}

void stook__record_settle(struct stook_result *record, const struct stook__outcome *outcome)
{
    stook__free(record->heap, record->spec.body);
    record->spec.body = NULL;
    record->batch = NULL;
    record->error = outcome->error;
    record->message = outcome->message;
    record->message_owned = outcome->message_owned;
}

void stook__record_drop(struct stook_result *record)
{
    if (record == NULL || atomic_fetch_sub_explicit(&record->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct stook__heap *heap = record->heap;
    if (record->answer != NULL) {
        stook__buffer_free(&record->answer->head, heap);
        stook__buffer_free(&record->answer->body, heap);
        stook__free(heap, record->answer);
    }
    if (record->message_owned)
        stook__free(heap, (char *)record->message);
    stook__free(heap, record->spec.body);
    stook__free(heap, record);
    stook__heap_unref(heap);
}
