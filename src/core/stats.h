/* SPDX-License-Identifier: MIT */
/* The counters of a client. The thread of its loop writes them; any thread may read them
   meanwhile. */
#ifndef STOOK_CORE_STATS_H
#define STOOK_CORE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

enum stook__stat {
    STOOK__STAT_ADDED,
    STOOK__STAT_STARTED,
    STOOK__STAT_REPEATED,
    STOOK__STAT_FINISHED,
    STOOK__STAT_FAILED,
    STOOK__N_STATS
};

struct stook__stats {
    _Atomic int64_t of[STOOK__N_STATS];
};

/* There is one writer, so a load and a store do without a lock. A reader who sees a count sees
   all that were counted before. */
static inline void stook__stat_count(struct stook__stats *stats, enum stook__stat which)
{
    int64_t value = atomic_load_explicit(&stats->of[which], memory_order_relaxed);
    atomic_store_explicit(&stats->of[which], value + 1, memory_order_release);
}

static inline int64_t stook__stat_read(const struct stook__stats *stats, enum stook__stat which)
{
    return atomic_load_explicit(&stats->of[which], memory_order_acquire);
}

#endif
