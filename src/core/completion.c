/* SPDX-License-Identifier: MIT */
/* How a batch completes; see completion.h. */
#include "core/completion.h"

#include <assert.h>
#include <limits.h>

#include "core/share.h"
#include "loop/loop.h"
#include "sched/group.h"
#include "util/trace.h"

void stook__batch_mark_dirty(stook_batch *batch)
{
    if (batch->client == NULL || !stook__list_empty(&batch->dirty))
        return;
    stook__list_append(&batch->client->dirty_batches, &batch->dirty);
    if (!batch->client->turning)
        stook__loop_request_turn(batch->client->loop);
}

void stook__batch_handle_message(stook_batch *batch)
{
    batch->more_idle = STOOK__MORE_READY;
    if (atomic_load_explicit(&batch->cancelled, memory_order_acquire))
        stook__batch_terminate(batch, STOOK_ECANCELLED);
    stook__batch_mark_dirty(batch);
}

void stook__batch_move(stook_batch *batch, enum stook__batch_state to)
{
    /* Each state has one that follows. */
    assert(to == batch->state + 1 && to <= STOOK__DONE);
    STOOK__TRACE("core", "batch %p: %s, %zu requests, %d failed", (const void *)batch,
                 to == STOOK__AWAITED ? "OPEN -> AWAITED" : "AWAITED -> DONE", batch->results.count,
                 stook__batch_failed(batch));
    batch->state = to;
}

/* ------------------------------------------------------------------------------- early end */

/* The only way to end a batch early. The scope only grows. */
static void set_end(stook_batch *batch, enum stook__end_scope scope, int error, char *cause)
{
    assert(scope > batch->end.scope);
    STOOK__TRACE("core", "batch %p: ends %s early, %s, %s", (const void *)batch,
                 scope == STOOK__END_ALL ? "all" : "what waits", stook_err_name(error),
                 cause != NULL ? cause : "no cause");
    stook__free(batch->allocator, batch->end.cause);
    batch->end = (struct stook__batch_end){.scope = scope, .error = error, .cause = cause};
}

void stook__batch_terminate(stook_batch *batch, int error)
{
    if (batch->state == STOOK__DONE)
        return;
    if (batch->end.scope != STOOK__END_ALL)
        set_end(batch, STOOK__END_ALL, error, NULL);
    /* A paused delivery would keep the batch from `done`. */
    if (batch->client != NULL)
        stook__result_queue_pause(&batch->results, &batch->client->result_queues, 0);
    stook__batch_mark_dirty(batch);
}

void stook__batch_note_cancel(stook_batch *batch)
{
    set_end(batch, STOOK__END_ALL, STOOK_ECANCELLED, NULL);
}

/* ----------------------------------------------------------------------------------- policy */

/* `record`: the request that decided, or NULL. NULL: no memory; then messages name no cause. */
static char *describe_cause(const stook_batch *batch, const struct stook_result *record)
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

static void apply_step(stook_batch *batch, enum stook__completion_step step,
                       const struct stook_result *record)
{
    if (step == STOOK__CONTINUE || stook__batch_is_ending(batch))
        return;
    set_end(batch, step == STOOK__START_NO_MORE ? STOOK__END_WAITING : STOOK__END_ALL,
            STOOK_ECANCELLED, describe_cause(batch, record));
    stook__batch_mark_dirty(batch);
}

void stook__batch_note_result(stook_batch *batch, const struct stook_result *record)
{
    apply_step(batch, stook__completion_policy_note(&batch->completion, stook__record_ok(record)),
               record);
}

void stook__batch_add_failure(stook_batch *batch)
{
    batch->extra_failures++;
    apply_step(batch, stook__completion_policy_note(&batch->completion, 0), NULL);
}

void stook__batch_set_policy(stook_batch *batch, int64_t policy, size_t quorum)
{
    enum stook__completion_step step =
        stook__completion_policy_open(&batch->completion, policy, quorum);
    struct stook__result_entry *first = NULL;
    /* Results from before the await are all failures: nothing starts before it. */
    for (size_t i = 0; step != STOOK__CONTINUE && first == NULL && i < batch->results.count; i++) {
        struct stook__result_entry *entry = stook__sparse_array_get(&batch->results.entries, i);
        if (entry != NULL && entry->arrived)
            first = entry;
    }
    apply_step(batch, step, first != NULL ? stook__record_of_entry(first) : NULL);
}

int stook__batch_failed(const stook_batch *batch)
{
    size_t failed = batch->results.failed + batch->extra_failures;
    return failed < INT_MAX ? (int)failed : INT_MAX;
}

/* -------------------------------------------------------------------------- bodies, destruction */

void stook__batch_keep_body(stook_batch *batch, struct stook_result *record)
{
    struct stook__optional *optional = record->spec.optional;
    if (optional == NULL || optional->body_release == NULL)
        return;
    record->spec.optional = NULL;
    record->spec.body = NULL;
    stook__list_init(&optional->link);
    stook__list_append(&batch->to_release, &optional->link);
}

/* A request may end inside a call of the program, such as a cancel. Its body is released later,
   from the turn, so that the program is never called from inside its own call. */
void stook__batch_release_bodies(stook_batch *batch)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&batch->to_release)) != NULL) {
        struct stook__optional *optional = STOOK__OF(struct stook__optional, link, link);
        stook__call_release(optional);
        stook__free(batch->allocator, optional);
    }
}

static void leave_client(stook_batch *batch)
{
    struct stook__sched *sched = &batch->client->sched;
    struct stook__job *job;
    while ((job = stook__group_any(&batch->group)) != NULL) {
        stook__share_leave(stook__record_of_job(job));
        stook__sched_finish(sched, job);
    }
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
    /* These calls may close the client, or use this batch: it is still whole. */
    stook__batch_release_bodies(batch);
    for (size_t i = stook__sparse_array_next(entries, 0); i != SIZE_MAX;
         i = stook__sparse_array_next(entries, i + 1))
        stook__record_drop(stook__record_of_entry(stook__sparse_array_get(entries, i)));
    /* Again: the calls above may have cancelled the batch. */
    stook__mailbox_recall(batch->mailbox, &batch->message);
    stook__mailbox_unref(batch->mailbox);
    stook__result_queue_free(&batch->results, allocator);
    stook__free(allocator, batch->end.cause);
    stook__free(allocator, batch);
    stook__allocator_unref(allocator);
}
