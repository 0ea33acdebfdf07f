/* SPDX-License-Identifier: MIT */
/* Awaits batches; see await.h. Only the calls of api/ come here, and never a turn. */
#include "core/await.h"

#include "core/batch.h"
#include "core/client_run.h"
#include "core/client_state.h"
#include "core/completion.h"
#include "loop/loop.h"
#include "sched/group.h"

static const int64_t US_MAX = (int64_t)1 << 53;

/* ------------------------------------------------------------------------------------ its begin */

/* Why no await can begin, whatever it is; NULL: one can. */
static const char *why_not(const stook_batch *batch)
{
    const stook_client *client = batch->client;
    if (client == NULL || !stook__client_is_usable(client))
        return "the client is closed, or belongs to another process";
    if (client->state == STOOK__CLIENT_DRAINING)
        return "the client drains: no batch can be awaited";
    if (batch->state != STOOK__OPEN || batch->freed)
        return "the batch was awaited before: a batch can be awaited once";
    return NULL;
}

/* Why a call cannot wait for an await; NULL: it can. */
static const char *why_not_blocking(const stook_client *client)
{
    if (!client->owned)
        return "a blocking await would stop the loop of the program: use stook_gather_start or "
               "stook_gather_ordered_start";
    if (client->turning)
        return "a blocking await inside a callback of the same client would wait for itself: use "
               "stook_gather_start or stook_gather_ordered_start";
    return NULL;
}

int stook__await_check(stook_batch *batch, int blocking)
{
    const char *why = why_not(batch);
    if (why == NULL && blocking)
        why = why_not_blocking(batch->client);
    if (why != NULL)
        return stook__batch_refuse(batch, STOOK_ESTATE, why);
    return batch->add_error; /* stook_batch_message() still explains that add */
}

int stook__await_begin(stook_batch *batch, const struct stook__await *await)
{
    stook_client *client = batch->client;
    int64_t deadline = await->timeout_ms < 0 || await->timeout_ms > US_MAX / 1000
                           ? 0
                           : stook__loop_now() + await->timeout_ms * 1000;
    if ((await->adaptive && stook__group_find_limit(&client->sched, &batch->group) != 0) ||
        stook__result_queue_open(&batch->results, batch->allocator, &client->result_queues,
                                 &await->queue) != 0) {
        stook__group_set_limit(&client->sched, &batch->group, SIZE_MAX);
        return stook__batch_refuse(batch, STOOK_ENOMEM, NULL);
    }
    batch->max_waiting = await->max_waiting;
    batch->window_follows = await->window_follows;
    batch->callbacks = await->callbacks;
    batch->exhausted = await->callbacks.more == NULL;
    stook__batch_move(batch, STOOK__AWAITED);
    batch->refusal = "";
    client->awaits++;
    client->pulls += await->queue.pulled;
    stook__group_open(&client->sched, &batch->group,
                      await->adaptive ? batch->group.limit : await->limit, deadline);
    stook__batch_set_policy(batch, await->policy, await->quorum);
    stook__loop_busy(client->loop, 1);
    stook__batch_mark_dirty(batch);
    return 0;
}

/* ------------------------------------------------------------------------------- blocking calls */

static int is_done(stook_client *client, void *what)
{
    const stook_batch *batch = what;
    (void)client;
    return batch->state == STOOK__DONE;
}

int stook__await_finish(stook_batch *batch)
{
    /* The pin keeps the batch if a callback frees it, because its count is read below. Turns follow
       a poll, so idle connections that were closed meanwhile are known before a request starts. */
    batch->pins++;
    stook__client_run_until(batch->client, is_done, batch);
    int failed = stook__batch_failed(batch);
    batch->pins--;
    if (batch->freed && batch->pins == 0)
        stook__batch_destroy(batch);
    return failed;
}

/* ----------------------------------------------------------------------------- result by result */

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

/* The condition that ends the wait for a result. A callback may have pulled one, which is valid
   until the callback returns; it is released here, between turns. */
static int has_next_or_end(stook_client *client, void *what)
{
    stook_batch *batch = what;
    (void)client;
    release_pulled(batch);
    return batch->state == STOOK__DONE || stook__result_queue_has_next(&batch->results);
}

/* Runs an owned loop until there is a result, or until there are no more. 0: a callback freed the
   batch. */
static int wait_for_next(stook_batch *batch)
{
    batch->pins++;
    stook__client_run_until(batch->client, has_next_or_end, batch);
    batch->pins--;
    if (!batch->freed || batch->pins > 0)
        return 1;
    if (batch->state == STOOK__DONE || batch->client == NULL)
        stook__batch_destroy(batch);
    return 0;
}

int stook__await_next(stook_batch *batch, const stook_result **ret_result)
{
    stook_client *client = batch->client;
    if (client != NULL && stook__client_is_forked(client))
        return stook__batch_refuse(batch, STOOK_ESTATE, "the client belongs to another process");
    if (batch->state == STOOK__OPEN || !batch->results.options.pulled || batch->freed)
        return stook__batch_refuse(
            batch, STOOK_ESTATE, "only an await that was started with `pull` has results to pull");
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

void stook__await_pause(stook_batch *batch, int paused)
{
    if (batch->client == NULL || stook__client_is_forked(batch->client) ||
        batch->state == STOOK__DONE)
        return;
    /* Results of a batch that was cancelled, or whose client closes, are delivered even if
       paused. */
    if (paused && batch->end.scope == STOOK__END_ALL)
        return;
    stook__result_queue_pause(&batch->results, &batch->client->result_queues, paused);
    stook__batch_mark_dirty(batch);
}
