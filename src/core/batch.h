/* SPDX-License-Identifier: MIT */
/* Makes batches and enters requests in them. core/completion.h ends and destroys a batch. */
#ifndef STOOK_CORE_BATCH_H
#define STOOK_CORE_BATCH_H

#include "core/client.h"

/* Makes an open batch of a client that is neither drained nor closed. NULL: out of memory. */
stook_batch *stook__batch_new(stook_client *client);

/*
 * Enters a record in the queues of sched and deliver, by its origin and its priority, 0 the
 * highest. If the batch is awaited, this asks for a turn. 0, or STOOK_ENOMEM: the record still
 * belongs to the caller.
 */
int stook__batch_enter(stook_batch *batch, struct stook_result *record, unsigned priority);

#endif
