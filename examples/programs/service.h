/* SPDX-License-Identifier: MIT */
/*
 * The two halves of the service: service_main.c has the loop and what else lives on it, service.c
 * has what it does with stook.
 */
#ifndef STOOK_EXAMPLES_SERVICE_H
#define STOOK_EXAMPLES_SERVICE_H

#include "server_conn.h"

#include <stook.h>

struct service { /* the loop's `data` */
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_timer_t heart;
    stook_client *client;
    const char *upstream;
    long left; /* answers until it ends; 0: it goes on */
    long beats;
};

/** What becomes of each connection that comes in. */
extern const struct conn_events service_events;

/** Close all that lives on the loop, so that the loop ends by itself. */
void service_end(struct service *service);

#endif
