/* SPDX-License-Identifier: MIT */
/* For tests of sched/: the queue of a job by the key of its origin. */
#ifndef STOOK_TEST_QUEUE_AT_H
#define STOOK_TEST_QUEUE_AT_H

#include "sched/queue.h"
#include "sched/sched.h"

/* NULL: out of memory. */
static inline struct stook__queue *queue_at(struct stook__sched *sched, struct stook__origins *origins,
                                            struct stook__group *group, const char *key, size_t size,
                                            unsigned priority)
{
    struct stook__origin *origin = stook__origin_get(origins, key, size);
    if (origin == NULL)
        return NULL;
    struct stook__queue *queue = stook__sched_queue(sched, group, origin, NULL, priority);
    stook__origin_unref(origin);
    return queue;
}

#endif
