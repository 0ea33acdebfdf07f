/* SPDX-License-Identifier: MIT */
/* A peer that never answers close_notify: a relay to nginx that does not pass on nginx's. */
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/nginx.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"
#include "regress/spy.h"

enum { FDS = 4096 };

static struct relay {
    pthread_t thread;
    int listener, port;
    int nginx_port;
    int stop[2];
} relay;

static int open_to_nginx(void)
{
    struct sockaddr_in address = loopback(relay.nginx_port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 2); /* seven requests a connection */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK_EQ_INT(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* An alert of TLS 1.3: the only record that is so short. */
static int is_close_notify(const char *bytes, ssize_t size)
{
    return size >= 24 && memcmp(bytes + size - 24, "\x17\x03\x03\x00\x13", 5) == 0;
}

/* 0: that side has ended. */
static int pass(int from, int to)
{
    char bytes[16384];
    ssize_t size = recv(from, bytes, sizeof bytes, 0);
    int ended = size <= 0 || is_close_notify(bytes, size);
    if (is_close_notify(bytes, size))
        size -= 24;
    for (ssize_t sent = 0, now; sent < size; sent += now)
        if ((now = send(to, bytes + sent, (size_t)(size - sent), MSG_NOSIGNAL)) <= 0)
            return 0;
    return !ended;
}

static void *be_relay(void *arg)
{
    (void)arg;
    int client = accept4(relay.listener, NULL, NULL, SOCK_CLOEXEC);
    int nginx = open_to_nginx();
    struct pollfd polls[] = {{.fd = relay.stop[0], .events = POLLIN},
                             {.fd = client, .events = POLLIN},
                             {.fd = nginx, .events = POLLIN}};
    while (poll(polls, 3, -1) > 0 && polls[0].revents == 0) {
        int ended = (polls[1].revents && !pass(client, nginx)) || (polls[2].revents && !pass(nginx, client));
        if (ended)
            polls[1].fd = polls[2].fd = -1;
    }
    close(client);
    close(nginx);
    return NULL;
}

static void end_relay(void *arg)
{
    (void)arg;
    close(relay.stop[1]);
    pthread_join(relay.thread, NULL);
    close(relay.stop[0]);
    close(relay.listener);
}

static void start_relay(int nginx_port)
{
    relay.nginx_port = nginx_port;
    relay.listener = listen_somewhere(5, &relay.port);
    CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, relay.stop), 0);
    CHECK_EQ_INT(pthread_create(&relay.thread, NULL, be_relay, NULL), 0);
    test_defer(end_relay, NULL);
}

/* A connection of ours to that port, or -1. */
static int connection_to(int port)
{
    for (int fd = 3; fd < FDS; fd++) {
        struct sockaddr_in peer = {.sin_family = AF_UNSPEC};
        if (getpeername(fd, (struct sockaddr *)&peer, &(socklen_t){sizeof peer}) == 0 &&
            peer.sin_family == AF_INET && ntohs(peer.sin_port) == port)
            return fd;
    }
    return -1;
}

/* Runs the loop until that is so, or for too long. */
static int (*is_so)(void);
static int looks;

static void look(uv_timer_t *timer)
{
    if (is_so() || ++looks == 160)
        uv_close((uv_handle_t *)timer, NULL);
}

static void turn_until(struct life *life, int (*what)(void))
{
    uv_timer_t timer;
    is_so = what;
    looks = 0;
    uv_timer_init(&life->loop, &timer);
    uv_timer_start(&timer, look, 50, 50);
    uv_run(&life->loop, UV_RUN_DEFAULT);
    test_note("%d looks", looks);
    CHECK(is_so());
}

static int relay_is_left(void)
{
    return connection_to(relay.port) < 0;
}

/* B5: nothing else happens, and the descriptor is closed all the same. */
TEST(never_answered, nginx)
{
    static struct life life;
    struct nginx *nginx = nginx_start();
    start_relay(nginx->tls_port);
    life_begin(&life, 1);
    life_open(&life, &STOOK_CLIENT(.ca_file = nginx->ca, .http_version = STOOK_HTTP_1_1));
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < 7; i++)
        add(batch, text("https://127.0.0.1:%d/%d", relay.port, i));
    CHECK_EQ_INT(life_gather(&life, batch, &STOOK_GATHER(.limit = 1)), 0);
    stook_batch_free(batch);
    turn_until(&life, relay_is_left);
    life_end(&life);
}

/* The same of a libcurl that would do it: a connection that it watches for no transfer is ended. One
   that waits for its answer for as long is not. */
static struct raw_server *server;

static int is_gone(void)
{
    return raw_seen(server, "/gone") > 0;
}

TEST(watched_for_nobody)
{
    static struct life life;
    server = raw_server_start(NULL);
    spy.version = 0x080e00;
    life_begin(&life, 1);
    life_open(&life, NULL);
    stook_batch *batch = life_batch(&life);
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(&life, batch, NULL), 0);
    stook_batch_free(batch);
    CHECK_EQ_INT(spy.socket(NULL, connection_to(raw_port(server)), CURL_POLL_IN, spy_socket_user(spy_any_multi()), NULL), 0);
    turn_until(&life, is_gone);
    batch = life_batch(&life);
    add(batch, raw_url(server, "/ok"));
    add(batch, raw_url(server, "/delay?ms=5000"));
    CHECK_EQ_INT(life_gather(&life, batch, NULL), 0);
    stook_batch_free(batch);
    life_end(&life);
}
