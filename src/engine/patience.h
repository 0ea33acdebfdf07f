/* SPDX-License-Identifier: MIT */
/*
 * libcurl's own clock for connecting. It runs while a name is looked up, and when it is out libcurl
 * up to 8.19 waits for the look-up that it gives up, and the loop with it. The clock that ends the
 * attempt is sched's, but a loop that was held up may hear libcurl's first, and that of a parked slot
 * is heard by nobody else. So it is put off while a name is looked up, shortly before it is out.
 */
#ifndef STOOK_ENGINE_PATIENCE_H
#define STOOK_ENGINE_PATIENCE_H

#include "engine/lane.h"

/* A look-up of the slot begins, or is over. */
void stook__patience_begin(struct stook__slot *slot);
void stook__patience_end(struct stook__slot *slot);
/* Before libcurl is told of anything. */
void stook__patience_renew(struct stook__engine *engine);

#endif
