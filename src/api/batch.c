/* SPDX-License-Identifier: MIT */
/* Public functions of stook/batch.h, but for the awaits, which are in gather.c: making a batch,
   adding requests, reading results, cancelling and freeing. */
#include "core/batch.h"
#include "api/client.h"
#include "core/completion.h"
#include "request/validate.h"

enum { PRIORITY = 4 }; /* the default */

int stook_batch_new(stook_client *client, stook_batch **ret_batch)
{
    if (client == NULL || ret_batch == NULL)
        return STOOK_EARG;
    if (stook__client_is_forked(client) || client->state != STOOK__CLIENT_RUNNING)
        return STOOK_ESTATE;
    stook_batch *batch = stook__batch_new(client);
    if (batch == NULL)
        return STOOK_ENOMEM;
    *ret_batch = batch;
    return 0;
}

/* Notes a failed add, so that a program that ignores what add returns learns of it from the
   await. */
static int refuse_add(stook_batch *batch, int error, const char *why)
{
    batch->refusal = why != NULL ? why : stook_strerror(error);
    if (batch->state == STOOK__OPEN && batch->add_error == 0)
        batch->add_error = error;
    else if (batch->state == STOOK__AWAITED)
        stook__batch_add_failure(batch);
    return error;
}

int stook_batch_add(stook_batch *batch, const struct stook_request *request)
{
    struct stook_request mine;
    struct stook_result *record = NULL;
    const char *why = NULL;
    int64_t priority;
    if (batch == NULL)
        return STOOK_EARG;
    if (request == NULL)
        return refuse_add(batch, STOOK_EARG, "the request is NULL");
    int error = stook__validate_struct(&mine, sizeof mine, request);
    if (error != 0)
        return refuse_add(
            batch, error,
            error == STOOK_EARG
                ? "the request has no size: make it with STOOK_REQUEST()"
                : "the request sets a member that this version of stook does not know");
    if (mine.url == NULL)
        return refuse_add(batch, STOOK_EARG, "the request has no URL");
    if (batch->client == NULL || stook__client_is_forked(batch->client))
        return refuse_add(batch, STOOK_ESTATE,
                          "the client is closed, or belongs to another process");
    if (batch->client->state != STOOK__CLIENT_RUNNING)
        return refuse_add(batch, STOOK_ESTATE,
                          "the client drains or closes: no request can be added");
    if (batch->state == STOOK__DONE || stook__batch_is_ending(batch) || batch->freed)
        return refuse_add(batch, STOOK_ESTATE, "the batch is done, cancelled or past its deadline");
    if (stook__validate_number(mine.priority, PRIORITY, 0, STOOK__PRIORITIES, &priority) != 0)
        return refuse_add(batch, STOOK_EARG, "priority is not 0 or 1 to 7");
    error = stook__record_new(batch->allocator, &batch->client->policy, &mine, &record, &why);
    if (error == 0)
        error = stook__batch_enter(batch, record, (unsigned)priority - 1);
    if (error == 0)
        return 0;
    if (record != NULL && record->spec.optional != NULL &&
        record->spec.optional->body_release != NULL)
        record->spec.body = NULL; /* the body stays the program's */
    stook__record_drop(record);
    return refuse_add(batch, error, why);
}

size_t stook_batch_count(const stook_batch *batch)
{
    return batch != NULL ? batch->results.count : 0;
}

const stook_result *stook_batch_result(const stook_batch *batch, size_t i)
{
    struct stook__result_entry *entry =
        batch != NULL ? stook__result_queue_at(&batch->results, i) : NULL;
    return entry != NULL ? stook__record_of_entry(entry) : NULL;
}

const stook_result *stook_batch_result_by_index(const stook_batch *batch, size_t index)
{
    struct stook__result_entry *entry =
        batch != NULL ? stook__result_queue_by_index(&batch->results, index) : NULL;
    return entry != NULL ? stook__record_of_entry(entry) : NULL;
}

const char *stook_batch_message(const stook_batch *batch)
{
    return batch != NULL ? batch->refusal : "";
}

void stook_batch_cancel(stook_batch *batch)
{
    if (batch == NULL)
        return;
    /* Other threads use these members only. The post fails once the client is closed. */
    atomic_store(&batch->cancelled, 1);
    (void)stook__mailbox_post(batch->mailbox, &batch->message);
}

void stook_batch_wake(stook_batch *batch)
{
    if (batch != NULL)
        (void)stook__mailbox_post(batch->mailbox, &batch->message);
}

void stook_batch_cancel_request(stook_batch *batch, size_t index)
{
    if (batch == NULL || batch->client == NULL || stook__client_is_forked(batch->client))
        return;
    struct stook__result_entry *entry = stook__sparse_array_get(&batch->results.entries, index);
    if (entry != NULL && !entry->arrived)
        stook__record_end(batch->client, stook__record_of_entry(entry), STOOK_ECANCELLED);
}

void stook_batch_free(stook_batch *batch)
{
    if (batch == NULL || batch->freed)
        return;
    stook_client *client = batch->client;
    if (client != NULL && stook__client_is_forked(client))
        return;
    batch->freed = 1;
    if (client != NULL && batch->state == STOOK__AWAITED)
        stook__batch_terminate(batch, STOOK_ECANCELLED);
    else if (client != NULL && client->turning)
        stook__batch_mark_dirty(batch);
    else if (batch->pins == 0) /* else the blocking call frees it, even if the client is closed */
        stook__batch_destroy(batch);
}
