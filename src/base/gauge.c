/* SPDX-License-Identifier: MIT */
/* Bytes of bodies under way; see gauge.h. */
#include "base/gauge.h"

void stook__gauge_init(struct stook__gauge *gauge)
{
    stook__list_init(&gauge->paused);
    stook__list_init(&gauge->stirred);
}

void stook__gauge_end(struct stook__gauge *gauge)
{
    stook__list_remove(&gauge->stirred);
}

void stook__brake_enter(struct stook__brake *brake, struct stook__gauge *gauge)
{
    brake->gauge = gauge;
    stook__list_init(&brake->link);
}

void stook__brake_leave(struct stook__brake *brake)
{
    if (brake->gauge == NULL)
        return;
    stook__brake_count(brake, 0);
    brake->gauge->n_free -= (size_t)brake->free;
    stook__list_remove(&brake->link);
    brake->gauge = NULL;
}

int stook__brake_may_take(struct stook__brake *brake, size_t size, int64_t now)
{
    struct stook__gauge *gauge = brake->gauge;
    if (gauge == NULL || brake->free || (gauge->bytes < gauge->room && size <= gauge->room - gauge->bytes))
        return 1;
    if (brake->since != 0)
        return 0; /* it waits already */
    brake->since = now;
    brake->wants = size;
    stook__list_append(&gauge->paused, &brake->link);
    if (stook__list_empty(&gauge->stirred))
        stook__list_append(gauge->stir, &gauge->stirred);
    return 0;
}

void stook__brake_count(struct stook__brake *brake, size_t bytes)
{
    if (brake->gauge == NULL)
        return;
    brake->gauge->bytes += bytes - brake->bytes;
    brake->bytes = bytes;
}

void stook__brake_free(struct stook__brake *brake)
{
    if (brake->gauge == NULL || brake->free)
        return;
    brake->free = 1;
    brake->gauge->n_free++;
}

int64_t stook__brake_release(struct stook__brake *brake, int64_t now)
{
    if (brake->since == 0)
        return 0;
    int64_t waited = now > brake->since ? now - brake->since : 0;
    brake->since = 0;
    stook__list_remove(&brake->link);
    return waited;
}
