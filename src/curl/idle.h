/* SPDX-License-Identifier: MIT */
/*
 * What happens to an idle connection. socket.c calls this when a socket that libcurl does not watch
 * has an event: its peer has closed it, or has sent something unasked.
 *
 * libcurl 7.88 takes a connection for alive that was reset or on which the peer has ended TLS, and
 * fails a request when it meets several of them. It also takes stray bytes on an idle connection
 * for the response to the next request. So a connection that has ended is drained, and one on which
 * stray bytes arrive is shut down: libcurl then finds it closed.
 */
#ifndef STOOK_CURL_IDLE_H
#define STOOK_CURL_IDLE_H

enum stook__idle_protocol {
    STOOK__IDLE_HTTP_1,     /* HTTP/1.1 in the clear */
    STOOK__IDLE_HTTP_1_TLS, /* HTTP/1.1 over TLS */
    STOOK__IDLE_HTTP_2_TLS, /* HTTP/2 over TLS, or TLS with a protocol that is not known */
};

/* Handles an event of an idle connection. Returns the events to watch the descriptor for from now
   on; 0 if the connection is closed. */
int stook__idle_check(int fd, int events, enum stook__idle_protocol protocol);

#endif
