/* SPDX-License-Identifier: MIT */
/*
 * One turn of a client, in the order of docs/architecture.md. The one room that sees both sides; it
 * decides nothing: who starts is said by sched, in which order results go out by deliver.
 */
#include <stdio.h>

#include "core/body_release.h"
#include "core/completion.h"
#include "core/flow.h"
#include "core/process_batch.h"
#include "core/streams.h"
#include "curl/engine.h"
#include "http/attempt.h"
#include "http/stream.h"
#include "loop/loop.h"

enum {
    NEWS = 256,
    STARTS = 64,
    DELIVERIES = 128,
    LETTERS = 1024,
    ROUNDS = 4
}; /* a turn, at most */

void stook__batch_mark_dirty(stook_batch *batch)
{
    if (batch->client == NULL || !stook__list_empty(&batch->dirty))
        return;
    stook__list_append(&batch->client->dirty_batches, &batch->dirty);
    if (!batch->client->turning)
        stook__loop_want(batch->client->loop);
}

static void finish(stook_client *client, struct stook_result *record, struct stook__answer *answer,
                   const struct stook__outcome *outcome)
{
    stook_batch *batch = stook__record_batch(record);
    if (record->job.attempts == 0)
        record->job.first_at = stook__loop_now();
    stook__sched_finish(&client->sched, &record->job);
    struct stook__optional *optional = record->spec.optional;
    struct stook_result *snapshot = optional != NULL ? optional->snapshot : NULL;
    if (snapshot != NULL)
        optional->snapshot = NULL;
    stook__body_release_add(batch, record);
    stook__record_settle(record, answer, outcome, !batch->results.options.borrowed);
    record->spec.snapshot = snapshot;
    stook__result_queue_finished(&batch->results, &client->result_queues, &record->entry,
                                 stook__record_bytes(record), stook__record_ok(record));
    stook__count(&client->stats, STOOK__FINISHED_ALL);
    if (!stook__record_ok(record))
        stook__count(&client->stats, STOOK__FAILED);
    stook__batch_note_result(batch, record);
    stook__batch_mark_dirty(batch);
}

/* It runs no longer; what it received is counted. */
static void stop(struct stook_result *record, struct stook__answer *answer,
                 struct stook__outcome *outcome)
{
    int64_t expected;
    stook__record_batch(record)->bytes_received +=
        stook__attempt_received(record->attempt, &expected);
    stook__record_stop(record, answer, outcome);
}

static int put_back(stook_client *client, struct stook_result *record)
{
    if (!stook__sched_put_back(&client->sched, &record->job))
        return 0;
    stook_batch *batch = stook__record_batch(record);
    stook__result_queue_stopped(&batch->results, &record->entry);
    stook__batch_mark_dirty(batch); /* nothing may start there any more */
    return 1;
}

static void drop_message(stook_client *client, struct stook__outcome *outcome)
{
    if (outcome->message_owned)
        stook__free(client->allocator, (char *)outcome->message);
    outcome->message_owned = 0;
}

static void begin(stook_client *client, struct stook_result *record, int fresh)
{
    struct stook__outcome outcome = {.error = record->error, .message = record->message};
    struct stook__answer answer = {0};
    struct stook__attempt *attempt = NULL;
    if (outcome.error == 0)
        do {
            drop_message(client, &outcome);
            attempt = stook__attempt_begin(client->defaults, &record->spec,
                                           stook__job_origin(&record->job), record->job.policy,
                                           fresh, record, &outcome);
        } while (attempt == NULL && outcome.starved && stook__engine_make_room(client->engine));
    if (attempt == NULL && outcome.starved && put_back(client, record)) {
        drop_message(client, &outcome);
        return;
    }
    if (attempt != NULL) {
        record->attempt = attempt;
        record->stage = STOOK__TRYING;
        stook__flow_begin(client, record);
        return;
    }
    answer.os_error = (int16_t)outcome.os_error;
    stook__completion_name_first(client->allocator, &record->job, &outcome);
    record->job.attempts--; /* it was not tried */
    finish(client, record, &answer, &outcome);
}

void stook__record_end(stook_client *client, struct stook_result *record, int error)
{
    struct stook__outcome outcome = stook__completion_describe(
        client->allocator, &record->job, error, stook__record_batch(record)->cause);
    struct stook__answer answer = {0};
    client->endings += record->stage == STOOK__TRYING ? STOOK__ENDING_IN_FLIGHT : 1;
    if (record->stage == STOOK__TRYING)
        stop(record, &answer, NULL);
    finish(client, record, &answer, &outcome);
}

/* Steps 1 to 3: what came from below. */
static void take_news(stook_client *client, int64_t now)
{
    struct stook__attempt *attempt = NULL;
    for (int i = 0; i < NEWS && (attempt = stook__attempt_next_completed(client->defaults)) != NULL;
         i++) {
        struct stook_result *record = stook__attempt_owner(attempt);
        struct stook__answer answer;
        struct stook__outcome outcome;
        stop(record, &answer, &outcome);
        struct stook__ending ending = {outcome.error, outcome.idempotent, outcome.lost};
        int again = !client->draining && stook__sched_again(&record->job, &ending);
        int eased = !again && outcome.starved && stook__engine_make_room(client->engine);
        if (!again && !eased && !(outcome.starved && put_back(client, record))) {
            stook__completion_name_first(client->allocator, &record->job, &outcome);
            record->job.attempts -= (uint32_t)outcome.untried;
            finish(client, record, &answer, &outcome);
            continue;
        }
        stook__answer_free(&answer, client->allocator);
        drop_message(client, &outcome);
        if (again) {
            record->job.lost = outcome.error == STOOK_ERESET;
            stook__sched_repeat(&client->sched, &record->job, now);
            stook__count(&client->stats, STOOK__REPEATED);
        }
        if (again || eased)
            begin(client, record, again || record->job.attempts > 1);
    }
}

/* Step 3: whose time is up. */
static void expire(stook_client *client, int64_t now)
{
    struct stook__group *group;
    struct stook__job *job;
    if (client->drain_due != 0 && client->drain_due <= now)
        stook__shutdown_begin(client);
    while ((group = stook__sched_late_group(&client->sched, now)) != NULL)
        stook__batch_terminate(STOOK__OF(stook_batch, group, group), STOOK_ETIMEOUT_BATCH);
    while (client->endings < STOOK__ENDINGS &&
           (job = stook__sched_late_job(&client->sched, now)) != NULL) {
        struct stook_result *record = stook__record_of_job(job);
        if (record->stage == STOOK__TRYING) {
            int64_t moved_at = stook__attempt_moved_at(record->attempt);
            job->moved_at = moved_at > job->moved_at ? moved_at : job->moved_at;
            job->connected = (uint8_t)stook__attempt_connected(record->attempt);
            if (stook__attempt_paused(record->attempt, STOOK__PAUSE_BUFFER)) {
                stook__sched_pause(&client->sched, job); /* its clocks stand still */
                continue;
            }
        }
        int error = stook__sched_expired(&client->sched, job, now);
        if (error != 0)
            stook__record_end(client, record, error);
    }
}

/* Step 4: calls, cancels and wake-ups from other threads, those that are there now. */
static void read_letters(stook_client *client)
{
    struct stook__message *message;
    size_t count = stook__mailbox_count(client->mailbox);
    for (size_t i = 0;
         i < count && i < LETTERS && (message = stook__mailbox_next(client->mailbox)) != NULL;
         i++) {
        if (message->batch != NULL) {
            stook__batch_handle_message(message->batch);
            continue;
        }
        struct stook__message copy = *message;
        stook__free(client->allocator, message);
        stook__call_posted(copy.call, client, copy.user);
    }
}

/* Step 5. */
static void start(stook_client *client)
{
    struct stook__job *job = NULL;
    int budget = STARTS;
    for (int round = 0; round < ROUNDS && budget > 0; round++) {
        stook__process_batches(client);
        int64_t now = stook__loop_now(); /* the program has run: its time is nobody's */
        if (stook__sched_is_late(&client->sched, now))
            break; /* a clock first: what has waited too long does not start */
        for (; budget > 0 && (job = stook__sched_next(&client->sched, now)) != NULL; budget--) {
            struct stook_result *record = stook__record_of_job(job);
            stook_batch *batch = stook__record_batch(record);
            stook__result_queue_started(&batch->results, &record->entry);
            stook__count(&client->stats, STOOK__STARTED);
            stook__process_batch_room(client, batch);
            if (!batch->exhausted)
                stook__batch_mark_dirty(batch);
            begin(client, record, 0);
        }
        if (stook__list_empty(&client->dirty_batches))
            break;
    }
}

/* Step 7. */
static void deliver(stook_client *client)
{
    struct stook__result_queue *results = NULL;
    struct stook__result_entry *entry;
    for (int i = 0; i < DELIVERIES &&
                    (entry = stook__result_queue_next(&client->result_queues, &results)) != NULL;
         i++) {
        stook_batch *batch = STOOK__OF(stook_batch, results, results);
        struct stook_result *record = stook__record_of_entry(entry);
        stook__call_result(&batch->callbacks, batch, record);
        stook__result_queue_release(results, client->allocator, &client->result_queues, entry,
                                    stook__record_bytes(record));
        stook__record_drop(record);
        stook__batch_mark_dirty(batch);
    }
    stook__process_batches(client);
}

/* Whether there is work for a turn, whatever the time. */
static int has_work(const stook_client *client)
{
    return stook__engine_is_busy(client->engine) || client->again ||
           !stook__list_empty(&client->dirty_batches) || stook__attempt_is_due(client->defaults) ||
           !stook__list_empty(&client->result_queues) || stook__sched_ready(&client->sched) ||
           stook__mailbox_count(client->mailbox) > 0;
}

/* Of two times of which 0 is none. */
static int64_t earlier(int64_t one, int64_t other)
{
    return one == 0 || (other != 0 && other < one) ? other : one;
}

static int64_t alarm_of(const stook_client *client)
{
    int64_t sched = stook__sched_alarm(&client->sched),
            engine = stook__engine_alarm(client->engine);
    return earlier(earlier(sched, engine), client->drain_due);
}

int64_t stook__turn_due(const stook_client *client)
{
    return client->closing > 1 || has_work(client) ? 1 : alarm_of(client); /* 1: long past */
}

void stook__turn_ask(stook_client *client)
{
    /* The alarm is that of the last turn: what was added or changed since may be due before it. */
    int64_t due = stook__turn_due(client);
    if (due != 0 && due <= stook__loop_now())
        stook__loop_want(client->loop);
    else
        stook__loop_alarm(client->loop, due);
}

/* Step 8. */
static void settle(stook_client *client)
{
    stook__loop_alarm(client->loop, alarm_of(client));
    if (has_work(client))
        stook__loop_want(client->loop);
    /* What `done` has left to do, such as to give a body back, is done though no await keeps the loop alive. */
    stook__loop_busy(client->loop, client->awaits > 0 || client->closing || client->draining ||
                                       !stook__list_empty(&client->dirty_batches));
}

static void take_turn(void *owner)
{
    stook_client *client = owner;
    if (client->turning) {
        /* The program runs its loop from inside a callback: our turn goes on when it returns. */
        client->again = 1;
        return;
    }
    int64_t now = stook__loop_now();
    client->turning = 1;
    client->again = 0;
    client->endings = 0;
    take_news(client, now);
    expire(client, now);
    read_letters(client);
    start(client);
    stook__streams_serve(client);
    stook__engine_work(client->engine);
    stook__flow_settle(client);
    deliver(client);
    client->turning = 0;
    if (client->draining && client->awaits == 0)
        stook__shutdown_begin(client);
    settle(client);
    if (client->closing)
        stook__shutdown_continue(client);
}

const struct stook__loop_events stook__turn_events = {take_turn, stook__shutdown_closed};
