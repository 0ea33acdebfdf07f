/* SPDX-License-Identifier: MIT */
/* Maps the end of a transfer to an error of ours with a message. */
#ifndef STOOK_HTTP_ERROR_MAP_H
#define STOOK_HTTP_ERROR_MAP_H

#include "http/attempt_state.h"

/* Sets *ret_outcome for an attempt whose transfer has ended, by libcurl or by a callback. */
void stook__error_map(struct stook__attempt *attempt, const struct stook__easy_info *info,
                      struct stook__outcome *ret_outcome);
/* Returns 1 if the response is a 408 that only reports the end of the idle connection: the request
   is repeated, and its response is not delivered. */
int stook__error_map_given_up(const struct stook__attempt *attempt);

#endif
