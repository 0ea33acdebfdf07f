/* SPDX-License-Identifier: MIT */
/*
 * A body that the program is asked for while it is sent. libcurl takes from a bounded buffer, and is
 * paused when that is empty; the turn fills it by calling the program.
 */
#ifndef STOOK_TRANSFER_FEED_H
#define STOOK_TRANSFER_FEED_H

#include <stdint.h>

#include "base/buffer.h"

struct stook__attempt;

/* Options of the attempt's slot. 0 or STOOK_ENOMEM. */
int stook__feed_begin(struct stook__attempt *attempt);
void stook__feed_end(struct stook__attempt *attempt);
/* Whether the whole attempt may be made once more. */
int stook__feed_may_repeat(const struct stook__attempt *attempt);

/* Inside libcurl: the final head is there. */
void stook__feed_answered(struct stook__attempt *attempt);

/* From the turn. Whether the program is to be asked for something. */
int stook__feed_wants(const struct stook__attempt *attempt);
/* 1: the program is to begin anew, before it is asked for more. */
int stook__feed_take_rewind(struct stook__attempt *attempt);
/*
 * Room for more bytes, moved into *ret_room with those that are there: they go behind `size`, with a byte to spare
 * at the end. 0: no memory; the attempt's end is on its way. The caller gives it back by stook__feed_put, or frees it if the attempt is gone.
 */
int stook__feed_take_room(struct stook__attempt *attempt, struct stook__buffer *ret_room);
/* The program gave `size` bytes, 0: that was the end; < 0: nothing. NULL, or why it cannot be so. */
const char *stook__feed_put(struct stook__attempt *attempt, struct stook__buffer *room, int64_t size);
/* The program has nothing now; 0: it was woken meanwhile. */
int stook__feed_wait(struct stook__attempt *attempt, int64_t now);
/* When that began, which it is no longer; 0: it was not. */
int64_t stook__feed_wake(struct stook__attempt *attempt);
/* It has been asked: libcurl goes on, if it waits for what there is now. */
void stook__feed_served(struct stook__attempt *attempt);
/* libcurl waits, and there is still nothing. */
int stook__feed_is_dry(const struct stook__attempt *attempt);

#endif
