/* SPDX-License-Identifier: MIT */
/*
 * A server that misbehaves on purpose: raw sockets, a thread for each connection, in a child process of
 * the test. The path decides what it does. Each row of a table of behaviours is one path, with the bytes
 * of the response or a function that sends them. /short/1 and /short/2 both have the behaviour "/short"
 * and are counted separately. Every test has the table of raw_behaviours.c, and may add rows.
 *
 * To add a row: set `bytes` if the response is fixed, otherwise write a function of ten lines.
 */
#ifndef STOOK_TEST_RAW_SERVER_H
#define STOOK_TEST_RAW_SERVER_H

#include <stddef.h>
#include <sys/types.h>

/* What happens to the connection after a response. */
enum raw_then {
    RAW_KEEP = 0, /* wait for the next request */
    RAW_CLOSE,    /* FIN */
    RAW_RESET,    /* RST */
    RAW_HOLD      /* nothing, until the client closes it */
};

struct raw_server;
struct raw_call;

/*
 * A port of the server. It speaks HTTP/1 without TLS, unless `serve` does something else with the whole
 * connection: TLS first (raw_tls.h), HTTP/2 (raw_h2.h), or no protocol at all.
 */
struct raw_door {
    void (*serve)(struct raw_call *call);
    const void *arg; /* for `serve` */
    void *kept;      /* what `serve` keeps between connections */
    int port;        /* set when the server starts */
    const char *host; /* an address of this machine instead of 127.0.0.1, which raw_url() does not name; or NULL */
    const char *unix_path; /* a Unix socket instead of a port; raw_url() does not name it. NULL: a port */
};

/* One request, as received. */
struct raw_call {
    struct raw_server *server;
    struct raw_door *door;
    int fd;
    /* As recv(2) and send(2), through TLS if there is TLS. */
    ssize_t (*receive)(struct raw_call *call, void *bytes, size_t room);
    ssize_t (*transmit)(struct raw_call *call, const void *bytes, size_t size);
    void *layer;
    char method[32];
    char path[128];      /* without the query */
    char query[256];
    char *head;          /* from the request line to the empty line, followed by a NUL */
    size_t head_size;
    char *body;          /* by Content-Length, or without its chunks */
    size_t body_size;
    unsigned seen;       /* requests for this path so far, this one included */
    unsigned on_connection; /* requests on this connection, this one included */
    int answered;        /* its response has begun */
    void *rest;          /* what was read after the head; see raw_read() */
};

struct raw_behaviour {
    const char *path;
    const char *bytes;                         /* of the response; NULL: none */
    size_t size;                               /* of `bytes`; 0: up to the NUL */
    enum raw_then then;                        /* after `bytes` */
    int early;                                 /* act before the body of the request is read */
    enum raw_then (*answer)(struct raw_call *); /* instead of `bytes` */
};

/* Ends with the test. `extra` is NULL or a table that ends with a row without a path. */
struct raw_server *raw_server_start(const struct raw_behaviour *extra);
/* The same with several doors, at most 64. With 0 it has one, without TLS. */
struct raw_server *raw_server_open(const struct raw_behaviour *extra, struct raw_door *doors,
                                   size_t count);
/* Makes a URL of it; valid as text() is. */
const char *raw_url(const struct raw_server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int raw_port(const struct raw_server *server);

/* Kills it with its connections, by SIGKILL; the ports refuse from then on. */
void raw_server_kill(struct raw_server *server);
/* Starts it again, at the same ports. */
void raw_server_revive(struct raw_server *server);
/* Stops it (SIGSTOP), or lets it continue (SIGCONT). Meanwhile it may hold the lock of its counters. */
void raw_server_signal(struct raw_server *server, int number);

/* For the test: the requests for a path, the most of them that waited for the first byte of a response
   at once, the connections so far. */
unsigned raw_seen(struct raw_server *server, const char *path);
unsigned raw_peak(struct raw_server *server, const char *path);
unsigned raw_connections(struct raw_server *server);
/* The peak over all paths since the last call. */
unsigned raw_peak_of_all(struct raw_server *server);
/* Waits until a path was requested (or signalled) that often. The server signals /gone when it has
   closed a connection. */
void raw_wait(struct raw_server *server, const char *path, unsigned seen);
/* Counts a path without a request: /after waits for that. */
void raw_signal(struct raw_server *server, const char *path);

/* The bytes of /pattern?i=I. */
void raw_pattern(char *bytes, size_t size, long i);

/* For behaviours. */
extern const struct raw_behaviour raw_behaviours[];
/* Speaks HTTP/1 on a connection, as a door without `serve` does. */
void raw_serve(struct raw_call *call);
/* Refuses connections to this door from now on. */
void raw_leave_port(struct raw_call *call);
/* Count that a request begins, and that its response does. raw_serve() counts by itself. */
void raw_enter(struct raw_call *call);
void raw_leave(struct raw_call *call);
int raw_say(struct raw_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
int raw_send(struct raw_call *call, const void *bytes, size_t size);
/* Sends a complete 200 response and keeps the connection; without the body for HEAD. */
enum raw_then raw_answer(struct raw_call *call, const void *body, size_t size);
/* Returns a number of the query: 7 for "n" in "a=1&n=7"; 0 if there is none. */
long raw_number(const struct raw_call *call, const char *name);
void raw_pause(long ms);
/* For a behaviour that is `early`: reads the next bytes of the connection, at most `size`; 0: its end. */
size_t raw_read(struct raw_call *call, void *buffer, size_t size);

#endif
