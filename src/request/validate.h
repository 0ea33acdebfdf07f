/* SPDX-License-Identifier: MIT */
/* Checks of what programs pass in: structs that begin with their size, numbers, texts. */
#ifndef STOOK_REQUEST_VALIDATE_H
#define STOOK_REQUEST_VALIDATE_H

#include <stddef.h>

#include <stook.h>

/* The text of a result's STOOK_EARG, whole, so that no string has to be built. */
#define STOOK__ARG(why) "invalid argument: " why

/*
 * Copies min(theirs, ours) bytes of a struct that begins with its size to `ours` and sets the rest
 * to zero. If `theirs` is NULL, all is zero. 0; STOOK_EARG: the size is out of range;
 * STOOK_EUNSUPPORTED: the struct is larger than ours and a byte that we do not know is not zero.
 */
int stook__validate_struct(void *ours, size_t our_size, const void *theirs);

/* 1: the size of a struct that the library fills is in range. */
int stook__validate_size(const void *theirs);

/* Copies `ours` to the struct of a program, as far as its size, and keeps that size. */
void stook__fill_struct(void *theirs, const void *ours, size_t our_size);

/* Sets *ret_value: `inherited` for 0, -1 for STOOK_NONE where `none` is 1, else a number from 1 to
   `max`. 0 or STOOK_EARG. */
int stook__validate_number(int64_t value, int64_t inherited, int none, int64_t max,
                           int64_t *ret_value);

/* Sets *ret_limit to a number from 1 to 1000000, or to SIZE_MAX for 0 and STOOK_NONE.
   0 or STOOK_EARG. */
int stook__validate_limit(int64_t value, size_t *ret_limit);

/* 1: this argument of a function is a time to wait: milliseconds from 0 on, or STOOK_NONE. */
int stook__validate_timeout(int64_t timeout_ms);

/* 1: the text contains a control byte. A line break would begin another header field. NULL: 0. */
int stook__validate_control(const char *text);

/* Bytes of the token that the text begins with (RFC 9110 5.6.2): a method, the name of a field. */
size_t stook__validate_token(const char *text);

/* Sets *ret_why and returns STOOK_EARG. */
int stook__validate_refuse(const char *why, const char **ret_why);

#endif
