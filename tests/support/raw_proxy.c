/* SPDX-License-Identifier: MIT */
#include "raw_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "raw_relay.h"
#include "raw_tls.h"
#include "sockets.h"

enum { HEAD_ROOM = 16384 };

static const struct raw_proxy *proxy_of(const struct raw_call *call)
{
    if (call->door->serve == raw_proxy_serve)
        return call->door->arg;
    return ((const struct raw_tls *)call->door->arg)->user;
}

/* As one write, because several connections have the file. */
static void append(const struct raw_proxy *proxy, const char *text)
{
    int fd = proxy->log != NULL ? open(proxy->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (fd >= 0 && write(fd, text, strlen(text)) < 0)
        _exit(1);
    if (fd >= 0)
        close(fd);
}

static int transmit(struct raw_call *call, const char *bytes, size_t size)
{
    ssize_t sent;
    for (; size > 0; bytes += sent, size -= (size_t)sent)
        if ((sent = call->transmit(call, bytes, size)) <= 0)
            return 0;
    return 1;
}

static int receive(struct raw_call *call, unsigned char *bytes, size_t size)
{
    ssize_t got;
    for (; size > 0; bytes += got, size -= (size_t)got)
        if ((got = call->receive(call, bytes, size)) <= 0)
            return 0;
    return 1;
}

struct answer {
    const char *bytes;
    size_t size;
};

static void tunnel(struct raw_call *call, int port, struct answer opened, struct answer failed)
{
    const struct raw_proxy *proxy = proxy_of(call);
    int origin = proxy->reply == NULL ? connect_to(port) : -1;
    if (proxy->reply != NULL) {
        transmit(call, proxy->reply, proxy->reply_size > 0 ? proxy->reply_size : strlen(proxy->reply));
        raw_relay_end(call, proxy->then);
    } else if (origin < 0) {
        transmit(call, failed.bytes, failed.size);
    } else if (transmit(call, opened.bytes, opened.size)) {
        raw_relay(call, origin, &(struct raw_relay){.limit = proxy->relayed, .then = proxy->then});
    }
    if (origin >= 0)
        close(origin);
}

static void serve_connect(struct raw_call *call)
{
    static const char opened[] = "HTTP/1.1 200 Connected\r\n\r\n", failed[] = "HTTP/1.1 502 Bad Gateway\r\n\r\n";
    char head[HEAD_ROOM] = "";
    ssize_t got;
    for (size_t size = 0; strstr(head, "\r\n\r\n") == NULL; size += (size_t)got, head[size] = '\0')
        if (size == HEAD_ROOM - 1 || (got = call->receive(call, head + size, HEAD_ROOM - 1 - size)) <= 0)
            return;
    append(proxy_of(call), head);
    const char *space = strchr(head, ' '), *http = space != NULL ? strstr(space, " HTTP/") : NULL;
    while (http != NULL && http > space && http[-1] != ':')
        http--;
    tunnel(call, http != NULL ? atoi(http) : 0, (struct answer){opened, sizeof opened - 1},
           (struct answer){failed, sizeof failed - 1});
}

/* RFC 1928 4. 1, with host and port as text. */
static int read_request(struct raw_call *call, char *host, int *ret_port)
{
    unsigned char start[4], size = 4, bytes[256] = {0}, port[2];
    char text[INET6_ADDRSTRLEN];
    if (!receive(call, start, 4))
        return 0;
    if (start[3] == 3 && !receive(call, &size, 1))
        return 0;
    if (start[3] == 4)
        size = 16;
    if (!receive(call, bytes, size) || !receive(call, port, 2))
        return 0;
    if (start[3] == 3)
        sprintf(host, "name %s", (char *)bytes);
    else
        sprintf(host, "address %s", inet_ntop(start[3] == 4 ? AF_INET6 : AF_INET, bytes, text, sizeof text));
    *ret_port = port[0] << 8 | port[1];
    return 1;
}

/* RFC 1929. 1: the user is the right one. */
static int authenticate(struct raw_call *call)
{
    const struct raw_proxy *proxy = proxy_of(call);
    unsigned char version, size, name[256] = {0}, password[256] = {0};
    char both[520];
    if (!receive(call, &version, 1) || !receive(call, &size, 1) || !receive(call, name, size) ||
        !receive(call, &size, 1) || !receive(call, password, size))
        return 0;
    snprintf(both, sizeof both, "%s %s", (char *)name, (char *)password);
    int right = strcmp(both, proxy->user) == 0;
    transmit(call, right ? "\1\0" : "\1\1", 2);
    return right;
}

static void serve_socks(struct raw_call *call)
{
    static const char opened[] = "\5\0\0\1\0\0\0\0\0", failed[] = "\5\5\0\1\0\0\0\0\0";
    const struct raw_proxy *proxy = proxy_of(call);
    unsigned char start[2], methods[255];
    char host[300], line[400];
    int port, method = proxy->user != NULL ? 2 : 0;
    if (!receive(call, start, 2) || !receive(call, methods, start[1]))
        return;
    if (proxy->greeting != NULL) {
        transmit(call, proxy->greeting, proxy->greeting_size);
        raw_relay_end(call, proxy->then);
        return;
    }
    if (memchr(methods, method, start[1]) == NULL) {
        transmit(call, "\5\xff", 2);
        return;
    }
    transmit(call, method == 2 ? "\5\2" : "\5\0", 2);
    if ((method == 2 && !authenticate(call)) || !read_request(call, host, &port))
        return;
    snprintf(line, sizeof line, "%s %d\n", host, port);
    append(proxy, line);
    tunnel(call, port, (struct answer){opened, 10}, (struct answer){failed, 10});
}

/* Whether the connection begins with a CONNECT. Inside TLS it always does. */
static int begins_with_connect(struct raw_call *call)
{
    char start[7];
    if (call->door->serve != raw_proxy_serve)
        return 1;
    return recv(call->fd, start, sizeof start, MSG_PEEK | MSG_WAITALL) == sizeof start &&
           memcmp(start, "CONNECT", 7) == 0;
}

void raw_proxy_serve(struct raw_call *call)
{
    if (proxy_of(call)->socks)
        serve_socks(call);
    else if (begins_with_connect(call))
        serve_connect(call);
    else
        raw_serve(call);
}
