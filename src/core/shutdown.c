/* SPDX-License-Identifier: MIT */
/*
 * Drains and closes a client; see shutdown.h. A close completes in this order: awaits are done,
 * name look-ups that cannot be interrupted have returned, files are closed, posted calls have run,
 * the mailbox refuses, the engine is freed, the handles of the loop are closed, `closed` is called.
 */
#include "core/shutdown.h"

#include <assert.h>

#include "core/attempts.h"
#include "core/client_state.h"
#include "core/completion.h"
#include "core/share.h"
#include "curl/engine.h"
#include "http/defaults.h"
#include "loop/file.h"
#include "loop/loop.h"
#include "util/trace.h"

static const int64_t US_MAX = (int64_t)1 << 53;

/* The only way to change the state of a client. */
static void move(stook_client *client, enum stook__client_state to)
{
    /* Each state is followed by the next; a close may leave out DRAINING. */
    assert(to == client->state + 1 ||
           (client->state == STOOK__CLIENT_RUNNING && to == STOOK__CLIENT_CLOSING));
#ifdef STOOK_TRACE
    static const char *const names[] = {"RUNNING", "DRAINING", "CLOSING", "CLOSING_LOOP", "CLOSED"};
    STOOK__TRACE("core", "client %p: %s -> %s, %zu awaits", (const void *)client,
                 names[client->state], names[to], client->awaits);
#endif
    client->state = to;
}

/* Ends the requests that wait for a retry: none begins any more. */
static void end_retries(stook_client *client, stook_batch *batch)
{
    const struct stook__sparse_array *entries = &batch->results.entries;
    for (size_t i = stook__sparse_array_next(entries, 0);
         client->sched.n_retrying > 0 && i != SIZE_MAX;
         i = stook__sparse_array_next(entries, i + 1)) {
        struct stook_result *record = stook__record_of_entry(stook__sparse_array_get(entries, i));
        if (record->state == STOOK__REQUEST_QUEUED && record->job.retries_since != 0)
            stook__record_end(client, record, STOOK_ECLOSED);
    }
}

int stook__shutdown_drain(stook_client *client, int64_t timeout_ms, void (*closed)(void *user),
                          void *user)
{
    if (stook__client_is_forked(client) || client->state != STOOK__CLIENT_RUNNING)
        return STOOK_ESTATE;
    client->drained = (struct stook__closed_call){.asked = 1, .call = closed, .user = user};
    move(client, STOOK__CLIENT_DRAINING);
    client->drain_due =
        timeout_ms < 0 || timeout_ms > US_MAX / 1000 ? 0 : stook__loop_now() + timeout_ms * 1000;
    for (struct stook__link *link = client->batches.next; link != &client->batches;
         link = link->next) {
        stook_batch *batch = STOOK__OF(stook_batch, link, link);
        end_retries(client, batch);
        batch->exhausted = 1; /* `more` would add */
        if (batch->state == STOOK__AWAITED)
            stook__batch_mark_dirty(batch);
    }
    stook__loop_busy(client->loop, 1);
    stook__loop_request_turn(client->loop);
    if (timeout_ms == 0)
        stook__shutdown_begin(client);
    return 0;
}

void stook__shutdown_close(stook_client *client, void (*closed)(void *user), void *user)
{
    if (client->closed.asked)
        return;
    client->closed = (struct stook__closed_call){.asked = 1, .call = closed, .user = user};
    stook__shutdown_begin(client);
}

void stook__shutdown_begin(stook_client *client)
{
    if (stook__client_is_closing(client))
        return;
    move(client, STOOK__CLIENT_CLOSING);
    client->drain_due = 0;
    for (struct stook__link *link = client->batches.next; link != &client->batches;
         link = link->next) {
        stook_batch *batch = STOOK__OF(stook_batch, link, link);
        if (batch->state == STOOK__AWAITED)
            stook__batch_terminate(batch, STOOK_ECLOSED);
    }
    stook__loop_busy(client->loop, 1);
    stook__loop_request_turn(client->loop);
}

/* Look-ups cannot be interrupted, and a file is complete or gone before the client is. */
static int is_in_use(const stook_client *client)
{
    return client->awaits > 0 || stook__share_is_due(client) ||
           !stook__list_empty(&client->dirty_batches) ||
           stook__engine_orphaned(client->engine) > 0 || stook__workers_busy(client->loop) > 0;
}

void stook__shutdown_continue(stook_client *client)
{
    if (client->state != STOOK__CLIENT_CLOSING || is_in_use(client) ||
        !stook__mailbox_close(client->mailbox))
        return;
    move(client, STOOK__CLIENT_CLOSING_LOOP);
    stook__engine_free(client->engine);
    stook__defaults_free(client->defaults);
    client->engine = NULL;
    client->defaults = NULL;
    stook__loop_close(client->loop);
}

/* The program may hold batches longer than the client. Their requests never start. */
static void detach_batches(stook_client *client)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&client->batches)) != NULL) {
        stook_batch *batch = STOOK__OF(stook_batch, link, link);
        batch->client = NULL;
        stook__list_remove(&batch->dirty);
        stook__list_remove(&batch->group.ring);
        stook__group_end(&client->sched, &batch->group);
    }
}

void stook__shutdown_closed(void *owner)
{
    stook_client *client = owner;
    struct stook__allocator *allocator = client->allocator;
    detach_batches(client);
    stook__share_close(client);
    stook__sched_free(&client->sched);
    stook__origins_free(&client->origins);
    move(client, STOOK__CLIENT_CLOSED);
    client->turning = 1; /* inside these callbacks the client cannot be run or closed */
    /* Other threads may post until they know that `closed` was called: the mailbox refuses till
       then. */
    stook__call_closed(client->drained.call, client->drained.user);
    /* Read after that call, which may have asked for the close. */
    stook__call_closed(client->closed.call, client->closed.user);
    stook__mailbox_unref(client->mailbox);
    if (!client->owned) {
        stook__free(allocator, client);
        stook__allocator_unref(allocator);
    }
}
