/* SPDX-License-Identifier: MIT */
/* Makes batches, enters requests in them, and begins awaits. core/completion.h ends and destroys a
   batch. */
#ifndef STOOK_CORE_BATCH_H
#define STOOK_CORE_BATCH_H

#include "core/client_state.h"

/* Makes an open batch of a client that is neither drained nor closed. NULL: out of memory. */
stook_batch *stook__batch_new(stook_client *client);

/*
 * Enters a record in the queues of sched and deliver, by its origin and its priority, 0 the
 * lowest. If the batch is awaited, this asks for a turn. 0, or STOOK_ENOMEM: the record still
 * belongs to the caller.
 */
int stook__batch_enter(stook_batch *batch, struct stook_result *record, unsigned priority);

/* The options of an await, validated. */
struct stook__await {
    struct stook__callbacks callbacks;
    struct stook__gather_options queue; /* for the result queue */
    size_t limit;                       /* of requests in flight; SIZE_MAX: none */
    int64_t timeout_ms;                 /* -1: no deadline */
    int64_t policy;                     /* STOOK_POLICY_... */
    size_t quorum;
};

/* Begins the await of an open batch, and asks for a turn. 0, or STOOK_ENOMEM: the batch is still
   open. */
int stook__batch_await(stook_batch *batch, const struct stook__await *await);

#endif
