/* SPDX-License-Identifier: MIT */
/*
 * A server that misbehaves on purpose: raw sockets, a thread per connection, in a child process of
 * the test. What it does is decided by the path: each row of a table of behaviours is one path,
 * with the bytes it answers or a function that answers. /short/1 and /short/2 are both the
 * behaviour "/short", counted apart. The table everyone has is in raw_behaviours.c; a test may add
 * rows of its own.
 *
 * To add one: a row with `bytes` if the answer is fixed; a function of ten lines if it is not.
 */
#ifndef STOOK_TEST_RAW_SERVER_H
#define STOOK_TEST_RAW_SERVER_H

#include <stddef.h>

/* What becomes of the connection after an answer. */
enum raw_then {
    RAW_KEEP = 0, /* wait for the next request */
    RAW_CLOSE,    /* FIN */
    RAW_RESET,    /* RST */
    RAW_HOLD      /* nothing more, until the client goes away */
};

struct raw_server;

/* One request, as it came. */
struct raw_call {
    struct raw_server *server;
    int fd;
    char method[32];
    char path[128];      /* without the query */
    char query[256];
    char *head;          /* from the request line to the empty line, with a NUL behind */
    size_t head_size;
    char *body;          /* what Content-Length announced */
    size_t body_size;
    unsigned seen;       /* requests for this path until now, with this one */
    unsigned on_connection; /* requests on this connection, with this one */
    int answered;        /* its answer has begun */
};

struct raw_behaviour {
    const char *path;
    const char *bytes;                         /* answered as they are; NULL: none */
    size_t size;                               /* of `bytes`; 0: up to the NUL */
    enum raw_then then;                        /* after `bytes` */
    int early;                                 /* act before the body of the request is read */
    enum raw_then (*answer)(struct raw_call *); /* instead of `bytes` */
};

/* Ends with the test. `extra` is NULL or a table that ends with a row without a path. */
struct raw_server *raw_server_start(const struct raw_behaviour *extra);
/* An URL of it; valid as text() is. */
const char *raw_url(const struct raw_server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int raw_port(const struct raw_server *server);

/* For the test: how often a path was asked for, how many at most waited for the first byte of an
   answer at once, connections so far. */
unsigned raw_seen(struct raw_server *server, const char *path);
unsigned raw_peak(struct raw_server *server, const char *path);
unsigned raw_connections(struct raw_server *server);
/* Wait until a path was asked for (or signalled) that often. The server signals /gone whenever a
   connection is closed on its side. */
void raw_wait(struct raw_server *server, const char *path, unsigned seen);
/* Count a path up without a request: releases those who wait for it with /after. */
void raw_signal(struct raw_server *server, const char *path);

/* For behaviours. */
extern const struct raw_behaviour raw_behaviours[];
int raw_say(struct raw_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
int raw_send(struct raw_call *call, const void *bytes, size_t size);
/* A whole 200 answer that keeps the connection; no body for HEAD. */
enum raw_then raw_answer(struct raw_call *call, const void *body, size_t size);
/* A number of the query, such as 7 of "a=1&n=7"; 0 if it has none. */
long raw_number(const struct raw_call *call, const char *name);
void raw_pause(long ms);

#endif
