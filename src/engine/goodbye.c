/* SPDX-License-Identifier: MIT */
/* Connections that only say goodbye; see goodbye.h. */
#include "engine/goodbye.h"

#include <sys/socket.h>

#include "engine/quirks.h"
#include "engine/socket.h"

static const int64_t LOOK_US = 2000000; /* as long as libcurl means to wait */

void stook__goodbyes_expect(struct stook__engine *engine)
{
    if ((engine->quirks & STOOK__QUIRK_WAITS_FOR_GOODBYES) && engine->goodbyes_at == 0)
        engine->goodbyes_at = stook__engine_time(engine) + LOOK_US;
}

void stook__goodbyes_end(struct stook__engine *engine, int64_t now)
{
    int waiting = 0;
    if (engine->goodbyes_at == 0 || engine->goodbyes_at > now)
        return;
    for (size_t fd = 0; fd < engine->sockets.capacity; fd++) {
        struct stook__socket *socket = engine->sockets.by_fd[fd];
        if (socket == NULL || socket->idle || !socket->connected || stook__sockets_used(socket))
            continue;
        if (socket->alone++ > 0)
            shutdown(socket->fd, SHUT_RDWR);
        waiting++;
    }
    engine->goodbyes_at = waiting > 0 ? now + LOOK_US : 0;
}
