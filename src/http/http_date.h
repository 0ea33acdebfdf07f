/* SPDX-License-Identifier: MIT */
/*
 * Points in time as responses write them, read without a locale, a time zone or a clock: HTTP-date
 * (RFC 9110 5.6.7) and RFC 3339. Pure.
 */
#ifndef STOOK_HTTP_HTTP_DATE_H
#define STOOK_HTTP_HTTP_DATE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads a date in one of the three formats of RFC 9110 5.6.7. `now_ms`, which is within 2^53,
 * decides the century of a year with two digits. Returns 1 and the milliseconds since 1970; 0: it
 * is not such a date.
 */
int stook__http_date_parse(const char *text, size_t size, int64_t now_ms, int64_t *ret_ms);

/* As above for RFC 3339 5.6. Parts of a millisecond count as a whole one. */
int stook__rfc3339_parse(const char *text, size_t size, int64_t *ret_ms);

#endif
