/* SPDX-License-Identifier: MIT */
/* What batches need beside their requests; see attend.h. */
#include "turn/attend.h"

#include "turn/bodies.h"
#include "turn/brakes.h"

enum { ASKS = 64 }; /* of a batch, at a time, at most */

void stook__attend_room(stook_client *client, stook_batch *batch)
{
    struct stook__parcel *head = stook__tray_head(&batch->tray);
    stook__group_hold(&client->sched, &batch->group, !stook__tray_has_room(&batch->tray),
                      head != NULL ? &stook__record_of_parcel(head)->job : NULL);
    stook__brakes_update(client, batch);
}

static int wants_more(stook_batch *batch)
{
    size_t wanted = batch->group.limit < SIZE_MAX ? batch->group.limit : ASKS;
    return !batch->exhausted && !batch->later && batch->group.n_waiting < wanted && stook__batch_verdict(batch) == 0;
}

static void ask_for_more(stook_batch *batch)
{
    for (int i = 0; wants_more(batch); i++) {
        if (i == ASKS) {
            stook__batch_touch(batch);
            return;
        }
        size_t before = batch->tray.count;
        int answer = stook__call_more(&batch->audience, batch);
        batch->later = answer == STOOK_LATER;
        batch->exhausted = !batch->later && (answer != 1 || batch->tray.count == before);
        if (answer != 0 && batch->exhausted)
            stook__batch_amiss(batch);
    }
}

static void end_some(stook_client *client, stook_batch *batch)
{
    struct stook__job *(*any)(struct stook__group *) = batch->spares ? stook__group_any_waiting : stook__group_any;
    struct stook__job *job;
    stook__group_stop(&client->sched, &batch->group);
    while (client->endings < STOOK__ENDINGS && (job = any(&batch->group)) != NULL)
        stook__record_end(client, stook__record_of_job(job), batch->verdict);
    if (any(&batch->group) != NULL)
        stook__batch_touch(batch);
}

static void complete(stook_client *client, stook_batch *batch)
{
    batch->state = STOOK__DONE;
    stook__group_shut(&client->sched, &batch->group);
    client->pulls -= batch->tray.terms.pulled;
    stook__call_done(&batch->audience, batch, stook__batch_failed(batch));
    client->awaits--; /* after the call: a loop that starts the next await from it stays alive */
    if (batch->freed)
        stook__batch_touch(batch);
}

static void attend(stook_client *client, stook_batch *batch)
{
    stook__bodies_return(batch);
    if (batch->state == STOOK__AWAITED) {
        ask_for_more(batch);
        if (stook__batch_verdict(batch) != 0)
            end_some(client, batch);
        stook__attend_room(client, batch);
        stook__bodies_return(batch);
        if (stook__tray_over(&batch->tray) && (batch->exhausted || batch->verdict != 0))
            complete(client, batch);
    } else if (batch->freed && batch->pins == 0) {
        stook__batch_destroy(batch);
    }
}

void stook__attend_touched(stook_client *client)
{
    struct stook__link now, *link;
    stook__list_init(&now);
    while ((link = stook__list_pop(&client->touched)) != NULL)
        stook__list_append(&now, link);
    while ((link = stook__list_pop(&now)) != NULL)
        attend(client, STOOK__OF(stook_batch, touch, link));
}
