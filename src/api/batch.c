/* SPDX-License-Identifier: MIT */
/* Public functions of stook/batch.h, but for the awaits, which are in gather.c: making a batch,
   adding requests, reading results, cancelling and freeing. */
#include <string.h>

#include "api/client.h"
#include "core/completion.h"
#include "loop/loop.h"
#include "request/url.h"
#include "request/validate.h"

enum { PRIORITY = 4, SOCKET_MAX = 128 };

int stook_batch_new(stook_client *client, stook_batch **ret_batch)
{
    if (client == NULL || ret_batch == NULL)
        return STOOK_EARG;
    if (stook__client_is_forked(client) || client->state != STOOK__CLIENT_RUNNING)
        return STOOK_ESTATE;
    stook_batch *batch = stook__alloc(client->allocator, sizeof *batch);
    if (batch == NULL)
        return STOOK_ENOMEM;
    batch->client = client;
    batch->allocator = stook__allocator_ref(client->allocator);
    batch->mailbox = stook__mailbox_ref(client->mailbox);
    batch->refusal = "";
    batch->message.batch = batch;
    stook__list_init(&batch->message.link);
    stook__list_init(&batch->dirty);
    stook__list_init(&batch->to_release);
    stook__list_append(&client->batches, &batch->link);
    stook__group_init(&batch->group);
    stook__result_queue_init(&batch->results);
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

/* Finds the queue of a request by its origin, its Unix socket and its priority. Most requests have
   the origin of the last one, so the text of that is compared first. NULL: out of memory. */
static struct stook__queue *queue_for(stook_batch *batch, const struct stook__spec *spec,
                                      unsigned priority)
{
    const char *url = spec->url,
               *path = spec->optional != NULL ? spec->optional->unix_socket : NULL;
    struct stook__queue *last = batch->group.last;
    size_t size = batch->origin_size;
    if (last != NULL && last->key.priority == priority && size > 0 && path == NULL &&
        strncmp(url, batch->origin, size) == 0 && stook__origin_key_ends(url + size))
        return last;
    char key[STOOK__ORIGIN_KEY_MAX + SOCKET_MAX];
    size_t key_size = stook__origin_key(url, key, &size);
    if (path != NULL && key_size > 0) {
        key[key_size++] = ' ';
        /* A longer path is refused when the request starts. */
        memcpy(key + key_size, path, strnlen(path, SOCKET_MAX - 1));
        key_size += strnlen(path, SOCKET_MAX - 1);
    }
    struct stook__queue *queue =
        stook__sched_queue(&batch->client->sched, &batch->group, key, key_size, priority);
    if (queue == NULL)
        return NULL; /* `origin` still describes the group's last queue */
    batch->origin_size = size <= sizeof batch->origin && path == NULL ? size : 0;
    memcpy(batch->origin, url, batch->origin_size);
    return queue;
}

/* Enters a record in the queues of sched and deliver. 0 or STOOK_ENOMEM. */
static int enter(stook_batch *batch, struct stook_result *record, int64_t priority)
{
    stook_client *client = batch->client;
    struct stook__queue *queue = queue_for(batch, &record->spec, (unsigned)priority - 1);
    if (queue == NULL ||
        stook__result_queue_add(&batch->results, batch->allocator, &record->entry) != 0)
        return STOOK_ENOMEM;
    stook__stat_count(&client->stats, STOOK__STAT_ADDED);
    stook__sched_add(&client->sched, queue, &record->job, record->job.settings, stook__loop_now());
    stook__record_move(batch, record, STOOK__REQUEST_QUEUED, "added", record->error);
    if (batch->state == STOOK__AWAITED && !client->turning)
        stook__loop_request_turn(client->loop);
    return 0;
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
    if (batch->client->drained.asked)
        return refuse_add(batch, STOOK_ESTATE, "the client drains: no request can be added");
    if (batch->state == STOOK__DONE || stook__batch_is_ending(batch) || batch->freed)
        return refuse_add(batch, STOOK_ESTATE, "the batch is done, cancelled or past its deadline");
    if (stook__validate_number(mine.priority, PRIORITY, 0, STOOK__PRIORITIES, &priority) != 0)
        return refuse_add(batch, STOOK_EARG, "priority is not 0 or 1 to 7");
    error = stook__record_new(batch->allocator, &batch->client->policy, &mine, &record, &why);
    if (error == 0)
        error = enter(batch, record, priority);
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
