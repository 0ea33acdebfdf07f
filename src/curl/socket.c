/* SPDX-License-Identifier: MIT */
/* The table of sockets by descriptor; see socket.h. What happens to idle ones is in idle.c. */
#include "curl/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "curl/idle.h"
#include "curl/origin.h"
#include "curl/quirks/next_address.h"
#include "curl/quirks/quirks.h"
#include "curl/socket_entry.h"
#include "loop/loop.h"
#include "loop/poll.h"

/* Of libcurl 8.2; we may be built with the headers of an older one. */
#define CONN_ID ((CURLINFO)(CURLINFO_OFF_T + 64))

enum { ERRORS = 3 }; /* in a row, without libcurl giving the socket up */

static struct stook__socket *find(const struct stook__engine *engine, int fd)
{
    return fd >= 0 && (size_t)fd < engine->sockets.capacity ? engine->sockets.by_fd[fd] : NULL;
}

static int grow(struct stook__engine *engine, int fd)
{
    size_t capacity = engine->sockets.capacity != 0 ? engine->sockets.capacity : 64;
    while (capacity <= (size_t)fd)
        capacity *= 2;
    struct stook__socket **by_fd =
        stook__resize(engine->allocator, engine->sockets.by_fd, capacity * sizeof *by_fd);
    if (by_fd == NULL)
        return STOOK_ENOMEM;
    for (size_t i = engine->sockets.capacity; i < capacity; i++)
        by_fd[i] = NULL;
    engine->sockets.by_fd = by_fd;
    engine->sockets.capacity = capacity;
    return 0;
}

/* What libcurl may close without a word is not watched from that moment on: the program, or another
   client, may open the number anew, and to stop a watch later would take theirs out of epoll. */
static void unwatch(struct stook__socket *socket)
{
    if (socket->watcher != NULL)
        stook__poll_close(socket->watcher);
    socket->watcher = NULL;
}

static void forget(struct stook__socket *socket)
{
    struct stook__engine *engine = socket->engine;
    engine->sockets.by_fd[socket->fd] = NULL;
    engine->sockets.n_dead -= (size_t)socket->dead;
    stook__list_remove(&socket->opened);
    unwatch(socket);
    stook__free(engine->allocator, socket);
}

static void on_event(void *owner, int events);

static void set(struct stook__socket *socket, int events)
{
    if (socket->watcher == NULL && events != 0)
        socket->watcher = stook__poll_new(socket->engine->loop, socket->fd, on_event, socket);
    if (socket->watcher != NULL)
        stook__poll_set(socket->watcher, events);
}

/* What is not read must not be watched for reading: it would be reported again and again. */
static void watch(struct stook__socket *socket)
{
    int unread_events = socket->unread ? STOOK__IN | STOOK__HANGUP : 0;
    set(socket, socket->want & ~unread_events);
}

/* ------------------------------------------------------------ names of connections */

static int has_name(const struct stook__connection *name)
{
    return name->id >= 0 || name->local_port > 0;
}

void stook__sockets_name(const struct stook__easy *easy, const char *remote, int remote_port,
                         int local_port, struct stook__connection *ret_name)
{
    curl_off_t id = -1;
    if (curl_easy_getinfo(easy->curl, CONN_ID, &id) != CURLE_OK)
        id = -1;
    *ret_name =
        (struct stook__connection){.id = id, .local_port = local_port, .remote_port = remote_port};
    size_t size = remote != NULL ? strlen(remote) : 0;
    if (size < sizeof ret_name->remote)
        memcpy(ret_name->remote, remote != NULL ? remote : "", size);
}

/* The same of a transfer that is under way. */
static void name_of(const struct stook__easy *easy, struct stook__connection *ret_name)
{
    long local = 0, remote = 0;
    char *ip = NULL;
    curl_easy_getinfo(easy->curl, CURLINFO_LOCAL_PORT, &local);
    curl_easy_getinfo(easy->curl, CURLINFO_PRIMARY_PORT, &remote);
    curl_easy_getinfo(easy->curl, CURLINFO_PRIMARY_IP, &ip);
    stook__sockets_name(easy, ip, (int)remote, (int)local, ret_name);
}

static int is_called(const struct stook__socket *socket, const struct stook__multi *multi,
                     const struct stook__connection *name)
{
    if (!socket->ours || !socket->connected || socket->multi != multi || !has_name(name))
        return 0;
    if (name->id >= 0)
        return socket->name.id == name->id;
    return socket->name.local_port == name->local_port &&
           socket->name.remote_port == name->remote_port &&
           strcmp(socket->name.remote, name->remote) == 0;
}

int stook__sockets_used(const struct stook__socket *socket)
{
    const struct stook__link *easies = &socket->multi->easies;
    for (const struct stook__link *link = easies->next; link != easies; link = link->next) {
        const struct stook__easy *easy = STOOK__OF(struct stook__easy, link, link);
        struct stook__connection name;
        if (easy->sends == 0)
            continue;
        name_of(easy, &name);
        if (is_called(socket, socket->multi, &name))
            return 1;
    }
    return 0;
}

/* ---------------------------------------------------------------------------- events */

/* A descriptor of libcurl's own that stays readable whatever it is told. */
static void quiet(struct stook__engine *engine, int fd)
{
    uint64_t count;
    struct stook__socket *socket = find(engine, fd);
    if (socket != NULL && !socket->ours && read(fd, &count, sizeof count) < 0)
        set(socket, socket->want);
}

static enum stook__idle_kind kind_of(const struct stook__socket *socket)
{
    if (!socket->tls)
        return STOOK__IDLE_PLAIN;
    return socket->http1 ? STOOK__IDLE_TLS : STOOK__IDLE_SHARED;
}

static void idle_event(struct stook__socket *socket, int events)
{
    struct stook__sockets *sockets = &socket->engine->sockets;
    /* One without a name may be what a paused transfer does not read from. It is left alone until
       libcurl says something of it; libcurl itself sees whether a plain connection has ended. */
    if (!has_name(&socket->name) && socket->multi->n_paused > 0) {
        set(socket, 0);
        return;
    }
    int watch = stook__idle_event(socket->fd, events, kind_of(socket));
    int died = watch == 0 && !socket->dead;
    sockets->n_dead += (size_t)died;
    sockets->n_ended += (size_t)died;
    socket->dead = socket->dead || died;
    set(socket, watch);
}

static void on_event(void *owner, int events)
{
    struct stook__socket *socket = owner;
    struct stook__engine *engine = socket->engine;
    int fd = socket->fd;
    if (socket->idle && socket->multi->n_paused > 0)
        stook__multi_program_paused(socket->multi);
    if (socket->program_paused > 0 && socket->want == 0)
        return;
    if (socket->idle) {
        idle_event(socket, events);
        return;
    }
    if (events & STOOK__IN)
        socket->heard_at = stook__engine_time(engine);
    /* An error is told as "try both": libcurl finds out for itself, and what the peer sent before
       the error is still read. Told as an error, libcurl up to 8.9 throws it away. */
    int bits = (events & (STOOK__IN | STOOK__HANGUP) ? CURL_CSELECT_IN : 0) |
               (events & STOOK__OUT ? CURL_CSELECT_OUT : 0);
    if (events & STOOK__ERROR)
        bits = CURL_CSELECT_IN | CURL_CSELECT_OUT;
    else
        socket->errors = 0;
    stook__multi_action(socket->multi, fd, bits);
    if (engine->quirks & STOOK__QUIRK_WAKES_FOR_EVER)
        quiet(engine, fd);
    if (!(events & STOOK__ERROR))
        return;
    socket = find(engine, fd);
    if (socket == NULL || socket->idle)
        return;
    if (++socket->errors >= ERRORS)
        shutdown(fd, SHUT_RDWR);
    set(socket, 0);
    watch(socket);
}

static struct stook__socket *enter(struct stook__engine *engine, int fd)
{
    if ((size_t)fd >= engine->sockets.capacity && grow(engine, fd) != 0)
        return NULL;
    struct stook__socket *socket = stook__alloc(engine->allocator, sizeof *socket);
    if (socket == NULL)
        return NULL;
    socket->engine = engine;
    socket->fd = fd;
    socket->idle = 1;
    socket->name.id = -1;
    stook__list_init(&socket->opened);
    socket->watcher = stook__poll_new(engine->loop, fd, on_event, socket);
    if (socket->watcher == NULL) {
        stook__free(engine->allocator, socket);
        return NULL;
    }
    engine->sockets.by_fd[fd] = socket;
    return socket;
}

int stook__sockets_opened(struct stook__easy *easy, int fd)
{
    struct stook__engine *engine = easy->engine;
    /* libcurl closed the one before without a word: its watcher must not outlive it. */
    struct stook__socket *stale = find(engine, fd);
    if (stale != NULL)
        forget(stale);
    struct stook__socket *socket = enter(engine, fd);
    if (socket == NULL)
        return STOOK_ENOMEM;
    socket->ours = 1;
    socket->opener = easy;
    socket->multi = easy->multi;
    stook__list_append(&easy->opened, &socket->opened);
    return 0;
}

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static int port_of(int fd)
{
    union address address = {0};
    socklen_t size = sizeof address;
    if (getsockname(fd, &address.any, &size) != 0)
        return -1;
    return ntohs(address.any.sa_family == AF_INET6 ? address.in6.sin6_port : address.in.sin_port);
}

static void give_up(struct stook__socket *socket)
{
    if (!socket->connected)
        unwatch(socket);
    stook__list_remove(&socket->opened);
    socket->opener = NULL;
}

int stook__sockets_reached(const struct stook__easy *easy)
{
    for (struct stook__link *link = easy->opened.next; link != &easy->opened; link = link->next) {
        const struct stook__socket *socket = STOOK__OF(struct stook__socket, opened, link);
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        if (socket->watcher != NULL &&
            getpeername(socket->fd, (struct sockaddr *)&peer, &size) == 0)
            return 1;
    }
    return 0;
}

void stook__sockets_give_up(struct stook__easy *easy)
{
    while (!stook__list_empty(&easy->opened))
        give_up(STOOK__OF(struct stook__socket, opened, easy->opened.next));
}

/* Of several addresses tried at once one has won. libcurl up to 8.1 closes the other sockets without a
   word: they are given up here. */
void stook__sockets_connected(struct stook__easy *easy, const struct stook__connection *name)
{
    int several = easy->opened.next->next != &easy->opened;
    struct stook__link *link = easy->opened.next, *next;
    for (; link != &easy->opened; link = next) {
        struct stook__socket *socket = STOOK__OF(struct stook__socket, opened, link);
        next = link->next;
        if (several && port_of(socket->fd) != name->local_port) {
            forget(socket);
            continue;
        }
        socket->connected = 1;
        socket->name = *name;
        socket->tls = easy->origin->tls;
        socket->http1 = !easy->origin->h2;
    }
}

void stook__sockets_speak(const struct stook__easy *easy, int http1)
{
    for (struct stook__link *link = easy->opened.next; link != &easy->opened; link = link->next)
        STOOK__OF(struct stook__socket, opened, link)->http1 = http1;
}

int stook__sockets_dead(const struct stook__easy *easy, const struct stook__connection *name)
{
    const struct stook__sockets *sockets = &easy->engine->sockets;
    size_t left = sockets->n_dead;
    for (size_t fd = 0; left > 0 && fd < sockets->capacity; fd++) {
        const struct stook__socket *socket = sockets->by_fd[fd];
        if (socket == NULL || !socket->dead)
            continue;
        if (is_called(socket, easy->multi, name))
            return 1;
        left--;
    }
    return 0;
}

int stook__sockets_exhausted(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return errno == EMFILE || errno == ENFILE;
    close(pair[0]);
    close(pair[1]);
    return 0;
}

/* libcurl is done with a socket. That of a easy handle which has not connected was refused. */
static void done_with(const struct stook__socket *socket)
{
    if (!socket->connected && socket->opener != NULL)
        stook__next_address_schedule(socket->opener);
}

int stook__sockets_close(void *user, curl_socket_t fd)
{
    struct stook__engine *engine = user;
    struct stook__socket *socket = find(engine, fd);
    engine->sockets.n_ended++;
    if (socket != NULL) {
        /* Of a file of certificates that it cannot open libcurl says that it is bad. */
        if (!socket->connected && socket->opener != NULL)
            socket->opener->no_descriptors = stook__sockets_exhausted();
        done_with(socket);
        forget(socket);
    }
    close(fd);
    return 0;
}

static void removed(struct stook__socket *socket)
{
    socket->want = 0;
    if (!socket->ours) {
        forget(socket);
        return;
    }
    done_with(socket);
    /* A connection of which all transfers are paused is not idle: what comes over it is meant for us. */
    if (socket->program_paused > 0) {
        watch(socket);
        return;
    }
    socket->idle = 1;
    socket->alone = 0;
    /* A connection that is kept is watched while idle, mostly as it was already: no system call
       until it closes or speaks. One that never connected may be closed without our callback
       (7.88 to 8.1), so its watch ends here. */
    if (socket->connected)
        set(socket, STOOK__IN | STOOK__HANGUP);
    else
        unwatch(socket);
}

/* Never -1: that fails every transfer of the CURLM, and crashes some versions. */
int stook__sockets_announced(CURL *curl, curl_socket_t fd, int what, void *user, void *unused)
{
    struct stook__multi *multi = user;
    struct stook__socket *socket = find(multi->engine, fd);
    (void)curl; /* may be a handle of libcurl's own */
    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        if (socket != NULL)
            removed(socket);
        return 0;
    }
    if (socket == NULL)
        socket = enter(multi->engine, fd);
    /* Without memory for it a resolver's descriptor goes unwatched: libcurl looks after those by
       timer too, so the answer only comes later. */
    if (socket == NULL)
        return 0;
    socket->multi = multi;
    socket->idle = 0;
    socket->want = (what & CURL_POLL_IN ? STOOK__IN | (socket->ours ? STOOK__HANGUP : 0) : 0) |
                   (what & CURL_POLL_OUT ? STOOK__OUT : 0);
    watch(socket);
    return 0;
}

static void note_paused(struct stook__socket *socket, int alone)
{
    socket->program_paused++;
    socket->unread = alone;
    if (socket->idle)
        socket->idle = socket->want = 0;
    watch(socket);
}

static void release(struct stook__socket *socket)
{
    if (--socket->program_paused > 0)
        return;
    socket->program_paused = socket->unread = 0;
    if (socket->want != 0)
        watch(socket);
    else
        removed(socket);
}

/* NULL: the connection has no name. The one that the transfer opened has carried it; else it is mostly the
   same as the last time it was asked. */
static struct stook__socket *carrier_of(struct stook__easy *easy)
{
    struct stook__engine *engine = easy->engine;
    struct stook__connection name;
    struct stook__link *link;
    for (link = easy->opened.next; link != &easy->opened; link = link->next)
        if (STOOK__OF(struct stook__socket, opened, link)->connected)
            return STOOK__OF(struct stook__socket, opened, link);
    name_of(easy, &name);
    struct stook__socket *socket = find(engine, easy->carrier);
    if (socket != NULL && is_called(socket, easy->multi, &name))
        return socket;
    for (size_t fd = 0; has_name(&name) && fd < engine->sockets.capacity; fd++) {
        socket = engine->sockets.by_fd[fd];
        if (socket == NULL || !is_called(socket, easy->multi, &name))
            continue;
        easy->carrier = (int)fd;
        return socket;
    }
    return NULL;
}

int64_t stook__sockets_heard_at(struct stook__easy *easy)
{
    const struct stook__socket *socket = carrier_of(easy);
    return socket != NULL && (!socket->tls || socket->http1) ? socket->heard_at : 0;
}

void stook__sockets_program_paused(struct stook__easy *easy, int program_paused)
{
    struct stook__socket *socket = carrier_of(easy);
    if (socket == NULL)
        return;
    if (program_paused)
        note_paused(socket, easy->origin->protocol == 11);
    else if (socket->program_paused > 0)
        release(socket);
}

void stook__sockets_leave(const struct stook__multi *multi)
{
    struct stook__engine *engine = multi->engine;
    for (size_t fd = 0; fd < engine->sockets.capacity; fd++)
        if (engine->sockets.by_fd[fd] != NULL && engine->sockets.by_fd[fd]->multi == multi)
            forget(engine->sockets.by_fd[fd]);
}

void stook__sockets_free(struct stook__engine *engine)
{
    for (size_t fd = 0; fd < engine->sockets.capacity; fd++)
        if (engine->sockets.by_fd[fd] != NULL)
            forget(engine->sockets.by_fd[fd]);
    stook__free(engine->allocator, engine->sockets.by_fd);
    engine->sockets = (struct stook__sockets){0};
}
