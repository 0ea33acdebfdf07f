/* SPDX-License-Identifier: MIT */
/* Attempts that talk with the program while they are under way. */
#ifndef STOOK_CORE_STREAMS_H
#define STOOK_CORE_STREAMS_H

#include "core/client.h"

/* Call the program for those that were stirred, a bounded number. */
void stook__streams_serve(stook_client *client);
/* The program wants a request to go on that it has paused. */
void stook__streams_wake(stook_client *client, struct stook_result *record);

#endif
