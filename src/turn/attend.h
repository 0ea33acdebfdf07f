/* SPDX-License-Identifier: MIT */
/* What batches need beside their requests: `more`, room, endings, `done`, their own end. */
#ifndef STOOK_TURN_ATTEND_H
#define STOOK_TURN_ATTEND_H

#include "turn/client.h"

/* All batches that were touched until now. */
void stook__attend_touched(stook_client *client);
/* Say again whether more of the batch may start: something of it has started. */
void stook__attend_room(stook_client *client, stook_batch *batch);

#endif
