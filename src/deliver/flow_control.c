/* SPDX-License-Identifier: MIT */
/* Window, bytes and pauses of a batch; see flow_control.h. */
#include "deliver/flow_control.h"

/* --------------------------------------------------------------------------- requests, results */

void stook__flow_init(struct stook__flow_control *flow)
{
    stook__list_init(&flow->paused);
    stook__list_init(&flow->has_paused);
}

void stook__flow_open(struct stook__flow_control *flow, size_t window, size_t max_buffered_bytes,
                      int counts_bodies)
{
    flow->window = window;
    flow->max_buffered_bytes = max_buffered_bytes;
    flow->counts_bodies = counts_bodies && max_buffered_bytes < SIZE_MAX;
}

void stook__flow_end(struct stook__flow_control *flow)
{
    stook__list_remove(&flow->has_paused);
}

void stook__flow_started(struct stook__flow_control *flow)
{
    flow->outstanding++;
}

void stook__flow_stopped(struct stook__flow_control *flow)
{
    flow->outstanding--;
}

void stook__flow_arrived(struct stook__flow_control *flow, size_t bytes)
{
    flow->result_bytes += bytes;
}

void stook__flow_delivered(struct stook__flow_control *flow, size_t bytes, int started)
{
    flow->result_bytes -= bytes;
    flow->outstanding -= started != 0;
}

int stook__flow_has_room(const struct stook__flow_control *flow, int windowed, size_t reserved)
{
    return (!windowed || flow->outstanding + reserved < flow->window) &&
           flow->result_bytes + flow->body_bytes < flow->max_buffered_bytes;
}

/* ----------------------------------------------------------------------------- whom to resume */

size_t stook__flow_update(struct stook__flow_control *flow)
{
    flow->body_limit = flow->max_buffered_bytes > flow->result_bytes
                           ? flow->max_buffered_bytes - flow->result_bytes
                           : 0;
    return flow->body_limit > flow->body_bytes ? flow->body_limit - flow->body_bytes : 0;
}

struct stook__body_flow *stook__flow_next_resumable(struct stook__flow_control *flow,
                                                    struct stook__body_flow *head, int head_blocked,
                                                    size_t *left)
{
    if (head != NULL) {
        stook__body_flow_exempt(head);
        if ((head->paused & STOOK__PAUSE_BUFFER) != 0)
            return head;
    }
    if (stook__list_empty(&flow->paused))
        return NULL;
    struct stook__body_flow *first = STOOK__OF(struct stook__body_flow, link, flow->paused.next);
    if (first->wants <= *left) {
        *left -= first->wants;
        return first;
    }
    /* One at a time: the slot that it frees may be all that the head needs. */
    if (!head_blocked || flow->n_exempt > 0)
        return NULL;
    stook__body_flow_exempt(first);
    return first;
}

struct stook__flow_control *stook__flow_next_paused(struct stook__link *newly_paused)
{
    struct stook__link *first = stook__list_pop(newly_paused);
    return first != NULL ? STOOK__OF(struct stook__flow_control, has_paused, first) : NULL;
}

/* ----------------------------------------------------------------------------------- one body */

void stook__body_flow_enter(struct stook__body_flow *body, struct stook__flow_control *batch)
{
    body->batch = batch;
    stook__list_init(&body->link);
}

void stook__body_flow_leave(struct stook__body_flow *body)
{
    if (body->batch == NULL)
        return;
    stook__body_flow_count(body, 0);
    body->batch->n_exempt -= body->exempt;
    stook__list_remove(&body->link);
    body->batch = NULL;
}

int stook__body_flow_may_take(struct stook__body_flow *body, size_t size, int64_t now)
{
    struct stook__flow_control *batch = body->batch;
    if (batch == NULL || body->exempt ||
        (batch->body_bytes < batch->body_limit && size <= batch->body_limit - batch->body_bytes))
        return 1;
    if ((body->paused & STOOK__PAUSE_BUFFER) != 0)
        return 0;
    stook__body_flow_pause(body, STOOK__PAUSE_BUFFER, now);
    body->wants = size;
    stook__list_append(&batch->paused, &body->link);
    if (stook__list_empty(&batch->has_paused))
        stook__list_append(batch->newly_paused, &batch->has_paused);
    return 0;
}

size_t stook__body_flow_room(const struct stook__body_flow *body)
{
    return body->batch != NULL ? body->batch->body_limit : SIZE_MAX;
}

void stook__body_flow_count(struct stook__body_flow *body, size_t bytes)
{
    if (body->batch == NULL)
        return;
    body->batch->body_bytes += bytes - body->bytes;
    body->bytes = bytes;
}

void stook__body_flow_exempt(struct stook__body_flow *body)
{
    if (body->batch == NULL || body->exempt)
        return;
    body->exempt = 1;
    body->batch->n_exempt++;
}

void stook__body_flow_pause(struct stook__body_flow *body, enum stook__pause reason, int64_t now)
{
    body->paused |= (uint8_t)reason;
    if (reason != STOOK__PAUSE_SINK)
        body->paused_at = now;
}

int64_t stook__body_flow_resume(struct stook__body_flow *body, enum stook__pause reason,
                                int64_t now)
{
    if ((body->paused & reason) == 0)
        return 0;
    body->paused &= (uint8_t)~reason;
    if (reason == STOOK__PAUSE_SINK)
        return 0;
    if (reason == STOOK__PAUSE_BUFFER)
        stook__list_remove(&body->link);
    return now > body->paused_at ? now - body->paused_at : 0;
}
