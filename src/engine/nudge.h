/* SPDX-License-Identifier: MIT */
/*
 * On to the next address. When one refuses, libcurl up to 8.3 turns to the next but opens no socket
 * for it before a timer is due, 200 ms later or more. To pause a transfer and to let it go on at once
 * has libcurl look at it; there is no body yet that would be held up.
 */
#ifndef STOOK_ENGINE_NUDGE_H
#define STOOK_ENGINE_NUDGE_H

#include "engine/lane.h"

/* From inside libcurl's callbacks: it is done with a socket of the slot that never connected. */
void stook__nudge_want(struct stook__slot *slot);
/* When libcurl has returned. */
void stook__nudge(struct stook__engine *engine);

#endif
