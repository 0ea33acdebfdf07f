/* SPDX-License-Identifier: MIT */
/* Loopback sockets without a server behind them, and ports to try. All are closed with the test. */
#ifndef STOOK_TEST_SOCKETS_H
#define STOOK_TEST_SOCKETS_H

#include <netinet/in.h>
#include <stddef.h>

/* 127.0.0.1 at that port. */
struct sockaddr_in loopback(int port);
/* A listening socket of 127.0.0.1, on a port the kernel chose. */
int listen_somewhere(int backlog, int *ret_port);
/* A listening socket of the file system. */
int listen_unix(const char *path);
/* A descriptor, or -1. */
int connect_to(int port);

/* Ask 127.0.0.1 for a path by HTTP/1.0 and read all that comes, without the library under test.
   Returns the bytes, with a NUL behind them in `answer`; -1 if nobody listens. */
int ask(int port, const char *path, char *answer, size_t room);

/* A port of our own that nobody listens on: a connection is refused. */
int refusing_port(void);
/* A port whose queue is full: a connection is neither accepted nor refused. */
int silent_port(void);
/* The same at any address and port of this machine. The listener: without it, by shutdown(), who asks
   again is refused. Without that address or port the test is skipped. */
int silent_at(const char *host, int port);
/* A port to try for a server that cannot choose one itself: below those the kernel hands out. */
int random_port(void);

#endif
