/* SPDX-License-Identifier: MIT */
/*
 * The attempts of a request, from its start to its end; see attempts.h. The turn calls what is
 * here. sched decides whether a request is sent again.
 */
#include "core/attempts.h"

#include "core/client_state.h"
#include "core/completion.h"
#include "core/describe.h"
#include "core/finish.h"
#include "core/hedge.h"
#include "core/report.h"
#include "curl/engine.h"
#include "http/attempt.h"
#include "http/failover.h"
#include "http/redirect.h"
#include "http/stream.h"
#include "loop/loop.h"
#include "sched/ending.h"
#include "sched/gate.h"
#include "sched/sched.h"
#include "sched/target.h"

/* What ended, as sched is told. */
static struct stook__ending ending_of(const stook_client *client, const struct stook_result *record,
                                      const struct stook__answer *answer,
                                      const struct stook__outcome *outcome)
{
    return (struct stook__ending){
        .error = outcome->error,
        .status = answer->status,
        .idempotent = outcome->idempotent || record->job.settings->idempotent == 1,
        .lost = outcome->lost,
        .refused = outcome->refused,
        .sent = outcome->sent,
        .replayable = outcome->replayable,
        .shown = outcome->shown,
        .final = client->drained.asked || outcome->redirected,
        .wait_ms = outcome->error == 0 ? outcome->wait_ms : -1,
        .first_byte_us = answer->time_us[STOOK_TIME_FIRST_BYTE],
    };
}

/* Whether the end of an attempt means anything for its origin. Mostly it does not, and 50
   instructions a request are spared. */
static inline int matters(const struct stook__job *job, const struct stook__ending *ending)
{
    const struct stook__queue *queue = job->queue;
    return ending->error != 0 || ending->status >= 400 || job->probes_target ||
           queue->key.target->origin->sched.flow != NULL || queue->key.group->adaptive != NULL;
}

void stook__record_note_ending(stook_client *client, struct stook_result *record,
                               const struct stook__answer *answer,
                               const struct stook__outcome *outcome, int64_t now)
{
    const struct stook__ending ending = ending_of(client, record, answer, outcome);
    if (matters(&record->job, &ending))
        stook__ending_note(&client->sched, &record->job, &ending, now);
}

/* Ends the attempt. `error`: what has ended it; 0: it has completed by itself, and is judged. The
   message of *ret_outcome is set in the latter case only. */
static void stop_attempt(stook_client *client, struct stook_result *record, int error,
                         struct stook__answer *ret_answer, struct stook__outcome *ret_outcome,
                         struct stook__ending *ret_ending, int64_t now)
{
    stook_batch *batch = stook__record_batch(record);
    int64_t expected;
    if (record->spec.optional != NULL)
        stook__hedge_end(client, record);
    batch->bytes_received += stook__attempt_received(record->attempt, &expected);
    if (stook__attempt_may_have_sent(record->attempt))
        record->sent = 1;
    *ret_outcome = (struct stook__outcome){.error = error, .wait_ms = -1};
    if (error != 0)
        stook__attempt_describe_repeat(record->attempt, ret_outcome);
    stook__attempt_end(record->attempt, ret_answer, error != 0 ? NULL : ret_outcome);
    stook__record_move(batch, record, STOOK__REQUEST_ADMITTED, "attempt ended", ret_outcome->error);
    record->message = NULL;
    if (error != 0) /* libcurl's last value is of when it last did something */
        ret_answer->time_us[STOOK_TIME_TOTAL] = now - record->job.attempt_at;
    *ret_ending = ending_of(client, record, ret_answer, ret_outcome);
    if (matters(&record->job, ret_ending))
        stook__ending_note(&client->sched, &record->job, ret_ending, now);
}

/* Notes what an attempt that has ended took of the rates of cost, while its target is known. What
   was never sent is given back. */
static void note_receipt(stook_client *client, struct stook_result *record, int sent)
{
    const struct stook__target *target = record->job.queue->key.target;
    const struct stook__origin *origin = target->origin;
    int64_t cost = record->job.settings->cost < 0 ? 0 : record->job.settings->cost;
    if (!client->charges)
        return;
    struct stook__history *history = record->spec.optional->history; /* made with the add */
    stook__history_clear_receipt(history, record->allocator);
    if (!sent) {
        stook__gates_give_back(&client->sched, target, cost, 0, record->job.attempt_at);
        return;
    }
    history->origin_key =
        stook__format(record->allocator, "%.*s", (int)origin->node.key_size, origin->node.key);
    if (target->key != NULL)
        history->rate_key = stook__copy_string(record->allocator, target->key->text);
    history->taken_at = record->job.attempt_at;
    if (history->origin_key != NULL && (target->key == NULL || history->rate_key != NULL))
        history->taken = cost;
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

void stook__record_count_body(stook_client *client, struct stook_result *record,
                              struct stook__attempt *attempt)
{
    struct stook__result_queue *results = &stook__record_batch(record)->results;
    if (!results->flow.counts_bodies)
        return;
    results->flow.newly_paused = &client->newly_paused;
    stook__attempt_count_body(attempt, &results->flow);
    if (record->entry.index == results->delivered)
        stook__body_flow_exempt(stook__attempt_flow(attempt));
}

void stook__record_unstart(stook_client *client, struct stook_result *record, int64_t now)
{
    const struct stook__ending ending = {.error = STOOK_ECANCELLED, .final = 1, .wait_ms = -1};
    stook__ending_note(&client->sched, &record->job, &ending, now);
    stook__sched_not_begun(&client->sched, &record->job);
}

/* Returns a request that is ADMITTED to its queue for another attempt, or lets it start one at once
   in its slot. 0: it may not be sent again, and *outcome says why. */
static int send_again(stook_client *client, struct stook_result *record,
                      struct stook__answer *answer, struct stook__outcome *outcome,
                      struct stook__ending *ending, int64_t now)
{
    struct stook__job *job = &record->job;
    enum stook__no_retry why;
    int64_t at;
    int is_free = stook__ending_is_free(job, ending); /* before the decision, which notes it */
    enum stook__decision decision =
        stook__ending_decide(&client->sched, job, ending, now, &at, &why);
    int again = ending->error == 0 ? STOOK_AGAIN_STATUS
                : is_free          ? STOOK_AGAIN_LOST
                                   : STOOK_AGAIN_ERROR;
    if (decision == STOOK__DELIVER ||
        stook__record_note_attempt(record, ending->error, ending->status, again, now) != 0) {
        stook__describe_no_retry(client->allocator, why, outcome);
        return 0;
    }
    job->attempts = (uint16_t)(job->attempts + answer->attempts);
    stook__answer_free(answer, client->allocator);
    stook__outcome_free(client->allocator, outcome);
    stook__stat_count(&client->stats, STOOK__STAT_REPEATED);
    if (decision == STOOK__REPEAT) {
        stook__sched_repeat(&client->sched, job, now);
        stook__record_start(client, record);
    } else {
        stook__sched_retry(&client->sched, job, at);
        stook__record_waits_again(record, "it is sent again");
    }
    return 1;
}

/* The repeat that is made without retries is to be seen as part of its attempt: if it gets nowhere,
   the first failure is the result's, because the request may have been processed. */
static void describe_first_failure(stook_client *client, const struct stook_result *record,
                                   struct stook__outcome *outcome)
{
    const struct stook__history *history =
        record->spec.optional != NULL ? record->spec.optional->history : NULL;
    const struct stook__past_attempt *last = history != NULL && history->count > 0
                                                 ? stook__history_at(history, history->count - 1)
                                                 : NULL;
    if (last != NULL && record->job.settings->max_retries <= 0 && last->error == STOOK_ERESET &&
        last->again != STOOK_AGAIN_MIRROR)
        stook__describe_first_failure(client->allocator, outcome);
}

/* The attempt has not begun. */
static void end_unstarted(stook_client *client, struct stook_result *record,
                          struct stook__outcome *outcome)
{
    struct stook__answer answer = {.os_error = (int16_t)outcome->os_error};
    struct stook__ending ending = {.error = outcome->error, .final = 1, .wait_ms = -1};
    int64_t now = stook__loop_now();
    stook__ending_note(&client->sched, &record->job, &ending, now);
    if (outcome->starved && put_back(client, record)) {
        stook__outcome_free(client->allocator, outcome);
        return;
    }
    describe_first_failure(client, record, outcome);
    stook__sched_not_begun(&client->sched, &record->job);
    stook__record_finish(client, record, &answer, outcome);
}

void stook__record_start(stook_client *client, struct stook_result *record)
{
    struct stook__job *job = &record->job;
    struct stook__outcome outcome = {.error = record->error, .message = record->message};
    struct stook__attempt *attempt = NULL;
    const char *plain_path = record->path_is_plain ? record->spec.url + record->origin_size : NULL;
    int fresh = job->fresh;
    if (outcome.error == 0)
        do {
            stook__outcome_free(client->allocator, &outcome);
            attempt = stook__attempt_begin(client->defaults, &record->spec, plain_path,
                                           stook__job_origin(job), job->settings, fresh, record,
                                           &outcome);
        } while (attempt == NULL && outcome.starved && stook__engine_make_room(client->engine));
    if (attempt == NULL) {
        end_unstarted(client, record, &outcome);
        return;
    }
    job->fresh = 0;
    record->attempt = attempt;
    if (job->settings->max_retries > job->retries && !client->drained.asked)
        stook__attempt_may_be_retried(attempt);
    stook__record_move(stook__record_batch(record), record, STOOK__REQUEST_ATTEMPTING,
                       fresh ? "attempt on a fresh connection" : "attempt", 0);
    stook__record_count_body(client, record, attempt);
}

void stook__record_refuse(stook_client *client, struct stook_result *record, int64_t now)
{
    const struct stook__origin *origin = stook__job_origin(&record->job);
    struct stook__answer answer = {0};
    struct stook__outcome outcome =
        stook__describe_circuit(client->allocator, origin->sched.flow->circuit.until - now);
    client->ends++;
    stook__record_finish(client, record, &answer, &outcome);
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
    stook__outcome_free(client->allocator, outcome);
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
    (void)stook__record_note_attempt(record, outcome->error, answer->status, STOOK_AGAIN_MIRROR,
                                     now);
    record->job.attempts = (uint16_t)(record->job.attempts + answer->attempts);
    stook__answer_free(answer, client->allocator);
    stook__outcome_free(client->allocator, outcome);
    return 1;
}

int stook__record_conclude(stook_client *client, struct stook_result *record, int64_t now)
{
    struct stook__answer answer;
    struct stook__outcome outcome;
    struct stook__ending ending;
    int possible = stook__failover_is_possible(record->attempt);
    stop_attempt(client, record, 0, &answer, &outcome, &ending, now);
    if (!outcome.starved) /* otherwise it may not be over */
        note_receipt(client, record, outcome.sent);
    if (outcome.redirected && follow(client, record, &answer, &outcome)) {
        (void)stook__record_note_attempt(record, 0, answer.status, STOOK_AGAIN_REDIRECT, now);
        record->job.attempts = (uint16_t)(record->job.attempts + answer.attempts);
        stook__answer_free(&answer, client->allocator);
        stook__outcome_free(client->allocator, &outcome);
        return 1;
    }
    ending.final |= possible && !outcome.lost; /* another mirror comes first */
    if (outcome.starved && stook__engine_make_room(client->engine)) {
        record->job.attempts = (uint16_t)(record->job.attempts + answer.attempts);
        stook__answer_free(&answer, client->allocator);
        stook__outcome_free(client->allocator, &outcome);
        stook__record_start(client, record);
        return 0;
    }
    if (outcome.starved && put_back(client, record)) {
        stook__answer_free(&answer, client->allocator);
        stook__outcome_free(client->allocator, &outcome);
        return 0;
    }
    if (outcome.starved)
        note_receipt(client, record, outcome.sent);
    int is_bad = ending.error != 0 || ending.status >= 400;
    if (is_bad && send_again(client, record, &answer, &outcome, &ending, now))
        return 0;
    if (outcome.cut) {
        stook__outcome_free(client->allocator, &outcome);
        stook__outcome_set(client->allocator, &outcome, STOOK_ETOOLARGE,
                           "the body of a response that was to be retried is over 1 MiB");
        outcome.sent = 1;
    }
    if (ending.error != 0)
        describe_first_failure(client, record, &outcome);
    if (outcome.untried && record->job.attempts > 0)
        record->job.attempts--;
    if (fail_over(client, record, possible, &answer, &outcome, now))
        return 1;
    stook__record_finish(client, record, &answer, &outcome);
    return 0;
}

int stook__record_expire(stook_client *client, struct stook_result *record, int error, int64_t now)
{
    int of_attempt = error == STOOK_ETIMEOUT_ATTEMPT || error == STOOK_ETIMEOUT_STALL;
    if (!of_attempt) {
        stook__record_end(client, record, error);
        return 0;
    }
    struct stook__outcome end = stook__describe_end(client->allocator, &record->job, error, NULL);
    struct stook__answer answer = {0};
    struct stook__outcome outcome;
    int possible = stook__failover_is_possible(record->attempt);
    client->ends += STOOK__END_COST_ATTEMPTING;
    struct stook__ending ending;
    stop_attempt(client, record, error, &answer, &outcome, &ending, now);
    note_receipt(client, record, outcome.sent);
    ending.final |= possible;
    if (send_again(client, record, &answer, &end, &ending, now))
        return 0;
    if (fail_over(client, record, possible, &answer, &end, now))
        return 1;
    stook__record_finish(client, record, &answer, &end);
    return 0;
}

void stook__record_end(stook_client *client, struct stook_result *record, int error)
{
    const stook_batch *batch = stook__record_batch(record);
    int is_late = error == STOOK_ETIMEOUT_QUEUE || error == STOOK_ETIMEOUT_TOTAL;
    const char *cause = !is_late ? batch->end.cause : NULL;
    if (is_late && record->state == STOOK__REQUEST_QUEUED)
        cause = stook__report_text(stook__report_waiting(batch, &record->job));
    struct stook__outcome end = stook__describe_end(client->allocator, &record->job, error, cause);
    struct stook__answer answer = {0};
    struct stook__outcome outcome;
    client->ends += record->state == STOOK__REQUEST_ATTEMPTING ? STOOK__END_COST_ATTEMPTING : 1;
    if (record->state == STOOK__REQUEST_ATTEMPTING) {
        struct stook__ending ending;
        stop_attempt(client, record, error, &answer, &outcome, &ending, stook__loop_now());
        note_receipt(client, record, outcome.sent);
    }
    stook__record_finish(client, record, &answer, &end);
}
