/* SPDX-License-Identifier: MIT */
/* The machinery of the raw server: child process, connections, requests, counters. */
#include "raw_server.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../support/harness.h"
#include "process.h"
#include "sockets.h"

enum { COUNTERS = 512, HEAD_MAX = 128 * 1024, DOORS_MAX = 64 };

struct counter {
    char path[128];
    unsigned seen, now, peak;
};

/* In memory shared by the test and the server. */
struct raw_server {
    struct process process;
    struct raw_door *doors, only;
    size_t n_doors;
    struct pollfd listeners[DOORS_MAX];
    const struct raw_behaviour *extra;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned connections;
    struct counter all;
    struct counter counters[COUNTERS];
};

/* ---------------------------------------------------------------- counters */

/* Under the lock. */
static struct counter *counter_of(struct raw_server *server, const char *path)
{
    for (size_t i = 0; i < COUNTERS; i++) {
        struct counter *counter = &server->counters[i];
        if (!counter->path[0])
            snprintf(counter->path, sizeof counter->path, "%s", path);
        if (strcmp(counter->path, path) == 0)
            return counter;
    }
    abort(); /* a test with that many paths wants fewer, or a bigger table */
}

static void count_one(struct counter *counter)
{
    counter->seen++;
    if (++counter->now > counter->peak)
        counter->peak = counter->now;
}

void raw_enter(struct raw_call *call)
{
    struct raw_server *server = call->server;
    pthread_mutex_lock(&server->lock);
    struct counter *counter = counter_of(server, call->path);
    count_one(counter);
    count_one(&server->all);
    call->seen = counter->seen;
    call->answered = 0;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

/* Before the answer is sent: a client that reads it and asks the next is never counted twice. */
void raw_leave(struct raw_call *call)
{
    if (call->answered)
        return;
    call->answered = 1;
    pthread_mutex_lock(&call->server->lock);
    counter_of(call->server, call->path)->now--;
    call->server->all.now--;
    pthread_mutex_unlock(&call->server->lock);
}

static struct counter look(struct raw_server *server, const char *path)
{
    pthread_mutex_lock(&server->lock);
    struct counter counter = *counter_of(server, path);
    pthread_mutex_unlock(&server->lock);
    return counter;
}

unsigned raw_seen(struct raw_server *server, const char *path)
{
    return look(server, path).seen;
}

unsigned raw_peak(struct raw_server *server, const char *path)
{
    return look(server, path).peak;
}

unsigned raw_peak_of_all(struct raw_server *server)
{
    pthread_mutex_lock(&server->lock);
    unsigned peak = server->all.peak;
    server->all.peak = server->all.now;
    pthread_mutex_unlock(&server->lock);
    return peak;
}

unsigned raw_connections(struct raw_server *server)
{
    pthread_mutex_lock(&server->lock);
    unsigned connections = server->connections;
    pthread_mutex_unlock(&server->lock);
    return connections;
}

void raw_wait(struct raw_server *server, const char *path, unsigned seen)
{
    pthread_mutex_lock(&server->lock);
    while (counter_of(server, path)->seen < seen)
        pthread_cond_wait(&server->changed, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

void raw_signal(struct raw_server *server, const char *path)
{
    pthread_mutex_lock(&server->lock);
    counter_of(server, path)->seen++;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

/* -------------------------------------------------------------- what it says */

static ssize_t receive_plain(struct raw_call *call, void *bytes, size_t room)
{
    return recv(call->fd, bytes, room, 0);
}

static ssize_t transmit_plain(struct raw_call *call, const void *bytes, size_t size)
{
    return send(call->fd, bytes, size, MSG_NOSIGNAL);
}

int raw_send(struct raw_call *call, const void *bytes, size_t size)
{
    const char *next = bytes;
    raw_leave(call);
    while (size > 0) {
        ssize_t sent = call->transmit(call, next, size);
        if (sent <= 0)
            return 0;
        next += sent;
        size -= (size_t)sent;
    }
    return 1;
}

int raw_say(struct raw_call *call, const char *format, ...)
{
    char line[4096];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return raw_send(call, line, (size_t)size < sizeof line ? (size_t)size : sizeof line - 1);
}

enum raw_then raw_answer(struct raw_call *call, const void *body, size_t size)
{
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
    if (strcmp(call->method, "HEAD") != 0)
        raw_send(call, body, size);
    return RAW_KEEP;
}

long raw_number(const struct raw_call *call, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = call->query; at && *at; at = strchr(at, '&')) {
        at += *at == '&';
        if (strncmp(at, name, size) == 0 && at[size] == '=')
            return atol(at + size + 1);
    }
    return 0;
}

void raw_pause(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* -------------------------------------------------------------- connections */

/* What was read of a connection and not used yet. */
struct inbuf {
    size_t size;
    char bytes[HEAD_MAX + 1];
};

static int read_more(struct raw_call *call, struct inbuf *in)
{
    if (in->size == HEAD_MAX)
        return 0;
    ssize_t size = call->receive(call, in->bytes + in->size, HEAD_MAX - in->size);
    if (size <= 0)
        return 0;
    in->size += (size_t)size;
    in->bytes[in->size] = '\0';
    return 1;
}

static int read_head(struct raw_call *call, struct inbuf *in)
{
    char *end, target[384];
    in->bytes[in->size] = '\0';
    while ((end = strstr(in->bytes, "\r\n\r\n")) == NULL)
        if (!read_more(call, in))
            return 0;
    call->head_size = (size_t)(end + 4 - in->bytes);
    call->head = strndup(in->bytes, call->head_size);
    in->size -= call->head_size;
    memmove(in->bytes, end + 4, in->size);
    if (sscanf(call->head, "%31s %383s", call->method, target) != 2)
        return 0;
    if (strncmp(target, "http://", 7) == 0) /* sent to a proxy */
        memmove(target, target + 7 + strcspn(target + 7, "/"), strlen(target + 7 + strcspn(target + 7, "/")) + 1);
    char *query = strchr(target, '?');
    snprintf(call->query, sizeof call->query, "%.255s", query ? query + 1 : "");
    if (query)
        *query = '\0';
    snprintf(call->path, sizeof call->path, "%.127s", target);
    return 1;
}

size_t raw_read(struct raw_call *call, void *buffer, size_t size)
{
    struct inbuf *in = call->rest;
    if (in->size == 0) {
        ssize_t got = recv(call->fd, buffer, size, 0);
        return got > 0 ? (size_t)got : 0;
    }
    size = in->size < size ? in->size : size;
    memcpy(buffer, in->bytes, size);
    in->size -= size;
    memmove(in->bytes, in->bytes + size, in->size);
    return size;
}

static int read_exactly(struct raw_call *call, char *buffer, size_t size)
{
    for (size_t got; size > 0; buffer += got, size -= got)
        if ((got = raw_read(call, buffer, size)) == 0)
            return 0;
    return 1;
}

/* RFC 9112 7.1; no trailers. */
static int read_chunks(struct raw_call *call)
{
    char line[32];
    call->body = malloc(1);
    for (;;) {
        size_t at = 0;
        do
            if (at == sizeof line - 1 || !read_exactly(call, line + at, 1))
                return 0;
        while (line[at++] != '\n');
        line[at] = '\0';
        size_t size = strtoul(line, NULL, 16);
        call->body = realloc(call->body, call->body_size + size + 3);
        if (!read_exactly(call, call->body + call->body_size, size + 2))
            return 0;
        call->body_size += size;
        call->body[call->body_size] = '\0';
        if (size == 0)
            return 1;
    }
}

static int read_body(struct raw_call *call, struct inbuf *in)
{
    if (strcasestr(call->head, "\r\nTransfer-Encoding: chunked\r\n"))
        return read_chunks(call);
    const char *length = strcasestr(call->head, "\r\nContent-Length:");
    call->body_size = length ? strtoul(length + 17, NULL, 10) : 0;
    call->body = malloc(call->body_size + 1);
    size_t have = in->size < call->body_size ? in->size : call->body_size;
    memcpy(call->body, in->bytes, have);
    in->size -= have;
    memmove(in->bytes, in->bytes + have, in->size);
    while (have < call->body_size) {
        ssize_t size = call->receive(call, call->body + have, call->body_size - have);
        if (size <= 0)
            return 0;
        have += (size_t)size;
    }
    call->body[have] = '\0';
    return 1;
}

static const struct raw_behaviour *find_in(const struct raw_behaviour *table, const char *path)
{
    for (; table && table->path; table++) {
        size_t size = strlen(table->path);
        if (strncmp(table->path, path, size) == 0 && (path[size] == '\0' || path[size] == '/'))
            return table;
    }
    return NULL;
}

static enum raw_then act(struct raw_call *call, const struct raw_behaviour *behaviour)
{
    if (!behaviour) {
        raw_say(call, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        return RAW_KEEP;
    }
    if (behaviour->answer)
        return behaviour->answer(call);
    if (behaviour->bytes)
        raw_send(call, behaviour->bytes,
                 behaviour->size ? behaviour->size : strlen(behaviour->bytes));
    return behaviour->then;
}

static enum raw_then serve_one(struct raw_call *call, struct inbuf *in)
{
    const struct raw_behaviour *behaviour;
    call->head = call->body = NULL;
    call->body_size = 0;
    call->rest = in;
    if (!read_head(call, in))
        return RAW_CLOSE;
    behaviour = find_in(call->server->extra, call->path);
    if (!behaviour)
        behaviour = find_in(raw_behaviours, call->path);
    if (!(behaviour && behaviour->early) && !read_body(call, in))
        return RAW_CLOSE;
    call->on_connection++;
    raw_enter(call);
    enum raw_then then = act(call, behaviour);
    raw_leave(call);
    return then;
}

static void wait_for_end(int fd)
{
    char bytes[4096];
    while (recv(fd, bytes, sizeof bytes, 0) > 0)
        ;
}

void raw_serve(struct raw_call *call)
{
    struct inbuf *in = malloc(sizeof *in);
    enum raw_then then = in ? RAW_KEEP : RAW_RESET;
    if (in)
        in->size = 0;
    while (then == RAW_KEEP) {
        then = serve_one(call, in);
        free(call->head);
        free(call->body);
    }
    if (then == RAW_HOLD)
        wait_for_end(call->fd);
    if (then == RAW_RESET)
        setsockopt(call->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
                   sizeof(struct linger));
    free(in);
}

static void *serve(void *arg)
{
    struct raw_call call = *(struct raw_call *)arg;
    free(arg);
    if (call.door->serve)
        call.door->serve(&call);
    else
        raw_serve(&call);
    close(call.fd);
    raw_signal(call.server, "/gone");
    return NULL;
}

void raw_leave_port(struct raw_call *call)
{
    shutdown(call->server->listeners[call->door - call->server->doors].fd, SHUT_RD);
}

static void accept_one(struct raw_server *server, size_t door, const pthread_attr_t *attributes)
{
    pthread_t thread;
    struct raw_call *call = calloc(1, sizeof *call);
    call->server = server;
    call->door = &server->doors[door];
    call->receive = receive_plain;
    call->transmit = transmit_plain;
    call->fd = accept(server->listeners[door].fd, NULL, NULL);
    if (call->fd < 0 && errno == EINVAL) { /* raw_leave_port() */
        server->listeners[door].fd = -1;
        free(call);
        return;
    }
    if (call->fd < 0)
        _exit(1);
    setsockopt(call->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)); /* or 40 ms an answer */
    pthread_mutex_lock(&server->lock);
    server->connections++;
    pthread_mutex_unlock(&server->lock);
    if (pthread_create(&thread, attributes, serve, call) != 0)
        _exit(1);
}

static void accept_all(struct raw_server *server)
{
    pthread_attr_t attributes;
    signal(SIGPIPE, SIG_IGN);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    while (poll(server->listeners, server->n_doors, -1) > 0)
        for (size_t door = 0; door < server->n_doors; door++)
            if (server->listeners[door].revents)
                accept_one(server, door, &attributes);
    _exit(1);
}

/* ------------------------------------------------------------ its beginning */

static void stop(void *arg)
{
    struct raw_server *server = arg;
    process_stop(&server->process);
    munmap(server, sizeof *server);
}

static void share(struct raw_server *server)
{
    pthread_mutexattr_t lock;
    pthread_condattr_t changed;
    pthread_mutexattr_init(&lock);
    pthread_mutexattr_setpshared(&lock, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&server->lock, &lock);
    pthread_condattr_init(&changed);
    pthread_condattr_setpshared(&changed, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&server->changed, &changed);
}

static void begin(struct raw_server *server)
{
    pid_t parent = getpid();
    for (size_t i = 0; i < server->n_doors; i++) {
        struct raw_door *door = &server->doors[i];
        int fd = door->unix_path != NULL ? listen_unix(door->unix_path) : listen_on(door->host, &door->port, 4096);
        server->listeners[i] = (struct pollfd){fd, POLLIN, 0};
    }
    server->process.in = server->process.out = -1;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        process_die_with(parent);
        accept_all(server);
    }
    server->process.pid = pid; /* not in the child, which shares it */
    for (size_t i = 0; i < server->n_doors; i++)
        close(server->listeners[i].fd);
}

void raw_server_kill(struct raw_server *server)
{
    process_stop(&server->process);
    share(server); /* it may have died with the lock */
    server->all.now = 0;
    for (size_t i = 0; i < COUNTERS; i++)
        server->counters[i].now = 0;
}

void raw_server_revive(struct raw_server *server)
{
    begin(server);
}

void raw_server_signal(struct raw_server *server, int number)
{
    CHECK_EQ_INT(kill(server->process.pid, number), 0);
}

struct raw_server *raw_server_open(const struct raw_behaviour *extra, struct raw_door *doors,
                                   size_t count)
{
    struct raw_server *server = mmap(NULL, sizeof *server, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(server != MAP_FAILED && count <= DOORS_MAX);
    share(server);
    server->extra = extra;
    server->doors = count > 0 ? doors : &server->only;
    server->n_doors = count > 0 ? count : 1;
    for (size_t i = 0; i < server->n_doors; i++)
        server->doors[i].port = 0;
    begin(server);
    test_defer(stop, server);
    return server;
}

struct raw_server *raw_server_start(const struct raw_behaviour *extra)
{
    return raw_server_open(extra, NULL, 0);
}

int raw_port(const struct raw_server *server)
{
    return server->doors[0].port;
}

const char *raw_url(const struct raw_server *server, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *url = url_of("http", server->doors[0].port, format, args);
    va_end(args);
    return url;
}
