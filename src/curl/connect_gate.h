/* SPDX-License-Identifier: MIT */
/*
 * Cold start. Towards an origin without a connection one request goes first, the probe; the
 * others follow when it is connected, or a short time after its name was found. So one name is
 * looked up once however many wait for it, and that HTTP/2 is agreed is known before a hundred
 * connections are made. Look-ups are bounded per client, connecting per origin.
 *
 *   easy handle: started --> in its multi handle                the origin is warm, or this is the probe
 *                \--> gated --> in its multi handle      the gate opens
 *                        \----> ended            cancelled, or the name does not resolve
 *         in its multi handle --> waiting for DNS --> gated     it would look the name up, and somebody does so already
 *
 * An origin that is warm may forget its name, and its requests need new connections still: then who
 * asks first leads, and others who would ask are sent back, and are waiting for DNS until it has the answer.
 * Those who find a connection notice nothing. Where no more look-ups may begin just then, the origin
 * is dry: all who would ask wait until it is its turn.
 *
 * A probe that is cancelled while its look-up hangs is parked and leads on: the others share its
 * look-up still.
 */
#ifndef STOOK_CURL_CONNECT_GATE_H
#define STOOK_CURL_CONNECT_GATE_H

#include "curl/origin.h"

/* 1: the easy handle may go now. 0: it waits, and is started when the gate opens. */
int stook__connect_gate_pass(struct stook__easy *easy);
/* From inside libcurl, which only writes down: a look-up begins (0: it must not, somebody else's is
   under way, or there are too many, or no descriptors for it); the address is known; connected to that address. */
int stook__connect_gate_resolving(struct stook__easy *easy);
void stook__connect_gate_resolved(struct stook__easy *easy);
void stook__connect_gate_connected(struct stook__easy *easy, const char *address);
/* Whether a transfer that ended so is to be started again: nothing was sent. Then, without a multi handle: do. */
int stook__connect_gate_wants_back(struct stook__easy *easy, CURLcode code);
void stook__connect_gate_take_back(struct stook__easy *easy);
/* The easy handle is over for its origin. `code` is what libcurl said, or CURLE_OK. */
void stook__connect_gate_left(struct stook__easy *easy, CURLcode code);
/* Start what may go now. */
void stook__connect_gates_open(struct stook__engine *engine, int64_t now);
/* Whether there is more to start. */
int stook__connect_gates_busy(const struct stook__engine *engine);
/* When a gate opens by itself; 0: none does. */
int64_t stook__connect_gates_alarm(const struct stook__engine *engine);

#endif
