/* SPDX-License-Identifier: MIT */
/*
 * Connections that only say goodbye. libcurl from 8.9 on ends TLS and waits for the peer to end it
 * too, as measured up to 8.23 without an end. What it watches for no transfer at two looks is shut
 * down: libcurl hears of an end, and closes it.
 */
#ifndef STOOK_CURL_QUIRKS_TLS_CLOSE_H
#define STOOK_CURL_QUIRKS_TLS_CLOSE_H

#include "curl/multi.h"

/* A transfer is over, and its connection may be too. */
void stook__tls_close_expect(struct stook__engine *engine);
void stook__tls_close_check(struct stook__engine *engine, int64_t now);

#endif
