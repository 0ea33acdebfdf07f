/* SPDX-License-Identifier: MIT */
/*
 * A service on a loop of its own, with a TCP server and a timer, that takes stook in as a third
 * guest: the client is made with the loop, lives on it, and is closed like any handle. The loop is
 * run by the service and by nobody else.
 * Usage: service UPSTREAM_URL [--once N]      N: end after so many answers, with an empty loop
 */
#include "loopback.h"
#include "service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_connection(uv_stream_t *listener, int error)
{
    if (error == 0)
        conn_accept(listener, &service_events, NULL);
}

/* Beats on while requests are under way: that is how one sees that nothing blocks the loop. */
static void on_beat(uv_timer_t *heart)
{
    struct service *service = heart->loop->data;
    service->beats++;
}

void service_end(struct service *service)
{
    uv_close((uv_handle_t *)&service->listener, NULL);
    uv_close((uv_handle_t *)&service->heart, NULL);
    stook_client_close(service->client, NULL, NULL); /* allowed in callbacks of the client, too */
    service->client = NULL;
}

static int open_service(struct service *service)
{
    uv_loop_init(&service->loop);
    service->loop.data = service;
    uv_timer_init(&service->loop, &service->heart);
    int port = loopback_listen(&service->loop, &service->listener, on_connection);
    int error = stook_client_new(&service->loop, NULL, &service->client);
    if (port < 0 || error != 0) {
        fprintf(stderr, "service: %s\n", error != 0 ? stook_strerror(error) : uv_strerror(port));
        return -1;
    }
    uv_timer_start(&service->heart, on_beat, 5, 5);
    printf("listening on http://127.0.0.1:%d\n", port);
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    static struct service service;
    if (argc != 2 && (argc != 4 || strcmp(argv[2], "--once") != 0)) {
        fprintf(stderr, "usage: service UPSTREAM_URL [--once N]\n");
        return 2;
    }
    service.upstream = argv[1];
    service.left = argc == 4 ? atol(argv[3]) : 0;
    signal(SIGPIPE, SIG_IGN); /* stook never causes it; our own answers may */
    if (open_service(&service) != 0)
        return 1;
    uv_run(&service.loop, UV_RUN_DEFAULT);
    printf("the heart beat %ld times meanwhile\n", service.beats);
    if (uv_loop_close(&service.loop) != 0) {
        fprintf(stderr, "service: something was left on the loop\n");
        return 1;
    }
    return 0;
}
