/* SPDX-License-Identifier: MIT */
/*
 * On to the next address. When one refuses, libcurl up to 8.3 turns to the next but opens no socket
 * for it before a timer is due, 200 ms later or more. To pause a transfer and to let it go on at once
 * has libcurl look at it; there is no body yet that would be held up.
 */
#ifndef STOOK_CURL_QUIRKS_NEXT_ADDRESS_H
#define STOOK_CURL_QUIRKS_NEXT_ADDRESS_H

#include "curl/multi.h"

/* From inside libcurl's callbacks: it is done with a socket of the easy handle that never connected. */
void stook__next_address_schedule(struct stook__easy *easy);
/* When libcurl has returned. */
void stook__next_address(struct stook__engine *engine);

#endif
