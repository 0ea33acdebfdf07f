/* SPDX-License-Identifier: MIT */
/*
 * Versions: all; it does harm before 8.20.0.
 * Fault:    CURLOPT_CONNECTTIMEOUT_MS includes the name look-up. When it expires, libcurl waits for
 *           the look-up that it abandons, and the loop waits with it.
 * Reason:   before 8.20.0 libcurl joins the thread that runs getaddrinfo().
 * Handling: stook's own clock (sched) ends the attempt. Two cases remain in which libcurl's timeout
 *           fires first: a busy loop may call libcurl before sched, and an orphaned easy handle has
 *           no clock of sched. So the timeout of a handle whose look-up is under way is raised
 *           shortly before it expires.
 * Test:     regress/hung_lookups.parked_for_long, regress/hung_lookups.on_a_busy_loop.
 */
#ifndef STOOK_CURL_QUIRKS_TIMEOUT_EXTENSION_H
#define STOOK_CURL_QUIRKS_TIMEOUT_EXTENSION_H

struct stook__easy;
struct stook__engine;

/* Notes that a look-up of the easy handle begins, or has ended. Both call no libcurl. */
void stook__timeout_extension_begin(struct stook__easy *easy);
void stook__timeout_extension_end(struct stook__easy *easy);
/* Raises the timeouts that are about to expire. multi_state.c calls it before each
   curl_multi_socket_action(): libcurl checks its timeouts only in there. */
void stook__timeout_extension_renew(struct stook__engine *engine);

#endif
