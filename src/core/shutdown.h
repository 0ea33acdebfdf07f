/* SPDX-License-Identifier: MIT */
/* Drains and closes a client, over several turns. */
#ifndef STOOK_CORE_SHUTDOWN_H
#define STOOK_CORE_SHUTDOWN_H

#include "core/client_state.h"

/* Refuses adds and awaits from now on, and closes when no batch is awaited, or at `due`; 0: no such
   time. */
void stook__shutdown_drain(stook_client *client, int64_t due);
/* Closes: ends all awaits, over the next turns. A client that closes already is left alone. */
void stook__shutdown_begin(stook_client *client);
/* Takes the next step of a close when the step before has completed. At the end of each turn. */
void stook__shutdown_continue(stook_client *client);
/* The loop's `closed` event: calls the program, and frees a client on a borrowed loop. */
void stook__shutdown_closed(void *owner);

#endif
