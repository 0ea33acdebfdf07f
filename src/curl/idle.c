/* SPDX-License-Identifier: MIT */
/*
 * Idle connections. libcurl 7.88 takes a connection for alive that was reset, or on which TLS said
 * goodbye, and fails a healthy request when it meets some of them; and it takes stray bytes on an
 * idle connection for the answer to the next request. So a connection that ended is read empty,
 * and one that speaks unasked is shut: both look dead to libcurl then, which is what they are.
 *
 * What may be said unasked depends on what is spoken. HTTP/1.1 in the clear: nothing. HTTP/2: frames.
 * HTTP/1.1 over TLS: no application data. From TLS 1.3 on, a session ticket and a key update look like
 * application data from outside (RFC 8446 5.2). Servers send their tickets right behind the handshake,
 * so they were read with the first response; what comes later ends the connection, which costs a
 * handshake where it was a ticket, and is no poison where it was not.
 */
#include "curl/idle.h"

#include <errno.h>
#include <sys/socket.h>

#include "loop/poll.h"

static void bury(int fd)
{
    char waste[4096];
    shutdown(fd, SHUT_RDWR);
    /* Also consumes a pending error. Bounded: a peer may go on sending. */
    for (int i = 0; i < 16; i++) {
        ssize_t size = recv(fd, waste, sizeof waste, MSG_DONTWAIT);
        if (size == 0 || (size < 0 && errno != EINTR))
            break;
    }
}

enum {
    CHANGE_CIPHER_SPEC = 20,
    ALERT,
    HANDSHAKE,
    APPLICATION_DATA,
    HEARTBEAT
}; /* RFC 8446 5.1, RFC 6520 */

/* A record of TLS that may come unasked. Its type is in the clear up to 1.2; from 1.3 on it is that of
   application data, and an alert is known by its length: two bytes, the hidden type, a tag of 16. */
static int is_harmless_record(const unsigned char *record, ssize_t size, enum stook__idle_kind kind)
{
    if (kind == STOOK__IDLE_PLAIN || size < 5 || record[0] < CHANGE_CIPHER_SPEC ||
        record[0] > HEARTBEAT)
        return 0;
    if (record[0] == ALERT || (record[0] == APPLICATION_DATA && kind == STOOK__IDLE_TLS))
        return 0;
    return record[0] != APPLICATION_DATA || record[3] != 0 || record[4] != 2 + 1 + 16;
}

int stook__idle_event(int fd, int events, enum stook__idle_kind kind)
{
    unsigned char record[5];
    if (!(events & (STOOK__HANGUP | STOOK__ERROR))) {
        ssize_t size = recv(fd, record, sizeof record, MSG_PEEK | MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return STOOK__IN | STOOK__HANGUP;
        /* libcurl reads it when it uses the connection. Until then only its end matters. */
        if (is_harmless_record(record, size, kind))
            return STOOK__HANGUP;
    }
    bury(fd);
    return 0;
}
