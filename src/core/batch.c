/* SPDX-License-Identifier: MIT */
/* Batches as the program uses them, but for the awaits; see batch.h. */
#include "core/batch.h"

#include <string.h>

#include "core/attempts.h"
#include "core/client_state.h"
#include "core/completion.h"
#include "core/share.h"
#include "loop/loop.h"
#include "request/url.h"
#include "sched/group.h"
#include "sched/queue.h"

enum { SOCKET_MAX = 128 }; /* bytes of a Unix socket's path in a key; longer paths are refused */

int stook__batch_new(stook_client *client, stook_batch **ret_batch)
{
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

/* ------------------------------------------------------------------------------------- adding */

/* Finds the queue of a request by its origin, its Unix socket and its priority, and sets
   *ret_origin_size to the bytes of its URL up to the end of the origin. Most requests have the
   origin of the last one, so the text of that is compared first. NULL: out of memory. */
static struct stook__queue *queue_for(stook_batch *batch, const struct stook__spec *spec,
                                      unsigned priority, size_t *ret_origin_size)
{
    const char *url = spec->url,
               *path = spec->optional != NULL ? spec->optional->unix_socket : NULL,
               *rate_key = spec->optional != NULL ? spec->optional->rate_key : NULL;
    struct stook__queue *last = batch->group.last;
    size_t size = *ret_origin_size = batch->origin_size;
    if (last != NULL && last->key.priority == priority && size > 0 && path == NULL &&
        rate_key == NULL && last->key.target->key == NULL &&
        strncmp(url, batch->origin, size) == 0 && stook__origin_key_ends(url + size))
        return last;
    char key[STOOK__ORIGIN_KEY_MAX + SOCKET_MAX];
    size_t key_size = stook__origin_key(url, key, &size);
    *ret_origin_size = size;
    if (path != NULL && key_size > 0) {
        key[key_size++] = ' ';
        /* A longer path is refused when the request starts. */
        memcpy(key + key_size, path, strnlen(path, SOCKET_MAX - 1));
        key_size += strnlen(path, SOCKET_MAX - 1);
    }
    struct stook__origin *origin = stook__origin_get(&batch->client->origins, key, key_size);
    if (origin == NULL)
        return NULL;
    /* The queue keeps it. */
    struct stook__queue *queue =
        stook__sched_queue(&batch->client->sched, &batch->group, origin, rate_key, priority);
    stook__origin_unref(origin);
    if (queue == NULL)
        return NULL; /* `origin` still describes the group's last queue */
    batch->origin_size = size <= sizeof batch->origin && path == NULL ? size : 0;
    memcpy(batch->origin, url, batch->origin_size);
    return queue;
}

/* Takes the URL of a record apart, and finds its queue. NULL: out of memory. */
static struct stook__queue *queue_of_record(stook_batch *batch, struct stook_result *record,
                                            unsigned priority)
{
    size_t origin_size;
    struct stook__queue *queue = queue_for(batch, &record->spec, priority, &origin_size);
    record->origin_size = (uint16_t)(origin_size & 0x3ff); /* at most STOOK__ORIGIN_KEY_MAX */
    record->path_is_plain = origin_size > 0 && stook__url_is_plain(record->spec.url + origin_size);
    return queue;
}

/* Enters a record in the queues of sched and deliver. 0, or STOOK_ENOMEM. */
static int enter_queues(stook_batch *batch, struct stook_result *record, unsigned priority)
{
    stook_client *client = batch->client;
    struct stook__queue *queue = queue_of_record(batch, record, priority);
    if (queue == NULL || (client->charges && stook__record_keep_history(record) != 0) ||
        stook__result_queue_add(&batch->results, batch->allocator, &record->entry) != 0)
        return STOOK_ENOMEM;
#ifdef STOOK_TRACE
    record->spec.batch = batch;
    record->spec.index = record->entry.index;
#endif
    stook__stat_count(&client->stats, STOOK__STAT_ADDED);
    stook__sched_add(&client->sched, queue, &record->job, record->job.settings, stook__loop_now());
    stook__record_move(batch, record, STOOK__REQUEST_QUEUED, "added", record->error);
    stook__share_added(client, batch, record);
    if (batch->state == STOOK__AWAITED && !client->turning)
        stook__loop_request_turn(client->loop);
    return 0;
}

int stook__batch_may_add(stook_batch *batch, const char **ret_why)
{
    if (batch->client == NULL || stook__client_is_forked(batch->client))
        *ret_why = "the client is closed, or belongs to another process";
    else if (batch->client->state != STOOK__CLIENT_RUNNING)
        *ret_why = "the client drains or closes: no request can be added";
    else if (batch->state == STOOK__DONE || stook__batch_is_ending(batch) || batch->freed)
        *ret_why = "the batch is done, cancelled or past its deadline";
    else
        return 0;
    return STOOK_ESTATE;
}

int stook__batch_add(stook_batch *batch, const struct stook_request *request, unsigned priority,
                     const char **ret_why)
{
    struct stook_result *record = NULL;
    int error =
        stook__record_new(batch->allocator, &batch->client->settings, request, &record, ret_why);
    if (error == 0)
        error = enter_queues(batch, record, priority);
    if (error == 0)
        return 0;
    if (record != NULL && record->spec.optional != NULL &&
        record->spec.optional->body_release != NULL)
        record->spec.body = NULL; /* the body stays the program's */
    stook__record_drop(record);
    return error;
}

void stook__batch_requeue(stook_client *client, struct stook_result *record)
{
    stook_batch *batch = stook__record_batch(record);
    struct stook__queue *queue =
        queue_of_record(batch, record, (unsigned)record->job.queue->key.priority);
    if (queue == NULL) {
        stook__record_end(client, record, STOOK_ENOMEM);
        return;
    }
    stook__sched_redirect(&client->sched, queue, &record->job);
    stook__record_waits_again(record, "it has another URL");
}

int stook__batch_refuse(stook_batch *batch, int error, const char *why)
{
    batch->refusal = why != NULL ? why : stook_strerror(error);
    return error;
}

int stook__batch_refuse_add(stook_batch *batch, int error, const char *why)
{
    stook__batch_refuse(batch, error, why);
    if (batch->state == STOOK__OPEN && batch->add_error == 0)
        batch->add_error = error;
    else if (batch->state == STOOK__AWAITED)
        stook__batch_add_failure(batch);
    return error;
}

const char *stook__batch_message(const stook_batch *batch)
{
    return batch->refusal;
}

/* ------------------------------------------------------------------------------------- results */

size_t stook__batch_count(const stook_batch *batch)
{
    return batch->results.count;
}

const stook_result *stook__batch_result(const stook_batch *batch, size_t i)
{
    struct stook__result_entry *entry = stook__result_queue_at(&batch->results, i);
    return entry != NULL ? stook__record_of_entry(entry) : NULL;
}

const stook_result *stook__batch_result_by_index(const stook_batch *batch, size_t index)
{
    struct stook__result_entry *entry = stook__result_queue_by_index(&batch->results, index);
    return entry != NULL ? stook__record_of_entry(entry) : NULL;
}

/* ------------------------------------------------------------------------ cancels, limits, end */

/* Other threads use these members only. The post fails once the client is closed. */
void stook__batch_cancel(stook_batch *batch)
{
    atomic_store(&batch->cancelled, 1);
    (void)stook__mailbox_post(batch->mailbox, &batch->message);
}

void stook__batch_wake(stook_batch *batch)
{
    (void)stook__mailbox_post(batch->mailbox, &batch->message);
}

void stook__batch_cancel_request(stook_batch *batch, size_t index)
{
    if (batch->client == NULL || stook__client_is_forked(batch->client))
        return;
    struct stook__result_entry *entry = stook__sparse_array_get(&batch->results.entries, index);
    if (entry != NULL && !entry->arrived)
        stook__record_end(batch->client, stook__record_of_entry(entry), STOOK_ECANCELLED);
}

int stook__batch_set_limit(stook_batch *batch, size_t limit)
{
    stook_client *client = batch->client;
    if (client == NULL || !stook__client_is_usable(client) || batch->state != STOOK__AWAITED)
        return STOOK_ESTATE;
    if (batch->window_follows) /* not any more: it stays what it is */
        stook__result_queue_set_window(&batch->results, 4 * batch->group.limit);
    batch->window_follows = 0;
    stook__group_set_limit(&client->sched, &batch->group, limit);
    stook__batch_mark_dirty(batch); /* the limit decides when `more` is called */
    return 0;
}

int stook__batch_is_satisfied(const stook_batch *batch)
{
    return batch->state != STOOK__OPEN &&
           stook__completion_policy_satisfied(&batch->completion, batch->state == STOOK__DONE);
}

void stook__batch_free(stook_batch *batch)
{
    stook_client *client = batch->client;
    if (batch->freed || (client != NULL && stook__client_is_forked(client)))
        return;
    batch->freed = 1;
    if (client != NULL && batch->state == STOOK__AWAITED)
        stook__batch_terminate(batch, STOOK_ECANCELLED);
    else if (client != NULL && client->turning)
        stook__batch_mark_dirty(batch);
    else if (batch->pins == 0) /* else the blocking call frees it, even if the client is closed */
        stook__batch_destroy(batch);
}
