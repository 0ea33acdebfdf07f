/* SPDX-License-Identifier: MIT */
/*
 * Borrowed bodies. A request may be over while the program is inside a call of ours, so nothing is
 * given back there: what was borrowed leaves its record, and the turn gives it back, before `done`.
 */
#include "turn/bodies.h"

#include "loop/loop.h"

void stook__bodies_take(stook_client *client, struct stook_result *record)
{
    struct stook__extra *extra = record->spec.extra;
    if (extra == NULL || extra->body_release == NULL)
        return;
    record->spec.extra = NULL;
    record->spec.body = NULL;
    stook__list_init(&extra->link);
    stook__list_append(&client->borrowed, &extra->link);
    if (!client->turning)
        stook__loop_want(client->loop);
}

void stook__bodies_return(stook_client *client)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&client->borrowed)) != NULL) {
        struct stook__extra *extra = STOOK__OF(struct stook__extra, link, link);
        stook__call_release(extra);
        stook__free(client->heap, extra);
    }
}
