/* SPDX-License-Identifier: MIT */
/* Timers come out in order, whatever was set, moved and cleared in between. */
#include <stdlib.h>

#include "util/timer_heap.h"
#include "support/harness.h"

enum { TIMERS = 500, STEPS = 100000 };

static struct stook__timer timers[TIMERS];

static int64_t earliest(void)
{
    int64_t due = 0;
    for (int i = 0; i < TIMERS; i++)
        if (timers[i].due != 0 && (due == 0 || timers[i].due < due))
            due = timers[i].due;
    return due;
}

TEST(agrees_with_a_search)
{
    struct stook__timer_heap clock = {0};
    srand(1);
    for (int step = 0; step < STEPS; step++) {
        struct stook__timer *timer = &timers[rand() % TIMERS];
        if (rand() % 3 == 0)
            stook__timer_heap_clear(&clock, timer);
        else
            stook__timer_heap_set(&clock, timer, 1 + rand() % 1000);
        if (step % 16 == 0)
            CHECK_EQ_INT(stook__timer_heap_due(&clock), earliest());
    }
    for (int64_t last = 0; stook__timer_heap_first(&clock) != NULL;) {
        CHECK(stook__timer_heap_due(&clock) >= last);
        last = stook__timer_heap_due(&clock);
        stook__timer_heap_clear(&clock, stook__timer_heap_first(&clock));
    }
    CHECK_EQ_INT(earliest(), 0);
}

TEST(past_is_past)
{
    struct stook__timer_heap clock = {0};
    stook__timer_heap_set(&clock, &timers[0], -5);
    CHECK_EQ_INT(stook__timer_heap_due(&clock), 1); /* 0 would be "not armed" */
    stook__timer_heap_clear(&clock, &timers[0]);
    stook__timer_heap_clear(&clock, &timers[0]);
    CHECK_EQ_INT(stook__timer_heap_due(&clock), 0);
}

/* A million equal deadlines before another: taking the first of them must not recurse. */
TEST(is_not_deep)
{
    enum { MANY = 1000000 };
    struct stook__timer_heap clock = {0};
    struct stook__timer *many = calloc(MANY, sizeof *many);
    CHECK(many != NULL);
    stook__timer_heap_set(&clock, &timers[0], 8);
    for (int i = 0; i < MANY; i++)
        stook__timer_heap_set(&clock, &many[i], 7);
    for (int i = 0; i < MANY; i++)
        stook__timer_heap_clear(&clock, stook__timer_heap_first(&clock));
    CHECK_EQ_INT(stook__timer_heap_due(&clock), 8);
    stook__timer_heap_clear(&clock, &timers[0]);
    free(many);
}
