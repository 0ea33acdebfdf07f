/* SPDX-License-Identifier: MIT */
/*
 * A door of the raw server that passes all bytes on to another server, badly:
 *
 *     {.serve = raw_relay_serve, .arg = &(struct raw_relay){.slice = 3}}
 */
#ifndef STOOK_TEST_RAW_RELAY_H
#define STOOK_TEST_RAW_RELAY_H

#include "raw_server.h"

/* What happens to the bytes of the origin; those of the client pass as they are. */
struct raw_relay {
    int port;             /* of the origin on 127.0.0.1; 0: raw_relay_port */
    long latency_ms;      /* before each piece */
    long jitter_ms;       /* more, at random up to that */
    size_t slice;         /* bytes of a piece, at random from 1 to that; 0: as they come */
    long bytes_per_ms;    /* no faster; 0: any */
    long slow_close_ms;   /* between the end of the origin and that of the client's connection */
    size_t limit;         /* bytes after which `then` happens; 0: none */
    enum raw_then then;   /* RAW_CLOSE, RAW_RESET or RAW_HOLD */
    int refuses;          /* the connection to the origin is not made: closes at once, by `then` */
};

/* Set before the server starts. */
extern int raw_relay_port;
void raw_relay_serve(struct raw_call *call);
/* Between a connection and its origin, until either ends. */
void raw_relay(struct raw_call *call, int origin, const struct raw_relay *relay);
/* Does it to the client's connection, which is closed next. */
void raw_relay_end(struct raw_call *call, enum raw_then then);

#endif
