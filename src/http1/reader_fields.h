/* SPDX-License-Identifier: MIT */
/* Field lines of a response: names, values, folds, and the two fields that frame the body. */
#ifndef STOOK_HTTP1_READER_FIELDS_H
#define STOOK_HTTP1_READER_FIELDS_H

#include "http1/reader_state.h"

/* Takes a line of a section. STOOK__READER_NOTHING: it is empty, the section ends. */
enum stook__reader_event stook__reader_field_line(struct stook__reader *reader, const char *line,
                                                  size_t size, struct stook__reader_item *ret_item);

/* Checks the bytes of any line. Returns its end without the end of line; NULL on an error. */
const char *stook__reader_check_line(struct stook__reader *reader, const char *line, size_t size);

#define STOOK__INVALID_BYTE "a line of the header section has a NUL byte or a CR"

/*
 * Looks for bytes that a line must not have (RFC 9110 5.5). 0: none. 1: a control byte, which can
 * be read in one way only. -1: a NUL or a CR, where another recipient may end the value or the
 * line.
 */
int stook__reader_find_control(const char *line, const char *end);

#endif
