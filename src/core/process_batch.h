/* SPDX-License-Identifier: MIT */
/* What batches need beside their requests: `more`, room, endings, `done`, their own end. */
#ifndef STOOK_CORE_PROCESS_BATCH_H
#define STOOK_CORE_PROCESS_BATCH_H

#include "core/client.h"

/* All batches that were touched until now. */
void stook__process_batches(stook_client *client);
/* Say again whether more of the batch may start: something of it has started. */
void stook__process_batch_room(stook_client *client, stook_batch *batch);

#endif
