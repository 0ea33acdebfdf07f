/* SPDX-License-Identifier: MIT */
/* What the public functions have in common: the loop of a blocking call. */
#ifndef STOOK_API_CLIENT_H
#define STOOK_API_CLIENT_H

#include "core/client.h"

/* Runs the owned loop until is_over(client, what) returns not 0. If a callback closed the client,
   the close is completed then and the client freed. Returns 0. */
int stook__client_run(stook_client *client, int (*is_over)(stook_client *client, void *what),
                      void *what);

#endif
