/* SPDX-License-Identifier: MIT */
/*
 * libcurl's own clock for connecting. It runs while a name is looked up, and when it is out libcurl
 * up to 8.19 waits for the look-up that it gives up, and the loop with it. The clock that ends the
 * attempt is sched's, but a loop that was held up may hear libcurl's first, and that of a parked easy handle
 * is heard by nobody else. So it is put off while a name is looked up, shortly before it is out.
 */
#ifndef STOOK_CURL_QUIRKS_TIMEOUT_EXTENSION_H
#define STOOK_CURL_QUIRKS_TIMEOUT_EXTENSION_H

#include "curl/multi.h"

/* A look-up of the easy handle begins, or is over. */
void stook__timeout_extension_begin(struct stook__easy *easy);
void stook__timeout_extension_end(struct stook__easy *easy);
/* Before libcurl is told of anything. */
void stook__timeout_extension_renew(struct stook__engine *engine);

#endif
