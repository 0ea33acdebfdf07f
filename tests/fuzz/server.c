/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/harness.h"

enum { TURNS_BEHIND = 3 }; /* between the last byte and the end */

static void freed(uv_handle_t *handle)
{
    struct fuzz_connection *connection = handle->data;
    if (--connection->closing > 0)
        return;
    free(connection->in);
    free(connection);
}

static void leave(struct fuzz_connection *connection)
{
    struct fuzz_connection **link = &connection->server->open;
    if (connection->closing > 0)
        return;
    while (*link != connection)
        link = &(*link)->next;
    *link = connection->next;
    connection->closing = 2;
    uv_close((uv_handle_t *)&connection->turns, freed);
    uv_close((uv_handle_t *)&connection->pipe, freed);
}

/* As much as the socket takes; it is small, or the client reads. */
static void write_some(struct fuzz_connection *connection, size_t size)
{
    while (size > 0) {
        uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)(connection->out + connection->at), (unsigned)size);
        int written = uv_try_write((uv_stream_t *)&connection->pipe, &buffer, 1);
        if (written == UV_EAGAIN)
            return;
        if (written < 0) { /* the client is gone */
            connection->at = connection->out_size;
            return;
        }
        connection->at += (size_t)written;
        size -= (size_t)written;
    }
}

static void turn(uv_idle_t *turns)
{
    struct fuzz_connection *connection = turns->data;
    size_t left = connection->out_size - connection->at;
    if (left > 0) {
        size_t part = connection->sizes == NULL ? left : 1u + connection->sizes[connection->at % connection->n_sizes] % 61u;
        write_some(connection, part < left ? part : left);
        return;
    }
    if (connection->turns_left-- > 0)
        return;
    uv_idle_stop(turns);
    if (connection->close_behind)
        leave(connection);
}

void fuzz_connection_drip(struct fuzz_connection *connection, const char *bytes, size_t size, const unsigned char *sizes,
                          size_t n_sizes, int close_behind)
{
    connection->out = bytes;
    connection->out_size = size;
    connection->sizes = sizes;
    connection->n_sizes = n_sizes;
    connection->at = 0;
    connection->close_behind = close_behind;
    connection->turns_left = TURNS_BEHIND;
    CHECK_EQ_INT(uv_idle_start(&connection->turns, turn), 0);
}

void fuzz_connection_say(struct fuzz_connection *connection, const char *bytes, size_t size, int close_behind)
{
    fuzz_connection_drip(connection, bytes, size, NULL, 0, close_behind);
}

void fuzz_connection_drop(struct fuzz_connection *connection, size_t size)
{
    connection->in_size -= size;
    memmove(connection->in, connection->in + size, connection->in_size + 1);
}

static void room_for(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct fuzz_connection *connection = handle->data;
    (void)size;
    if (connection->in_room - connection->in_size < 4096) {
        connection->in_room = 2 * connection->in_room + 8192;
        connection->in = realloc(connection->in, connection->in_room + 1);
        CHECK(connection->in != NULL);
    }
    *buffer = uv_buf_init(connection->in + connection->in_size, (unsigned)(connection->in_room - connection->in_size));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct fuzz_connection *connection = stream->data;
    (void)buffer;
    if (size < 0) {
        uv_read_stop(stream);
        if (connection->server->on_end != NULL)
            connection->server->on_end(connection);
        leave(connection);
        return;
    }
    connection->in_size += (size_t)size;
    connection->in[connection->in_size] = '\0';
    if (size > 0)
        connection->server->on_bytes(connection);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct fuzz_server *server = listener->data;
    struct fuzz_connection *connection = calloc(1, sizeof *connection);
    CHECK(status == 0 && connection != NULL);
    connection->server = server;
    connection->number = server->connections++;
    connection->pipe.data = connection->turns.data = connection;
    CHECK_EQ_INT(uv_pipe_init(server->loop, &connection->pipe, 0), 0);
    CHECK_EQ_INT(uv_idle_init(server->loop, &connection->turns), 0);
    CHECK_EQ_INT(uv_accept(listener, (uv_stream_t *)&connection->pipe), 0);
    CHECK_EQ_INT(uv_read_start((uv_stream_t *)&connection->pipe, room_for, on_read), 0);
    connection->next = server->open;
    server->open = connection;
}

void fuzz_server_begin(struct fuzz_server *server, uv_loop_t *loop)
{
    const char *top = getenv("TMPDIR");
    server->loop = loop;
    signal(SIGPIPE, SIG_IGN); /* its client may be gone */
    snprintf(server->path, sizeof server->path, "%s/stook-fuzz-%d", top != NULL && top[0] != '\0' ? top : "/tmp", (int)getpid());
    unlink(server->path);
    CHECK_EQ_INT(uv_pipe_init(loop, &server->listener, 0), 0);
    server->listener.data = server;
    CHECK_EQ_INT(uv_pipe_bind(&server->listener, server->path), 0);
    CHECK_EQ_INT(uv_listen((uv_stream_t *)&server->listener, 64, on_connection), 0);
}

void fuzz_server_end(struct fuzz_server *server)
{
    while (server->open != NULL)
        leave(server->open);
    uv_close((uv_handle_t *)&server->listener, NULL); /* which removes its path */
}
