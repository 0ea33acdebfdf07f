/* SPDX-License-Identifier: MIT */
/*
 * Versions: 8.9.0 and later, measured up to 8.23.
 * Fault:    libcurl closes a TLS connection only after the peer's close_notify, and waits for it
 *           without a timeout. A silent peer keeps the descriptor for ever.
 * Reason:   curl commit 820c014578.
 * Handling: every 2 s, a connection that libcurl watches although no transfer uses it is noted. If
 *           it was noted before, it is shut down. libcurl then reads the end of the connection, and
 *           closes it.
 * Test:     regress/tls_close.watched_for_nobody, regress/tls_close.never_answered.
 */
#ifndef STOOK_CURL_QUIRKS_TLS_CLOSE_H
#define STOOK_CURL_QUIRKS_TLS_CLOSE_H

#include <stdint.h>

struct stook__engine;

/* Schedules a check: a transfer has ended, and libcurl may close its connection. */
void stook__tls_close_expect(struct stook__engine *engine);
/* Runs the check if it is due, and schedules the next while such a connection is left. */
void stook__tls_close_check(struct stook__engine *engine, int64_t now);

#endif
