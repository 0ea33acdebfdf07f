/* SPDX-License-Identifier: MIT */
/* Numbers that any thread may read while the loop's writes them. */
#ifndef STOOK_CORE_STATS_H
#define STOOK_CORE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

enum stook__stat {
    STOOK__ADDED,
    STOOK__STARTED,
    STOOK__REPEATED,
    STOOK__FINISHED_ALL,
    STOOK__FAILED,
    STOOK__N_STATS
};

struct stook__stats {
    _Atomic int64_t of[STOOK__N_STATS];
};

/* One thread writes, so nothing is locked: a load and a store. What was counted before is seen before. */
static inline void stook__count(struct stook__stats *stats, enum stook__stat which)
{
    int64_t value = atomic_load_explicit(&stats->of[which], memory_order_relaxed);
    atomic_store_explicit(&stats->of[which], value + 1, memory_order_release);
}

static inline int64_t stook__counted(const struct stook__stats *stats, enum stook__stat which)
{
    return atomic_load_explicit(&stats->of[which], memory_order_acquire);
}

#endif
