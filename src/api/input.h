/* SPDX-License-Identifier: MIT */
/* What programs hand in: transparent structs with a size, numbers with ranges, and the process. */
#ifndef STOOK_API_INPUT_H
#define STOOK_API_INPUT_H

#include "turn/client.h"

/*
 * Copies min(theirs, ours) bytes of a struct that begins with its size over `ours`, the rest zero.
 * `theirs` NULL: all zero. 0; STOOK_EARG: a size that cannot be; STOOK_EUNSUPPORTED: it is larger
 * than ours and uses what we do not know.
 */
int stook__input_struct(void *ours, size_t our_size, const void *theirs);

/* 0 is `inherited`; STOOK_NONE is -1 where `none` allows it; else 1 to max. 0 or STOOK_EARG. */
int stook__input_number(int64_t value, int64_t inherited, int none, int64_t max, int64_t *ret_value);

/* A limit as programs say it, STOOK_NONE or 1 to 1000000, as the rooms below do: SIZE_MAX is none. 0 or STOOK_EARG. */
int stook__input_limit(int64_t value, size_t *ret_limit);

/* Whether there is a control byte in a text, or NULL: a line break would begin another header field. */
int stook__input_control(const char *text);

/* STOOK_EARG, with why. */
int stook__input_refuse(const char *why, const char **ret_why);

/* A number that differs between a process and its forked children. */
unsigned stook__input_family(void);
int stook__input_forked(const stook_client *client);

/* The client's policy from its options, checked. 0 or STOOK_EARG. Strings are not copied. */
int stook__input_policy(const struct stook_client_options *options, struct stook__policy *ret_policy);
/* Whether a body of the request goes past memory, that of the answer (then body_max is off unless somebody sets
   it) or any (then the clocks of an exchange are). */
int stook__input_receives(const struct stook_request *request);
int stook__input_streams(const struct stook_request *request);
/* A record from a request, checked and copied. 0, STOOK_EARG, STOOK_ENOMEM. */
int stook__input_record(struct stook__heap *heap, const struct stook__policy *client, const struct stook_request *request,
                        struct stook_result **ret_record, const char **ret_why);

#endif
