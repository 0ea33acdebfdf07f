/* SPDX-License-Identifier: MIT */
/* One entry of the table of sockets; of sockets.c and goodbye.c. */
#ifndef STOOK_ENGINE_SOCKET_H
#define STOOK_ENGINE_SOCKET_H

#include "engine/sockets.h"

struct stook__socket {
    struct stook__engine *engine;
    struct stook__lane *lane; /* in whose CURLM it is */
    struct stook__watcher *watcher; /* NULL: its number may be somebody else's by now; see unwatch() */
    struct stook__slot *opener; /* NULL: it has left its CURLM */
    struct stook__link opened;  /* among those of its opener */
    int fd;
    int ours;      /* opened by us, closed by us */
    int connected; /* it has carried a request */
    int idle;      /* libcurl does not want it watched */
    int dead;      /* it has ended while idle */
    int alone;     /* watched, and nobody's */
    int want;      /* what libcurl wants to hear; 0: nothing */
    int held;      /* transfers over it that the program has paused */
    int muted;     /* the only one: nobody reads from it */
    int errors;
    int64_t heard_at; /* when there was last something to be read */
    int tls, http1; /* what is spoken over it, as far as that is known */
    struct stook__connection name;
};

#endif
