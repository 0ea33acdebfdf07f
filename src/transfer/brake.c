/* SPDX-License-Identifier: MIT */
/* Bodies that wait because too much is held already; see brake.h. */
#include "transfer/brake.h"

#include "transfer/parts.h"

void stook__brake_set(struct stook__attempt *attempt, struct stook__gauge *gauge, int free)
{
    const struct stook__extra *extra = attempt->spec->extra;
    if (extra != NULL && (extra->on_body != NULL || attempt->stream != NULL))
        return; /* it is not held, or not by us alone */
    attempt->brake.gauge = gauge;
    attempt->brake.free = free;
    stook__list_init(&attempt->brake.link);
}

void stook__brake_end(struct stook__attempt *attempt)
{
    struct stook__brake *brake = &attempt->brake;
    if (brake->gauge == NULL)
        return;
    brake->gauge->bytes -= brake->bytes;
    stook__list_remove(&brake->link);
    brake->gauge = NULL;
}

int stook__brake_take(struct stook__attempt *attempt, size_t size)
{
    struct stook__brake *brake = &attempt->brake;
    struct stook__gauge *gauge = brake->gauge;
    if (gauge == NULL)
        return 1;
    if (!brake->free && (gauge->bytes >= gauge->room || size > gauge->room - gauge->bytes)) {
        brake->since = *attempt->clock;
        stook__list_append(&gauge->paused, &brake->link);
        if (stook__list_empty(&gauge->stirred))
            stook__list_append(gauge->stir, &gauge->stirred);
        return 0;
    }
    brake->bytes += size;
    gauge->bytes += size;
    return 1;
}

int stook__brake_is_on(const struct stook__attempt *attempt)
{
    return attempt->brake.since != 0;
}

void stook__brake_hold(struct stook__brake *brake)
{
    stook__slot_hold(STOOK__OF(struct stook__attempt, brake, brake)->slot);
}

int64_t stook__brake_release(struct stook__attempt *attempt, int64_t now)
{
    struct stook__brake *brake = &attempt->brake;
    if (brake->since == 0)
        return 0;
    int64_t waited = now > brake->since ? now - brake->since : 0;
    brake->since = 0;
    stook__list_remove(&brake->link);
    attempt->moved_at = now;
    stook__slot_go_on(attempt->slot, 0);
    return waited;
}

struct stook__attempt *stook__brake_attempt(struct stook__brake *brake)
{
    return STOOK__OF(struct stook__attempt, brake, brake);
}

void stook__brake_free(struct stook__attempt *attempt)
{
    attempt->brake.free = 1;
}
