/* SPDX-License-Identifier: MIT */
/*
 * Borrowed bodies. A request may be over while the program is inside a call of ours, so nothing is
 * given back there: what was borrowed leaves its record, and waits in its batch. The turn that looks at
 * the batch gives it back, before `done`; or stook_batch_free() does, where no turn came before it.
 */
#include "turn/bodies.h"

void stook__bodies_take(stook_batch *batch, struct stook_result *record)
{
    struct stook__extra *extra = record->spec.extra;
    if (extra == NULL || extra->body_release == NULL)
        return;
    record->spec.extra = NULL;
    record->spec.body = NULL;
    stook__list_init(&extra->link);
    stook__list_append(&batch->borrowed, &extra->link);
}

void stook__bodies_return(stook_batch *batch)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&batch->borrowed)) != NULL) {
        struct stook__extra *extra = STOOK__OF(struct stook__extra, link, link);
        stook__call_release(extra);
        stook__free(batch->heap, extra);
    }
}
