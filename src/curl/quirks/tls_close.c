/* SPDX-License-Identifier: MIT */
/* Shuts down connections that wait for a close_notify; see tls_close.h. */
#include "curl/quirks/tls_close.h"

#include <sys/socket.h>

#include "curl/engine_state.h"
#include "curl/quirks/quirks.h"
#include "curl/socket.h"
#include "loop/loop.h"

static const int64_t CHECK_US = 2000000; /* libcurl means to wait that long for the close_notify */

void stook__tls_close_expect(struct stook__engine *engine)
{
    if ((engine->quirks & STOOK__QUIRK_WAITS_FOR_TLS_CLOSE) && engine->tls_close_at == 0)
        engine->tls_close_at = stook__loop_cached(engine->loop) + CHECK_US;
}

void stook__tls_close_check(struct stook__engine *engine, int64_t now)
{
    int waiting = 0;
    if (engine->tls_close_at == 0 || engine->tls_close_at > now)
        return;
    for (size_t fd = 0; fd < engine->sockets.capacity; fd++) {
        struct stook__socket *socket = engine->sockets.by_fd[fd];
        if (socket == NULL || !socket->connected || socket->state == STOOK__SOCKET_OPENED ||
            socket->state == STOOK__SOCKET_IDLE || stook__connection_is_used(socket))
            continue;
        if (socket->alone++ > 0)
            shutdown(socket->fd, SHUT_RDWR);
        waiting++;
    }
    engine->tls_close_at = waiting > 0 ? now + CHECK_US : 0;
}
