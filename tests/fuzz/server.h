/* SPDX-License-Identifier: MIT */
/*
 * The server of fuzz targets: on the loop of the client, so that a run has one thread and one order of
 * events. It listens at a socket of the file system; what it is sent is judged by the target.
 */
#ifndef STOOK_TEST_FUZZ_SERVER_H
#define STOOK_TEST_FUZZ_SERVER_H

#include <stddef.h>
#include <uv.h>

struct fuzz_server;

struct fuzz_connection {
    uv_pipe_t pipe;
    uv_idle_t turns;
    struct fuzz_server *server;
    struct fuzz_connection *next;
    char *in;          /* all that came and fuzz_connection_drop() has not taken away, with a NUL behind */
    size_t in_size, in_room;
    unsigned number;   /* of the connection, from 0 */
    unsigned requests; /* for the target */
    /* What it is to say: `sizes` of pieces, one each turn of the loop, NULL: at once; then, some turns later, it closes. */
    const char *out;
    size_t out_size;
    const unsigned char *sizes;
    size_t n_sizes, at;
    int close_behind, turns_left, closing;
};

struct fuzz_server {
    uv_loop_t *loop;
    uv_pipe_t listener;
    char path[108];
    unsigned connections;
    struct fuzz_connection *open;
    void (*on_bytes)(struct fuzz_connection *connection); /* more came */
    void (*on_end)(struct fuzz_connection *connection);   /* no more will come; NULL: nobody minds */
    void *user;
};

/* A path for its socket, the same for all servers of the process. */
void fuzz_server_begin(struct fuzz_server *server, uv_loop_t *loop);
/* Stop listening, close what is open; the loop is turned by whoever calls. */
void fuzz_server_end(struct fuzz_server *server);

/* The first bytes of what came are done with. */
void fuzz_connection_drop(struct fuzz_connection *connection, size_t size);
/* Say these bytes, which must live as long as the server. */
void fuzz_connection_say(struct fuzz_connection *connection, const char *bytes, size_t size, int close_behind);
/* The same, in pieces of 1 + sizes[n] % 61 bytes, one a turn. */
void fuzz_connection_drip(struct fuzz_connection *connection, const char *bytes, size_t size, const unsigned char *sizes,
                          size_t n_sizes, int close_behind);

#endif
