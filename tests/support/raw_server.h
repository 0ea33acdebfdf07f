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
#include <sys/types.h>

/* What becomes of the connection after an answer. */
enum raw_then {
    RAW_KEEP = 0, /* wait for the next request */
    RAW_CLOSE,    /* FIN */
    RAW_RESET,    /* RST */
    RAW_HOLD      /* nothing more, until the client goes away */
};

struct raw_server;
struct raw_call;

/*
 * A port of the server. Behind it is HTTP/1 in the clear, unless `serve` does something else with
 * the whole connection: agree on TLS first (raw_tls.h), speak HTTP/2 (raw_h2.h), or nothing known.
 */
struct raw_door {
    void (*serve)(struct raw_call *call);
    const void *arg; /* for `serve` */
    void *kept;      /* what `serve` keeps from one connection to the next, of the same server */
    int port;        /* set when the server starts */
    const char *unix_path; /* a socket there instead of a port, and no other word of it in raw_url(); NULL: a port */
};

/* One request, as it came. */
struct raw_call {
    struct raw_server *server;
    struct raw_door *door;
    int fd;
    /* Over what layer there is: as recv(2) and send(2) do it in the clear. */
    ssize_t (*receive)(struct raw_call *call, void *bytes, size_t room);
    ssize_t (*transmit)(struct raw_call *call, const void *bytes, size_t size);
    void *layer;
    char method[32];
    char path[128];      /* without the query */
    char query[256];
    char *head;          /* from the request line to the empty line, with a NUL behind */
    size_t head_size;
    char *body;          /* what Content-Length announced, or the chunks held */
    size_t body_size;
    unsigned seen;       /* requests for this path until now, with this one */
    unsigned on_connection; /* requests on this connection, with this one */
    int answered;        /* its answer has begun */
    void *rest;          /* what was read behind the head; see raw_read() */
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
/* The same with several doors, at most 64; without any it has one, which is in the clear. */
struct raw_server *raw_server_open(const struct raw_behaviour *extra, struct raw_door *doors,
                                   size_t count);
/* An URL of it; valid as text() is. */
const char *raw_url(const struct raw_server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int raw_port(const struct raw_server *server);

/* For the test: how often a path was asked for, how many at most waited for the first byte of an
   answer at once, connections so far. */
unsigned raw_seen(struct raw_server *server, const char *path);
unsigned raw_peak(struct raw_server *server, const char *path);
unsigned raw_connections(struct raw_server *server);
/* The peak over all paths since this was last asked. */
unsigned raw_peak_of_all(struct raw_server *server);
/* Wait until a path was asked for (or signalled) that often. The server signals /gone whenever a
   connection is closed on its side. */
void raw_wait(struct raw_server *server, const char *path, unsigned seen);
/* Count a path up without a request: releases those who wait for it with /after. */
void raw_signal(struct raw_server *server, const char *path);

/* For behaviours. */
extern const struct raw_behaviour raw_behaviours[];
/* HTTP/1 on a connection: what a door without `serve` does. */
void raw_serve(struct raw_call *call);
/* From now on connections to this door are refused. */
void raw_leave_port(struct raw_call *call);
/* A request begins, and its answer does; raw_serve() counts by itself. */
void raw_enter(struct raw_call *call);
void raw_leave(struct raw_call *call);
int raw_say(struct raw_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
int raw_send(struct raw_call *call, const void *bytes, size_t size);
/* A whole 200 answer that keeps the connection; no body for HEAD. */
enum raw_then raw_answer(struct raw_call *call, const void *body, size_t size);
/* A number of the query, such as 7 of "a=1&n=7"; 0 if it has none. */
long raw_number(const struct raw_call *call, const char *name);
void raw_pause(long ms);
/* Of a behaviour that is `early`: the next bytes of the connection, at most `size`; 0: it has ended. */
size_t raw_read(struct raw_call *call, void *buffer, size_t size);

#endif
