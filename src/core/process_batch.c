/* SPDX-License-Identifier: MIT */
/* What batches need beside their requests; see process_batch.h. */
#include "core/process_batch.h"

#include "core/body_release.h"
#include "core/flow.h"

enum { ASKS = 64 }; /* of a batch, at a time, at most */

void stook__process_batch_room(stook_client *client, stook_batch *batch)
{
    struct stook__result_entry *head = stook__result_queue_head(&batch->results);
    stook__group_block(&client->sched, &batch->group,
                       !stook__result_queue_has_room(&batch->results),
                       head != NULL ? &stook__record_of_entry(head)->job : NULL);
    stook__flow_resume_bodies(client, batch);
}

static int wants_more(stook_batch *batch)
{
    size_t wanted = batch->group.limit < SIZE_MAX ? batch->group.limit : ASKS;
    return !batch->exhausted && !batch->later && batch->group.n_waiting < wanted &&
           stook__batch_end_error(batch) == 0;
}

static void ask_for_more(stook_batch *batch)
{
    for (int i = 0; wants_more(batch); i++) {
        if (i == ASKS) {
            stook__batch_mark_dirty(batch);
            return;
        }
        size_t before = batch->results.count;
        int answer = stook__call_more(&batch->callbacks, batch);
        if (batch->client->draining)
            return; /* since this call: it counts as the end, whatever it says */
        batch->later = answer == STOOK_AGAIN;
        batch->exhausted = !batch->later && (answer != 1 || batch->results.count == before);
        if (answer != 0 && batch->exhausted)
            stook__batch_add_failure(batch);
    }
}

static void end_some(stook_client *client, stook_batch *batch)
{
    struct stook__job *(*any)(struct stook__group *) =
        batch->drains ? stook__group_any_waiting : stook__group_any;
    struct stook__job *job;
    stook__group_stop(&client->sched, &batch->group);
    while (client->endings < STOOK__ENDINGS && (job = any(&batch->group)) != NULL)
        stook__record_end(client, stook__record_of_job(job), batch->end_error);
    if (any(&batch->group) != NULL)
        stook__batch_mark_dirty(batch);
}

static void complete(stook_client *client, stook_batch *batch)
{
    batch->state = STOOK__DONE;
    stook__group_shut(&client->sched, &batch->group);
    client->pulls -= batch->results.options.pulled;
    stook__call_done(&batch->callbacks, batch, stook__batch_failed(batch));
    client->awaits--; /* after the call: a loop that starts the next await from it stays alive */
    if (batch->freed)
        stook__batch_mark_dirty(batch);
}

static void attend(stook_client *client, stook_batch *batch)
{
    stook__body_release_call(batch);
    if (batch->state == STOOK__AWAITED) {
        ask_for_more(batch);
        if (stook__batch_end_error(batch) != 0)
            end_some(client, batch);
        stook__process_batch_room(client, batch);
        stook__body_release_call(batch);
        if (stook__result_queue_is_done(&batch->results) &&
            (batch->exhausted || batch->end_error != 0))
            complete(client, batch);
    } else if (batch->freed && batch->pins == 0) {
        stook__batch_destroy(batch);
    }
}

void stook__process_batches(stook_client *client)
{
    struct stook__link now, *link;
    stook__list_init(&now);
    while ((link = stook__list_pop(&client->dirty_batches)) != NULL)
        stook__list_append(&now, link);
    while ((link = stook__list_pop(&now)) != NULL)
        attend(client, STOOK__OF(stook_batch, dirty, link));
}
