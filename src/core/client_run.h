/* SPDX-License-Identifier: MIT */
/*
 * Runs the owned loop of a client: in blocking calls, a pass at a time, and inside another event
 * loop. Closes clients, because a close of an owned loop runs it to its end.
 */
#ifndef STOOK_CORE_CLIENT_RUN_H
#define STOOK_CORE_CLIENT_RUN_H

#include <stdint.h>

#include <stook.h>

/* Runs the owned loop until is_over(client, what) returns not 0. If a callback closed the client,
   the close is completed then and the client freed. */
void stook__client_run_until(stook_client *client, int (*is_over)(stook_client *client, void *what),
                             void *what);
/* Runs the owned loop until there is nothing to do. 0, or STOOK_ESTATE: the client has no loop of
   its own, is of a parent process, or a callback of it calls. */
int stook__client_run(stook_client *client);
/* One pass of the owned loop, waiting for events for so long; -1: without end. How many awaits are
   under way; STOOK_ECLOSED: the client was closed and is freed; STOOK_ESTATE as above. */
int stook__client_pass(stook_client *client, int64_t timeout_ms);

/* 0, or STOOK_ESTATE: the client has no loop of its own, or is of a parent process. */
int stook__client_check_owned(const stook_client *client);
/* For another event loop: the descriptor of the owned loop, and how long it may wait for that;
   STOOK_NONE: without end. An error as above. */
int stook__client_fd(const stook_client *client);
int64_t stook__client_timeout_ms(const stook_client *client);

/* Closes the client and calls `closed`. An owned loop runs until the close is complete, but inside
   a callback: then the function that runs the loop does that. In a forked child nothing happens. */
void stook__client_close(stook_client *client, void (*closed)(void *user), void *user);

#endif
