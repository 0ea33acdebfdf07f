/* SPDX-License-Identifier: MIT */
/*
 * The table of sockets by descriptor. It is the only word on what is watched: libcurl's own word
 * (its socket pointer, its REMOVE) is known to be missing, late or about something else.
 *
 *   opened --announced--> WATCHED --REMOVE--> IDLE --announced--> WATCHED ... --close--> gone
 *
 * A descriptor that libcurl opened by itself (a resolver's, a wake-up) is in the table only from
 * its announcement to its REMOVE.
 */
#ifndef STOOK_CURL_SOCKET_H
#define STOOK_CURL_SOCKET_H

#include "curl/multi.h"

struct stook__socket;

/*
 * What a connection is called inside its CURLM. libcurl does not tell which socket a transfer uses.
 * From 8.2 on it numbers its connections, and the number is exact. Before that there are the ports
 * and the peer's address, exact as well, but a Unix socket has none: such a connection has no name.
 */
struct stook__connection {
    int64_t id; /* -1: not numbered */
    int local_port, remote_port;
    char remote[46];
};

/* From the pre-request callback: what the easy handle's connection is called. */
void stook__sockets_name(const struct stook__easy *easy, const char *remote, int remote_port,
                         int local_port, struct stook__connection *ret_name);

/* A socket of ours. 0 or STOOK_ENOMEM; then it is still the caller's. */
int stook__sockets_opened(struct stook__easy *easy, int fd);
/* One of those that the easy handle has opened carries this connection: worth watching while idle. */
void stook__sockets_connected(struct stook__easy *easy, const struct stook__connection *name);
/* And it is known now which HTTP is spoken there. */
void stook__sockets_speak(const struct stook__easy *easy, int http1);
/* Whether one of those that it opened has reached its peer. libcurl up to 8 tells only when TLS is agreed too. */
int stook__sockets_reached(const struct stook__easy *easy);
/* The easy handle leaves its CURLM: what it has not connected yet libcurl up to 8.1 closes without a word. */
void stook__sockets_give_up(struct stook__easy *easy);
/* A transfer of the easy handle's is paused by the program, or not any more. While it is, its connection is
   neither read from nor idle. */
void stook__sockets_program_paused(struct stook__easy *easy, int program_paused);
/* Whether the connection of that name in the easy handle's CURLM is one that was seen to end while idle. */
int stook__sockets_dead(const struct stook__easy *easy, const struct stook__connection *name);
/* Whether a transfer of the socket's CURLM uses it. */
int stook__sockets_used(const struct stook__socket *socket);
/* When the easy handle's connection, which carries nothing else, last had something to be read; 0: not known. */
int64_t stook__sockets_heard_at(struct stook__easy *easy);
/* No two descriptors can be had: as many as a look-up may take, or a CURLM. */
int stook__sockets_exhausted(void);
/* CURLOPT_CLOSESOCKETFUNCTION; `user` is the engine. */
int stook__sockets_close(void *user, curl_socket_t fd);
/* CURLMOPT_SOCKETFUNCTION; `user` is the multi handle. */
int stook__sockets_announced(CURL *curl, curl_socket_t fd, int what, void *user, void *unused);
/* The multi handle's CURLM is gone, and all that was in it is closed: forget what it closed without a word. */
void stook__sockets_leave(const struct stook__multi *multi);
/* After all CURLMs are gone: stop watching what is left, without closing what is not ours. */
void stook__sockets_free(struct stook__engine *engine);

#endif
