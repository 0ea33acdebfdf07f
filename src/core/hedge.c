/* SPDX-License-Identifier: MIT */
/* Hedges; see hedge.h. */
#include "core/hedge.h"

#include "core/attempts.h"
#include "core/client_state.h"
#include "core/completion.h"
#include "core/record.h"
#include "http/attempt.h"
#include "http/outcome.h"
#include "http/stream.h"
#include "loop/loop.h"
#include "sched/clocks.h"
#include "sched/gate.h"
#include "sched/queue.h"
#include "sched/sched.h"

void stook__hedge_start(stook_client *client, struct stook_result *record)
{
    struct stook__optional *optional = record->spec.optional;
    const char *plain_path = record->path_is_plain ? record->spec.url + record->origin_size : NULL;
    struct stook__outcome outcome;
    if (optional->hedge != NULL || stook__attempt_responded(record->attempt) ||
        !stook__sched_hedge(&client->sched, &record->job))
        return;
    optional->hedge = stook__attempt_begin(client->defaults, &record->spec, plain_path,
                                           stook__job_origin(&record->job), record->job.settings, 1,
                                           record, &outcome);
    if (optional->hedge == NULL) {
        stook__sched_unhedge(&client->sched, &record->job);
        record->job.attempts--;
        stook__gates_give_back(&client->sched, record->job.queue->key.target,
                               record->job.settings->cost > 0 ? record->job.settings->cost : 0, 1,
                               record->job.attempt_at);
        stook__outcome_free(client->allocator, &outcome);
        return;
    }
    stook__record_count_body(client, record, optional->hedge);
}

/* Ends an attempt that is not the request's any more. `failed`: it has completed by itself, and its
   end says something of the server. */
static void end_loser(stook_client *client, struct stook_result *record,
                      struct stook__attempt *loser, int failed)
{
    struct stook__answer answer;
    struct stook__outcome outcome = {0};
    int64_t cost = record->job.settings->cost > 0 ? record->job.settings->cost : 0, expected;
    stook__record_batch(record)->bytes_received += stook__attempt_received(loser, &expected);
    if (stook__attempt_may_have_sent(loser))
        record->sent = 1;
    else
        stook__gates_give_back(&client->sched, record->job.queue->key.target, cost, 0,
                               record->job.attempt_at);
    stook__attempt_end(loser, &answer, failed ? &outcome : NULL);
    if (failed)
        stook__record_note_ending(client, record, &answer, &outcome, stook__loop_now());
    stook__outcome_free(client->allocator, &outcome);
    stook__answer_free(&answer, client->allocator);
    record->spec.optional->hedge = NULL;
    stook__sched_unhedge(&client->sched, &record->job);
}

/* When the body was paused for room; 0: it is not. */
static int64_t paused_since(struct stook__attempt *attempt)
{
    return stook__attempt_paused(attempt, STOOK__PAUSE_BUFFER)
               ? stook__attempt_flow(attempt)->paused_at
               : 0;
}

int stook__hedge_takes_pause(struct stook__attempt *other, int64_t since)
{
    if (other == NULL || paused_since(other) == 0)
        return 0;
    if (since < stook__attempt_flow(other)->paused_at)
        stook__attempt_flow(other)->paused_at = since;
    return 1;
}

int stook__hedge_settle(stook_client *client, struct stook_result *record,
                        struct stook__attempt *attempt)
{
    struct stook__optional *optional = record->spec.optional;
    if (optional == NULL || optional->hedge == NULL)
        return 1;
    struct stook__attempt *other = attempt == optional->hedge ? record->attempt : optional->hedge;
    int good = stook__attempt_is_good(attempt);
    int64_t since = paused_since(attempt);
    record->attempt = good ? attempt : other;
    end_loser(client, record, good ? other : attempt, !good);
    /* The clocks stood still if the lost one was paused. */
    if (!good && since != 0 && !stook__hedge_takes_pause(other, since))
        stook__sched_resume(&client->sched, &record->job, stook__loop_now() - since);
    if (!good)
        stook__batch_mark_dirty(stook__record_batch(record));
    return good;
}

struct stook__attempt *stook__hedge_of(const struct stook_result *record)
{
    return record->spec.optional != NULL ? record->spec.optional->hedge : NULL;
}

void stook__hedge_end(stook_client *client, struct stook_result *record)
{
    struct stook__optional *optional = record->spec.optional;
    if (optional != NULL && optional->hedge != NULL)
        end_loser(client, record, optional->hedge, 0);
}
