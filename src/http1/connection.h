/* SPDX-License-Identifier: MIT */
/*
 * A connection that libcurl has made (CURLOPT_CONNECT_ONLY), and on which we speak HTTP/1.1: a
 * request is sent and the bytes of its response are passed on, one exchange after another. Who
 * makes the connection, watches its descriptor and keeps it while it is idle is curl/direct.c.
 *
 * stook__http1_send() begins an exchange and sends what the socket takes at once. Events of the
 * descriptor continue it, until `take` says that the response is complete or the connection ends;
 * then `over` is called, once. Bytes that come while no exchange is under way end the connection.
 *
 * A request that cannot be sent to its end may have its response all the same, such as a 413: so
 * after an error of sending the response is read, until there is one or the connection ends.
 */
#ifndef STOOK_HTTP1_CONNECTION_H
#define STOOK_HTTP1_CONNECTION_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buffer.h"

/* Bytes of the block through which all connections of a loop read and write. */
enum { STOOK__HTTP1_ROOM = 64 << 10 };

/* What `take` returns. */
enum stook__http1_step {
    STOOK__HTTP1_MORE,  /* all bytes are taken, and the response is not complete */
    STOOK__HTTP1_PAUSE, /* the rest is kept until stook__http1_continue() */
    STOOK__HTTP1_STOP,  /* the exchange is to end: its owner knows why */
    STOOK__HTTP1_LAST,  /* the response is complete; the connection may carry no other */
    STOOK__HTTP1_NEXT   /* the response is complete; it may */
};

/* None of these may begin an exchange or close the connection. */
struct stook__http1_events {
    /* Takes bytes of the response, *ret_used of them, which is all unless it pauses or the response
       ends before. Without bytes (`size` 0) the connection has ended, and LAST or NEXT says that
       the response is complete by that. */
    enum stook__http1_step (*take)(void *owner, const char *data, size_t size, size_t *ret_used);
    /* The descriptor is to be watched for these events of loop/poll.h, and no others. */
    void (*watch)(void *owner, int events);
    /* The exchange is over. CURLE_OK: `take` said so; CURLE_GOT_NOTHING: the connection ended
       before a byte of a response; CURLE_PARTIAL_FILE: it ended inside it; or libcurl's error. */
    void (*over)(void *owner, CURLcode code);
};

/*
 *   NONE --stook__http1_open()--> IDLE --stook__http1_send()--> BUSY --over, NEXT--> IDLE
 *                                   \--bytes or the end--\        \--over-----\
 *                                                         v                    v
 *                                                        DEAD                 DEAD
 */
enum stook__http1_state {
    STOOK__HTTP1_NONE, /* there is no connection; all zero is that */
    STOOK__HTTP1_IDLE,
    STOOK__HTTP1_BUSY, /* an exchange is under way */
    STOOK__HTTP1_DEAD  /* it must not be used again, and its owner closes it */
};

struct stook__http1_connection {
    CURL *curl; /* of the owner */
    const struct stook__http1_events *events;
    void *owner;
    struct stook__allocator *allocator;
    char *room;                /* of STOOK__HTTP1_ROOM bytes; used within a call only */
    struct stook__buffer head; /* the part of the head that the socket did not take */
    size_t head_sent;          /* of `head` */
    const char *body;          /* of the request, until the exchange is over */
    size_t body_size, body_sent;
    struct stook__buffer unread; /* what came and was not taken, because of a pause */
    enum stook__http1_state state;
    CURLcode send_error; /* after which nothing is sent any more */
    uint8_t tls;         /* what poll shows is not all that can be read */
    uint8_t paused;
    uint8_t unfinished; /* TLS may have more, which no poll shows: it is read in the next round */
    uint8_t sent;       /* a byte of the request has been handed over */
    uint8_t answered;   /* a byte of the response has come */
};

/* The handle `curl` is connected. `room` is shared by all connections of a loop. */
void stook__http1_open(struct stook__http1_connection *connection, CURL *curl, int tls, char *room,
                       struct stook__allocator *allocator, const struct stook__http1_events *events,
                       void *owner);
/*
 * Begins an exchange on a connection that is IDLE. The head is in `room`, with `head_size` bytes.
 * `body` must stay as it is until the exchange is over. `over` may be called inside the call.
 */
void stook__http1_send(struct stook__http1_connection *connection, size_t head_size,
                       const char *body, size_t body_size);
/* Handles events of the descriptor. Of one that is IDLE this may be the end: it is DEAD then. */
void stook__http1_event(struct stook__http1_connection *connection, int events);
/* Reads on after a pause. */
void stook__http1_continue(struct stook__http1_connection *connection);
/* Whether the request is sent with all of its body. */
int stook__http1_has_sent_all(const struct stook__http1_connection *connection);
/* Frees what belongs to it. The connection is the owner's to close. */
void stook__http1_close(struct stook__http1_connection *connection);

#endif
