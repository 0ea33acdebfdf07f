/* SPDX-License-Identifier: MIT */
/* How blocking calls turn an owned loop. */
#ifndef STOOK_API_RUN_H
#define STOOK_API_RUN_H

#include "turn/client.h"

/* Turn until it is over; then, if a callback closed the client, end it: the client is gone then.
   Returns 0. */
int stook__run(stook_client *client, int (*over)(stook_client *client, void *what), void *what);

#endif
