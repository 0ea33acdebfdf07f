/* SPDX-License-Identifier: MIT */
/* How requests, batches and clients end before their time; see ending.h. */
#include "turn/ending.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "engine/engine.h"
#include "loop/loop.h"
#include "transfer/usual.h"

struct stook__outcome stook__ending_say(struct stook__heap *heap, const struct stook__job *job, int error)
{
    const struct stook__policy *policy = job->policy;
    const char *text = stook_strerror(error);
    struct stook__outcome outcome = {.error = error, .message = text};
    const char *what = NULL;
    int64_t ms = 0;
    switch (error) {
    case STOOK_ETIMEOUT_QUEUE:
        what = "not started within", ms = policy->queue_ms;
        break;
    case STOOK_ETIMEOUT_ATTEMPT:
        what = job->connected ? "no complete answer within" : "not connected within", ms = policy->attempt_ms;
        if (!job->connected && policy->connect_ms >= 0 && (ms < 0 || policy->connect_ms < ms))
            ms = policy->connect_ms;
        break;
    case STOOK_ETIMEOUT_TOTAL:
        what = "no complete answer within", ms = policy->total_ms;
        break;
    case STOOK_ETIMEOUT_STALL:
        what = "nothing for", ms = policy->stall_ms;
        break;
    default:
        return outcome;
    }
    char *line = stook__format(heap, "%s: %s %" PRId64 " ms", text, what, ms);
    if (line != NULL) {
        outcome.message = line;
        outcome.message_owned = 1;
    }
    return outcome;
}

void stook__batch_condemn(stook_batch *batch, int verdict)
{
    if (batch->state == STOOK__DONE)
        return;
    if (batch->verdict == 0)
        batch->verdict = verdict;
    stook__batch_touch(batch);
}

int stook__batch_verdict(stook_batch *batch)
{
    if (batch->verdict == 0 && atomic_load_explicit(&batch->cancelled, memory_order_acquire))
        batch->verdict = STOOK_ECANCELLED;
    return batch->verdict;
}

int stook__batch_failed(const stook_batch *batch)
{
    size_t failed = batch->tray.failed + batch->amiss;
    return failed < INT_MAX ? (int)failed : INT_MAX;
}

void stook__batch_destroy(stook_batch *batch)
{
    struct stook__heap *heap = batch->heap;
    struct stook__job *job;
    if (batch->client != NULL)
        while ((job = stook__group_any(&batch->group)) != NULL)
            stook__sched_finish(&batch->client->sched, job);
    const struct stook__pages *parcels = &batch->tray.parcels;
    for (size_t i = stook__pages_next(parcels, 0); i != SIZE_MAX; i = stook__pages_next(parcels, i + 1))
        stook__record_drop(stook__record_of_parcel(stook__pages_get(parcels, i)));
    if (batch->client != NULL)
        stook__group_end(&batch->client->sched, &batch->group);
    stook__inbox_recall(batch->inbox, &batch->letter);
    stook__inbox_unref(batch->inbox);
    stook__list_remove(&batch->link);
    stook__list_remove(&batch->touch);
    stook__tray_free(&batch->tray, heap);
    stook__free(heap, batch);
    stook__heap_unref(heap);
}

/* Awaits first, then look-ups that cannot be interrupted, then letters, then the handles. */
void stook__ending_try_close(stook_client *client)
{
    if (client->closing > 1 || client->awaits > 0 || !stook__list_empty(&client->touched) ||
        stook__engine_parked(client->engine) > 0 || !stook__inbox_shut(client->inbox))
        return;
    client->closing = 2;
    stook__engine_free(client->engine);
    stook__usual_free(client->usual);
    client->engine = NULL;
    client->usual = NULL;
    stook__loop_close(client->loop);
}

static void detach(stook_client *client)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&client->batches)) != NULL) {
        stook_batch *batch = STOOK__OF(stook_batch, link, link);
        /* Its requests never start; their timers go with the client. */
        batch->client = NULL;
        stook__list_remove(&batch->touch);
        stook__list_remove(&batch->group.ring);
        stook__group_end(&client->sched, &batch->group);
    }
}

void stook__ending_closed(void *owner)
{
    stook_client *client = owner;
    struct stook__heap *heap = client->heap;
    void (*closed)(void *user) = client->closed;
    void *user = client->closed_user;
    detach(client);
    stook__sched_free(&client->sched);
    client->closing = 3;
    client->turning = 1; /* inside its last callback: whoever runs or closes it now is refused */
    /* Other threads may post until they hear of `closed`: until then there is an inbox that refuses. */
    stook__call_closed(closed, user);
    stook__inbox_unref(client->inbox);
    if (!client->owned) {
        stook__free(heap, client);
        stook__heap_unref(heap);
    }
}
