/* SPDX-License-Identifier: MIT */
/*
 * Names of connections. libcurl does not say which socket a transfer uses, so a connection has a
 * name inside its CURLM, and a transfer and a socket with the same name belong together.
 *
 * From 8.2 on libcurl numbers its connections, and the number is exact. Before, the name is the
 * local port, the remote port and the peer's address. A Unix socket has none of these, and its
 * connection has no name. When a connection was reset, the kernel may give its port to a new one
 * while libcurl still keeps the old, so a name is that of the connection which is not dead.
 */
#ifndef STOOK_CURL_CONNECTION_NAME_H
#define STOOK_CURL_CONNECTION_NAME_H

#include <stdint.h>

struct stook__easy;
struct stook__socket;

struct stook__connection_name {
    int64_t id; /* -1: not numbered */
    int local_port, remote_port;
    char remote[46];
};

/* Sets the name of the connection of an easy handle, from inside CURLOPT_PREREQFUNCTION. */
void stook__connection_name_set(struct stook__connection_name *ret_name,
                                const struct stook__easy *easy, const char *remote, int remote_port,
                                int local_port);
/* Tells whether this connection has a name. */
int stook__connection_has_name(const struct stook__connection_name *name);
/* Tells whether the connection of that name, in the CURLM of `easy`, was closed while idle. */
int stook__connection_is_dead(const struct stook__easy *easy,
                              const struct stook__connection_name *name);
/* Tells whether a transfer uses the connection of a socket. */
int stook__connection_is_used(const struct stook__socket *socket);
/* Returns the socket of the connection that a transfer uses; NULL if the connection has no name. */
struct stook__socket *stook__connection_socket(struct stook__easy *easy);

#endif
