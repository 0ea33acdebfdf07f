/* SPDX-License-Identifier: MIT */
/*
 * Bodies under way when a batch holds as many bytes as it may: they wait, all but that of the head.
 * While the head has no slot one of those that have one goes on instead, or they would keep it from
 * the head for ever.
 */
#ifndef STOOK_DELIVER_CEILING_H
#define STOOK_DELIVER_CEILING_H

#include "deliver/tray.h"

/* Whether bodies under way are counted. */
int stook__ceiling_counts(const struct stook__tray *tray);
/* Say how many bytes there may be now. Returns how many more. */
size_t stook__ceiling_set(struct stook__tray *tray);
/* The next to go on, which is to be released; NULL: none. `head`: that of the head, or NULL if it is not
   under way; `stuck`: it waits for a slot. */
struct stook__brake *stook__ceiling_next(struct stook__tray *tray, struct stook__brake *head, int stuck, size_t *left);

#endif
