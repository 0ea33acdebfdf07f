/* SPDX-License-Identifier: MIT */
/*
 * Easy handles that only connect (CURLOPT_CONNECT_ONLY), and on whose connections we speak HTTP/1.1
 * ourselves. libcurl looks the name up, connects, and negotiates TLS, as for any transfer: gate,
 * trust, address filter and quirks are the same. When it is done, the handle stays in its CURLM,
 * because its removal closes the connection; the table of sockets passes events to us; and the
 * exchange begins at once (http1/connection.h). The handle is COMPLETED when the exchange is over.
 * Given back then, it is pooled with its connection, and the next request of its origin is sent on
 * that, without a gate.
 *
 * An idle connection is closed when bytes or its end come, after a minute, after an hour of life,
 * when there are too many, or when descriptors are short (origin.c, engine.c). Its handle is put
 * into engine->dead, and closed before the turn goes on.
 */
#ifndef STOOK_CURL_DIRECT_H
#define STOOK_CURL_DIRECT_H

struct stook__easy;

/* libcurl has connected a STARTED handle: the first exchange begins. */
void stook__direct_connected(struct stook__easy *easy);
/* Begins an exchange on the connection of a STARTED handle. */
void stook__direct_begin(struct stook__easy *easy);
/* Whether the handle may be pooled: it has no connection, or one that is fit for another
   exchange. */
int stook__direct_may_keep(const struct stook__easy *easy);
/* Whether its connection ended before a byte of the response came. */
int stook__direct_was_lost(const struct stook__easy *easy);
/* The handle has left its CURLM, which has closed the connection. */
void stook__direct_close(struct stook__easy *easy);

#endif
