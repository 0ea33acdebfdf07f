/* SPDX-License-Identifier: MIT */
/* What programs hand in: transparent structs with a size, numbers with ranges, and the process. */
#ifndef STOOK_REQUEST_VALIDATE_H
#define STOOK_REQUEST_VALIDATE_H

#include <stddef.h>

#include <stook.h>

/*
 * Copies min(theirs, ours) bytes of a struct that begins with its size over `ours`, the rest zero.
 * `theirs` NULL: all zero. 0; STOOK_EARG: a size that cannot be; STOOK_EUNSUPPORTED: it is larger
 * than ours and uses what we do not know.
 */
int stook__validate_struct(void *ours, size_t our_size, const void *theirs);

/* The other way: whether a struct to be filled has a size that can be; and what fills it, as far as it goes. */
int stook__validate_size(const void *theirs);
void stook__fill_struct(void *theirs, const void *ours, size_t our_size);

/* 0 is `inherited`; STOOK_NONE is -1 where `none` allows it; else 1 to max. 0 or STOOK_EARG. */
int stook__validate_number(int64_t value, int64_t inherited, int none, int64_t max,
                           int64_t *ret_value);

/* A limit as programs say it, STOOK_NONE or 1 to 1000000, as the rooms below do: SIZE_MAX is none. 0 or STOOK_EARG. */
int stook__validate_limit(int64_t value, size_t *ret_limit);

/* Whether an argument of a function is a time to wait: milliseconds, 0 too, or STOOK_NONE. */
int stook__validate_timeout(int64_t timeout_ms);

/* Whether there is a control byte in a text, or NULL: a line break would begin another header field. */
int stook__validate_control(const char *text);

/* STOOK_EARG, with why. */
int stook__validate_refuse(const char *why, const char **ret_why);

/* Whether a body of the request goes past memory, that of the answer (then max_body_bytes is off unless somebody sets
   it) or any (then the clocks of an exchange are). */
int stook__validate_receives(const struct stook_request *request);
int stook__validate_streams(const struct stook_request *request);

#endif
