/* SPDX-License-Identifier: MIT */
/* The body of a request: which member gives it, its length, its bytes where they are in memory. */
#ifndef STOOK_REQUEST_BODY_H
#define STOOK_REQUEST_BODY_H

#include "request/exchange.h"

/* 1: a member gives a body, maybe an empty one. */
int stook__body_is_given(const struct stook_request *request);

/* Checks that at most one body is given, with the members it needs: 0, or STOOK_EARG with
   *ret_why set. */
int stook__body_validate(const struct stook_request *request, const char **ret_why);

/* Sets *ret_size to the bytes of `body`, or to the length that `body_read` promises; 0 without.
   0, or STOOK_EARG with *ret_why set. */
int stook__body_size(const struct stook_request *request, size_t *ret_size, const char **ret_why);

/* Sets the body of a spec: `size` bytes of `body`, borrowed if there is a `body_release` and copied
   otherwise, or what `json` or `form` stand for. 0 or STOOK_ENOMEM. */
int stook__body_copy(struct stook__allocator *allocator, struct stook__spec *spec,
                     const struct stook_request *request, size_t size);

#endif
