/* SPDX-License-Identifier: MIT */
/*
 * on_easy: the program's own options of an easy handle. It gets the handle before any option of
 * ours is set, so that ours hold. Those that we leave at libcurl's default are set back here.
 */
#ifndef STOOK_HTTP_EASY_HOOK_H
#define STOOK_HTTP_EASY_HOOK_H

#include "http/attempt_state.h"

/* Why the handle cannot be used. */
#define STOOK__EASY_TAKEN "on_easy has added the easy handle to a multi handle"

/* Lets the program set options of the attempt's easy handle, which is new, if the client has
   on_easy. Returns 0, or STOOK_ECALLBACK with *ret_outcome set. */
int stook__easy_hook(struct stook__attempt *attempt, struct stook__outcome *ret_outcome);

#endif
