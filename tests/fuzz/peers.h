/* SPDX-License-Identifier: MIT */
/* The peers of the target `calls`, in a child process: HTTP/1.1 in the clear, over TLS and over a Unix socket, and
   HTTP/2; well and badly behaved. */
#ifndef STOOK_TEST_FUZZ_PEERS_H
#define STOOK_TEST_FUZZ_PEERS_H

struct fuzz_peer {
    const char *base;        /* of URLs: scheme, host, port */
    const char *unix_socket; /* or NULL */
    long http_version;
};

enum { FUZZ_PEERS = 6 };

void fuzz_peers_start(void);
/* The one of that number, below FUZZ_PEERS. The last refuses all connections. */
struct fuzz_peer fuzz_peer(unsigned number);
/* Of any number. */
const char *fuzz_path(unsigned number);
/* Whom to trust, for those over TLS. */
const char *fuzz_peers_authority(void);

#endif
