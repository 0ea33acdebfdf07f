/* SPDX-License-Identifier: MIT */
/*
 * A door of the raw server that is a proxy:
 *
 *     {.serve = raw_proxy_serve, .arg = &(struct raw_proxy){.log = path}}
 *     {.serve = raw_tls_serve, .arg = &(struct raw_tls){.directory = d, .certificate = "leaf",
 *                                                       .inside = raw_proxy_serve, .user = &proxy}}
 *
 * A CONNECT, or a request by SOCKS 5, opens a tunnel to 127.0.0.1 at the port that it names, whatever
 * the host is. A request in the absolute form is answered as by any other door: "/echo" shows it.
 */
#ifndef STOOK_TEST_RAW_PROXY_H
#define STOOK_TEST_RAW_PROXY_H

#include "raw_server.h"

struct raw_proxy {
    int socks;            /* it speaks SOCKS 5; else HTTP */
    const char *log;      /* a file that each CONNECT, and each request by SOCKS, is appended to; or NULL */
    const char *user;     /* SOCKS: "name password", which it asks for; NULL: none */
    const char *greeting; /* SOCKS: what it answers to the greeting; NULL: its method */
    size_t greeting_size;
    const char *reply;    /* what it answers instead of opening a tunnel; NULL: it opens one */
    size_t reply_size;    /* 0: up to the NUL */
    enum raw_then then;   /* after `greeting` or `reply`: RAW_CLOSE, RAW_RESET or RAW_HOLD */
    size_t relayed;       /* bytes of the origin after which the tunnel breaks; 0: none */
};

void raw_proxy_serve(struct raw_call *call);

#endif
