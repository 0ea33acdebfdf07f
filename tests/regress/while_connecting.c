/* SPDX-License-Identifier: MIT */
/* Requests that end while they connect, or that begin to connect in great numbers. */
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"
#include "regress/spy.h"

enum { FDS = 4096 };

static struct {
    char is_socket[FDS], watched[FDS];
    int closed_watched;
} kernel;

int socket(int domain, int type, int protocol)
{
    SPY_REAL(socket);
    int fd = real(domain, type, protocol);
    if (fd >= 0 && fd < FDS)
        kernel.is_socket[fd] = domain == AF_INET || domain == AF_INET6;
    return fd;
}

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    SPY_REAL(epoll_ctl);
    if (fd >= 0 && fd < FDS)
        kernel.watched[fd] = op != EPOLL_CTL_DEL;
    return real(epoll, op, fd, event);
}

int close(int fd)
{
    SPY_REAL(close);
    if (fd >= 0 && fd < FDS) {
        kernel.closed_watched += kernel.is_socket[fd] && kernel.watched[fd];
        kernel.is_socket[fd] = kernel.watched[fd] = 0;
    }
    return real(fd);
}

/* A1, B1: given up while connecting. libcurl up to 8.1 closes such a socket by itself, without a word. */
TEST_BOTH(given_up_while_connecting)
{
    int port = silent_port();
    kernel.closed_watched = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 4; i++)
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(text("http://127.0.0.1:%d/", port), .attempt_timeout_ms = 50)), 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 4);
    stook_batch_free(batch);
    life_close(life);
    CHECK_EQ_INT(kernel.closed_watched, 0);
}

/* G4: many gates that open together start no more requests in one turn than one gate. */
static unsigned adds_seen, most_adds;

static void look_at_adds(uv_prepare_t *prepare)
{
    (void)prepare;
    if (spy.adds - adds_seen > most_adds)
        most_adds = spy.adds - adds_seen;
    adds_seen = spy.adds;
}

TEST(many_gates_open_together)
{
    static const char *const names[] = {"127.0.0.1", "127.1", "127.0.1", "127.0.0.01", "127.0.00.1", "127.00.0.1"};
    enum { EACH = 60 };
    static struct life life;
    uv_prepare_t prepare;
    int port = silent_port();
    life_begin(&life, 1);
    life_open(&life, &STOOK_CLIENT(.attempt_timeout_ms = 500));
    uv_prepare_init(&life.loop, &prepare);
    uv_prepare_start(&prepare, look_at_adds);
    uv_unref((uv_handle_t *)&prepare);
    stook_batch *batch = life_batch(&life);
    for (int k = 0; k < EACH; k++)
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            add(batch, text("http://%s:%d/", names[i], port));
    adds_seen = spy.adds;
    most_adds = 0;
    life_gather(&life, batch, NULL);
    stook_batch_free(batch);
    test_note("%u started in one turn", most_adds);
    CHECK(most_adds <= 128);
    uv_close((uv_handle_t *)&prepare, NULL);
    life_end(&life);
}
