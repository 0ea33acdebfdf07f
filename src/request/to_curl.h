/* SPDX-License-Identifier: MIT */
/* A request as a command line of the curl tool. */
#ifndef STOOK_REQUEST_TO_CURL_H
#define STOOK_REQUEST_TO_CURL_H

#include "request/exchange.h"

/*
 * Writes a command that sends the same bytes as the request. The text is cut where the buffer of
 * `size` bytes ends, the NUL included. `preview` comes from stook__preview(). If `secrets` is 0,
 * secrets are replaced by REDACTED. Returns the bytes of the whole command without its NUL, or
 * STOOK_EUNSUPPORTED if curl has no option for a member of the request.
 */
int64_t stook__to_curl(const struct stook__spec *spec, const struct stook__settings *settings,
                       const char *preview, int secrets, char *buffer, size_t size);

#endif
