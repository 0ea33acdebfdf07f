/* SPDX-License-Identifier: MIT */
/* Public functions of stook/stream.h: pulling results, pausing delivery, resuming a request,
   progress. */
#include "api/client.h"
#include "core/completion.h"
#include "core/streams.h"
#include "http/attempt.h"
#include "request/validate.h"

/* Releases the result that the last stook_batch_next() returned. */
static void release_pulled(stook_batch *batch)
{
    struct stook_result *record = batch->pulled;
    if (record == NULL)
        return;
    batch->pulled = NULL;
    stook__result_queue_release(&batch->results, batch->allocator, NULL, &record->entry,
                                stook__record_bytes(record));
    stook__record_drop(record);
    if (batch->client != NULL)
        stook__batch_mark_dirty(batch); /* the window has room for one more */
}

/* The condition that ends the wait of stook_batch_next(). A callback may have pulled a result,
   which is valid until the callback returns; it is released here, between turns. */
static int has_next_or_end(stook_client *client, void *what)
{
    stook_batch *batch = what;
    (void)client;
    release_pulled(batch);
    return batch->state == STOOK__DONE || stook__result_queue_has_next(&batch->results);
}

static int refuse(stook_batch *batch, const char *why)
{
    batch->refusal = why;
    return STOOK_ESTATE;
}

/* Runs an owned loop until there is a result, or until there are no more. 0: a callback freed the
   batch. */
static int wait_for_next(stook_batch *batch)
{
    batch->pins++;
    stook__client_run(batch->client, has_next_or_end, batch);
    batch->pins--;
    if (!batch->freed || batch->pins > 0)
        return 1;
    if (batch->state == STOOK__DONE || batch->client == NULL)
        stook__batch_destroy(batch);
    return 0;
}

int stook_batch_next(stook_batch *batch, const stook_result **ret_result)
{
    if (batch == NULL || ret_result == NULL)
        return STOOK_EARG;
    stook_client *client = batch->client;
    if (client != NULL && stook__client_is_forked(client))
        return refuse(batch, "the client belongs to another process");
    if (batch->state == STOOK__OPEN || !batch->results.options.pulled || batch->freed)
        return refuse(batch, "only an await that was started with `pull` has results to pull");
    release_pulled(batch);
    int may_wait =
        client != NULL && client->owned && !client->turning && batch->state == STOOK__AWAITED;
    if (may_wait && !stook__result_queue_has_next(&batch->results) && !wait_for_next(batch))
        return 0;
    struct stook__result_entry *entry = stook__result_queue_pull(&batch->results);
    if (entry == NULL)
        return batch->state == STOOK__DONE ? 0 : STOOK_AGAIN;
    batch->pulled = stook__record_of_entry(entry);
    *ret_result = batch->pulled;
    return 1;
}

static void set_paused(stook_batch *batch, int paused)
{
    if (batch == NULL || batch->client == NULL || stook__client_is_forked(batch->client) ||
        batch->state == STOOK__DONE)
        return;
    /* Results of a batch that was cancelled, or whose client closes, are delivered even if
       paused. */
    if (paused && batch->end.scope == STOOK__END_ALL)
        return;
    stook__result_queue_pause(&batch->results, &batch->client->result_queues, paused);
    stook__batch_mark_dirty(batch);
}

void stook_batch_pause_delivery(stook_batch *batch)
{
    set_paused(batch, 1);
}

void stook_batch_resume_delivery(stook_batch *batch)
{
    set_paused(batch, 0);
}

void stook_batch_resume_request(stook_batch *batch, size_t index)
{
    if (batch == NULL || batch->client == NULL || stook__client_is_forked(batch->client))
        return;
    struct stook__result_entry *entry = stook__sparse_array_get(&batch->results.entries, index);
    if (entry != NULL && !entry->arrived)
        stook__streams_wake(batch->client, stook__record_of_entry(entry));
}

int stook_batch_request_progress(const stook_batch *batch, size_t index,
                                 struct stook_progress *ret_progress)
{
    if (batch == NULL || ret_progress == NULL || !stook__validate_size(ret_progress))
        return STOOK_EARG;
    struct stook__result_entry *entry = stook__sparse_array_get(&batch->results.entries, index);
    const struct stook_result *record = entry != NULL ? stook__record_of_entry(entry) : NULL;
    if (record == NULL || record->state != STOOK__REQUEST_IN_FLIGHT ||
        stook__client_is_forked(batch->client))
        return STOOK_ESTATE;
    struct stook_progress mine;
    stook__attempt_progress(record->attempt, &mine);
    stook__fill_struct(ret_progress, &mine, sizeof mine);
    return 0;
}
