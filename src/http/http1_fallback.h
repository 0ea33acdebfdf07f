/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 for the downloads of an origin where HTTP/2 keeps failing. Some servers, and what stands
 * before them, reset long streams again and again, and serve the same file over HTTP/1.1.
 */
#ifndef STOOK_HTTP_HTTP1_FALLBACK_H
#define STOOK_HTTP_HTTP1_FALLBACK_H

#include "http/attempt_state.h"

/* The attempt begins: decides whether it may offer HTTP/2. */
void stook__http1_fallback_begin(struct stook__attempt *attempt);
/* The transfer of an attempt has ended with that error, or 0: remembers whether HTTP/2 was at
   fault. */
void stook__http1_fallback_note(struct stook__attempt *attempt, const struct stook__easy_info *info,
                                int error);

#endif
