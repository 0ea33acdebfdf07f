/* SPDX-License-Identifier: MIT */
/*
 * Servers that are not ours, each in a child process that ends with the test, with a directory and
 * random ports of its own. A test is skipped where the program is not installed. Each has the
 * files
 *
 *   /path/0 ... /path/49   "/path/0" ... "/path/49"
 *   /big                   peer_big_size bytes, each the last digit of its place
 */
#ifndef STOOK_TEST_PEER_H
#define STOOK_TEST_PEER_H

#include "process.h"

enum { peer_big_size = 1000000, peer_paths = 50 };

struct peer {
    int port;             /* in the clear; 0: it has none */
    int tls_port;         /* over TLS, with ALPN; 0: it has none */
    char ca[256];         /* who signed its certificate */
    char directory[224];
    struct process process;
    struct process before; /* the haproxy that was replaced */
};

/* In the clear, and over TLS with HTTP/1.1 and HTTP/2. A connection serves seven requests. */
struct peer *apache_start(void);
/* The same, and HTTP/3 on the same number; the files are compressed for who asks. */
struct peer *caddy_start(void);
/* The same in front of nginx at that port. */
struct peer *haproxy_start(int backend);
/* Another takes the place of a haproxy, which ends when what it has begun is over. */
void haproxy_replace(struct peer *peer);
/* 1 when the one that was replaced has ended. */
int haproxy_has_left(struct peer *peer);
/* HTTP/2 over TLS alone, with a trailer on every answer, one stream at a time. */
struct peer *nghttpd_start(void);

const char *peer_url(const struct peer *peer, int tls, const char *path);

#endif
