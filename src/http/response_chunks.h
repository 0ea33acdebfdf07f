/* SPDX-License-Identifier: MIT */
/* The chunked transfer coding (RFC 9112 7.1). */
#ifndef STOOK_HTTP_RESPONSE_CHUNKS_H
#define STOOK_HTTP_RESPONSE_CHUNKS_H

#include "http/response_state.h"

/* Expects the size of the first chunk. */
void stook__response_begin_chunks(struct stook__response_parser *parser);

/*
 * Consumes bytes of a chunked body until there is an event. After the line of the last chunk it
 * consumes nothing, moves the parser to TRAILERS and returns STOOK__RESPONSE_NOTHING.
 */
enum stook__response_event stook__response_take_chunks(struct stook__response_parser *parser,
                                                       const char *data, size_t size,
                                                       size_t *ret_used,
                                                       struct stook__response_item *ret_item);

/* Consumes bytes of the body, at most `remaining`; `size` and `remaining` are above 0. */
enum stook__response_event stook__response_take_bytes(struct stook__response_parser *parser,
                                                      const char *data, size_t size,
                                                      size_t *ret_used,
                                                      struct stook__response_item *ret_item);

#endif
