/* SPDX-License-Identifier: MIT */
/*
 * The parser of HTTP/1 responses: status line, field lines, chunks, lengths, trailers (RFC 9112).
 *
 * The reader is pure. It is fed bytes and calls nobody, it knows no attempt and no libcurl, and it
 * allocates nothing. It assembles a line that arrives in pieces in a block that the caller gives,
 * and enlarges when the reader asks for it. A line that arrives whole needs no block. The events
 * are the same however the bytes are cut, and whatever the size of the block.
 *
 * A response that two recipients may read in two ways is an error. A response that breaks a rule
 * and can be read in one way only is lenient: the reader notes it in `lenient`, and with `strict`
 * it is an error too. docs/internals/reader.md has the table.
 *
 * There are two ways to feed it. stook__reader_feed() takes the bytes of the connection. When
 * libcurl has split the header section into lines, stook__reader_line() takes each line and
 * stook__reader_body() takes the bytes after the header section.
 *
 * reader.c has the entry points, the status line and the end of a section; reader_fields.c the
 * field lines; reader_chunks.c the chunked coding; reader_state.h the struct itself, its states and
 * the moves between them.
 */
#ifndef STOOK_HTTP1_READER_H
#define STOOK_HTTP1_READER_H

#include <stddef.h>

#include "http1/reader_state.h"

/* Why a response is too large, for whoever counts the bytes of its header sections. */
#define STOOK__WHY_HEADER_BYTES "the head is over max_header_bytes"

/*
 * Starts a response. `line` is a block of `line_capacity` bytes, or NULL with 0: it is needed when
 * a line arrives in pieces. stook__reader_feed() and stook__reader_body() refuse lines of more than
 * `line_max` bytes, stook__reader_line() takes any.
 */
void stook__reader_begin(struct stook__reader *reader, const struct stook__reader_rules *rules,
                         char *line, size_t line_capacity, size_t line_max);

/*
 * Consumes bytes of the connection, *ret_used of them. Call it with the rest until it returns
 * STOOK__READER_NOTHING, END or ERROR. Bytes after END do not belong to this response.
 *
 * NOTHING with *ret_used below `size` asks for memory: the rest is a piece of a line that must be
 * kept, and the block is too small. Make `line` a block of at least `line_wanted` bytes that begins
 * with what the old one had, set `line_capacity`, and call again with the rest. The reader never
 * wants more than `line_max` bytes.
 */
enum stook__reader_event stook__reader_feed(struct stook__reader *reader, const char *data,
                                            size_t size, size_t *ret_used,
                                            struct stook__reader_item *ret_item);

/* Consumes one whole line of a header or trailer section, with its end of line. */
enum stook__reader_event stook__reader_line(struct stook__reader *reader, const char *line,
                                            size_t size, struct stook__reader_item *ret_item);

/* Consumes bytes after the header section; otherwise as stook__reader_feed(). */
enum stook__reader_event stook__reader_body(struct stook__reader *reader, const char *data,
                                            size_t size, size_t *ret_used,
                                            struct stook__reader_item *ret_item);

/*
 * The connection has ended. Returns 0 if the message is complete, else STOOK_ETRUNCATED or the
 * first error. *ret_why is static text or NULL.
 */
int stook__reader_eof(const struct stook__reader *reader, const char **ret_why);

/*
 * Returns 1 if the message is complete and its connection may carry another one after it (RFC 9112
 * 9.3). The caller knows whether the request asked for a close, and whether bytes came that no
 * request asked for.
 */
int stook__reader_keeps_connection(const struct stook__reader *reader);

#endif
