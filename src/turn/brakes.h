/* SPDX-License-Identifier: MIT */
/* When an ordered batch holds as many bytes as it may, bodies wait, all but the head's. */
#ifndef STOOK_TURN_BRAKES_H
#define STOOK_TURN_BRAKES_H

#include "turn/client.h"

/* An attempt has begun. */
void stook__brakes_set(stook_client *client, struct stook_result *record);
/* What is held, or the head, may have changed. */
void stook__brakes_update(stook_client *client, stook_batch *batch);
/* Some have begun to wait in this turn. */
void stook__brakes_settle(stook_client *client);

#endif
