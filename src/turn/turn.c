/* SPDX-License-Identifier: MIT */
/*
 * One turn of a client, in the order of docs/architecture.md. The one room that sees both sides; it
 * decides nothing: who starts is said by sched, in which order results go out by deliver.
 */
#include <stdio.h>

#include "engine/engine.h"
#include "loop/loop.h"
#include "transfer/attempt.h"
#include "transfer/brake.h"
#include "turn/attend.h"
#include "turn/bodies.h"
#include "turn/brakes.h"
#include "turn/ending.h"
#include "turn/streams.h"

enum { NEWS = 256, STARTS = 64, DELIVERIES = 128, LETTERS = 1024, ROUNDS = 4 }; /* a turn, at most */

void stook__batch_touch(stook_batch *batch)
{
    if (batch->client == NULL || !stook__list_empty(&batch->touch))
        return;
    stook__list_append(&batch->client->touched, &batch->touch);
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
    struct stook__extra *extra = record->spec.extra;
    struct stook_result *shown = extra != NULL ? extra->shown : NULL;
    if (shown != NULL)
        extra->shown = NULL;
    stook__bodies_take(batch, record);
    stook__record_settle(record, answer, outcome, !batch->tray.terms.lent);
    record->spec.shown = shown;
    stook__tray_arrived(&batch->tray, &client->trays, &record->parcel, stook__record_bytes(record),
                        stook__record_ok(record));
    stook__count(&client->counters, STOOK__FINISHED_ALL);
    if (!stook__record_ok(record))
        stook__count(&client->counters, STOOK__FAILED);
    stook__batch_note(batch, record);
    stook__batch_touch(batch);
}

static int put_back(stook_client *client, struct stook_result *record)
{
    if (!stook__sched_put_back(&client->sched, &record->job))
        return 0;
    stook_batch *batch = stook__record_batch(record);
    stook__tray_stopped(&batch->tray, &record->parcel);
    stook__batch_touch(batch); /* nothing may start there any more */
    return 1;
}

static void drop_message(stook_client *client, struct stook__outcome *outcome)
{
    if (outcome->message_owned)
        stook__free(client->heap, (char *)outcome->message);
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
            attempt = stook__attempt_begin(client->usual, &record->spec, stook__job_site(&record->job), record->job.policy,
                                           fresh, record, &outcome);
        } while (attempt == NULL && outcome.starved && stook__engine_make_room(client->engine));
    if (attempt == NULL && outcome.starved && put_back(client, record)) {
        drop_message(client, &outcome);
        return;
    }
    if (attempt != NULL) {
        record->attempt = attempt;
        record->stage = STOOK__TRYING;
        stook__brakes_set(client, record);
        return;
    }
    answer.os_error = (int16_t)outcome.os_error;
    stook__ending_name_first(client->heap, &record->job, &outcome);
    record->job.attempts--; /* it was not tried */
    finish(client, record, &answer, &outcome);
}

void stook__record_end(stook_client *client, struct stook_result *record, int error)
{
    struct stook__outcome outcome =
        stook__ending_say(client->heap, &record->job, error, stook__record_batch(record)->cause);
    struct stook__answer answer = {0};
    client->endings += record->stage == STOOK__TRYING ? STOOK__ENDING_IN_FLIGHT : 1;
    if (record->stage == STOOK__TRYING)
        stook__record_stop(record, &answer, NULL);
    finish(client, record, &answer, &outcome);
}

/* Steps 1 to 3: what came from below. */
static void take_news(stook_client *client, int64_t now)
{
    struct stook__attempt *attempt = NULL;
    for (int i = 0; i < NEWS && (attempt = stook__attempt_news(client->usual)) != NULL; i++) {
        struct stook_result *record = stook__attempt_owner(attempt);
        struct stook__answer answer;
        struct stook__outcome outcome;
        stook__record_stop(record, &answer, &outcome);
        struct stook__ending ending = {outcome.error, outcome.idempotent, outcome.lost};
        int again = stook__sched_again(&record->job, &ending);
        int eased = !again && outcome.starved && stook__engine_make_room(client->engine);
        if (!again && !eased && !(outcome.starved && put_back(client, record))) {
            stook__ending_name_first(client->heap, &record->job, &outcome);
            record->job.attempts -= (uint32_t)outcome.untried;
            finish(client, record, &answer, &outcome);
            continue;
        }
        stook__answer_free(&answer, client->heap);
        drop_message(client, &outcome);
        if (again) {
            record->job.lost = outcome.error == STOOK_ERESET;
            stook__sched_repeat(&client->sched, &record->job, now);
            stook__count(&client->counters, STOOK__REPEATED);
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
    while ((group = stook__sched_late_group(&client->sched, now)) != NULL)
        stook__batch_condemn(STOOK__OF(stook_batch, group, group), STOOK_ETIMEOUT_BATCH);
    while (client->endings < STOOK__ENDINGS && (job = stook__sched_late_job(&client->sched, now)) != NULL) {
        struct stook_result *record = stook__record_of_job(job);
        if (record->stage == STOOK__TRYING) {
            int64_t moved_at = stook__attempt_moved_at(record->attempt);
            job->moved_at = moved_at > job->moved_at ? moved_at : job->moved_at;
            job->connected = (uint8_t)stook__attempt_connected(record->attempt);
            if (stook__attempt_held_up(record->attempt)) {
                stook__sched_hold(&client->sched, job); /* its clocks stand still */
                continue;
            }
        }
        int error = stook__sched_verdict(&client->sched, job, now);
        if (error != 0)
            stook__record_end(client, record, error);
    }
}

/* Step 4: calls, cancels and wake-ups from other threads, those that are there now. */
static void read_letters(stook_client *client)
{
    struct stook__letter *letter;
    size_t count = stook__inbox_count(client->inbox);
    for (size_t i = 0; i < count && i < LETTERS && (letter = stook__inbox_next(client->inbox)) != NULL; i++) {
        if (letter->batch != NULL) {
            stook__batch_hear(letter->batch);
            continue;
        }
        struct stook__letter copy = *letter;
        stook__free(client->heap, letter);
        stook__call_posted(copy.call, client, copy.user);
    }
}

/* Step 5. */
static void start(stook_client *client)
{
    struct stook__job *job = NULL;
    int budget = STARTS;
    for (int round = 0; round < ROUNDS && budget > 0; round++) {
        stook__attend_touched(client);
        int64_t now = stook__loop_now(); /* the program has run: its time is nobody's */
        if (stook__sched_is_late(&client->sched, now))
            break; /* a clock first: what has waited too long does not start */
        for (; budget > 0 && (job = stook__sched_next(&client->sched, now)) != NULL; budget--) {
            struct stook_result *record = stook__record_of_job(job);
            stook_batch *batch = stook__record_batch(record);
            stook__tray_started(&batch->tray, &record->parcel);
            stook__count(&client->counters, STOOK__STARTED);
            stook__attend_room(client, batch);
            if (!batch->exhausted)
                stook__batch_touch(batch);
            begin(client, record, 0);
        }
        if (stook__list_empty(&client->touched))
            break;
    }
}

/* Step 7. */
static void deliver(stook_client *client)
{
    struct stook__tray *tray = NULL;
    struct stook__parcel *parcel;
    for (int i = 0; i < DELIVERIES && (parcel = stook__tray_next(&client->trays, &tray)) != NULL; i++) {
        stook_batch *batch = STOOK__OF(stook_batch, tray, tray);
        struct stook_result *record = stook__record_of_parcel(parcel);
        stook__call_result(&batch->audience, batch, record);
        stook__tray_let_go(tray, client->heap, &client->trays, parcel, stook__record_bytes(record));
        stook__record_drop(record);
        stook__batch_touch(batch);
    }
    stook__attend_touched(client);
}

/* Step 8. */
static void settle(stook_client *client)
{
    int64_t sched = stook__sched_alarm(&client->sched), engine = stook__engine_alarm(client->engine);
    stook__loop_alarm(client->loop, sched == 0 || (engine != 0 && engine < sched) ? engine : sched);
    if (stook__engine_is_busy(client->engine) || client->again || !stook__list_empty(&client->touched) ||
        stook__attempt_is_due(client->usual) || !stook__list_empty(&client->trays) || stook__sched_ready(&client->sched) || stook__inbox_count(client->inbox) > 0)
        stook__loop_want(client->loop);
    /* What `done` has left to do, such as to give a body back, is done though no await keeps the loop alive. */
    stook__loop_busy(client->loop, client->awaits > 0 || client->closing || !stook__list_empty(&client->touched));
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
    stook__brakes_settle(client);
    deliver(client);
    client->turning = 0;
    settle(client);
    if (client->closing)
        stook__ending_try_close(client);
}

const struct stook__loop_events stook__turn_events = {take_turn, stook__ending_closed};
