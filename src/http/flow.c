/* SPDX-License-Identifier: MIT */
/* Bodies that wait because too much is held already; see flow.h. */
#include "http/flow.h"

#include "http/attempt_parts.h"
#include "http/stream.h"

void stook__attempt_count_body(struct stook__attempt *attempt, struct stook__byte_counter *counter)
{
    const struct stook__optional *optional = attempt->spec->optional;
    if (optional != NULL && (optional->on_body != NULL || optional->body_read != NULL))
        return; /* it is not held, or not by us alone */
    stook__body_flow_enter(&attempt->flow, counter);
}

struct stook__body_flow *stook__attempt_flow(struct stook__attempt *attempt)
{
    return &attempt->flow;
}

struct stook__attempt *stook__attempt_of_flow(struct stook__body_flow *flow)
{
    return STOOK__OF(struct stook__attempt, flow, flow);
}

void stook__attempt_pause_for_buffer(struct stook__attempt *attempt)
{
    stook__easy_program_paused(attempt->easy);
}

int stook__attempt_paused_for_buffer(const struct stook__attempt *attempt)
{
    return attempt->flow.since != 0;
}

int64_t stook__attempt_resume_for_buffer(struct stook__attempt *attempt, int64_t now)
{
    if (!stook__attempt_paused_for_buffer(attempt))
        return 0;
    int64_t waited = stook__body_flow_release(&attempt->flow, now);
    attempt->moved_at = now;
    if (attempt->stream != NULL)
        stook__stream_mark_ready(attempt); /* what was put aside */
    stook__easy_continue(attempt->easy, 0);
    return waited;
}
