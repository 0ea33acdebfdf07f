/* SPDX-License-Identifier: MIT */
/* Bodies that wait; see flow.h. Which of them go on is said by deliver/quota.c. */
#include "core/flow.h"

#include "deliver/quota.h"
#include "http/attempt.h"
#include "http/flow.h"
#include "loop/loop.h"

void stook__flow_begin(stook_client *client, struct stook_result *record)
{
    struct stook__result_queue *results = &stook__record_batch(record)->results;
    if (!stook__quota_counts(results))
        return;
    results->counter.stir = &client->paused_counters;
    stook__attempt_count_body(record->attempt, &results->counter);
    if (record->entry.index == results->delivered)
        stook__body_flow_exempt(stook__attempt_flow(record->attempt));
}

static struct stook__body_flow *brake_of_head(const struct stook__result_queue *results)
{
    struct stook__result_entry *front =
        stook__sparse_array_get(&results->entries, results->delivered);
    struct stook_result *head = front != NULL ? stook__record_of_entry(front) : NULL;
    return head != NULL && head->stage == STOOK__TRYING ? stook__attempt_flow(head->attempt) : NULL;
}

/* Not if it starts in a moment. */
static int head_is_stuck(const stook_client *client, const struct stook__result_queue *results)
{
    struct stook__result_entry *head = stook__result_queue_head(results);
    return head != NULL &&
           stook__sched_reason(&client->sched, &stook__record_of_entry(head)->job) !=
               STOOK__BY_NOTHING;
}

void stook__flow_update(stook_client *client, stook_batch *batch)
{
    struct stook__result_queue *results = &batch->results;
    if (!stook__quota_counts(results))
        return;
    size_t left = stook__quota_set(results);
    int stuck = head_is_stuck(client, results);
    struct stook__body_flow *head = brake_of_head(results), *flow;
    while ((flow = stook__quota_next(results, head, stuck, &left)) != NULL) {
        struct stook__attempt *attempt = stook__attempt_of_flow(flow);
        struct stook_result *record = stook__attempt_owner(attempt);
        int64_t waited = stook__attempt_resume_for_buffer(attempt, stook__loop_now());
        stook__sched_resume(&client->sched, &record->job,
                            waited); /* also if that was no time at all */
    }
}

void stook__flow_settle(stook_client *client)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&client->paused_counters)) != NULL) {
        struct stook__byte_counter *counter =
            STOOK__OF(struct stook__byte_counter, ready_owners, link);
        for (link = counter->paused.next; link != &counter->paused; link = link->next)
            stook__attempt_pause_for_buffer(
                stook__attempt_of_flow(STOOK__OF(struct stook__body_flow, link, link)));
        stook__batch_mark_dirty(STOOK__OF(stook_batch, results,
                                          STOOK__OF(struct stook__result_queue, counter, counter)));
    }
}
