/* SPDX-License-Identifier: MIT */
/*
 * Deadlines in order, intrusive: setting and clearing need no memory, so a clock can never fail to
 * run. Times are in microseconds and above 0; 0 is "not armed".
 *
 * Most timers are due after all that were set before, as each runs for the same time from now on.
 * Those stand in a line, in order, where setting and clearing is O(1). The others go into a pairing
 * heap: O(1) to set, O(log n) amortised to clear.
 */
#ifndef STOOK_UTIL_TIMER_HEAP_H
#define STOOK_UTIL_TIMER_HEAP_H

#include <stdint.h>

struct stook__timer {
    struct stook__timer *child, *next; /* child: itself, if it stands in line */
    struct stook__timer *prev;         /* the one before it; of a first child its parent */
    int64_t due;                       /* 0: in no clock */
};

struct stook__timer_heap {
    struct stook__timer *root;
    struct stook__timer *first, *last; /* the line */
};

/* Arm, or move. `due` of 0 or less is taken as 1: long past. */
void stook__timer_heap_set(struct stook__timer_heap *clock, struct stook__timer *timer,
                           int64_t due);
void stook__timer_heap_clear(struct stook__timer_heap *clock, struct stook__timer *timer);
/* The timer that is due first; NULL: none is armed. */
struct stook__timer *stook__timer_heap_first(const struct stook__timer_heap *clock);
/* When that is; 0: none is armed. */
int64_t stook__timer_heap_due(const struct stook__timer_heap *clock);

#endif
