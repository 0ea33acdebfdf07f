/* SPDX-License-Identifier: MIT */
/*
 * One connection of a small HTTP server on libuv: bytes in, whole requests out, answers back.
 */
#ifndef STOOK_SERVER_CONN_H
#define STOOK_SERVER_CONN_H

#include "http_head.h"
#include "server_reply.h"

#include <uv.h>

struct conn;

/** What a connection tells the server. */
struct conn_events {
    /** A request is whole. Answer with conn_respond, now, later or never. */
    void (*request)(struct conn *conn, const struct http_head *head);
    /** It is over: its answer is about to be written, or its client has gone. */
    void (*over)(struct conn *conn);
    /** NULL, or the last callback; the connection is freed after it. */
    void (*closed)(struct conn *conn);
};

enum conn_state { CONN_READING, CONN_WORKING, CONN_ANSWERING, CONN_LEAVING, CONN_CLOSING };

struct conn {
    uv_tcp_t tcp;
    uv_timer_t timer; /* the server's while WORKING, the connection's while LEAVING */
    uv_shutdown_t shutdown;
    const struct conn_events *events;
    enum conn_state state;
    int handles;    /* not closed yet */
    bool continued; /* was told 100 Continue for the request it is at */
    bool is_last;   /* close after this answer */
    char *bytes;    /* the request it is at, and what came after it */
    size_t size;
    size_t room;
    size_t request_size; /* bytes of the request that is worked on, else 0 */
    void *user;          /* the server's */
};

/**
 * Take a connection from a listener. Where there is no memory or no descriptor for it, it waits in
 * the kernel.
 * @return NULL: it could not be taken, and there will be no event
 */
struct conn *conn_accept(uv_stream_t *listener, const struct conn_events *events, void *user);

void conn_respond(struct conn *conn, const struct reply *reply, bool with_body);

void conn_close(struct conn *conn);

#endif
