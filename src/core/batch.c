/* SPDX-License-Identifier: MIT */
/* Makes batches, enters requests in them, and begins awaits; see batch.h. */
#include "core/batch.h"

#include <string.h>

#include "core/completion.h"
#include "loop/loop.h"
#include "request/url.h"

static const int64_t US_MAX = (int64_t)1 << 53;
enum { SOCKET_MAX = 128 }; /* bytes of a Unix socket's path in a key; longer paths are refused */

stook_batch *stook__batch_new(stook_client *client)
{
    stook_batch *batch = stook__alloc(client->allocator, sizeof *batch);
    if (batch == NULL)
        return NULL;
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
    return batch;
}

/* Finds the queue of a request by its origin, its Unix socket and its priority, and sets
   *ret_origin_size to the bytes of its URL up to the end of the origin. Most requests have the
   origin of the last one, so the text of that is compared first. NULL: out of memory. */
static struct stook__queue *queue_for(stook_batch *batch, const struct stook__spec *spec,
                                      unsigned priority, size_t *ret_origin_size)
{
    const char *url = spec->url,
               *path = spec->optional != NULL ? spec->optional->unix_socket : NULL;
    struct stook__queue *last = batch->group.last;
    size_t size = *ret_origin_size = batch->origin_size;
    if (last != NULL && last->key.priority == priority && size > 0 && path == NULL &&
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
        stook__sched_queue(&batch->client->sched, &batch->group, origin, priority);
    stook__origin_unref(origin);
    if (queue == NULL)
        return NULL; /* `origin` still describes the group's last queue */
    batch->origin_size = size <= sizeof batch->origin && path == NULL ? size : 0;
    memcpy(batch->origin, url, batch->origin_size);
    return queue;
}

int stook__batch_enter(stook_batch *batch, struct stook_result *record, unsigned priority)
{
    stook_client *client = batch->client;
    size_t origin_size;
    struct stook__queue *queue = queue_for(batch, &record->spec, priority, &origin_size);
    if (queue == NULL ||
        stook__result_queue_add(&batch->results, batch->allocator, &record->entry) != 0)
        return STOOK_ENOMEM;
    record->origin_size = (uint16_t)(origin_size & 0x3ff); /* at most STOOK__ORIGIN_KEY_MAX */
    record->path_is_plain = origin_size > 0 && stook__url_is_plain(record->spec.url + origin_size);
#ifdef STOOK_TRACE
    record->spec.batch = batch;
    record->spec.index = record->entry.index;
#endif
    stook__stat_count(&client->stats, STOOK__STAT_ADDED);
    stook__sched_add(&client->sched, queue, &record->job, record->job.settings, stook__loop_now());
    stook__record_move(batch, record, STOOK__REQUEST_QUEUED, "added", record->error);
    if (batch->state == STOOK__AWAITED && !client->turning)
        stook__loop_request_turn(client->loop);
    return 0;
}

int stook__batch_await(stook_batch *batch, const struct stook__await *await)
{
    stook_client *client = batch->client;
    int64_t deadline = await->timeout_ms < 0 || await->timeout_ms > US_MAX / 1000
                           ? 0
                           : stook__loop_now() + await->timeout_ms * 1000;
    if (stook__result_queue_open(&batch->results, batch->allocator, &client->result_queues,
                                 &await->queue) != 0)
        return STOOK_ENOMEM;
    batch->callbacks = await->callbacks;
    batch->exhausted = await->callbacks.more == NULL;
    stook__batch_move(batch, STOOK__AWAITED);
    batch->refusal = "";
    client->awaits++;
    client->pulls += await->queue.pulled;
    stook__group_open(&client->sched, &batch->group, await->limit, deadline);
    stook__batch_set_policy(batch, await->policy, await->quorum);
    stook__loop_busy(client->loop, 1);
    stook__batch_mark_dirty(batch);
    return 0;
}
