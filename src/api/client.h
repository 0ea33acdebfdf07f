/* SPDX-License-Identifier: MIT */
/* What the files of this room ask of a client before they touch it, and how a call that blocks runs its loop. */
#ifndef STOOK_API_CLIENT_H
#define STOOK_API_CLIENT_H

#include "core/client.h"

/* 1: the process has forked since the client was made, and this is the child. */
int stook__client_is_forked(const stook_client *client);

/* Turns the owned loop until `over` says so. If a callback closed the client, the close is finished then and the
   client is gone. Returns 0. */
int stook__client_run(stook_client *client, int (*over)(stook_client *client, void *what),
                      void *what);

#endif
