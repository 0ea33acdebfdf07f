/* SPDX-License-Identifier: MIT */
/* The chunked transfer coding (RFC 9112 7.1). */
#ifndef STOOK_HTTP1_READER_CHUNKS_H
#define STOOK_HTTP1_READER_CHUNKS_H

#include "http1/reader_state.h"

/* Expects the size of the first chunk. */
void stook__reader_begin_chunks(struct stook__reader *reader);

/*
 * Consumes bytes of a chunked body until there is an event. After the line of the last chunk it
 * consumes nothing, moves the reader to TRAILERS and returns STOOK__READER_NOTHING.
 */
enum stook__reader_event stook__reader_take_chunks(struct stook__reader *reader, const char *data,
                                                   size_t size, size_t *ret_used,
                                                   struct stook__reader_item *ret_item);

/* Consumes bytes of the body, at most `remaining`; `size` and `remaining` are above 0. */
enum stook__reader_event stook__reader_take_bytes(struct stook__reader *reader, const char *data,
                                                  size_t size, size_t *ret_used,
                                                  struct stook__reader_item *ret_item);

#endif
