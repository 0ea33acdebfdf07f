/* SPDX-License-Identifier: MIT */
/*
 * Idle connections. libcurl 7.88 takes a connection for alive that was reset, or on which TLS said
 * goodbye, and fails a healthy request when it meets some of them; and it takes stray bytes on an
 * idle connection for the answer to the next request. So a connection that ended is read empty,
 * and a plain one that speaks unasked is shut: both look dead to libcurl then, which is what they are.
 */
#include "engine/idle.h"

#include <errno.h>
#include <sys/socket.h>

#include "loop/loop.h"

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

/* A record of TLS (RFC 8446 5.1, 5.2) that is not an alert: a session ticket, a frame of HTTP/2. Its
   type is in the clear up to 1.2; from 1.3 on it is 23, and an alert is known by its length: two
   bytes, the hidden type, a tag of 16. */
static int is_harmless_record(const unsigned char *record, ssize_t size)
{
    if (size < 5 || record[0] < 20 || record[0] > 24 || record[0] == 21)
        return 0;
    return record[0] != 23 || record[3] != 0 || record[4] != 2 + 1 + 16;
}

int stook__idle_event(int fd, int events)
{
    unsigned char record[5];
    if (!(events & (STOOK__HANGUP | STOOK__ERROR))) {
        ssize_t size = recv(fd, record, sizeof record, MSG_PEEK | MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return STOOK__IN | STOOK__HANGUP;
        /* libcurl reads it when it uses the connection. Until then only its end matters. */
        if (is_harmless_record(record, size))
            return STOOK__HANGUP;
    }
    bury(fd);
    return 0;
}
