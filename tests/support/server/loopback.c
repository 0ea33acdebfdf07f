/* SPDX-License-Identifier: MIT */
/*
 * A listening socket on 127.0.0.1, on a port that is free, found by trying.
 *
 * The range ends below 32768, where Linux begins to hand out ports to outgoing connections: a port
 * of ours is never taken away by a client between two runs.
 */
#include "loopback.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT_FIRST 10240
#define PORT_LAST 32767
#define BACKLOG 4096 /* thousands may connect at once, before the loop has turned */

/* No SO_REUSEADDR: bind() itself then says whether the port is free, and nobody can share it. */
static int bind_free_port(int fd)
{
    for (int tries = 0; tries < 1000; tries++) {
        unsigned random;
        struct sockaddr_in address;
        int error = uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
        if (error != 0)
            return error;
        int port = PORT_FIRST + (int)(random % (PORT_LAST - PORT_FIRST + 1));
        uv_ip4_addr("127.0.0.1", port, &address);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
            return port;
        if (errno != EADDRINUSE && errno != EACCES)
            return -errno;
    }
    return UV_EADDRINUSE;
}

int loopback_listen(uv_loop_t *loop, uv_tcp_t *listener, uv_connection_cb on_connection)
{
    int error = uv_tcp_init(loop, listener);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return -errno;
    int port = bind_free_port(fd);
    if (error == 0 && port < 0)
        error = port;
    if (error == 0)
        error = uv_tcp_open(listener, fd);
    if (error != 0) {
        close(fd);
        return error;
    }
    error = uv_listen((uv_stream_t *)listener, BACKLOG, on_connection);
    return error != 0 ? error : port;
}
