/* SPDX-License-Identifier: MIT */
/*
 * What the programs are measured against: nginx. Alone it answers so fast that libcurl at times
 * finds the answer when it has only just sent the request, and what is counted depends on luck. So
 * it asks a server that answers when it should.
 *
 * The answer is the same whoever gives it: 200 with 74 bytes of JSON and nginx's five fields.
 */
#ifndef STOOK_COST_PEER_H
#define STOOK_COST_PEER_H

#include <stddef.h>
#include <time.h>

enum peer_answers {
    PEER_AT_ONCE = 1, /* nginx itself */
    PEER_LATER,       /* the example server, after 3 ms */
    PEER_HELD,       /* holder.c: the oldest is answered when as many wait as peer_hold() said */
    PEER_REDIRECTED = 5 /* nginx redirects to what is held (stook alone) */
};

struct peer;

/* Ends with the test. The test is skipped without nginx. */
struct peer *peer_start(void);
/* Listens on all of 127.0.0.0/8 in the clear, on 127.0.0.1 over TLS. Valid as text() is. */
const char *peer_url(const struct peer *peer, int tls, enum peer_answers answers);
/* Over TLS, and the connection is closed after the answer. */
const char *peer_url_once(const struct peer *peer);
/* A body of so many zeros, in decimal digits. */
const char *peer_url_large(const struct peer *peer, int tls, const char *size);
/* What nginx has computed. */
clockid_t peer_clock(const struct peer *peer);
void peer_hold(const struct peer *peer, size_t waiting);
/* PEM file of the authority. */
const char *peer_ca(const struct peer *peer);

#endif
