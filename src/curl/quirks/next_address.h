/* SPDX-License-Identifier: MIT */
/*
 * Versions: all before 8.4.0.
 * Fault:    when an address refuses, libcurl selects the next one, but opens no socket for it until
 *           a timer is due, 200 ms later or more.
 * Reason:   curl issue 11920.
 * Handling: a transfer whose socket was closed unconnected is paused and resumed when libcurl has
 *           returned. libcurl then processes the transfer and opens the next socket. There is no
 *           body yet that the pause could delay.
 * Test:     regress/many_addresses.sixty_four_refuse.
 *
 * socket.c schedules, from inside libcurl's callbacks. multi_state.c runs what was scheduled.
 */
#ifndef STOOK_CURL_QUIRKS_NEXT_ADDRESS_H
#define STOOK_CURL_QUIRKS_NEXT_ADDRESS_H

struct stook__easy;
struct stook__engine;

/* Notes that a socket of the easy handle was closed before it connected. Calls no libcurl. */
void stook__next_address_schedule(struct stook__easy *easy);
/* Makes libcurl try the next address of each easy handle noted. Not from inside a callback. */
void stook__next_address(struct stook__engine *engine);

#endif
