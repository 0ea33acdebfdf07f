/* SPDX-License-Identifier: MIT */
/*
 * One connection of a small HTTP server on libuv. It holds all bytes of the request it is at, and
 * perhaps the first ones of the next (pipelining), which waits until the one before is answered:
 *
 *     READING --whole request--> WORKING --conn_respond--> ANSWERING --written--> READING
 *        |                          |                          |
 *        +-- not HTTP --> ANSWERING +-- client gone: CLOSING   +-- the last one --> LEAVING
 *
 * While WORKING it goes on reading, because that is how it learns that the client has gone.
 */
#include "server_conn.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX (16 * 1024 * 1024)
#define PIPELINE_MAX (256 * 1024) /* bytes read ahead while a request is worked on */
#define LEAVE_MS 1000             /* how long a client has to see the end and close */

struct answer {
    uv_write_t write;
    struct conn *conn;
    char bytes[];
};

static void conn_look(struct conn *conn);
static void conn_resume(struct conn *conn);

/* ----------------------------------------------------------------- the end */

static void on_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;
    if (--conn->handles > 0)
        return;
    if (conn->events->closed != NULL)
        conn->events->closed(conn);
    free(conn->bytes);
    free(conn);
}

void conn_close(struct conn *conn)
{
    if (conn->state == CONN_CLOSING)
        return;
    if (conn->state == CONN_WORKING)
        conn->events->over(conn);
    conn->state = CONN_CLOSING;
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
    uv_close((uv_handle_t *)&conn->timer, on_closed);
}

static void on_leave_timeout(uv_timer_t *timer)
{
    conn_close(timer->data);
}

/* Closing with bytes unread would reset the connection, and a reset can overtake the last answer.
   So: say that nothing more is sent, and read until the client has closed as well. */
static void conn_leave(struct conn *conn)
{
    conn->state = CONN_LEAVING;
    conn->size = 0;
    if (uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->tcp, NULL) != 0) {
        conn_close(conn);
        return;
    }
    uv_timer_start(&conn->timer, on_leave_timeout, LEAVE_MS, 0);
    conn_resume(conn);
}

/* ----------------------------------------------------------------- answers */

static void on_answered(uv_write_t *write, int error)
{
    struct answer *answer = (struct answer *)write;
    struct conn *conn = answer->conn;
    free(answer);
    if (error != 0) {
        conn_close(conn);
        return;
    }
    if (conn->is_last) {
        conn_leave(conn);
        return;
    }
    conn->size -= conn->request_size;
    memmove(conn->bytes, conn->bytes + conn->request_size, conn->size);
    conn->request_size = 0;
    conn->continued = false;
    conn->state = CONN_READING;
    conn_look(conn);
    conn_resume(conn);
}

/* Head and body in one block, for one write. */
static struct answer *answer_new(struct conn *conn, const struct reply *reply, bool with_body,
                                 size_t *ret_size)
{
    char head[REPLY_HEAD_MAX];
    size_t head_size = reply_head(reply, conn->is_last, head);
    size_t body_size = with_body ? reply->body.size : 0;
    struct answer *answer = malloc(sizeof *answer + head_size + body_size);
    if (answer == NULL)
        return NULL;
    answer->conn = conn;
    memcpy(answer->bytes, head, head_size);
    memcpy(answer->bytes + head_size, reply->body.at, body_size);
    *ret_size = head_size + body_size;
    return answer;
}

/* What is over is over before its answer is written: a client that reads the answer and asks the
   next thing at once must never be counted twice. */
void conn_respond(struct conn *conn, const struct reply *reply, bool with_body)
{
    size_t size = 0;
    struct answer *answer = answer_new(conn, reply, with_body, &size);
    if (answer == NULL) {
        conn_close(conn);
        return;
    }
    if (conn->state == CONN_WORKING)
        conn->events->over(conn);
    conn->state = CONN_ANSWERING;
    uv_buf_t buf = uv_buf_init(answer->bytes, (unsigned)size);
    if (uv_write(&answer->write, (uv_stream_t *)&conn->tcp, &buf, 1, on_answered) != 0) {
        free(answer);
        conn_close(conn);
    }
}

static void refuse(struct conn *conn, int status)
{
    struct reply reply;
    reply_json(&reply, status, "{}");
    conn->is_last = true;
    conn_respond(conn, &reply, true);
}

/* ---------------------------------------------------------------- requests */

/* curl asks before it sends a long body, and waits a second for this line. */
static void tell_to_continue(struct conn *conn)
{
    static char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    uv_buf_t buf = uv_buf_init(line, sizeof line - 1);
    uv_try_write((uv_stream_t *)&conn->tcp, &buf, 1);
    conn->continued = true;
}

/* Is the request whole by now? */
static void conn_look(struct conn *conn)
{
    struct http_head head;
    int found = http_head_parse(conn->bytes, conn->size, &head);
    if (found == 1 && head.content_length > BODY_MAX)
        found = -413;
    if (found < 0)
        refuse(conn, -found);
    if (found <= 0)
        return;
    size_t request_size = head.size + (size_t)head.content_length;
    if (conn->size >= request_size) {
        conn->request_size = request_size;
        conn->is_last = !head.keep_alive;
        conn->state = CONN_WORKING;
        conn->events->request(conn, &head);
    } else if (head.expects_continue && !conn->continued && conn->size == head.size) {
        tell_to_continue(conn);
    }
}

/* ------------------------------------------------------------------- bytes */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct conn *conn = handle->data;
    (void)suggested;
    if (conn->room - conn->size < 1024) {
        size_t room = conn->room == 0 ? 4096 : conn->room * 2;
        char *bytes = realloc(conn->bytes, room);
        if (bytes == NULL) {
            *buf = uv_buf_init(NULL, 0); /* libuv then reports UV_ENOBUFS */
            return;
        }
        conn->bytes = bytes;
        conn->room = room;
    }
    *buf = uv_buf_init(conn->bytes + conn->size, (unsigned)(conn->room - conn->size));
}

/* An end is taken as "gone", also when the client only said that it will send no more: a server
   that works for those who have left works for nobody. */
static void on_bytes(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    (void)buf;
    if (size < 0) {
        conn_close(conn);
        return;
    }
    if (conn->state == CONN_LEAVING)
        return; /* read over: too late */
    conn->size += (size_t)size;
    if (conn->state == CONN_READING)
        conn_look(conn);
    else if (conn->size - conn->request_size > PIPELINE_MAX)
        uv_read_stop(stream);
}

/* Where reading never stopped, libuv says UV_EALREADY and nothing changes. */
static void conn_resume(struct conn *conn)
{
    int error = uv_read_start((uv_stream_t *)&conn->tcp, on_room, on_bytes);
    if (error != 0 && error != UV_EALREADY)
        conn_close(conn);
}

/* --------------------------------------------------------------- the start */

static void on_never_taken(uv_handle_t *handle)
{
    struct conn *conn = handle->data;
    if (--conn->handles == 0)
        free(conn);
}

struct conn *conn_accept(uv_stream_t *listener, const struct conn_events *events, void *user)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return NULL;
    conn->events = events;
    conn->user = user;
    conn->handles = 2;
    uv_tcp_init(listener->loop, &conn->tcp);
    uv_timer_init(listener->loop, &conn->timer);
    conn->tcp.data = conn;
    conn->timer.data = conn;
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) != 0) {
        uv_close((uv_handle_t *)&conn->tcp, on_never_taken);
        uv_close((uv_handle_t *)&conn->timer, on_never_taken);
        return NULL;
    }
    uv_tcp_nodelay(&conn->tcp, 1);
    conn_resume(conn);
    return conn;
}
