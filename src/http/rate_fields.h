/* SPDX-License-Identifier: MIT */
/*
 * When an origin may be asked again, as a response says: Retry-After and its relatives, the
 * RateLimit fields, and the older fields that services send. docs/internals/rate-fields.md has the
 * table. Pure: no clock, no memory, and nothing is trusted to be well-formed.
 */
#ifndef STOOK_HTTP_RATE_FIELDS_H
#define STOOK_HTTP_RATE_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#define STOOK__RATE_WAIT_MAX (INT64_C(1) << 53)

/* What a response says about when to come back. */
struct stook__rate_hint {
    int64_t wait_ms;   /* from now, at most STOOK__RATE_WAIT_MAX; -1: the response does not say */
    const char *field; /* name of the field that said it, static and in lower case; NULL: none */
};

/*
 * Reads the `size` bytes of `fields`, "name\0 value\0" in sequence as in the head of an answer,
 * without trailers and metadata. `wall_ms` is the time of day in milliseconds since 1970; points in
 * time are compared with the Date of the response instead, if it has a valid one, because the clock
 * of the server may differ. Parts of a millisecond round up, so that nobody comes too early.
 */
void stook__rate_fields_parse(const char *fields, size_t size, int status, int64_t wall_ms,
                              struct stook__rate_hint *ret_hint);

#endif
