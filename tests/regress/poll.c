/* SPDX-License-Identifier: MIT */
/* What libuv's polls do implicitly, and how many system calls they cost. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
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

/* ------------------------------------------------- between us and the kernel */

enum { FDS = 4096 };

static struct {
    char is_socket[FDS], watched[FDS];
    unsigned controls; /* calls of epoll_ctl, of sockets */
    unsigned waits;    /* calls of epoll_wait */
    int closed_watched; /* descriptors */
    unsigned sockets;
} kernel;

int socket(int domain, int type, int protocol)
{
    SPY_REAL(socket);
    int fd = real(domain, type, protocol);
    if (fd >= 0 && fd < FDS && (domain == AF_INET || domain == AF_INET6)) {
        kernel.is_socket[fd] = 1;
        kernel.sockets++;
    }
    return fd;
}

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    SPY_REAL(epoll_ctl);
    kernel.controls += fd >= 0 && fd < FDS && kernel.is_socket[fd];
    if (fd >= 0 && fd < FDS)
        kernel.watched[fd] = op != EPOLL_CTL_DEL;
    return real(epoll, op, fd, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
    SPY_REAL(epoll_wait);
    kernel.waits++;
    return real(epoll, events, count, timeout);
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

/* ------------------------------------------------------------------- errors */

static void close_timer(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

/* Only the loop's timer runs for so long. */
static void turn_for(uv_loop_t *loop, uint64_t ms)
{
    uv_timer_t timer;
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, close_timer, ms, 0);
    uv_run(loop, UV_RUN_DEFAULT);
}

/* On a warm connection for which libcurl has no timer any more that would look by itself. The loop
   looks at the socket only when the answer and the reset behind it are both there. */
static void ask_and_look_late(struct life *life, struct raw_server *server, const char *path)
{
    struct done done = {0, 0};
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    turn_for(&life->loop, 300);
    batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "%s", path), .attempt_timeout_ms = 3000)), 0);
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
    while (raw_seen(server, path) == 0)
        uv_run(&life->loop, UV_RUN_NOWAIT);
    raw_wait(server, "/gone", 1);
    uv_run(&life->loop, UV_RUN_DEFAULT);
    const stook_result *result = stook_batch_result(batch, 0);
    test_note("%s: %s", path, stook_result_message(result));
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(raw_connections(server), 1);
    CHECK_EQ_INT(stook_result_ok(result), 1);
    stook_batch_free(batch);
}

/* Late enough that no timer reads the socket when it comes. */
static enum raw_then answer_and_reset(struct raw_call *call)
{
    raw_pause(10);
    raw_answer(call, "ok", 2);
    return RAW_RESET;
}

static const struct raw_behaviour own[] = {{.path = "/late-rst", .answer = answer_and_reset}, {.path = NULL}};

/* libuv reports both together as an error and nothing else. The bytes before the error are read. */
TEST(answer_before_reset)
{
    static struct life life;
    life_begin(&life, 1);
    life_open(&life, NULL);
    for (int i = 0; i < 5; i++)
        ask_and_look_late(&life, raw_server_start(own), "/late-rst");
    life_end(&life);
}

/* libuv has stopped the poll by then: it goes on if libcurl, told once, has not done with the socket. */
static unsigned errors_told;

static int not_at_first(curl_socket_t fd, int events)
{
    return fd == CURL_SOCKET_TIMEOUT || events != (CURL_CSELECT_IN | CURL_CSELECT_OUT) || errors_told++ > 0;
}

TEST(errors_stop_no_poll)
{
    static struct life life;
    life_begin(&life, 1);
    life_open(&life, NULL);
    spy.before_action = not_at_first;
    ask_and_look_late(&life, raw_server_start(own), "/late-rst");
    CHECK_EQ_INT(errors_told, 2);
    life_end(&life);
}

/* ---------------------------------------------------------- watched and closed */

static void ask_for(struct life *life, const char *url, int times)
{
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < times; i++)
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(url, .attempt_timeout_ms = 300)), 0);
    life_gather(life, batch, NULL);
    stook_batch_free(batch);
}

/* libuv aborts the process when it meets a closed descriptor: a poll is stopped before its
   descriptor is closed, whoever closes it and why. */
TEST_BOTH(stopped_before_closed)
{
    struct raw_server *server = raw_server_start(NULL);
    kernel.closed_watched = 0;
    kernel.sockets = 0;
    life_open(life, NULL);
    static const char *const paths[] = {"/ok", "/close-after", "/rst-after", "/rst", "/short", "/stall", "/until-close",
                                        "/garbage", "/swallow"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        ask_for(life, raw_url(server, "%s", paths[i]), 8);
    ask_for(life, text("http://127.0.0.1:%d/", refusing_port()), 8);
    ask_for(life, text("http://localhost:%d/", refusing_port()), 8);
    ask_for(life, text("https://127.0.0.1:%d/", raw_port(server)), 8);
    life_close(life);
    CHECK(kernel.sockets > 50);
    CHECK_EQ_INT(kernel.closed_watched, 0);
}

/* Some versions of libcurl close a socket that never connected without a word: the next one has its
   number, and must not meet the watcher of the one before, nor leave it behind. */
TEST_BOTH(stale_watchers_are_dropped)
{
    struct raw_server *server = raw_server_start(NULL);
    const char *nowhere = text("http://127.0.0.1:%d/", silent_port());
    life_open(life, NULL);
    for (int round = 0; round < 3; round++) {
        ask_for(life, nowhere, 8);
        ask_for(life, raw_url(server, "/until-close"), 8);
    }
    CHECK_EQ_INT(raw_seen(server, "/until-close"), 24);
}

/* ------------------------------------------------------------- system calls */

enum { ASKED = 50 };

static void ask_one_by_one(struct life *life, struct raw_server *server)
{
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < ASKED; i++)
        add(batch, raw_url(server, "/delay?ms=2")); /* or it is answered before the poll is needed */
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    stook_batch_free(batch);
}

/* libcurl takes its interest back after each transfer and announces it again before the next: the
   poll stays armed all the while. */
TEST_BOTH(armed_polls_stay)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    ask_one_by_one(life, server);
    unsigned before = kernel.controls;
    ask_one_by_one(life, server);
    CHECK_EQ_INT(raw_connections(server), 1);
    test_note("%u calls of epoll_ctl for %d requests", kernel.controls - before, ASKED);
    CHECK(kernel.controls - before < ASKED / 5);
}

/* A connection that the peer has closed is readable for ever: it is shut down once and no longer watched. */
TEST(closed_connections_do_not_spin)
{
    static const char *const paths[] = {"/close-after", "/rst-after"};
    static struct life life;
    life_begin(&life, 1);
    life_open(&life, NULL);
    for (size_t i = 0; i < 2; i++) {
        struct raw_server *server = raw_server_start(NULL);
        stook_batch *batch = life_batch(&life);
        for (int k = 0; k < 6; k++)
            add(batch, raw_url(server, "%s", paths[i]));
        CHECK_EQ_INT(life_gather(&life, batch, NULL), 0);
        stook_batch_free(batch);
        raw_wait(server, "/gone", 6);
        unsigned before = kernel.waits;
        turn_for(&life.loop, 100);
        test_note("%u rounds in 100 ms after %s", kernel.waits - before, paths[i]);
        CHECK(kernel.waits - before < 30);
    }
    life_end(&life);
}
