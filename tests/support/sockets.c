/* SPDX-License-Identifier: MIT */
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../support/harness.h"

static void close_later(void *arg)
{
    close((int)(intptr_t)arg);
}

struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* Below the ports that the kernel gives to clients, which come and go. */
static int bind_somewhere(int *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    for (int i = 0; i < 1000; i++) {
        struct sockaddr_in address = loopback(*ret_port = random_port());
        if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
            return fd;
    }
    FAIL("no port of a thousand is free");
}

int listen_somewhere(int backlog, int *ret_port)
{
    int fd = bind_somewhere(ret_port);
    CHECK_EQ_INT(listen(fd, backlog), 0);
    return fd;
}

int listen_on(const char *host, int *port, int backlog)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    int six = host && inet_pton(AF_INET, host, &in.sin_addr) != 1, wanted = *port;
    CHECK(!six || inet_pton(AF_INET6, host, &in6.sin6_addr) == 1);
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0);
    for (int i = 0; i < 1000; i++) {
        *port = wanted ? wanted : random_port();
        in.sin_port = in6.sin6_port = htons((uint16_t)*port);
        if (bind(fd, six ? (struct sockaddr *)&in6 : (struct sockaddr *)&in, six ? sizeof in6 : sizeof in) == 0 &&
            listen(fd, backlog) == 0)
            return fd;
        CHECK_EQ_INT(errno, EADDRINUSE);
    }
    FAIL("no port to be had at %s", host ? host : "127.0.0.1");
}

int listen_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CHECK(strlen(path) < sizeof address.sun_path);
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 4096) == 0);
    return fd;
}

int connect_to(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

int refusing_port(void)
{
    int port, fd = bind_somewhere(&port);
    test_defer(close_later, (void *)(intptr_t)fd);
    return port;
}

int ask(int port, const char *path, char *answer, size_t room)
{
    size_t size = 0;
    int fd = connect_to(port);
    if (fd < 0)
        return -1;
    dprintf(fd, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);
    for (ssize_t got; (got = read(fd, answer + size, room - 1 - size)) > 0;)
        size += (size_t)got;
    answer[size] = '\0';
    close(fd);
    return (int)size;
}

/* The kernel drops a SYN once the queue of a listener is full: fill it until that is seen. */
static void fill(const struct sockaddr *address, socklen_t size)
{
    for (int i = 0; i < 16; i++) {
        int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct pollfd connected = {.fd = fd, .events = POLLOUT};
        CHECK(fd >= 0);
        test_defer(close_later, (void *)(intptr_t)fd);
        if (connect(fd, address, size) == 0)
            continue;
        CHECK_EQ_INT(errno, EINPROGRESS);
        if (poll(&connected, 1, 100) == 0)
            return;
    }
    test_skip("this kernel answers although the queue of a listener is full");
}

int silent_at(const char *host, int port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    int six = inet_pton(AF_INET, host, &in.sin_addr) != 1;
    struct sockaddr *address = six ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
    socklen_t size = six ? sizeof in6 : sizeof in;
    CHECK(!six || inet_pton(AF_INET6, host, &in6.sin6_addr) == 1);
    int listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || (six && setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int)) != 0) ||
        bind(listener, address, size) != 0 || listen(listener, 0) != 0)
        test_skip("no port to be had at that address");
    test_defer(close_later, (void *)(intptr_t)listener);
    CHECK_EQ_INT(getsockname(listener, address, &size), 0);
    fill(address, size);
    return listener;
}

int silent_port(void)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int port, fd = bind_somewhere(&port);
    test_defer(close_later, (void *)(intptr_t)fd);
    CHECK_EQ_INT(listen(fd, 0), 0);
    CHECK_EQ_INT(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    fill((struct sockaddr *)&address, size);
    return port;
}

int random_port(void)
{
    uint16_t number;
    CHECK_EQ_INT(getrandom(&number, sizeof number, 0), sizeof number);
    return 10240 + number % (32768 - 10240);
}
