/* SPDX-License-Identifier: MIT */
/* Bytes of bodies under way; see byte_counter.h. */
#include "util/byte_counter.h"

void stook__byte_counter_init(struct stook__byte_counter *counter)
{
    stook__list_init(&counter->paused);
    stook__list_init(&counter->ready_owners);
}

void stook__byte_counter_end(struct stook__byte_counter *counter)
{
    stook__list_remove(&counter->ready_owners);
}

void stook__body_flow_enter(struct stook__body_flow *flow, struct stook__byte_counter *counter)
{
    flow->counter = counter;
    stook__list_init(&flow->link);
}

void stook__body_flow_leave(struct stook__body_flow *flow)
{
    if (flow->counter == NULL)
        return;
    stook__body_flow_count(flow, 0);
    flow->counter->n_free -= (size_t)flow->free;
    stook__list_remove(&flow->link);
    flow->counter = NULL;
}

int stook__body_flow_may_take(struct stook__body_flow *flow, size_t size, int64_t now)
{
    struct stook__byte_counter *counter = flow->counter;
    if (counter == NULL || flow->free ||
        (counter->bytes < counter->room && size <= counter->room - counter->bytes))
        return 1;
    if (flow->since != 0)
        return 0; /* it waits already */
    flow->since = now;
    flow->wants = size;
    stook__list_append(&counter->paused, &flow->link);
    if (stook__list_empty(&counter->ready_owners))
        stook__list_append(counter->stir, &counter->ready_owners);
    return 0;
}

void stook__body_flow_count(struct stook__body_flow *flow, size_t bytes)
{
    if (flow->counter == NULL)
        return;
    flow->counter->bytes += bytes - flow->bytes;
    flow->bytes = bytes;
}

void stook__body_flow_exempt(struct stook__body_flow *flow)
{
    if (flow->counter == NULL || flow->free)
        return;
    flow->free = 1;
    flow->counter->n_free++;
}

int64_t stook__body_flow_release(struct stook__body_flow *flow, int64_t now)
{
    if (flow->since == 0)
        return 0;
    int64_t waited = now > flow->since ? now - flow->since : 0;
    flow->since = 0;
    stook__list_remove(&flow->link);
    return waited;
}
