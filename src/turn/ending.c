/* SPDX-License-Identifier: MIT */
/* How requests, batches and clients end before their time; see ending.h. */
#include "turn/ending.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "engine/engine.h"
#include "loop/file.h"
#include "transfer/usual.h"
#include "turn/bodies.h"

static struct stook__outcome with_line(struct stook__outcome outcome, char *line)
{
    if (line != NULL) {
        outcome.message = line;
        outcome.message_owned = 1;
    }
    return outcome;
}

struct stook__outcome stook__ending_say(struct stook__heap *heap, const struct stook__job *job, int error,
                                        const char *cause)
{
    const struct stook__policy *policy = job->policy;
    const char *text = stook_strerror(error);
    struct stook__outcome outcome = {.error = error, .message = text};
    const char *what = NULL;
    int64_t ms = 0;
    if (error == STOOK_ECANCELLED && cause != NULL)
        return with_line(outcome, stook__format(heap, "%s: %s", text, cause));
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
    return with_line(outcome, stook__format(heap, "%s: %s %" PRId64 " ms", text, what, ms));
}

void stook__ending_name_first(struct stook__heap *heap, const struct stook__job *job, struct stook__outcome *outcome)
{
    /* That a peer is not to be trusted is told as it is. */
    int no_way = outcome->error == STOOK_EDNS || outcome->error == STOOK_ECONNECT || outcome->error == STOOK_ENOFD ||
                 outcome->error == STOOK_ENOMEM;
    if (!job->lost || !no_way || outcome->sent)
        return;
    char *line = stook__format(heap, "%s: the first attempt was sent and had no answer; its repeat failed: %s",
                               stook_strerror(STOOK_ERESET), outcome->message);
    if (outcome->message_owned)
        stook__free(heap, (char *)outcome->message);
    *outcome = with_line((struct stook__outcome){.error = STOOK_ERESET, .message = stook_strerror(STOOK_ERESET)}, line);
}

void stook__batch_condemn(stook_batch *batch, int verdict)
{
    if (batch->state == STOOK__DONE)
        return;
    if (batch->verdict == 0 || batch->spares) {
        batch->verdict = verdict;
        batch->spares = 0;
        stook__free(batch->heap, batch->cause);
        batch->cause = NULL;
    }
    /* Every result is still delivered, and `done`. */
    if (batch->client != NULL)
        stook__tray_pause(&batch->tray, &batch->client->trays, 0);
    stook__batch_touch(batch);
}

void stook__batch_hear(stook_batch *batch)
{
    batch->later = 0;
    if (atomic_load_explicit(&batch->cancelled, memory_order_acquire))
        stook__batch_condemn(batch, STOOK_ECANCELLED);
    stook__batch_touch(batch);
}

static char *cause_of(const stook_batch *batch, const struct stook_result *record)
{
    switch (batch->goal.policy) {
    case STOOK_POLICY_FIRST_OK:
    case STOOK_POLICY_QUORUM:
        return stook__format(batch->heap, "enough are ok, request %zu was the last", record != NULL ? (size_t)record->parcel.index : 0);
    default:
        if (record == NULL)
            return stook__format(batch->heap, "an add failed, or `more` did");
        return stook__format(batch->heap, "request %zu failed: %s", (size_t)record->parcel.index, record->message);
    }
}

/* Without memory for the cause the others are ended without being told. */
static void take_step(stook_batch *batch, enum stook__goal_step step, const struct stook_result *record)
{
    if (step == STOOK__GO_ON || stook__batch_verdict(batch) != 0)
        return;
    batch->verdict = STOOK_ECANCELLED;
    batch->spares = step == STOOK__START_NO_MORE;
    batch->cause = cause_of(batch, record);
    stook__batch_touch(batch);
}

void stook__batch_note(stook_batch *batch, const struct stook_result *record)
{
    take_step(batch, stook__goal_note(&batch->goal, stook__record_ok(record)), record);
}

void stook__batch_amiss(stook_batch *batch)
{
    batch->amiss++;
    take_step(batch, stook__goal_note(&batch->goal, 0), NULL);
}

void stook__batch_aim(stook_batch *batch, int64_t policy, size_t quorum)
{
    enum stook__goal_step step = stook__goal_open(&batch->goal, policy, quorum);
    struct stook__parcel *first = NULL;
    for (size_t i = 0; step != STOOK__GO_ON && first == NULL && i < batch->tray.count; i++) {
        struct stook__parcel *parcel = stook__pages_get(&batch->tray.parcels, i);
        if (parcel != NULL && parcel->arrived)
            first = parcel; /* nothing is ok before the await */
    }
    take_step(batch, step, first != NULL ? stook__record_of_parcel(first) : NULL);
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

/* From here on its client does not know it. */
static void leave_client(stook_batch *batch)
{
    struct stook__sched *sched = &batch->client->sched;
    struct stook__job *job;
    while ((job = stook__group_any(&batch->group)) != NULL)
        stook__sched_finish(sched, job);
    stook__group_end(sched, &batch->group);
    stook__list_remove(&batch->link);
    stook__list_remove(&batch->touch);
    batch->client = NULL;
}

void stook__batch_destroy(stook_batch *batch)
{
    struct stook__heap *heap = batch->heap;
    const struct stook__pages *parcels = &batch->tray.parcels;
    if (batch->client != NULL)
        leave_client(batch);
    stook__inbox_recall(batch->inbox, &batch->letter);
    /* The program is called now, and may end the client, or ask of this batch what it likes. */
    stook__bodies_return(batch);
    for (size_t i = stook__pages_next(parcels, 0); i != SIZE_MAX; i = stook__pages_next(parcels, i + 1))
        stook__record_drop(stook__record_of_parcel(stook__pages_get(parcels, i)));
    stook__inbox_recall(batch->inbox, &batch->letter); /* it may have been cancelled meanwhile */
    stook__inbox_unref(batch->inbox);
    stook__tray_free(&batch->tray, heap);
    stook__free(heap, batch->cause);
    stook__free(heap, batch);
    stook__heap_unref(heap);
}

/* Awaits first, then look-ups that cannot be interrupted, then letters, then the handles. */
void stook__ending_try_close(stook_client *client)
{
    if (client->closing > 1 || client->awaits > 0 || !stook__list_empty(&client->touched) ||
        stook__engine_parked(client->engine) > 0 || stook__loop_working(client->loop) > 0 ||
        !stook__inbox_shut(client->inbox))
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
