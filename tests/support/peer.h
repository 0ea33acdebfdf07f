/* SPDX-License-Identifier: MIT */
/*
 * Servers that are not ours. Each runs in a child process that ends with the test, with a directory and
 * random ports of its own. Where the program is not installed, the test is skipped. Each has the files
 *
 *   /path/0 ... /path/49   "/path/0" ... "/path/49"
 *   /big                   peer_big_size bytes, each the last digit of its place
 */
#ifndef STOOK_TEST_PEER_H
#define STOOK_TEST_PEER_H

#include "process.h"

enum { peer_big_size = 1000000, peer_paths = 50 };

struct peer {
    int port;             /* without TLS; 0: it has none */
    int tls_port;         /* over TLS, with ALPN; 0: it has none */
    char ca[256];         /* who signed its certificate */
    char directory[224];
    struct process process;
    struct process before; /* the haproxy that was replaced */
};

/* Without TLS, and over TLS with HTTP/1.1 and HTTP/2. A connection serves seven requests. */
struct peer *apache_start(void);
/* The same, and HTTP/3 at the same port. It compresses files if the client offers a coding. */
struct peer *caddy_start(void);
/* The same in front of nginx at that port. */
struct peer *haproxy_start(int backend);
/* Starts another haproxy in its place. The old one ends when its requests are over. */
void haproxy_replace(struct peer *peer);
/* Returns 1 when the one that was replaced has ended. */
int haproxy_has_left(struct peer *peer);
/* HTTP/2 over TLS alone, with a trailer on every answer, one stream at a time. */
struct peer *nghttpd_start(void);

/* Proxies. They have no files, and `tls_port` is that of the TLS in front of them. */
/* HTTP. It wants the user "me" with the password "pw", by Basic. */
struct peer *squid_start(void);
/* HTTP, for everybody. */
struct peer *tinyproxy_start(void);
/* SOCKS 5, for everybody. */
struct peer *dante_start(void);
/* TLS in front of a proxy at that port, with a certificate and its key. */
struct peer *stunnel_start(int backend, const char *certificate, const char *key);

const char *peer_url(const struct peer *peer, int tls, const char *path);

#endif
