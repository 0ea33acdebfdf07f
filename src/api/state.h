/* SPDX-License-Identifier: MIT */
/* What state a request is in, as STOOK_STATE_... */
#ifndef STOOK_API_STATE_H
#define STOOK_API_STATE_H

#include "turn/client.h"

/* The batch has its client still. */
int stook__state_of(const stook_batch *batch, const struct stook_result *record);

#endif
