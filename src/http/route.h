/* SPDX-License-Identifier: MIT */
/*
 * Which way an attempt goes: the direct way, on a connection that libcurl makes and on which we
 * speak HTTP/1.1 (curl/direct.h), or libcurl's way. docs/internals/direct.md has the table.
 */
#ifndef STOOK_HTTP_ROUTE_H
#define STOOK_HTTP_ROUTE_H

#include "http/attempt_state.h"

/* Returns why a checked request goes libcurl's way; NULL: it goes the direct way. */
const char *stook__route_to_libcurl(const struct stook__attempt *attempt);
/*
 * Chooses the way of a checked request, and prepares what the direct way needs. 0; STOOK_ENOMEM; or
 * STOOK_EURL or STOOK_EPOLICY with *ret_outcome set, for a URL that cannot be used.
 */
int stook__route_choose(struct stook__attempt *attempt, struct stook__outcome *ret_outcome);

#endif
