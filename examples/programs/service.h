/* SPDX-License-Identifier: MIT */
/*
 * The two files of the service: service_main.c has the loop and its other handles, service.c what
 * the service does with stook.
 */
#ifndef STOOK_EXAMPLES_SERVICE_H
#define STOOK_EXAMPLES_SERVICE_H

#include "server_conn.h"

#include <stook.h>

struct service { /* the loop's `data` */
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_timer_t timer;
    stook_client *client;
    const char *upstream;
    long left; /* responses until it ends; 0: it does not end */
    long ticks;
};

/** The callbacks of a connection that was accepted. */
extern const struct conn_events service_events;

/** Closes all handles and the client, so that the loop ends. */
void service_end(struct service *service);

#endif
