/* SPDX-License-Identifier: MIT */
/* How requests, batches and clients end before their time; see completion.h. */
#include "core/completion.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "core/body_release.h"
#include "curl/engine.h"
#include "http/defaults.h"
#include "loop/file.h"

static struct stook__outcome with_line(struct stook__outcome outcome, char *line)
{
    if (line != NULL) {
        outcome.message = line;
        outcome.message_owned = 1;
    }
    return outcome;
}

struct stook__outcome stook__completion_describe(struct stook__allocator *allocator,
                                                 const struct stook__job *job, int error,
                                                 const char *cause)
{
    const struct stook__settings *policy = job->policy;
    const char *text = stook_strerror(error);
    struct stook__outcome outcome = {.error = error, .message = text};
    const char *what = NULL;
    int64_t ms = 0;
    if (error == STOOK_ECANCELLED && cause != NULL)
        return with_line(outcome, stook__format(allocator, "%s: %s", text, cause));
    switch (error) {
    case STOOK_ETIMEOUT_QUEUE:
        what = "not started within", ms = policy->queue_ms;
        break;
    case STOOK_ETIMEOUT_ATTEMPT:
        what = job->connected ? "no complete answer within" : "not connected within",
        ms = policy->attempt_ms;
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
    return with_line(outcome, stook__format(allocator, "%s: %s %" PRId64 " ms", text, what, ms));
}

void stook__completion_name_first(struct stook__allocator *allocator, const struct stook__job *job,
                                  struct stook__outcome *outcome)
{
    /* That a peer is not to be trusted is told as it is. */
    int no_way = outcome->error == STOOK_EDNS || outcome->error == STOOK_ECONNECT ||
                 outcome->error == STOOK_ENOFD || outcome->error == STOOK_ENOMEM;
    if (!job->lost || !no_way || outcome->sent)
        return;
    char *line = stook__format(
        allocator, "%s: the first attempt was sent and had no answer; its repeat failed: %s",
        stook_strerror(STOOK_ERESET), outcome->message);
    if (outcome->message_owned)
        stook__free(allocator, (char *)outcome->message);
    *outcome = with_line(
        (struct stook__outcome){.error = STOOK_ERESET, .message = stook_strerror(STOOK_ERESET)},
        line);
}

void stook__batch_terminate(stook_batch *batch, int end_error)
{
    if (batch->state == STOOK__DONE)
        return;
    if (batch->end_error == 0 || batch->drains) {
        batch->end_error = end_error;
        batch->drains = 0;
        stook__free(batch->allocator, batch->cause);
        batch->cause = NULL;
    }
    /* Every result is still delivered, and `done`. */
    if (batch->client != NULL)
        stook__result_queue_pause(&batch->results, &batch->client->result_queues, 0);
    stook__batch_mark_dirty(batch);
}

void stook__batch_handle_message(stook_batch *batch)
{
    batch->later = 0;
    if (atomic_load_explicit(&batch->cancelled, memory_order_acquire))
        stook__batch_terminate(batch, STOOK_ECANCELLED);
    stook__batch_mark_dirty(batch);
}

static char *cause_of(const stook_batch *batch, const struct stook_result *record)
{
    switch (batch->completion.policy) {
    case STOOK_POLICY_FIRST_OK:
    case STOOK_POLICY_QUORUM:
        return stook__format(batch->allocator, "enough are ok, request %zu was the last",
                             record != NULL ? (size_t)record->entry.index : 0);
    default:
        if (record == NULL)
            return stook__format(batch->allocator, "an add failed, or `more` did");
        return stook__format(batch->allocator, "request %zu failed: %s",
                             (size_t)record->entry.index, record->message);
    }
}

/* Without memory for the cause the others are ended without being told. */
static void take_step(stook_batch *batch, enum stook__completion_step step,
                      const struct stook_result *record)
{
    if (step == STOOK__CONTINUE || stook__batch_end_error(batch) != 0)
        return;
    batch->end_error = STOOK_ECANCELLED;
    batch->drains = step == STOOK__START_NO_MORE;
    batch->cause = cause_of(batch, record);
    stook__batch_mark_dirty(batch);
}

void stook__batch_note_result(stook_batch *batch, const struct stook_result *record)
{
    take_step(batch, stook__completion_policy_note(&batch->completion, stook__record_ok(record)),
              record);
}

void stook__batch_add_failure(stook_batch *batch)
{
    batch->extra_failures++;
    take_step(batch, stook__completion_policy_note(&batch->completion, 0), NULL);
}

void stook__batch_set_policy(stook_batch *batch, int64_t policy, size_t quorum)
{
    enum stook__completion_step step =
        stook__completion_policy_open(&batch->completion, policy, quorum);
    struct stook__result_entry *first = NULL;
    for (size_t i = 0; step != STOOK__CONTINUE && first == NULL && i < batch->results.count; i++) {
        struct stook__result_entry *entry = stook__sparse_array_get(&batch->results.entries, i);
        if (entry != NULL && entry->arrived)
            first = entry; /* nothing is ok before the await */
    }
    take_step(batch, step, first != NULL ? stook__record_of_entry(first) : NULL);
}

int stook__batch_end_error(stook_batch *batch)
{
    if (batch->end_error == 0 && atomic_load_explicit(&batch->cancelled, memory_order_acquire))
        batch->end_error = STOOK_ECANCELLED;
    return batch->end_error;
}

int stook__batch_failed(const stook_batch *batch)
{
    size_t failed = batch->results.failed + batch->extra_failures;
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
    stook__list_remove(&batch->dirty);
    batch->client = NULL;
}

void stook__batch_destroy(stook_batch *batch)
{
    struct stook__allocator *allocator = batch->allocator;
    const struct stook__sparse_array *entries = &batch->results.entries;
    if (batch->client != NULL)
        leave_client(batch);
    stook__mailbox_recall(batch->mailbox, &batch->message);
    /* The program is called now, and may end the client, or ask of this batch what it likes. */
    stook__body_release_call(batch);
    for (size_t i = stook__sparse_array_next(entries, 0); i != SIZE_MAX;
         i = stook__sparse_array_next(entries, i + 1))
        stook__record_drop(stook__record_of_entry(stook__sparse_array_get(entries, i)));
    stook__mailbox_recall(batch->mailbox,
                          &batch->message); /* it may have been cancelled meanwhile */
    stook__mailbox_unref(batch->mailbox);
    stook__result_queue_free(&batch->results, allocator);
    stook__free(allocator, batch->cause);
    stook__free(allocator, batch);
    stook__allocator_unref(allocator);
}

void stook__shutdown_drain(stook_client *client, int64_t due)
{
    client->draining = 1;
    client->drain_due = due;
    for (struct stook__link *link = client->batches.next; link != &client->batches;
         link = link->next) {
        stook_batch *batch = STOOK__OF(stook_batch, link, link);
        batch->exhausted = 1; /* `more` would add */
        if (batch->state == STOOK__AWAITED)
            stook__batch_mark_dirty(batch);
    }
    stook__loop_busy(client->loop, 1);
    stook__loop_want(client->loop);
}

void stook__shutdown_begin(stook_client *client)
{
    if (client->closing)
        return;
    client->closing = 1;
    client->drain_due = 0;
    for (struct stook__link *link = client->batches.next; link != &client->batches;
         link = link->next) {
        stook_batch *batch = STOOK__OF(stook_batch, link, link);
        if (batch->state == STOOK__AWAITED)
            stook__batch_terminate(batch, STOOK_ECLOSED);
    }
    stook__loop_busy(client->loop, 1);
    stook__loop_want(client->loop);
}

/* Awaits first, then look-ups that cannot be interrupted, then messages, then the handles. */
void stook__shutdown_continue(stook_client *client)
{
    if (client->closing > 1 || client->awaits > 0 || !stook__list_empty(&client->dirty_batches) ||
        stook__engine_orphaned(client->engine) > 0 || stook__loop_working(client->loop) > 0 ||
        !stook__mailbox_close(client->mailbox))
        return;
    client->closing = 2;
    stook__engine_free(client->engine);
    stook__defaults_free(client->defaults);
    client->engine = NULL;
    client->defaults = NULL;
    stook__loop_close(client->loop);
}

static void detach(stook_client *client)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&client->batches)) != NULL) {
        stook_batch *batch = STOOK__OF(stook_batch, link, link);
        /* Its requests never start; their timers go with the client. */
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
    detach(client);
    stook__sched_free(&client->sched);
    client->closing = 3;
    client->turning = 1; /* inside its last callback: whoever runs or closes it now is refused */
    /* Other threads may post until they hear of `closed`: until then there is an mailbox that refuses. */
    stook__call_closed(client->drained.call, client->drained.user);
    stook__call_closed(client->closed.call,
                       client->closed.user); /* that of a close in the call before, too */
    stook__mailbox_unref(client->mailbox);
    if (!client->owned) {
        stook__free(allocator, client);
        stook__allocator_unref(allocator);
    }
}
