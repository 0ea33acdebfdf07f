/* SPDX-License-Identifier: MIT */
/*
 * Idle connections; see idle.h.
 *
 * Which bytes may arrive unasked depends on the protocol. On HTTP/1.1 in the clear: none. On
 * HTTP/2: frames. On HTTP/1.1 over TLS: no application data. From TLS 1.3 on, a session ticket and
 * a key update look like application data from outside (RFC 8446 section 5.2). Servers send their
 * tickets right after the handshake, so they were read with the first response. A record that
 * arrives later closes the connection: if it was a ticket, that costs a handshake; if it was not,
 * it would have been read as the response to another request.
 */
#include "curl/idle.h"

#include <errno.h>
#include <sys/socket.h>

#include "loop/poll.h"

/* Record types of RFC 8446 section 5.1 and RFC 6520. */
enum { CHANGE_CIPHER_SPEC = 20, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT };

static void shut_down(int fd)
{
    char waste[4096];
    shutdown(fd, SHUT_RDWR);
    /* Reading also clears a pending error. It is bounded because a peer may continue to send. */
    for (int i = 0; i < 16; i++) {
        ssize_t size = recv(fd, waste, sizeof waste, MSG_DONTWAIT);
        if (size == 0 || (size < 0 && errno != EINTR))
            break;
    }
}

/* Tells whether this is a TLS record that may arrive unasked. Up to TLS 1.2 its type is in the
   clear. From 1.3 on the type is always that of application data, and an alert shows by its length:
   two bytes, the hidden type, and a tag of 16. */
static int is_harmless_record(const unsigned char *record, ssize_t size,
                              enum stook__idle_protocol protocol)
{
    if (protocol == STOOK__IDLE_HTTP_1 || size < 5 || record[0] < CHANGE_CIPHER_SPEC ||
        record[0] > HEARTBEAT)
        return 0;
    if (record[0] == ALERT || (record[0] == APPLICATION_DATA && protocol == STOOK__IDLE_HTTP_1_TLS))
        return 0;
    return record[0] != APPLICATION_DATA || record[3] != 0 || record[4] != 2 + 1 + 16;
}

int stook__idle_check(int fd, int events, enum stook__idle_protocol protocol)
{
    unsigned char record[5];
    if (!(events & (STOOK__HANGUP | STOOK__ERROR))) {
        ssize_t size = recv(fd, record, sizeof record, MSG_PEEK | MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return STOOK__IN | STOOK__HANGUP;
        /* libcurl reads the record when it uses the connection. Until then only a hangup counts. */
        if (is_harmless_record(record, size, protocol))
            return STOOK__HANGUP;
    }
    shut_down(fd);
    return 0;
}
