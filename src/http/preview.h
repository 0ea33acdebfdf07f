/* SPDX-License-Identifier: MIT */
/* What a request would send, without sending it. */
#ifndef STOOK_HTTP_PREVIEW_H
#define STOOK_HTTP_PREVIEW_H

#include "request/exchange.h"

struct stook__defaults;

/*
 * Checks a request as an attempt does before it sends anything, except for its files. Appends
 * NUL-terminated strings to *ret_strings, one after the other: the URL, in ASCII except for its
 * host; the address to connect to, in the form of CURLOPT_CONNECT_TO, or "" if the URL says it; the
 * URL of the proxy, or ""; the lines for CURLOPT_HTTPHEADER; an empty string. The caller frees
 * *ret_strings in every case. Returns 0, STOOK_EARG, STOOK_EURL, STOOK_EPOLICY, STOOK_EUNSUPPORTED
 * or STOOK_ENOMEM.
 */
int stook__preview(struct stook__defaults *defaults, const struct stook__spec *spec,
                   const struct stook__settings *settings, struct stook__buffer *ret_strings);

#endif
