/* SPDX-License-Identifier: MIT */
/*
 * The values by which fields say how long to wait: numbers, durations and points in time. Pure. A
 * value that does not have the form is refused whole; one that is too large is the largest wait.
 */
#ifndef STOOK_HTTP_WAIT_VALUE_H
#define STOOK_HTTP_WAIT_VALUE_H

#include <stdint.h>

enum { STOOK__WAIT_MILLISECOND = 1, STOOK__WAIT_SECOND = 1000 };

/* All return 1 and milliseconds from 0 to STOOK__RATE_WAIT_MAX, or 0. `end` is the value's. */

/* Digits, and perhaps a point and digits, of a unit of that many milliseconds. */
int stook__wait_number(const char *text, const char *end, int64_t unit_ms, int64_t *ret_ms);
/* An HTTP-date. One in the past is no wait. */
int stook__wait_http_date(const char *text, const char *end, int64_t now_ms, int64_t *ret_ms);
/*
 * What services write into the fields that end in -Reset: seconds, or a point in time in seconds or
 * milliseconds since 1970 if the number is that large; a duration of Go ("6m0s"); an HTTP-date; a
 * date of RFC 3339.
 */
int stook__wait_reset(const char *text, const char *end, int64_t now_ms, int64_t *ret_ms);

#endif
