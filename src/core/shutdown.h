/* SPDX-License-Identifier: MIT */
/* Drains and closes a client, over several turns. */
#ifndef STOOK_CORE_SHUTDOWN_H
#define STOOK_CORE_SHUTDOWN_H

#include <stdint.h>

#include <stook.h>

/* Refuses adds and awaits from now on, and closes when no batch is awaited, or after that time; -1:
   after no time. `closed` is called then. 0, or STOOK_ESTATE: the client drains or closes already,
   or is of a parent process. */
int stook__shutdown_drain(stook_client *client, int64_t timeout_ms, void (*closed)(void *user),
                          void *user);
/* Closes because the program asks for it; `closed` is called then. Only the first call counts. */
void stook__shutdown_close(stook_client *client, void (*closed)(void *user), void *user);
/* Closes: ends all awaits, over the next turns. A client that closes already is left alone. */
void stook__shutdown_begin(stook_client *client);
/* Takes the next step of a close when the step before has completed. At the end of each turn. */
void stook__shutdown_continue(stook_client *client);
/* The loop's `closed` event: calls the program, and frees a client on a borrowed loop. */
void stook__shutdown_closed(void *owner);

#endif
