/* SPDX-License-Identifier: MIT */
/*
 * A door of the raw server that speaks TLS:
 *
 *     {.serve = raw_tls_serve, .arg = &(struct raw_tls){.directory = d, .certificate = "leaf"}}
 *
 * It signals /resumed when a client resumes a session.
 */
#ifndef STOOK_TEST_RAW_TLS_H
#define STOOK_TEST_RAW_TLS_H

#include "raw_server.h"

struct raw_tls {
    const char *directory;    /* of the certificates */
    const char *certificate;  /* NAME.pem, with its chain, and NAME.key */
    const char *key;          /* another KEY.key */
    int min, max;             /* TLS1_2_VERSION, ...; 0: any */
    const char *ciphers;      /* up to TLS 1.2; NULL: OpenSSL's default */
    const char *alpn;         /* chosen, whatever the client offers; NULL: no ALPN */
    int falls_back;           /* `alpn` is chosen only if it is offered, else HTTP/1 is spoken inside */
    int tickets;              /* number sent after the handshake; 0: two */
    int early_data;           /* offered with them, in bytes */
    int wants_certificate;    /* of the client */
    int asks_for_certificate; /* the same, and continues without one */
    int silent_end;           /* closes without close_notify */
    int one_byte;             /* sends each byte by itself */
    void (*inside)(struct raw_call *call); /* what it speaks inside; NULL: HTTP/1 */
    const void *user;         /* for `inside` */
};

void raw_tls_serve(struct raw_call *call);
/* Uses another configuration from the next connection on. */
void raw_tls_become(struct raw_call *call, const struct raw_tls *other);

#endif
