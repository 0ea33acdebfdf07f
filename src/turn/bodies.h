/* SPDX-License-Identifier: MIT */
/* Borrowed bodies, on their way back to the program. */
#ifndef STOOK_TURN_BODIES_H
#define STOOK_TURN_BODIES_H

#include "turn/client.h"

/* The request is over: its own body goes at once, a borrowed one goes back from stook__bodies_return. */
void stook__bodies_take(stook_batch *batch, struct stook_result *record);
/* Call the program for all of the batch that were taken. In a turn, or from inside its free. */
void stook__bodies_return(stook_batch *batch);

#endif
