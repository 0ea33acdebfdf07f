/* SPDX-License-Identifier: MIT */
/* Makes and frees records, and checks their moves; see record.h. */
#include "core/record.h"

#include <assert.h>

#include "core/client_state.h"
#include "core/share.h"
#include "http/attempt.h"
#include "request/copy.h"
#include "sched/queue.h"
#include "util/trace.h"

/* ---------------------------------------------------------------------------- the record itself */

int stook__record_new(struct stook__allocator *allocator, const struct stook__settings *client,
                      const struct stook_request *request, struct stook_result **ret_record,
                      const char **ret_why)
{
    struct stook__copied copied;
    int error = stook__request_copy(allocator, sizeof(struct stook_result), client, request,
                                    &copied, ret_why);
    if (error != 0)
        return error;
    struct stook_result *record = copied.block;
    record->spec = copied.spec;
    record->job.settings = copied.settings;
    record->error = (int16_t)copied.error;
    record->message = copied.message;
    record->allocator = stook__allocator_ref(allocator);
    record->user = request->user;
    atomic_init(&record->refs, 1);
    *ret_record = record;
    return 0;
}

size_t stook__record_bytes(const struct stook_result *record)
{
    return record->answer.body.size;
}

int stook__record_ok(const struct stook_result *record)
{
    return record->state == STOOK__REQUEST_FINISHED && record->error == 0 &&
           record->answer.status >= 200 && record->answer.status <= 299;
}

void stook__record_ref(struct stook_result *record)
{
    atomic_fetch_add_explicit(&record->refs, 1, memory_order_relaxed);
}

/* Whether a snapshot says of a running request what there is to say. */
static int is_current(const struct stook_result *snapshot, const struct stook_result *record)
{
    const struct stook__hops *its = snapshot->spec.hops, *hops = record->spec.optional->hops;
    return (snapshot->answer.head.size > 0) == stook__attempt_has_head(record->attempt) &&
           (its != NULL ? its->changes : 0) == (hops != NULL ? hops->changes : 0);
}

struct stook_result *stook__record_snapshot(struct stook_result *record)
{
    struct stook__optional *optional = record->spec.optional;
    size_t url_size = strlen(record->spec.url) + 1;
    if (optional->snapshot != NULL && is_current(optional->snapshot, record))
        return optional->snapshot;
    struct stook_result *snapshot = stook__alloc(record->allocator, sizeof *snapshot + url_size);
    if (snapshot == NULL)
        return NULL;
    snapshot->allocator = stook__allocator_ref(record->allocator);
    snapshot->user = record->user;
    snapshot->entry.index = record->entry.index;
    snapshot->spec.url = memcpy(snapshot + 1, record->spec.url, url_size);
    snapshot->state = STOOK__REQUEST_SNAPSHOT;
    snapshot->sent = record->sent || stook__attempt_connected(record->attempt);
    atomic_init(&snapshot->refs, 1);
    if (stook__attempt_copy_head(record->attempt, &snapshot->answer) != 0) {
        stook__record_drop(snapshot);
        return NULL;
    }
    if (optional->hops != NULL) {
        snapshot->spec.hops = stook__hops_copy(optional->hops, record->allocator);
        if (snapshot->spec.hops == NULL) {
            stook__record_drop(snapshot);
            return NULL;
        }
    }
    /* The program may keep strings of the one before, as long as the result. */
    snapshot->spec.snapshot = optional->snapshot;
    optional->snapshot = snapshot;
    return snapshot;
}

void stook__record_free_request(struct stook_result *record)
{
    struct stook__optional *optional = record->spec.optional;
    if (optional == NULL || optional->body_release == NULL)
        stook__free(record->allocator, record->spec.body);
    else if (record->spec.body != NULL)
        stook__call_release(optional);
    if (optional != NULL) {
        stook__share_leave(record);
        stook__record_drop(optional->snapshot);
        stook__hops_free(optional->hops, record->allocator);
        stook__history_free(optional->history, record->allocator);
        if (optional->mirrors != NULL)
            stook__free(record->allocator, optional->mirrors->first);
    }
    stook__free(record->allocator, optional);
    record->spec.body = NULL;
    record->spec.optional = NULL;
}

void stook__record_drop(struct stook_result *record)
{
    if (record == NULL || atomic_fetch_sub_explicit(&record->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct stook__allocator *allocator = record->allocator;
    if (record->state >= STOOK__REQUEST_FINISHED &&
        record->answer.body.capacity == STOOK__BODY_OF_SENDER)
        record->answer.body.data = NULL;
    if (record->state >= STOOK__REQUEST_FINISHED)
        stook__answer_free(&record->answer, allocator);
    if (record->message_owned)
        stook__free(allocator, (char *)record->message);
    if (record->state < STOOK__REQUEST_FINISHED) {
        stook__record_free_request(record);
    } else {
        stook__record_drop(record->spec.snapshot);
        stook__hops_free(record->spec.hops, allocator);
        stook__history_free(record->spec.history, allocator);
    }
    stook__free(allocator, record);
    stook__allocator_unref(allocator);
}

/* --------------------------------------------------------------------------------------- state */

#if defined(STOOK_TRACE) || !defined(NDEBUG)
#ifdef STOOK_TRACE
static void trace(const stook_batch *batch, const struct stook_result *record,
                  enum stook__record_state to, const char *why, int error)
{
    static const char *const names[] = {"NEW", "QUEUED", "ADMITTED", "ATTEMPTING", "FINISHED"};
    const struct stook__origin *origin =
        record->job.queue != NULL ? stook__job_origin(&record->job) : NULL;
    stook__trace("core", "batch %p request %zu: %s -> %s, %s%s%s, origin %.*s", (const void *)batch,
                 (size_t)record->entry.index, names[record->state], names[to], why,
                 error != 0 ? " " : "", error != 0 ? stook_err_name(error) : "",
                 origin != NULL ? (int)origin->node.key_size : 1,
                 origin != NULL ? origin->node.key : "-");
}
#else
#define trace(batch, record, to, why, error) ((void)0)
#endif

void stook__record_check_move(const stook_batch *batch, const struct stook_result *record,
                              enum stook__record_state to, const char *why, int error)
{
    /* The moves that leave each state, a bit for each state that they lead to. */
    static const unsigned moves[] = {
        [STOOK__REQUEST_NEW] = 1u << STOOK__REQUEST_QUEUED,
        [STOOK__REQUEST_QUEUED] = 1u << STOOK__REQUEST_ADMITTED | 1u << STOOK__REQUEST_FINISHED,
        [STOOK__REQUEST_ADMITTED] = 1u << STOOK__REQUEST_QUEUED | 1u << STOOK__REQUEST_ATTEMPTING |
                                    1u << STOOK__REQUEST_FINISHED,
        [STOOK__REQUEST_ATTEMPTING] = 1u << STOOK__REQUEST_ADMITTED,
        [STOOK__REQUEST_FINISHED] = 0,
        [STOOK__REQUEST_SNAPSHOT] = 0};
    static const enum stook__job_state jobs[] = {
        [STOOK__REQUEST_ADMITTED] = STOOK__JOB_RUNNING,
        [STOOK__REQUEST_ATTEMPTING] = STOOK__JOB_RUNNING,
        [STOOK__REQUEST_FINISHED] = STOOK__JOB_FINISHED,
    };
    assert((moves[record->state] >> to & 1) != 0);
    /* A waiting job has one of two states, which only sched tells apart. */
    assert(to == STOOK__REQUEST_QUEUED ? stook__job_waits(&record->job)
                                       : record->job.state == jobs[to]);
    (void)moves, (void)jobs;
    trace(batch, record, to, why, error);
    (void)batch, (void)why, (void)error;
}
#endif

/* -------------------------------------------------------------------------------------- history */

int stook__record_keep_history(struct stook_result *record)
{
    if (record->spec.optional == NULL)
        record->spec.optional = stook__alloc(record->allocator, sizeof *record->spec.optional);
    if (record->spec.optional != NULL && record->spec.optional->history == NULL)
        record->spec.optional->history = stook__history_new(record->allocator);
    return record->spec.optional != NULL && record->spec.optional->history != NULL ? 0
                                                                                   : STOOK_ENOMEM;
}

int stook__record_note_attempt(struct stook_result *record, int error, int status, int again,
                               int64_t now)
{
    const struct stook__job *job = &record->job;
    struct stook__past_attempt past = {.started_us = job->attempt_at - job->added_at,
                                       .ended_us = now - job->added_at,
                                       .error = (int16_t)error,
                                       .status = (int16_t)status,
                                       .again = (uint8_t)again};
    /* The clocks stand still while a body is paused, to which the loop's time of that moment
       belongs, which may be older than the attempt. */
    if (past.ended_us < past.started_us)
        past.ended_us = past.started_us;
    if (stook__record_keep_history(record) != 0)
        return STOOK_ENOMEM;
    return stook__history_add(record->spec.optional->history, record->allocator, &past);
}
