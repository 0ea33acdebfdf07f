/* SPDX-License-Identifier: MIT */
/*
 * Deadlines in order: an intrusive pairing heap. Setting and clearing need no memory, so a clock
 * can never fail to run. Times are in microseconds and above 0; 0 is "not armed".
 */
#ifndef STOOK_BASE_CLOCK_H
#define STOOK_BASE_CLOCK_H

#include <stdint.h>

struct stook__timer {
    struct stook__timer *child, *next;
    struct stook__timer *prev; /* the sibling before it; of a first child its parent */
    int64_t due;               /* 0: in no clock */
};

struct stook__clock {
    struct stook__timer *root;
};

/* Arm, or move. `due` of 0 or less is taken as 1: long past. */
void stook__clock_set(struct stook__clock *clock, struct stook__timer *timer, int64_t due);
void stook__clock_clear(struct stook__clock *clock, struct stook__timer *timer);
/* When the next timer is due; 0: none is armed. */
int64_t stook__clock_due(const struct stook__clock *clock);

#endif
