/* SPDX-License-Identifier: MIT */
/* Numbers that any thread may read while the loop's writes them. */
#ifndef STOOK_TURN_COUNTERS_H
#define STOOK_TURN_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

enum stook__counter {
    STOOK__ADDED,
    STOOK__STARTED,
    STOOK__REPEATED,
    STOOK__FINISHED_ALL,
    STOOK__FAILED,
    STOOK__N_COUNTERS
};

struct stook__counters {
    _Atomic int64_t of[STOOK__N_COUNTERS];
};

/* One thread writes, so nothing is locked: a load and a store. What was counted before is seen before. */
static inline void stook__count(struct stook__counters *counters, enum stook__counter which)
{
    int64_t value = atomic_load_explicit(&counters->of[which], memory_order_relaxed);
    atomic_store_explicit(&counters->of[which], value + 1, memory_order_release);
}

static inline int64_t stook__counted(const struct stook__counters *counters, enum stook__counter which)
{
    return atomic_load_explicit(&counters->of[which], memory_order_acquire);
}

#endif
