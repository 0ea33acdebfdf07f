/* SPDX-License-Identifier: MIT */
/* What a request comes to, without sending it. */
#ifndef STOOK_HTTP_PREVIEW_H
#define STOOK_HTTP_PREVIEW_H

#include "request/exchange.h"

struct stook__defaults;

/*
 * Judges a request as an attempt does before anything is sent, its files apart. 0 with *ret_words, strings one behind
 * the other: the URL in ASCII, but for its host; where to connect, in the form of CURLOPT_CONNECT_TO, or "" (where
 * the URL says); the lines for CURLOPT_HTTPHEADER, ended by an empty one. To be freed in either case.
 * Or STOOK_EARG, STOOK_EURL, STOOK_EPOLICY, STOOK_EUNSUPPORTED, STOOK_ENOMEM.
 */
int stook__preview(struct stook__defaults *defaults, const struct stook__spec *spec,
                   const struct stook__settings *policy, struct stook__buffer *ret_words);

#endif
