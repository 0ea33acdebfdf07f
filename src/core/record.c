/* SPDX-License-Identifier: MIT */
/*
 * One request from its add to its result; see record.h. The turn calls what moves a record. A
 * record that is FINISHED stands in the result queue of its batch, and the batch is marked dirty.
 */
#include "core/record.h"

#include <assert.h>

#include "core/completion.h"
#include "core/describe.h"
#include "curl/engine.h"
#include "http/attempt.h"
#include "http/failover.h"
#include "http/redirect.h"
#include "http/stream.h"
#include "loop/loop.h"
#include "request/copy.h"
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

/* The members that only a request under way needs. A borrowed body is released here only if the
   request was never awaited; else stook__batch_keep_body() has taken it. */
static void free_request(struct stook_result *record)
{
    struct stook__optional *optional = record->spec.optional;
    if (optional == NULL || optional->body_release == NULL)
        stook__free(record->allocator, record->spec.body);
    else if (record->spec.body != NULL)
        stook__call_release(optional);
    if (optional != NULL) {
        stook__record_drop(optional->snapshot);
        stook__hops_free(optional->hops, record->allocator);
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
    if (record->state >= STOOK__REQUEST_FINISHED)
        stook__answer_free(&record->answer, allocator);
    if (record->message_owned)
        stook__free(allocator, (char *)record->message);
    if (record->state < STOOK__REQUEST_FINISHED) {
        free_request(record);
    } else {
        stook__record_drop(record->spec.snapshot);
        stook__hops_free(record->spec.hops, allocator);
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

/* --------------------------------------------------------------------------- from add to result */

static void drop_message(stook_client *client, struct stook__outcome *outcome)
{
    if (outcome->message_owned)
        stook__free(client->allocator, (char *)outcome->message);
    outcome->message_owned = 0;
}

/* Ends the attempt. With `ret_outcome`, the attempt is judged; without, another error is the
   result. */
static void stop_attempt(struct stook_result *record, struct stook__answer *ret_answer,
                         struct stook__outcome *ret_outcome)
{
    stook_batch *batch = stook__record_batch(record);
    int64_t expected;
    batch->bytes_received += stook__attempt_received(record->attempt, &expected);
    if (stook__attempt_connected(record->attempt))
        record->sent = 1;
    stook__attempt_end(record->attempt, ret_answer, ret_outcome);
    stook__record_move(batch, record, STOOK__REQUEST_ADMITTED, "attempt ended",
                       ret_outcome != NULL ? ret_outcome->error : 0);
    record->message = NULL;
}

/* Turns the record into a result. `answer` takes the place of `job`, and its buffers belong to
   the record then. `kept`: the result is held for long, so its buffers are trimmed. */
static void become_result(struct stook_result *record, struct stook__answer *answer,
                          const struct stook__outcome *outcome, int kept)
{
    /* The answer counts what was sent again within the last attempt. */
    uint32_t attempts = record->job.attempts + answer->attempts;
    answer->attempts = attempts < UINT16_MAX ? (uint16_t)attempts : UINT16_MAX;
    answer->time_us[STOOK_TIME_QUEUED] = record->job.first_at - record->job.added_at;
    if (kept) {
        stook__buffer_trim(&answer->head, record->allocator);
        stook__buffer_trim(&answer->body, record->allocator);
    }
    free_request(record);
    record->answer = *answer;
    record->error = (int16_t)outcome->error;
    record->message = outcome->message;
    record->message_owned = outcome->message_owned != 0;
}

static void finish(stook_client *client, struct stook_result *record, struct stook__answer *answer,
                   const struct stook__outcome *outcome)
{
    stook_batch *batch = stook__record_batch(record);
    if (record->job.attempts == 0)
        record->job.first_at = stook__loop_now(); /* never started: all its time was the queue's */
    stook__sched_finish(&client->sched, &record->job);
    struct stook__optional *optional = record->spec.optional;
    struct stook_result *snapshot = optional != NULL ? optional->snapshot : NULL;
    struct stook__hops *hops = optional != NULL ? optional->hops : NULL;
    struct stook__outcome end = *outcome;
    if (optional != NULL) {
        end = stook__describe_first_try(record->allocator, optional->mirrors, answer->status, end);
        optional->snapshot = NULL;
        optional->hops = NULL;
    }
    stook__batch_keep_body(batch, record);
    stook__record_move(batch, record, STOOK__REQUEST_FINISHED, "result", outcome->error);
    become_result(record, answer, &end, !batch->results.options.borrowed);
    /* What the program took of the snapshot lives as long as the result. */
    record->spec.snapshot = snapshot;
    record->spec.hops = hops;
    stook__result_queue_finished(&batch->results, &client->result_queues, &record->entry,
                                 stook__record_bytes(record), stook__record_ok(record));
    stook__stat_count(&client->stats, STOOK__STAT_FINISHED);
    if (!stook__record_ok(record))
        stook__stat_count(&client->stats, STOOK__STAT_FAILED);
    stook__batch_note_result(batch, record);
    stook__batch_mark_dirty(batch);
}

void stook__record_waits_again(struct stook_result *record, const char *why)
{
    stook_batch *batch = stook__record_batch(record);
    stook__record_move(batch, record, STOOK__REQUEST_QUEUED, why, 0);
    stook__result_queue_stopped(&batch->results, &record->entry);
    stook__batch_mark_dirty(batch); /* the window counts it no more */
}

/* 0: no other request is in flight, so that none can free a descriptor. */
static int put_back(stook_client *client, struct stook_result *record)
{
    if (!stook__sched_put_back(&client->sched, &record->job))
        return 0;
    stook__record_waits_again(record, "no descriptor is free");
    return 1;
}

/* Counts the body of an attempt that has begun against the bound of its batch. */
static void count_body(stook_client *client, struct stook_result *record)
{
    struct stook__result_queue *results = &stook__record_batch(record)->results;
    if (!results->flow.counts_bodies)
        return;
    results->flow.newly_paused = &client->newly_paused;
    stook__attempt_count_body(record->attempt, &results->flow);
    if (record->entry.index == results->delivered)
        stook__body_flow_exempt(stook__attempt_flow(record->attempt));
}

void stook__record_start(stook_client *client, struct stook_result *record, int fresh)
{
    struct stook__outcome outcome = {.error = record->error, .message = record->message};
    struct stook__answer answer = {0};
    struct stook__attempt *attempt = NULL;
    const char *plain_path = record->path_is_plain ? record->spec.url + record->origin_size : NULL;
    if (outcome.error == 0)
        do {
            drop_message(client, &outcome);
            attempt = stook__attempt_begin(client->defaults, &record->spec, plain_path,
                                           stook__job_origin(&record->job), record->job.settings,
                                           fresh, record, &outcome);
        } while (attempt == NULL && outcome.starved && stook__engine_make_room(client->engine));
    if (attempt != NULL) {
        record->attempt = attempt;
        stook__record_move(stook__record_batch(record), record, STOOK__REQUEST_ATTEMPTING,
                           fresh ? "attempt on a fresh connection" : "attempt", 0);
        count_body(client, record);
        return;
    }
    if (outcome.starved && put_back(client, record)) {
        drop_message(client, &outcome);
        return;
    }
    answer.os_error = (int16_t)outcome.os_error;
    stook__describe_first_failure(client->allocator, &record->job, &outcome);
    record->job.attempts--; /* it did not begin */
    finish(client, record, &answer, &outcome);
}

/* Makes the request of the next hop. 0: there is none, and *outcome says why. */
static int follow(stook_client *client, struct stook_result *record,
                  const struct stook__answer *answer, struct stook__outcome *outcome)
{
    char why[STOOK__REDIRECT_WHY_MAX];
    int error = stook__redirect_follow(client->allocator, &record->spec, record->job.settings,
                                       &client->settings, answer, why);
    if (error == 0)
        return 1;
    drop_message(client, outcome);
    stook__outcome_set(client->allocator, outcome, error, why);
    outcome->sent = 1;
    return 0;
}

/* Sets *ret_failover if the request has mirrors. 0: it has none. */
static int has_mirrors(stook_client *client, struct stook_result *record, int64_t now,
                       struct stook__failover *ret_failover)
{
    if (record->spec.optional == NULL || record->spec.optional->mirrors == NULL)
        return 0;
    *ret_failover = (struct stook__failover){.spec = &record->spec,
                                             .settings = record->job.settings,
                                             .client = &client->settings,
                                             .origins = &client->origins,
                                             .now = now};
    return 1;
}

int stook__record_choose_mirror(stook_client *client, struct stook_result *record, int64_t now)
{
    struct stook__failover failover;
    return has_mirrors(client, record, now, &failover) && record->error == 0 &&
           stook__failover_choose(&failover);
}

/* Begins another try, with another URL. 0: there is none, and the outcome is the result's. */
static int fail_over(stook_client *client, struct stook_result *record, int possible,
                     struct stook__answer *answer, struct stook__outcome *outcome, int64_t now)
{
    struct stook__failover failover;
    if (!has_mirrors(client, record, now, &failover))
        return 0;
    stook__failover_note(&failover, outcome, answer->status);
    if (!possible || !stook__failover_next(&failover, outcome, answer->status))
        return 0;
    record->job.attempts += answer->attempts;
    stook__answer_free(answer, client->allocator);
    drop_message(client, outcome);
    return 1;
}

int stook__record_conclude(stook_client *client, struct stook_result *record, int64_t now)
{
    struct stook__answer answer;
    struct stook__outcome outcome;
    int possible = stook__failover_is_possible(record->attempt);
    stop_attempt(record, &answer, &outcome);
    if (outcome.redirected && follow(client, record, &answer, &outcome)) {
        record->job.attempts += answer.attempts;
        stook__answer_free(&answer, client->allocator);
        drop_message(client, &outcome);
        return 1;
    }
    struct stook__ending ending = {outcome.error, outcome.idempotent, outcome.lost};
    int again = !client->drained.asked && stook__sched_should_repeat(&record->job, &ending);
    int retry_now = !again && outcome.starved && stook__engine_make_room(client->engine);
    if (!again && !retry_now && !(outcome.starved && put_back(client, record))) {
        stook__describe_first_failure(client->allocator, &record->job, &outcome);
        record->job.attempts -= (uint32_t)outcome.untried;
        if (fail_over(client, record, possible, &answer, &outcome, now))
            return 1;
        finish(client, record, &answer, &outcome);
        return 0;
    }
    record->job.attempts += answer.attempts;
    stook__answer_free(&answer, client->allocator);
    drop_message(client, &outcome);
    if (again) {
        record->job.lost = outcome.error == STOOK_ERESET;
        stook__sched_repeat(&client->sched, &record->job, now);
        stook__stat_count(&client->stats, STOOK__STAT_REPEATED);
    }
    /* A repeat is always on a fresh connection. */
    if (again || retry_now)
        stook__record_start(client, record, record->job.repeated);
    return 0;
}

int stook__record_expire(stook_client *client, struct stook_result *record, int error, int64_t now)
{
    int of_attempt = error == STOOK_ETIMEOUT_ATTEMPT || error == STOOK_ETIMEOUT_STALL;
    if (!of_attempt || record->spec.optional == NULL || record->spec.optional->mirrors == NULL) {
        stook__record_end(client, record, error);
        return 0;
    }
    struct stook__outcome outcome =
        stook__describe_end(client->allocator, &record->job, error, NULL);
    struct stook__answer answer = {0};
    int possible = stook__failover_is_possible(record->attempt);
    client->ends += STOOK__END_COST_ATTEMPTING;
    stop_attempt(record, &answer, NULL);
    if (fail_over(client, record, possible, &answer, &outcome, now))
        return 1;
    finish(client, record, &answer, &outcome);
    return 0;
}

void stook__record_end(stook_client *client, struct stook_result *record, int error)
{
    struct stook__outcome outcome = stook__describe_end(client->allocator, &record->job, error,
                                                        stook__record_batch(record)->end.cause);
    struct stook__answer answer = {0};
    client->ends += record->state == STOOK__REQUEST_ATTEMPTING ? STOOK__END_COST_ATTEMPTING : 1;
    if (record->state == STOOK__REQUEST_ATTEMPTING)
        stop_attempt(record, &answer, NULL);
    finish(client, record, &answer, &outcome);
}
