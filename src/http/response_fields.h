/* SPDX-License-Identifier: MIT */
/* Field lines of a response: names, values, folds, and the two fields that frame the body. */
#ifndef STOOK_HTTP_RESPONSE_FIELDS_H
#define STOOK_HTTP_RESPONSE_FIELDS_H

#include "http/response_state.h"

/* Takes a line of a section. STOOK__RESPONSE_NOTHING: it is empty, the section ends. */
enum stook__response_event stook__response_field_line(struct stook__response_parser *parser,
                                                      const char *line, size_t size,
                                                      struct stook__response_item *ret_item);

/* Checks the bytes of any line. Returns its end without the end of line; NULL on an error. */
const char *stook__response_check_line(struct stook__response_parser *parser, const char *line,
                                       size_t size);

#define STOOK__INVALID_BYTE "a line of the header section has a NUL byte or a CR"

/*
 * Looks for bytes that a line must not have (RFC 9110 5.5). 0: none. 1: a control byte, which can
 * be read in one way only. -1: a NUL or a CR, where another recipient may end the value or the
 * line.
 */
int stook__response_find_control(const char *line, const char *end);

#endif
