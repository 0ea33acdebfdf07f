/* SPDX-License-Identifier: MIT */
/* Field lines of a response: names, values, folds, and the two fields that frame the body. */
#ifndef STOOK_HTTP_RESPONSE_FIELDS_H
#define STOOK_HTTP_RESPONSE_FIELDS_H

#include "http/response_parser.h"

/*
 * Takes a line of a section if it breaks no rule, as nearly all lines do. Returns
 * STOOK__RESPONSE_NOTHING if the line needs a closer look. `size` includes the end of line.
 */
enum stook__response_event stook__response_valid_field(struct stook__response_parser *parser,
                                                       const char *line, size_t size,
                                                       struct stook__response_item *ret_item);

/* Takes any line of a section, without its end of line and without an invalid control byte. */
enum stook__response_event stook__response_any_field(struct stook__response_parser *parser,
                                                     const char *line, const char *end,
                                                     struct stook__response_item *ret_item);

/*
 * Looks for bytes that a line must not have (RFC 9110 5.5). 0: none. 1: a control byte, which can
 * be read in one way only. -1: a NUL or a CR, where another recipient may end the value or the
 * line.
 */
int stook__response_find_control(const char *line, const char *end);

#endif
