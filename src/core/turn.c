/* SPDX-License-Identifier: MIT */
/*
 * One turn of a client, in the numbered steps of docs/architecture.md. It decides nothing itself:
 * sched says who starts and whose clock has run out, deliver in which order results go out and
 * which bodies are paused. Each step is bounded; if work remains, another turn is asked for.
 */
#include "core/turn.h"

#include "core/attempts.h"
#include "core/batch.h"
#include "core/completion.h"
#include "core/finish.h"
#include "core/hedge.h"
#include "core/share.h"
#include "core/shutdown.h"
#include "core/streams.h"
#include "curl/engine.h"
#include "http/attempt.h"
#include "http/stream.h"
#include "loop/loop.h"
#include "sched/clocks.h"
#include "sched/group.h"
#include "sched/reason.h"
#include "sched/refusal.h"
#include "util/trace.h"

/* The bounds of one turn. */
enum {
    COMPLETIONS = 256,
    EXPIRIES = 1024, /* a clock that is late, or a delay that is over */
    FOLLOWERS = 64,  /* that get a copy of a result */
    MESSAGES = 1024,
    STARTS = 64,
    START_ROUNDS = 4, /* `more` may add what can start at once */
    DELIVERIES = 128,
    MORE_CALLS = 64 /* of one batch, each time that it is processed */
};

/* ------------------------------------------------------------- steps 1 to 3: completed, expired */

static void conclude_attempts(stook_client *client, int64_t now)
{
    struct stook__attempt *attempt;
    for (int i = 0;
         i < COMPLETIONS && (attempt = stook__attempt_next_completed(client->defaults)) != NULL;
         i++) {
        struct stook_result *record = stook__attempt_owner(attempt);
        int is_only = record->spec.optional == NULL || stook__hedge_settle(client, record, attempt);
        if (is_only && stook__record_conclude(client, record, now))
            stook__batch_requeue(client, record);
    }
}

/* Tells sched what its clocks depend on. Of a request and its hedge the one that is further counts.
   0: they stand still, because the body is paused for room. */
static int update_clocks(stook_client *client, struct stook_result *record)
{
    struct stook__job *job = &record->job;
    if (record->state != STOOK__REQUEST_ATTEMPTING)
        return 1;
    struct stook__attempt *both[] = {record->attempt, stook__hedge_of(record)};
    job->connected = 0;
    for (int i = 0; i < 2 && both[i] != NULL; i++) {
        int64_t moved_at = stook__attempt_moved_at(both[i]);
        job->moved_at = moved_at > job->moved_at ? moved_at : job->moved_at;
        job->connected |= stook__attempt_connected(both[i]) != 0;
        if (stook__attempt_paused(both[i], STOOK__PAUSE_BUFFER)) {
            stook__sched_pause(&client->sched, job);
            return 0;
        }
    }
    return 1;
}

static void expire(stook_client *client, int64_t now)
{
    struct stook__group *group;
    struct stook__job *job;
    if (client->drain_due != 0 && client->drain_due <= now)
        stook__shutdown_begin(client);
    while ((group = stook__sched_late_group(&client->sched, now)) != NULL)
        stook__batch_terminate(STOOK__OF(stook_batch, group, group), STOOK_ETIMEOUT_BATCH);
    for (int i = 0; i < EXPIRIES && client->ends < STOOK__ENDS_MAX &&
                    (job = stook__sched_late_job(&client->sched, now)) != NULL;
         i++) {
        struct stook_result *record = stook__record_of_job(job);
        if (!update_clocks(client, record))
            continue;
        int error = stook__sched_expired(&client->sched, job, now);
        if (error == STOOK__DELAY_IS_OVER)
            stook__sched_undelay(&client->sched, job);
        else if (error == STOOK__HEDGE_IS_DUE)
            stook__hedge_start(client, record);
        else if (error != 0 && stook__record_expire(client, record, error, now))
            stook__batch_requeue(client, record);
    }
}

/* Followers get copies of the result of the request that was sent for them. */
static void serve_followers(stook_client *client)
{
    struct stook_result *record, *sender;
    for (int i = 0; i < FOLLOWERS && (record = stook__share_next(client, &sender)) != NULL; i++)
        stook__record_share(client, record, sender);
}

/* ------------------------------------------------------------ step 4: messages of other threads */

/* Only those that are there now: a posted call may post the next. */
static void read_messages(stook_client *client)
{
    struct stook__message *message;
    size_t count = stook__mailbox_count(client->mailbox);
    for (size_t i = 0;
         i < count && i < MESSAGES && (message = stook__mailbox_next(client->mailbox)) != NULL;
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

/* ---------------------------------------- steps 5 and 7: what a batch needs beside its requests */

/* Whether a limit keeps the head of the order from starting. */
static int head_is_blocked(stook_client *client, struct stook__result_entry *head)
{
    return head != NULL && stook__sched_reason(&client->sched, &stook__record_of_entry(head)->job,
                                               0, NULL) != STOOK__BY_NOTHING;
}

static struct stook__body_flow *flow_of_head(const struct stook__result_queue *results)
{
    struct stook__result_entry *front =
        stook__sparse_array_get(&results->entries, results->delivered);
    struct stook_result *head = front != NULL ? stook__record_of_entry(front) : NULL;
    if (head == NULL || head->state != STOOK__REQUEST_ATTEMPTING)
        return NULL;
    struct stook__attempt *hedge = stook__hedge_of(head);
    int of_hedge = hedge != NULL && stook__attempt_paused(hedge, STOOK__PAUSE_BUFFER);
    return stook__attempt_flow(of_hedge ? hedge : head->attempt);
}

static void resume_bodies(stook_client *client, struct stook__result_queue *results,
                          struct stook__result_entry *head)
{
    if (!results->flow.counts_bodies)
        return;
    size_t left = stook__flow_update(&results->flow);
    int blocked = head_is_blocked(client, head);
    struct stook__body_flow *front = flow_of_head(results), *flow;
    while ((flow = stook__flow_next_resumable(&results->flow, front, blocked, &left)) != NULL) {
        struct stook__attempt *attempt = stook__attempt_of_flow(flow);
        struct stook_result *record = stook__attempt_owner(attempt);
        struct stook__attempt *hedge = stook__hedge_of(record);
        struct stook__attempt *other = attempt == hedge ? record->attempt : hedge;
        int64_t since = flow->paused_at;
        int64_t paused_us = stook__attempt_resume_for_buffer(attempt, stook__loop_now());
        if (!stook__hedge_takes_pause(other, since))
            stook__sched_resume(&client->sched, &record->job, paused_us); /* also after 0 us */
    }
}

/* Lets requests start up to the end of the window. In an ordered await it ends so many requests
   behind the head: one beyond could not be delivered, and would take the place of one before. */
static void move_horizon(stook_client *client, stook_batch *batch)
{
    struct stook__result_queue *results = &batch->results;
    size_t horizon = results->delivered + results->options.window;
    /* The window may have become smaller. What was revealed stays so. */
    if (batch->group.has_horizon && (int32_t)((uint32_t)horizon - batch->group.horizon) <= 0)
        return;
    stook__group_set_horizon(&client->sched, &batch->group, (uint32_t)horizon);
    for (; batch->revealed < horizon && batch->revealed < results->count; batch->revealed++) {
        struct stook__result_entry *entry =
            stook__sparse_array_get(&results->entries, batch->revealed);
        if (entry != NULL && !entry->arrived)
            stook__sched_reveal(&client->sched, &stook__record_of_entry(entry)->job);
    }
}

/* Tells sched whether the batch may start more requests, and resumes bodies that have room now. */
static void update_room(stook_client *client, stook_batch *batch)
{
    if (batch->window_follows)
        stook__result_queue_set_window(&batch->results, 4 * batch->group.limit);
    struct stook__result_entry *head = NULL;
    struct stook__job *job = NULL;
    int blocked;
    if (batch->results.options.borrowed && batch->results.options.ordered) {
        if (batch->results.options.window != SIZE_MAX)
            move_horizon(client, batch);
        struct stook__result_entry *first = head = stook__result_queue_head(&batch->results);
        blocked = !stook__result_queue_has_room(&batch->results);
        /* A result that has arrived is delivered in this turn, after the starts: the slot that it
           has freed is for the head behind it. */
        if (!blocked && head == NULL && batch->results.arrived > batch->results.delivered)
            first = stook__result_queue_next_head(&batch->results);
        job = first != NULL ? &stook__record_of_entry(first)->job : NULL;
    } else {
        blocked = !stook__result_queue_has_room(&batch->results);
    }
    if (blocked || blocked != batch->group.blocked || job != batch->group.head)
        stook__group_block(&client->sched, &batch->group, blocked, job);
    resume_bodies(client, &batch->results, head);
}

static int more_is_idle(const stook_batch *batch)
{
    const struct stook__result_queue *results = &batch->results;
    return batch->more_idle == STOOK__MORE_UNTIL_WAKE ||
           (batch->more_idle == STOOK__MORE_UNTIL_LAST && results->arrived < results->count);
}

static int wants_more(stook_batch *batch)
{
    const struct stook__group *group = &batch->group;
    size_t wanted = group->limit < SIZE_MAX ? group->limit : MORE_CALLS,
           startable = group->n_waiting - group->n_parked - group->n_delayed;
    return !batch->exhausted && !more_is_idle(batch) && startable < wanted &&
           group->n_waiting < batch->max_waiting && !stook__batch_is_ending(batch);
}

static void call_more(stook_batch *batch)
{
    for (int i = 0; wants_more(batch); i++) {
        if (i == MORE_CALLS) {
            stook__batch_mark_dirty(batch);
            return;
        }
        size_t before = batch->results.count;
        int answer = stook__call_more(&batch->callbacks, batch);
        if (batch->client->drained.asked)
            return; /* the call may have begun the drain, which counts as the last request */
        batch->more_idle = answer != STOOK_AGAIN                           ? STOOK__MORE_READY
                           : batch->results.arrived < batch->results.count ? STOOK__MORE_UNTIL_LAST
                                                                           : STOOK__MORE_UNTIL_WAKE;
        batch->exhausted = answer != STOOK_AGAIN && (answer != 1 || batch->results.count == before);
        if (answer != 0 && batch->exhausted)
            stook__batch_add_failure(batch);
    }
}

static void end_requests(stook_client *client, stook_batch *batch)
{
    struct stook__job *(*any)(struct stook__group *) =
        batch->end.scope == STOOK__END_WAITING ? stook__group_any_waiting : stook__group_any;
    struct stook__job *job;
    stook__group_stop(&client->sched, &batch->group);
    while (client->ends < STOOK__ENDS_MAX && (job = any(&batch->group)) != NULL)
        stook__record_end(client, stook__record_of_job(job), batch->end.error);
    if (any(&batch->group) != NULL)
        stook__batch_mark_dirty(batch);
}

static void complete(stook_client *client, stook_batch *batch)
{
    stook__batch_move(batch, STOOK__DONE);
    stook__group_close(&client->sched, &batch->group);
    client->pulls -= batch->results.options.pulled;
    stook__call_done(&batch->callbacks, batch, stook__batch_failed(batch));
    client->awaits--; /* after the call: a loop that starts the next await from it stays alive */
    if (batch->freed)
        stook__batch_mark_dirty(batch);
}

static void process_batch(stook_client *client, stook_batch *batch)
{
    if (!stook__list_empty(&batch->to_release))
        stook__batch_release_bodies(batch);
    if (batch->state == STOOK__AWAITED) {
        call_more(batch);
        if (stook__batch_is_ending(batch))
            end_requests(client, batch);
        update_room(client, batch);
        if (!stook__list_empty(&batch->to_release))
            stook__batch_release_bodies(batch); /* before `done` */
        if (stook__result_queue_is_done(&batch->results) &&
            (batch->exhausted || batch->end.scope != STOOK__END_NONE))
            complete(client, batch);
    } else if (batch->freed && batch->pins == 0) {
        stook__batch_destroy(batch);
    }
}

/* Those that are dirty now: a batch that becomes dirty meanwhile is for the next time. */
static void process_batches(stook_client *client)
{
    struct stook__link now, *link;
    stook__list_init(&now);
    stook__list_move_all(&client->dirty_batches, &now);
    while ((link = stook__list_pop(&now)) != NULL)
        process_batch(client, STOOK__OF(stook_batch, dirty, link));
}

/* -------------------------------------------------------------------------------- step 5: start */

/* `more` is asked again where requests that it has made wait for something else than a slot. */
static void note_held(stook_client *client)
{
    struct stook__group *group;
    while ((group = stook__sched_next_held(&client->sched)) != NULL) {
        stook_batch *batch = STOOK__OF(stook_batch, group, group);
        if (!batch->exhausted)
            stook__batch_mark_dirty(batch);
    }
}

/* Starts what may start. Returns what is left of the budget: 0 also where clocks come first. */
static int start_ready(stook_client *client, int budget)
{
    struct stook__job *job = NULL;
    int64_t now = stook__loop_now(); /* the time that the program took is no request's */
    stook__sched_tick(&client->sched, now);
    if (stook__sched_is_late(&client->sched, now))
        return 0; /* what has waited too long must not start: clocks first, in the next turn */
    for (; budget > 0 && (job = stook__refusal_next(&client->sched, now)) != NULL; budget--)
        stook__record_refuse(client, stook__record_of_job(job), now);
    for (; budget > 0 && (job = stook__sched_next(&client->sched, now)) != NULL; budget--) {
        struct stook_result *record = stook__record_of_job(job);
        stook_batch *batch = stook__record_batch(record);
        stook__record_move(batch, record, STOOK__REQUEST_ADMITTED, "started", 0);
        stook__result_queue_started(&batch->results, &record->entry);
        if (stook__record_choose_mirror(client, record, now)) {
            stook__record_unstart(client, record, now);
            stook__batch_requeue(client, record);
            continue;
        }
        if (job->settings->coalesce == 1 && stook__share_starts(client, record)) {
            stook__record_unstart(client, record, now);
            stook__sched_hold(&client->sched, job);
            stook__record_waits_again(record, "it follows an equal request");
            continue;
        }
        /* A request that was redirected or put back has started before. */
        if (job->first_at == job->attempt_at)
            stook__stat_count(&client->stats, STOOK__STAT_STARTED);
        if (stook__result_queue_is_windowed(&batch->results))
            update_room(client, batch);
        if (!batch->exhausted)
            stook__batch_mark_dirty(batch);
        stook__record_start(client, record);
    }
    return budget;
}

static void start_requests(stook_client *client)
{
    int budget = STARTS;
    for (int round = 0; round < START_ROUNDS && budget > 0; round++) {
        process_batches(client);
        if (stook__sched_has_work(&client->sched))
            budget = start_ready(client, budget);
        if (!stook__list_empty(&client->sched.held))
            note_held(client);
        if (stook__list_empty(&client->dirty_batches))
            break;
    }
}

/* -------------------------------------------- step 6, its end: bodies that were paused for room */

/* Bodies that were paused for room since the last turn may stay so for long: the engine has to
   know, and their batches look for room. */
static void note_paused_bodies(stook_client *client)
{
    struct stook__flow_control *flow;
    while ((flow = stook__flow_next_paused(&client->newly_paused)) != NULL) {
        struct stook__link *link;
        for (link = flow->paused.next; link != &flow->paused; link = link->next)
            stook__attempt_pause_for_buffer(
                stook__attempt_of_flow(STOOK__OF(struct stook__body_flow, link, link)));
        stook__batch_mark_dirty(
            STOOK__OF(stook_batch, results, STOOK__OF(struct stook__result_queue, flow, flow)));
    }
}

/* ------------------------------------------------------------------------------ step 7: deliver */

static void deliver(stook_client *client)
{
    struct stook__result_queue *results = NULL;
    struct stook__result_entry *entry;
    for (int i = 0; i < DELIVERIES &&
                    (entry = stook__result_queue_next(&client->result_queues, &results)) != NULL;
         i++) {
        stook_batch *batch = STOOK__OF(stook_batch, results, results);
        struct stook_result *record = stook__record_of_entry(entry);
        STOOK__TRACE("core", "batch %p request %zu: delivered", (const void *)batch,
                     (size_t)entry->index);
        stook__call_result(&batch->callbacks, batch, record);
        stook__result_queue_release(results, client->allocator, &client->result_queues, entry,
                                    stook__record_bytes(record));
        stook__record_drop(record);
        stook__batch_mark_dirty(batch);
    }
    process_batches(client);
}

/* ------------------------------------------------------------------------ step 8: the next turn */

/* Whether there is work for a turn, whatever the time. */
static int has_work(const stook_client *client)
{
    return stook__engine_is_busy(client->engine) || client->turn_again ||
           !stook__list_empty(&client->dirty_batches) || stook__attempt_is_due(client->defaults) ||
           stook__share_is_due(client) || !stook__list_empty(&client->result_queues) ||
           stook__sched_ready(&client->sched) || stook__mailbox_count(client->mailbox) > 0;
}

/* 0 stands for no time. */
static int64_t earlier(int64_t one, int64_t other)
{
    return one == 0 || (other != 0 && other < one) ? other : one;
}

static int64_t next_alarm(const stook_client *client)
{
    int64_t sched = stook__sched_alarm(&client->sched),
            engine = stook__engine_alarm(client->engine);
    return earlier(earlier(sched, engine), client->drain_due);
}

int64_t stook__turn_due(const stook_client *client)
{
    /* 1 us: long past. */
    return client->state > STOOK__CLIENT_CLOSING || has_work(client) ? 1 : next_alarm(client);
}

void stook__turn_ask(stook_client *client)
{
    int64_t due = stook__turn_due(client);
    if (due != 0 && due <= stook__loop_now())
        stook__loop_request_turn(client->loop);
    else
        stook__loop_alarm(client->loop, due);
}

static void arm(stook_client *client)
{
    stook__loop_alarm(client->loop, next_alarm(client));
    if (has_work(client))
        stook__loop_request_turn(client->loop);
    /* A dirty batch keeps the loop alive without an await: it may have a body to release. */
    stook__loop_busy(client->loop, client->awaits > 0 || client->state != STOOK__CLIENT_RUNNING ||
                                       !stook__list_empty(&client->dirty_batches));
}

static void take_turn(void *owner)
{
    stook_client *client = owner;
    if (client->turning) {
        /* A callback runs the loop. This turn continues when the callback returns. */
        client->turn_again = 1;
        return;
    }
    int64_t now = stook__loop_now();
    stook__sched_tick(&client->sched, now);
    client->turning = 1;
    client->turn_again = 0;
    client->ends = 0;
    conclude_attempts(client, now); /* steps 1 to 3 */
    expire(client, now);            /* the rest of step 3 */
    if (stook__share_is_due(client))
        serve_followers(client);
    read_messages(client);        /* step 4 */
    start_requests(client);       /* step 5 */
    stook__streams_serve(client); /* step 6, up to note_paused_bodies() */
    stook__engine_work(client->engine, now);
    note_paused_bodies(client);
    deliver(client); /* step 7 */
    client->turning = 0;
    /* Step 8: the next turn, or the next step of a close. */
    if (client->state == STOOK__CLIENT_DRAINING && client->awaits == 0)
        stook__shutdown_begin(client);
    arm(client);
    if (stook__client_is_closing(client))
        stook__shutdown_continue(client);
}

const struct stook__loop_events stook__turn_events = {take_turn, stook__shutdown_closed};
