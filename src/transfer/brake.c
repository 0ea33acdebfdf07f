/* SPDX-License-Identifier: MIT */
/* Bodies that wait because too much is held already; see brake.h. */
#include "transfer/brake.h"

#include "transfer/parts.h"
#include "transfer/stream.h"

void stook__attempt_brake(struct stook__attempt *attempt, struct stook__gauge *gauge)
{
    const struct stook__extra *extra = attempt->spec->extra;
    if (extra != NULL && (extra->on_body != NULL || extra->body_read != NULL))
        return; /* it is not held, or not by us alone */
    stook__brake_enter(&attempt->brake, gauge);
}

struct stook__brake *stook__attempt_brake_of(struct stook__attempt *attempt)
{
    return &attempt->brake;
}

struct stook__attempt *stook__brake_attempt(struct stook__brake *brake)
{
    return STOOK__OF(struct stook__attempt, brake, brake);
}

void stook__attempt_hold_up(struct stook__attempt *attempt)
{
    stook__slot_hold(attempt->slot);
}

int stook__attempt_held_up(const struct stook__attempt *attempt)
{
    return attempt->brake.since != 0;
}

int64_t stook__attempt_go_on(struct stook__attempt *attempt, int64_t now)
{
    if (!stook__attempt_held_up(attempt))
        return 0;
    int64_t waited = stook__brake_release(&attempt->brake, now);
    attempt->moved_at = now;
    if (attempt->stream != NULL)
        stook__stream_stir(attempt); /* what was put aside */
    stook__slot_go_on(attempt->slot, 0);
    return waited;
}
