/* SPDX-License-Identifier: MIT */
/*
 * A request body that the program provides with body_read while it is sent. libcurl takes bytes
 * from a bounded buffer, and is paused while that is empty. The turn fills the buffer by calling
 * the program.
 *
 *   NOT_STARTED --> READING <--> WAITING      the program has no bytes now (STOOK_AGAIN)
 *                      ^
 *                      '-------> ENDED        the program has given all bytes; back on a rewind
 *
 * A rewind (libcurl seeks to 0) does not end a wait: the program is called again after it resumed.
 */
#ifndef STOOK_HTTP_UPLOAD_SOURCE_H
#define STOOK_HTTP_UPLOAD_SOURCE_H

#include <stdint.h>

#include "util/buffer.h"

struct stook__attempt;

/* Makes the source and sets the options of the attempt's easy handle. 0 or STOOK_ENOMEM. */
int stook__upload_source_begin(struct stook__attempt *attempt);
/* Frees the source, if there is one. */
void stook__upload_source_end(struct stook__attempt *attempt);
/* Whether the whole attempt may be repeated: the body was not begun, or can be rewound. */
int stook__upload_source_may_repeat(const struct stook__attempt *attempt);

/* Inside libcurl: the final header section is complete. */
void stook__upload_source_answered(struct stook__attempt *attempt);

/* These are called from the turn. */

/* Whether the turn should call the program's body_read. */
int stook__upload_source_wants(const struct stook__attempt *attempt);
/* Whether the turn must call body_rewind before body_read. Returns 1 once for each rewind. */
int stook__upload_source_take_rewind(struct stook__attempt *attempt);
/*
 * Moves the buffer into *ret_room, with its bytes and room for more: new bytes go after `size`, and
 * one byte at the end stays free. 0: no memory, and the attempt ends. The caller gives it back with
 * stook__upload_source_put(), or frees it if the attempt is gone.
 */
int stook__upload_source_take_room(struct stook__attempt *attempt, struct stook__buffer *ret_room);
/*
 * Gives the buffer back. The program wrote `size` bytes; 0: the body has ended; below 0: it wrote
 * nothing. Returns NULL, or why the program's answer is not valid.
 */
const char *stook__upload_source_put(struct stook__attempt *attempt, struct stook__buffer *room,
                                     int64_t size);
/* The program has no bytes now. 0 if it was resumed in the meantime, inside body_read. */
int stook__upload_source_wait(struct stook__attempt *attempt, int64_t now);
/* Ends the wait. Returns when it began; 0: the source was not waiting. */
int64_t stook__upload_source_wake(struct stook__attempt *attempt);
/* After body_read: continues libcurl if it is paused and there are bytes now. */
void stook__upload_source_served(struct stook__attempt *attempt);
/* Whether libcurl is paused and there are still no bytes. */
int stook__upload_source_is_empty(const struct stook__attempt *attempt);

#endif
