/* SPDX-License-Identifier: MIT */
#include "raw_relay.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockets.h"

enum { PIECE = 20000 };

int raw_relay_port;

/* 0 to n - 1 */
static size_t random_below(size_t n)
{
    unsigned number = 0;
    if (getrandom(&number, sizeof number, 0) < 0)
        _exit(1);
    return number % n;
}

void raw_relay_end(struct raw_call *call, enum raw_then then)
{
    char bytes[1024];
    if (then == RAW_RESET)
        setsockopt(call->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    while (then == RAW_HOLD && call->receive(call, bytes, sizeof bytes) > 0)
        ;
}

static int transmit(struct raw_call *call, const char *bytes, size_t size)
{
    ssize_t sent;
    for (; size > 0; bytes += sent, size -= (size_t)sent)
        if ((sent = call->transmit(call, bytes, size)) <= 0)
            return 0;
    return 1;
}

/* Passes bytes of the origin on. Returns 0 when the connection is over. */
static int pass(struct raw_call *call, const char *bytes, size_t size, size_t *passed, const struct raw_relay *relay)
{
    while (size > 0) {
        size_t piece = relay->slice > 0 ? 1 + random_below(relay->slice) : size;
        if (piece > size)
            piece = size;
        if (relay->limit > 0 && piece > relay->limit - *passed)
            piece = relay->limit - *passed;
        raw_pause(relay->latency_ms + (relay->jitter_ms > 0 ? (long)random_below((size_t)relay->jitter_ms + 1) : 0) +
                  (relay->bytes_per_ms > 0 ? (long)piece / relay->bytes_per_ms : 0));
        if (!transmit(call, bytes, piece))
            return 0;
        bytes += piece;
        size -= piece;
        *passed += piece;
        if (relay->limit > 0 && *passed == relay->limit) {
            raw_relay_end(call, relay->then);
            return 0;
        }
    }
    return 1;
}

void raw_relay(struct raw_call *call, int origin, const struct raw_relay *relay)
{
    char *piece = malloc(PIECE);
    size_t passed = 0;
    for (;;) {
        struct pollfd both[] = {{.fd = call->fd, .events = POLLIN}, {.fd = origin, .events = POLLIN}};
        ssize_t size;
        if (poll(both, 2, -1) < 0)
            break;
        if (both[0].revents != 0 && ((size = call->receive(call, piece, PIECE)) <= 0 ||
                                     send(origin, piece, (size_t)size, MSG_NOSIGNAL) != size))
            break;
        if (both[1].revents == 0)
            continue;
        if ((size = recv(origin, piece, PIECE, 0)) <= 0) {
            raw_pause(relay->slow_close_ms);
            break;
        }
        if (!pass(call, piece, (size_t)size, &passed, relay))
            break;
    }
    free(piece);
}

void raw_relay_serve(struct raw_call *call)
{
    const struct raw_relay *relay = call->door->arg;
    int origin = relay->refuses ? -1 : connect_to(relay->port > 0 ? relay->port : raw_relay_port);
    if (origin < 0) {
        raw_relay_end(call, relay->then);
        return;
    }
    raw_relay(call, origin, relay);
    close(origin);
}
