/* SPDX-License-Identifier: MIT */
/* Loopback sockets without a server behind them, and ports to try. All are closed with the test. */
#ifndef STOOK_TEST_SOCKETS_H
#define STOOK_TEST_SOCKETS_H

#include <netinet/in.h>
#include <stddef.h>

/* 127.0.0.1 at that port. */
struct sockaddr_in loopback(int port);
/* A listening socket of 127.0.0.1, at a port that the kernel chose. */
int listen_somewhere(int backlog, int *ret_port);
/* The same at an address of this machine, NULL for 127.0.0.1, and at *port unless that is 0. A server that
   ended can have its port again. */
int listen_on(const char *host, int *port, int backlog);
/* A listening socket of the file system. */
int listen_unix(const char *path);
/* Returns a descriptor, or -1. */
int connect_to(int port);

/* Requests a path from 127.0.0.1 by HTTP/1.0 and reads the response, without the library under test.
   Returns the number of bytes, which a NUL follows in `answer`; -1 if nobody listens. */
int ask(int port, const char *path, char *answer, size_t room);

/* A port that is bound and not listening: connections are refused. */
int refusing_port(void);
/* A port whose queue is full: a connection is neither accepted nor refused. */
int silent_port(void);
/* The same at any address and port of this machine. Returns the listener; after shutdown() of it, further
   connections are refused. If the address or port cannot be had, the test is skipped. */
int silent_at(const char *host, int port);
/* A port to try for a server that cannot let the kernel choose one: below the kernel's range. */
int random_port(void);

#endif
