/* SPDX-License-Identifier: MIT */
/* What the public functions have in common: the check for a fork, and the loop of a blocking
   call. */
#ifndef STOOK_API_CLIENT_H
#define STOOK_API_CLIENT_H

#include "core/client.h"

/* 1: this process is a fork of the one that made the client, and must not use it. */
int stook__client_is_forked(const stook_client *client);

/* Runs the owned loop until is_over(client, what) returns not 0. If a callback closed the client,
   the close is completed then and the client freed. Returns 0. */
int stook__client_run(stook_client *client, int (*is_over)(stook_client *client, void *what),
                      void *what);

#endif
