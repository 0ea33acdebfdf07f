/* SPDX-License-Identifier: MIT */
/*
 * A service on a libuv loop with a TCP server, a timer and a stook client. The client is created
 * with the loop and closed like a handle. Only the service runs the loop.
 * Usage: service UPSTREAM_URL [--once N]      N: ends after N responses
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

/* Counts while requests are in flight, which shows that nothing blocks the loop. */
static void on_tick(uv_timer_t *timer)
{
    struct service *service = timer->loop->data;
    service->ticks++;
}

void service_end(struct service *service)
{
    uv_close((uv_handle_t *)&service->listener, NULL);
    uv_close((uv_handle_t *)&service->timer, NULL);
    stook_client_close(service->client, NULL, NULL); /* allowed in callbacks of the client too */
    service->client = NULL;
}

static int open_service(struct service *service)
{
    uv_loop_init(&service->loop);
    service->loop.data = service;
    uv_timer_init(&service->loop, &service->timer);
    int port = loopback_listen(&service->loop, &service->listener, on_connection);
    int error = stook_client_new(&service->loop, NULL, &service->client);
    if (port < 0 || error != 0) {
        fprintf(stderr, "service: %s\n", error != 0 ? stook_strerror(error) : uv_strerror(port));
        return -1;
    }
    uv_timer_start(&service->timer, on_tick, 5, 5);
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
    signal(SIGPIPE, SIG_IGN); /* stook never raises it; writing a response may */
    if (open_service(&service) != 0)
        return 1;
    uv_run(&service.loop, UV_RUN_DEFAULT);
    printf("the timer ran %ld times\n", service.ticks);
    if (uv_loop_close(&service.loop) != 0) {
        fprintf(stderr, "service: a handle is left on the loop\n");
        return 1;
    }
    return 0;
}
