/* SPDX-License-Identifier: MIT */
/*
 * The parser of HTTP/1 responses: status line, field lines, chunks, lengths, trailers (RFC 9112).
 *
 * The parser is pure. It is fed bytes and calls nobody, it knows no attempt and no libcurl, and it
 * allocates nothing. It assembles a line that arrives in pieces in a block that the caller gives;
 * no line may be longer than the block. The events are the same however the bytes are cut.
 *
 * A response that two recipients may read in two ways is an error. A response that breaks a rule
 * and can be read in one way only is lenient: the parser notes it in `lenient`, and with `strict`
 * it is an error too. docs/internals/response-parser.md has the table.
 *
 * There are two ways to feed it. stook__response_feed() takes the bytes of the connection. When
 * libcurl has split the header section into lines, stook__response_line() takes each line and
 * stook__response_body() takes the bytes after the header section.
 *
 * response_parser.c has the entry points, the status line and the end of a section;
 * response_fields.c the field lines; response_chunks.c the chunked coding; response_state.h the
 * parser itself, its states and the moves between them.
 */
#ifndef STOOK_HTTP_RESPONSE_PARSER_H
#define STOOK_HTTP_RESPONSE_PARSER_H

#include <stddef.h>

#include "http/response_state.h"

/* Why a response is too large, for whoever counts the bytes of its header sections. */
#define STOOK__WHY_HEADER_BYTES "the head is over max_header_bytes"

/* Starts a response. `line` may be NULL if every line is fed whole by stook__response_line(). */
void stook__response_begin(struct stook__response_parser *parser,
                           const struct stook__response_rules *rules, char *line, size_t line_max);

/*
 * Consumes bytes of the connection, *ret_used of them. Call it with the rest until it returns
 * STOOK__RESPONSE_NOTHING, END or ERROR. Bytes after END do not belong to this response.
 */
enum stook__response_event stook__response_feed(struct stook__response_parser *parser,
                                                const char *data, size_t size, size_t *ret_used,
                                                struct stook__response_item *ret_item);

/* Consumes one whole line of a header or trailer section, with its end of line. */
enum stook__response_event stook__response_line(struct stook__response_parser *parser,
                                                const char *line, size_t size,
                                                struct stook__response_item *ret_item);

/* Consumes bytes after the header section; otherwise as stook__response_feed(). */
enum stook__response_event stook__response_body(struct stook__response_parser *parser,
                                                const char *data, size_t size, size_t *ret_used,
                                                struct stook__response_item *ret_item);

/*
 * The connection has ended. Returns 0 if the message is complete, else STOOK_ETRUNCATED or the
 * first error. *ret_why is static text or NULL.
 */
int stook__response_eof(const struct stook__response_parser *parser, const char **ret_why);

#endif
