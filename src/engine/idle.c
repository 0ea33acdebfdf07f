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

int stook__idle_event(int fd, int events)
{
    unsigned char first;
    if (!(events & (STOOK__HANGUP | STOOK__ERROR))) {
        ssize_t size = recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return STOOK__IN | STOOK__HANGUP;
        /* A TLS record (RFC 8446 5.1: types 20 to 24) may be a session ticket or an HTTP/2 frame:
           libcurl reads it when it uses the connection. Until then only its end matters. */
        if (size > 0 && first >= 20 && first <= 24)
            return STOOK__HANGUP;
    }
    bury(fd);
    return 0;
}
