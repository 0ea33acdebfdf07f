/* SPDX-License-Identifier: MIT */
/*
 * The example server: its slots, its delays and its counters. server_conn.c knows how bytes become
 * requests, server_reply.c what is answered; this file decides when.
 */
#include "server.h"

#include "loopback.h"
#include "server_conn.h"

#include <stdio.h>
#include <stdlib.h>

/* What the server knows of a connection. */
struct seat {
    struct todo_server *server;
    struct conn *conn;
    struct seat *previous, *next;
    bool in_flight;
    bool has_slot;
};

struct todo_server {
    uv_tcp_t listener;
    struct todo_server_options options;
    struct counters count;
    int64_t slots_taken;
    int64_t delayed; /* requests that had to wait, ever */
    struct seat *seats;
    char url[64];
    bool closing;
    bool listener_closed;
};

/* ---------------------------------------------------------------- requests */

/* The head is parsed a second time, because the bytes may have moved while the delay ran. */
static void answer(struct seat *seat)
{
    struct conn *conn = seat->conn;
    struct http_head head;
    struct reply reply;
    http_head_parse(conn->bytes, conn->size, &head);
    reply_to(&reply, &head, conn->bytes);
    seat->server->count.requests++;
    conn_respond(conn, &reply, !text_is(head.method, "HEAD"));
}

static void on_delay_over(uv_timer_t *timer)
{
    struct conn *conn = timer->data;
    answer(conn->user);
}

static bool hangs(const struct todo_server *server, const struct http_head *head)
{
    struct text overload = query_value(head->query, "overload");
    return overload.size > 0 ? text_is(overload, "hang") : server->options.overload_hangs;
}

/* A hung request stays in flight until its client closes. */
static void overload(struct seat *seat, const struct http_head *head)
{
    struct reply reply;
    seat->server->count.overloaded++;
    if (hangs(seat->server, head))
        return;
    seat->server->count.requests++;
    reply_json(&reply, 503, "{\"error\":\"all slots are taken\"}");
    conn_respond(seat->conn, &reply, !text_is(head->method, "HEAD"));
}

static void work(struct seat *seat, const struct http_head *head)
{
    struct todo_server *server = seat->server;
    int64_t slots = query_number(head->query, "slots", server->options.slots);
    int64_t delay_ms = query_number(head->query, "delay_ms", server->options.delay_ms);
    seat->in_flight = true;
    if (++server->count.in_flight > server->count.most_in_flight)
        server->count.most_in_flight = server->count.in_flight;
    if (slots > 0 && server->slots_taken >= slots) {
        overload(seat, head);
        return;
    }
    seat->has_slot = true;
    server->slots_taken++;
    if (delay_ms == 0) {
        answer(seat);
        return;
    }
    if (server->delayed++ % 2 == 0 && server->options.uneven)
        delay_ms *= 2;
    uv_update_time(server->listener.loop); /* else the delay begins where this turn began */
    uv_timer_start(&seat->conn->timer, on_delay_over, (uint64_t)delay_ms, 0);
}

static void on_request(struct conn *conn, const struct http_head *head)
{
    struct seat *seat = conn->user;
    struct reply reply;
    if (!text_is(head->path, "/stats")) {
        work(seat, head);
        return;
    }
    reply_stats(&reply, head, &seat->server->count);
    conn_respond(conn, &reply, !text_is(head->method, "HEAD"));
}

static void on_over(struct conn *conn)
{
    struct seat *seat = conn->user;
    if (seat->in_flight)
        seat->server->count.in_flight--;
    if (seat->has_slot)
        seat->server->slots_taken--;
    seat->in_flight = false;
    seat->has_slot = false;
}

/* ------------------------------------------------------------- connections */

static void free_if_over(struct todo_server *server)
{
    if (server->listener_closed && server->seats == NULL)
        free(server);
}

static void on_conn_closed(struct conn *conn)
{
    struct seat *seat = conn->user;
    struct todo_server *server = seat->server;
    if (seat->previous != NULL)
        seat->previous->next = seat->next;
    else
        server->seats = seat->next;
    if (seat->next != NULL)
        seat->next->previous = seat->previous;
    free(seat);
    server->count.open--;
    free_if_over(server);
}

static const struct conn_events conn_events = {
    .request = on_request,
    .over = on_over,
    .closed = on_conn_closed,
};

static void on_connection(uv_stream_t *listener, int error)
{
    struct todo_server *server = listener->data;
    struct seat *seat = error == 0 ? calloc(1, sizeof *seat) : NULL;
    if (seat == NULL)
        return;
    seat->server = server;
    seat->conn = conn_accept(listener, &conn_events, seat);
    if (seat->conn == NULL) {
        free(seat);
        return;
    }
    seat->next = server->seats;
    if (seat->next != NULL)
        seat->next->previous = seat;
    server->seats = seat;
    server->count.opened++;
    server->count.open++;
}

/* ------------------------------------------------------------------ server */

int todo_server_open(uv_loop_t *loop, const struct todo_server_options *options,
                     struct todo_server **ret_server)
{
    struct todo_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return UV_ENOMEM;
    server->options = *options;
    server->listener.data = server;
    int port = loopback_listen(loop, &server->listener, on_connection);
    if (port < 0) {
        todo_server_close(server);
        return port;
    }
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d", port);
    *ret_server = server;
    return 0;
}

const char *todo_server_url(const struct todo_server *server)
{
    return server->url;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct todo_server *server = handle->data;
    server->listener_closed = true;
    free_if_over(server);
}

void todo_server_close(struct todo_server *server)
{
    if (server->closing)
        return;
    server->closing = true;
    for (struct seat *seat = server->seats; seat != NULL; seat = seat->next)
        conn_close(seat->conn);
    uv_close((uv_handle_t *)&server->listener, on_listener_closed);
}
