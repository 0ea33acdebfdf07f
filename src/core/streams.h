/* SPDX-License-Identifier: MIT */
/* Requests that exchange heads, bytes and progress with the program while they are in flight. */
#ifndef STOOK_CORE_STREAMS_H
#define STOOK_CORE_STREAMS_H

#include "core/client_state.h"

/* Calls the program for the streams that are ready, a bounded number of them. Step 6 of a turn. */
void stook__streams_serve(stook_client *client);
/* Resumes a request that the program has paused. */
void stook__streams_wake(stook_client *client, struct stook_result *record);

#endif
