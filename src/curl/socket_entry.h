/* SPDX-License-Identifier: MIT */
/* One entry of the table of sockets; of socket.c and tls_close.c. */
#ifndef STOOK_CURL_SOCKET_ENTRY_H
#define STOOK_CURL_SOCKET_ENTRY_H

#include "curl/socket.h"

struct stook__socket {
    struct stook__engine *engine;
    struct stook__multi *multi;  /* in whose CURLM it is */
    struct stook__poll *watcher; /* NULL: its number may be somebody else's by now; see unwatch() */
    struct stook__easy *opener;  /* NULL: it has left its CURLM */
    struct stook__link opened;   /* among those of its opener */
    int fd;
    int ours;           /* opened by us, closed by us */
    int connected;      /* it has carried a request */
    int idle;           /* libcurl does not want it watched */
    int dead;           /* it has ended while idle */
    int alone;          /* watched, and nobody's */
    int want;           /* what libcurl wants to hear; 0: nothing */
    int program_paused; /* transfers over it that the program has paused */
    int unread;         /* the only one: nobody reads from it */
    int errors;
    int64_t heard_at; /* when there was last something to be read */
    int tls, http1;   /* what is spoken over it, as far as that is known */
    struct stook__connection name;
};

#endif
