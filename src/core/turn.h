/* SPDX-License-Identifier: MIT */
/* One turn of a client: a pass over its work. The loop calls it behind each poll that has
   events. */
#ifndef STOOK_CORE_TURN_H
#define STOOK_CORE_TURN_H

#include "core/client_state.h"

struct stook__loop_events;

/* What the loop of a client calls. */
extern const struct stook__loop_events stook__turn_events;

/* When the next turn has work: a time that may be past; 0: when an event comes. */
int64_t stook__turn_due(const stook_client *client);
/* Asks the loop for a turn at that time. The work may be nearer than at the end of the last
   turn. */
void stook__turn_ask(stook_client *client);

#endif
