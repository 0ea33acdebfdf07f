/* SPDX-License-Identifier: MIT */
/* A request as a command line of curl. */
#ifndef STOOK_REQUEST_TO_CURL_H
#define STOOK_REQUEST_TO_CURL_H

#include "request/exchange.h"

/*
 * Writes the command that sends the same bytes, cut where the buffer of `size` bytes ends, NUL included.
 * `preview` is what stook__preview() made of the request. Without `secrets` these are replaced by REDACTED.
 * Returns the bytes of the whole command without its NUL, or STOOK_EUNSUPPORTED: curl has no option for it.
 */
int64_t stook__to_curl(const struct stook__spec *spec, const struct stook__settings *settings,
                       const char *preview, int secrets, char *buffer, size_t size);

#endif
