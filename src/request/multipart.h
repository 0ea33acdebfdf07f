/* SPDX-License-Identifier: MIT */
/* The parts of a multipart/form-data body, checked and copied. http/ encodes them. */
#ifndef STOOK_REQUEST_MULTIPART_H
#define STOOK_REQUEST_MULTIPART_H

#include "request/exchange.h"
#include "request/pack.h"

/* Checks `parts`: 0, or STOOK_EARG with *ret_why set. */
int stook__parts_validate(const struct stook_request *request, const char **ret_why);

/* Copies `parts` to the pack and sets `parts` and `n_parts` of `optional`; neither if the parts are
   not valid. It packs structs, so it must be the first to use the pack, or they would not be
   aligned. */
void stook__parts_pack(struct stook__optional *optional, struct stook__pack *pack,
                       const struct stook_request *request);

#endif
