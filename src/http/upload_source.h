/* SPDX-License-Identifier: MIT */
/*
 * A body that the program is asked for while it is sent. libcurl takes from a bounded buffer, and is
 * paused when that is empty; the turn fills it by calling the program.
 */
#ifndef STOOK_HTTP_UPLOAD_SOURCE_H
#define STOOK_HTTP_UPLOAD_SOURCE_H

#include <stdint.h>

#include "util/buffer.h"

struct stook__attempt;

/* Options of the attempt's easy handle. 0 or STOOK_ENOMEM. */
int stook__upload_source_begin(struct stook__attempt *attempt);
void stook__upload_source_end(struct stook__attempt *attempt);
/* Whether the whole attempt may be made once more. */
int stook__upload_source_may_repeat(const struct stook__attempt *attempt);

/* Inside libcurl: the final head is there. */
void stook__upload_source_answered(struct stook__attempt *attempt);

/* From the turn. Whether the program is to be asked for something. */
int stook__upload_source_wants(const struct stook__attempt *attempt);
/* 1: the program is to begin anew, before it is asked for more. */
int stook__upload_source_take_rewind(struct stook__attempt *attempt);
/*
 * Room for more bytes, moved into *ret_room with those that are there: they go behind `size`, with a byte to spare
 * at the end. 0: no memory; the attempt's end is on its way. The caller gives it back by stook__upload_source_put, or frees it if the attempt is gone.
 */
int stook__upload_source_take_room(struct stook__attempt *attempt, struct stook__buffer *ret_room);
/* The program gave `size` bytes, 0: that was the end; < 0: nothing. NULL, or why it cannot be so. */
const char *stook__upload_source_put(struct stook__attempt *attempt, struct stook__buffer *room,
                                     int64_t size);
/* The program has nothing now; 0: it was woken meanwhile. */
int stook__upload_source_wait(struct stook__attempt *attempt, int64_t now);
/* When that began, which it is no longer; 0: it was not. */
int64_t stook__upload_source_wake(struct stook__attempt *attempt);
/* It has been asked: libcurl goes on, if it waits for what there is now. */
void stook__upload_source_served(struct stook__attempt *attempt);
/* libcurl waits, and there is still nothing. */
int stook__upload_source_is_empty(const struct stook__attempt *attempt);

#endif
