/* SPDX-License-Identifier: MIT */
/* Exchanges on a connection that libcurl has made; see connection.h. */
#include "http1/connection.h"

#include <assert.h>
#include <string.h>

#include "loop/poll.h"
#include "util/allocator.h"

enum {
    READS = 16 /* blocks that one event may bring: others are served in between */
};

void stook__http1_open(struct stook__http1_connection *connection, CURL *curl, int tls, char *room,
                       struct stook__allocator *allocator, const struct stook__http1_events *events,
                       void *owner)
{
    assert(connection->state == STOOK__HTTP1_NONE);
    *connection = (struct stook__http1_connection){.curl = curl,
                                                   .events = events,
                                                   .owner = owner,
                                                   .allocator = allocator,
                                                   .room = room,
                                                   .state = STOOK__HTTP1_IDLE,
                                                   .tls = tls != 0};
}

void stook__http1_close(struct stook__http1_connection *connection)
{
    stook__buffer_free(&connection->head, connection->allocator);
    stook__buffer_free(&connection->unread, connection->allocator);
    *connection = (struct stook__http1_connection){0};
}

int stook__http1_has_sent_all(const struct stook__http1_connection *connection)
{
    return connection->head_sent == connection->head.size &&
           connection->body_sent == connection->body_size && connection->send_error == CURLE_OK;
}

/* Whether something is left that may still be sent. */
static int has_to_send(const struct stook__http1_connection *connection)
{
    return connection->send_error == CURLE_OK && !stook__http1_has_sent_all(connection);
}

static void watch(struct stook__http1_connection *connection)
{
    int events = has_to_send(connection) || connection->unfinished ? STOOK__OUT : 0;
    /* While nobody reads, the poll would report the same bytes without end. */
    if (!connection->paused)
        events |= STOOK__IN | STOOK__HANGUP;
    connection->events->watch(connection->owner, events);
}

static void end(struct stook__http1_connection *connection, CURLcode code, int may_keep)
{
    int keeps = may_keep && stook__http1_has_sent_all(connection) && connection->unread.size == 0;
    connection->state = keeps ? STOOK__HTTP1_IDLE : STOOK__HTTP1_DEAD;
    connection->body = NULL;
    connection->body_size = connection->body_sent; /* what was sent is still asked for */
    connection->paused = connection->unfinished = 0;
    if (connection->head.data != NULL)
        stook__buffer_free(&connection->head, connection->allocator);
    if (connection->unread.data != NULL)
        stook__buffer_free(&connection->unread, connection->allocator);
    connection->head_sent = 0;
    connection->events->watch(connection->owner, keeps ? STOOK__IN | STOOK__HANGUP : 0);
    connection->events->over(connection->owner, code);
}

/* ----------------------------------------------------------------------------------- sending */

/* Sends so many bytes. Returns how many were taken. */
static size_t send_bytes(struct stook__http1_connection *connection, const char *data, size_t size)
{
    size_t sent = 0;
    CURLcode code = curl_easy_send(connection->curl, data, size, &sent);
    connection->sent |= sent > 0;
    if (code == CURLE_OK)
        return sent;
    if (code != CURLE_AGAIN)
        connection->send_error = code;
    return 0;
}

static void send_more(struct stook__http1_connection *connection)
{
    struct stook__buffer *head = &connection->head;
    if (connection->head_sent < head->size)
        connection->head_sent += send_bytes(connection, head->data + connection->head_sent,
                                            head->size - connection->head_sent);
    while (connection->head_sent == head->size && has_to_send(connection)) {
        size_t left = connection->body_size - connection->body_sent;
        size_t size = left < STOOK__HTTP1_ROOM ? left : STOOK__HTTP1_ROOM;
        size_t sent = send_bytes(connection, connection->body + connection->body_sent, size);
        connection->body_sent += sent;
        if (sent < size)
            break;
    }
}

/* Keeps what the socket did not take of the first block. With TLS the bytes that are sent again
   must be at the same place, so all of them are kept before the first try. */
static int keep_block(struct stook__http1_connection *connection, size_t from, size_t size)
{
    connection->head_sent = 0;
    return stook__buffer_append(&connection->head, connection->allocator, connection->room + from,
                                size - from);
}

void stook__http1_send(struct stook__http1_connection *connection, size_t head_size,
                       const char *body, size_t body_size)
{
    size_t space = STOOK__HTTP1_ROOM - head_size, block = head_size, sent = 0;
    assert(connection->state == STOOK__HTTP1_IDLE);
    connection->state = STOOK__HTTP1_BUSY;
    connection->answered = connection->sent = 0;
    connection->body = body;
    connection->body_size = body_size;
    connection->body_sent = 0;
    if (body_size > 0 && body_size <= space) {
        memcpy(connection->room + head_size, body, body_size);
        block += body_size;
    }
    if (connection->tls) {
        if (keep_block(connection, 0, block) != 0) {
            end(connection, CURLE_OUT_OF_MEMORY, 0);
            return;
        }
        connection->body_sent = block - head_size; /* the block has them */
        send_more(connection);
    } else {
        sent = send_bytes(connection, connection->room, block);
        connection->body_sent = block - head_size;
        if (sent < block && keep_block(connection, sent, block) != 0) {
            end(connection, CURLE_OUT_OF_MEMORY, 0);
            return;
        }
        if (sent == block)
            send_more(connection);
    }
    watch(connection);
}

/* ---------------------------------------------------------------------------------- receiving */

/* Passes bytes on. Returns 0 if the exchange is over or paused. */
static int take(struct stook__http1_connection *connection, const char *data, size_t size)
{
    size_t used = size;
    enum stook__http1_step step = connection->events->take(connection->owner, data, size, &used);
    switch (step) {
    case STOOK__HTTP1_MORE:
        return 1;
    case STOOK__HTTP1_PAUSE:
        connection->paused = 1;
        if (used < size && stook__buffer_append(&connection->unread, connection->allocator,
                                                data + used, size - used) != 0) {
            end(connection, CURLE_OUT_OF_MEMORY, 0);
            return 0;
        }
        watch(connection);
        return 0;
    case STOOK__HTTP1_STOP:
        end(connection, CURLE_WRITE_ERROR, 0);
        return 0;
    default: /* bytes behind the response belong to no request */
        end(connection, CURLE_OK, step == STOOK__HTTP1_NEXT && used == size);
        return 0;
    }
}

/* The connection has ended, with an error of libcurl or without. */
static void ended(struct stook__http1_connection *connection, CURLcode code)
{
    size_t used;
    if (!connection->answered) {
        if (code == CURLE_OK)
            code = connection->send_error != CURLE_OK ? connection->send_error : CURLE_GOT_NOTHING;
        end(connection, code, 0);
        return;
    }
    if (code != CURLE_OK) {
        end(connection, code, 0);
        return;
    }
    enum stook__http1_step step = connection->events->take(connection->owner, NULL, 0, &used);
    code = step == STOOK__HTTP1_STOP                                ? CURLE_WRITE_ERROR
           : step == STOOK__HTTP1_LAST || step == STOOK__HTTP1_NEXT ? CURLE_OK
                                                                    : CURLE_PARTIAL_FILE;
    end(connection, code, 0);
}

static void receive(struct stook__http1_connection *connection)
{
    connection->unfinished = 0;
    for (int i = 0; i < READS; i++) {
        size_t size = 0;
        CURLcode code =
            curl_easy_recv(connection->curl, connection->room, STOOK__HTTP1_ROOM, &size);
        if (code == CURLE_AGAIN)
            return;
        if (code != CURLE_OK || size == 0) {
            ended(connection, code);
            return;
        }
        connection->answered = 1;
        if (!take(connection, connection->room, size))
            return;
        /* The socket had no more: the poll says when it has. */
        if (!connection->tls && size < STOOK__HTTP1_ROOM)
            return;
    }
    connection->unfinished = connection->tls;
}

/* Any byte, and the end, make an idle connection useless. A record of TLS that is no data, such as
   a session ticket, does not: libcurl takes it and has nothing for us. */
static void check_idle(struct stook__http1_connection *connection)
{
    size_t size;
    if (curl_easy_recv(connection->curl, connection->room, 1, &size) == CURLE_AGAIN)
        return;
    connection->state = STOOK__HTTP1_DEAD;
    connection->events->watch(connection->owner, 0);
}

void stook__http1_event(struct stook__http1_connection *connection, int events)
{
    if (connection->state == STOOK__HTTP1_IDLE) {
        check_idle(connection);
        return;
    }
    if (connection->state != STOOK__HTTP1_BUSY)
        return;
    if ((events & (STOOK__OUT | STOOK__ERROR)) && has_to_send(connection))
        send_more(connection);
    if (((events & (STOOK__IN | STOOK__HANGUP | STOOK__ERROR)) || connection->unfinished) &&
        !connection->paused)
        receive(connection);
    if (connection->state == STOOK__HTTP1_BUSY)
        watch(connection);
}

void stook__http1_continue(struct stook__http1_connection *connection)
{
    if (connection->state != STOOK__HTTP1_BUSY || !connection->paused)
        return;
    struct stook__buffer unread = connection->unread;
    connection->unread = (struct stook__buffer){0};
    connection->paused = 0;
    if (unread.size > 0 && !take(connection, unread.data, unread.size)) {
        stook__buffer_free(&unread, connection->allocator);
        return;
    }
    stook__buffer_free(&unread, connection->allocator);
    /* What TLS has read already shows in no poll. */
    if (connection->tls)
        receive(connection);
    if (connection->state == STOOK__HTTP1_BUSY)
        watch(connection);
}
