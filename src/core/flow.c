/* SPDX-License-Identifier: MIT */
/* Pauses and resumes bodies; see flow.h. deliver/flow_control.c decides which. */
#include "core/flow.h"

#include "http/attempt.h"
#include "http/stream.h"
#include "loop/loop.h"

void stook__flow_begin(stook_client *client, struct stook_result *record)
{
    struct stook__result_queue *results = &stook__record_batch(record)->results;
    if (!results->flow.counts_bodies)
        return;
    results->flow.newly_paused = &client->newly_paused;
    stook__attempt_count_body(record->attempt, &results->flow);
    if (record->entry.index == results->delivered)
        stook__body_flow_exempt(stook__attempt_flow(record->attempt));
}

static struct stook__body_flow *flow_of_head(const struct stook__result_queue *results)
{
    struct stook__result_entry *front =
        stook__sparse_array_get(&results->entries, results->delivered);
    struct stook_result *head = front != NULL ? stook__record_of_entry(front) : NULL;
    return head != NULL && head->stage == STOOK__TRYING ? stook__attempt_flow(head->attempt) : NULL;
}

/* Whether a limit keeps the head from starting. */
static int head_is_blocked(const stook_client *client, const struct stook__result_queue *results)
{
    struct stook__result_entry *head = stook__result_queue_head(results);
    return head != NULL &&
           stook__sched_reason(&client->sched, &stook__record_of_entry(head)->job) !=
               STOOK__BY_NOTHING;
}

void stook__flow_resume_bodies(stook_client *client, stook_batch *batch)
{
    struct stook__result_queue *results = &batch->results;
    if (!results->flow.counts_bodies)
        return;
    size_t left = stook__flow_update(&results->flow);
    int blocked = head_is_blocked(client, results);
    struct stook__body_flow *head = flow_of_head(results), *flow;
    while ((flow = stook__flow_next_resumable(&results->flow, head, blocked, &left)) != NULL) {
        struct stook__attempt *attempt = stook__attempt_of_flow(flow);
        struct stook_result *record = stook__attempt_owner(attempt);
        int64_t paused_us = stook__attempt_resume_for_buffer(attempt, stook__loop_now());
        stook__sched_resume(&client->sched, &record->job, paused_us); /* 0 us counts, too */
    }
}

void stook__flow_settle(stook_client *client)
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
