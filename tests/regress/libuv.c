/* SPDX-License-Identifier: MIT */
/* A libuv that takes descriptors out of epoll late. Its version is faked. */
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"
#include "regress/spy.h"

enum { FDS = 4096 };

static struct {
    char is_socket[FDS], off[FDS];
    int closed, closed_on; /* sockets; of them, those that nobody took off by hand */
} kernel;

unsigned int uv_version(void)
{
    return 0x012f00;
}

int socket(int domain, int type, int protocol)
{
    SPY_REAL(socket);
    int fd = real(domain, type, protocol);
    if (fd >= 0 && fd < FDS) {
        kernel.is_socket[fd] = domain == AF_INET && (type & SOCK_STREAM);
        kernel.off[fd] = 0;
    }
    return fd;
}

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    SPY_REAL(epoll_ctl);
    Dl_info caller;
    if (op == EPOLL_CTL_DEL && fd < FDS && dladdr(__builtin_return_address(0), &caller) != 0 &&
        !strstr(caller.dli_fname, "libuv.so"))
        kernel.off[fd] = 1;
    return real(epoll, op, fd, event);
}

int close(int fd)
{
    SPY_REAL(close);
    if (fd >= 0 && fd < FDS) {
        kernel.closed += kernel.is_socket[fd];
        kernel.closed_on += kernel.is_socket[fd] && !kernel.off[fd];
        kernel.is_socket[fd] = 0;
    }
    return real(fd);
}

TEST_BOTH(taken_off_by_hand)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    memset(&kernel, 0, sizeof kernel);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(server, i % 2 ? "/until-close" : "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    stook_batch_free(batch);
    life_close(life);
    CHECK(kernel.closed >= 10);
    CHECK_EQ_INT(kernel.closed_on, 0);
}
