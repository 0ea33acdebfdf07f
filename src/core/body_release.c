/* SPDX-License-Identifier: MIT */
/*
 * Borrowed bodies. A request may be over while the program is inside a call of ours, so nothing is
 * given back there: what was borrowed leaves its record, and waits in its batch. The turn that looks at
 * the batch gives it back, before `done`; or stook_batch_free() does, where no turn came before it.
 */
#include "core/body_release.h"

void stook__body_release_add(stook_batch *batch, struct stook_result *record)
{
    struct stook__optional *optional = record->spec.optional;
    if (optional == NULL || optional->body_release == NULL)
        return;
    record->spec.optional = NULL;
    record->spec.body = NULL;
    stook__list_init(&optional->link);
    stook__list_append(&batch->borrowed, &optional->link);
}

void stook__body_release_call(stook_batch *batch)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&batch->borrowed)) != NULL) {
        struct stook__optional *optional = STOOK__OF(struct stook__optional, link, link);
        stook__call_release(optional);
        stook__free(batch->allocator, optional);
    }
}
