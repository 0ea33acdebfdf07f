/* SPDX-License-Identifier: MIT */
/* Members that few requests use: checked, and copied to a block beside the record. */
#ifndef STOOK_REQUEST_OPTIONAL_H
#define STOOK_REQUEST_OPTIONAL_H

#include "request/exchange.h"

/* Checks these members, bodies and credentials included. 0; STOOK_EARG or STOOK_EPOLICY with
   *ret_why set to a static string. `client`: the settings of the client. */
int stook__optional_validate(const struct stook__settings *client,
                             const struct stook_request *request, const char **ret_why);

/* Copies these members to a new block, *ret_optional; NULL if none of them is set.
   0 or STOOK_ENOMEM. */
int stook__optional_new(struct stook__allocator *allocator, const struct stook__settings *client,
                        const struct stook_request *request, struct stook__optional **ret_optional);

#endif
