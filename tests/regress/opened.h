/* SPDX-License-Identifier: MIT */
/* Counts the connections that libcurl has announced: spy.on_socket = count_opened. */
#ifndef STOOK_REGRESS_OPENED_H
#define STOOK_REGRESS_OPENED_H

#include <sys/socket.h>

#include "regress/spy.h"

static unsigned opened;

static int count_opened(CURL **easy, curl_socket_t fd, int what, void *user)
{
    static char open[4096];
    int domain = 0; /* libcurl has other descriptors too */
    (void)easy, (void)user;
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &(socklen_t){sizeof domain});
    if (what != CURL_POLL_REMOVE && domain == AF_INET && fd < 4096 && !open[fd]) {
        open[fd] = 1;
        opened++;
    }
    return 1;
}

#endif
