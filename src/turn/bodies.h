/* SPDX-License-Identifier: MIT */
/* Borrowed bodies, on their way back to the program. */
#ifndef STOOK_TURN_BODIES_H
#define STOOK_TURN_BODIES_H

#include "turn/client.h"

/* The request is over: its own body goes at once, a borrowed one goes back from stook__bodies_return. */
void stook__bodies_take(stook_client *client, struct stook_result *record);
/* Call the program for all that were taken. In a turn. */
void stook__bodies_return(stook_client *client);

#endif
