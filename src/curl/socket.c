/* SPDX-License-Identifier: MIT */
/* The table of sockets; see socket.h. */
#include "curl/socket.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "curl/easy_state.h"
#include "curl/engine_state.h"
#include "curl/idle.h"
#include "curl/multi_state.h"
#include "curl/origin.h"
#include "curl/quirks/next_address.h"
#include "curl/quirks/quirks.h"
#include "loop/loop.h"
#include "loop/poll.h"
#include "util/trace.h"

enum { ERRORS_MAX = 3 }; /* error events in a row after which a socket is shut down */

#define TO(state) (1u << STOOK__SOCKET_##state)

static const struct {
    const char *name;
    unsigned next; /* the states that may follow */
} states[] = {
    [STOOK__SOCKET_OPENED] = {"opened", TO(WATCHED) | TO(PAUSED) | TO(IDLE) | TO(DIRECT)},
    [STOOK__SOCKET_WATCHED] = {"watched", TO(PAUSED) | TO(IDLE) | TO(DIRECT)},
    [STOOK__SOCKET_PAUSED] = {"paused", TO(WATCHED) | TO(IDLE)},
    [STOOK__SOCKET_IDLE] = {"idle", TO(WATCHED) | TO(PAUSED) | TO(DIRECT)},
    [STOOK__SOCKET_DIRECT] = {"direct", 0},
};

static void move(struct stook__socket *socket, enum stook__socket_state to, const char *why)
{
    (void)states, (void)why;
    if (socket->state == to)
        return;
    assert(states[socket->state].next & (1u << to));
    STOOK__TRACE("curl", "socket %d: %s -> %s: %s", socket->fd, states[socket->state].name,
                 states[to].name, why);
    socket->state = to;
}

/* Tells whether no transfer uses the socket, as far as libcurl says. */
static int is_idle(const struct stook__socket *socket)
{
    return socket->state == STOOK__SOCKET_IDLE || socket->state == STOOK__SOCKET_OPENED;
}

struct stook__socket *stook__sockets_find(const struct stook__sockets *sockets, int fd)
{
    return fd >= 0 && (size_t)fd < sockets->capacity ? sockets->by_fd[fd] : NULL;
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

/* Stops watching a socket that libcurl may close without calling us. The program or another client
   may get the same descriptor then, and stopping our watcher later would take theirs out of epoll.
   */
static void unwatch(struct stook__socket *socket)
{
    if (socket->watcher != NULL)
        stook__poll_close(socket->watcher);
    socket->watcher = NULL;
}

/* Removes an entry from the table. */
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

/* Watches the descriptor for exactly these events. */
static void set_events(struct stook__socket *socket, int events)
{
    if (socket->watcher == NULL && events != 0)
        socket->watcher = stook__poll_new(socket->engine->loop, socket->fd, on_event, socket);
    if (socket->watcher != NULL)
        stook__poll_set(socket->watcher, events);
}

/* Watches the descriptor for what libcurl wants. If nobody reads from it, it must not be watched
   for reading: polls are level-triggered and would report it without end. */
static void watch(struct stook__socket *socket)
{
    int unread_events = socket->unread ? STOOK__IN | STOOK__HANGUP : 0;
    set_events(socket, socket->want & ~unread_events);
}

/* Adds a descriptor to the table and creates its watcher. */
static struct stook__socket *enter(struct stook__engine *engine, int fd)
{
    if ((size_t)fd >= engine->sockets.capacity && grow(engine, fd) != 0)
        return NULL;
    struct stook__socket *socket = stook__alloc(engine->allocator, sizeof *socket);
    if (socket == NULL)
        return NULL;
    socket->engine = engine;
    socket->fd = fd;
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
    /* libcurl closed the descriptor earlier without calling us: its watcher must end. */
    struct stook__socket *stale = stook__sockets_find(&engine->sockets, fd);
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

/* --------------------------------------------------------------- sockets of an easy handle */

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

void stook__sockets_break_off(struct stook__easy *easy)
{
    while (!stook__list_empty(&easy->opened)) {
        struct stook__socket *socket = STOOK__OF(struct stook__socket, opened, easy->opened.next);
        int fd = socket->fd;
        shutdown(fd, SHUT_RDWR);
        give_up(socket);
        stook__multi_action(easy->multi, fd, CURL_CSELECT_IN);
    }
}

/* libcurl tries several addresses at once and keeps the first that connects. Up to 8.1 it closes
   the other sockets without calling us, so they are removed here. */
void stook__sockets_connected(struct stook__easy *easy, const struct stook__connection_name *name)
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

void stook__sockets_note_protocol(const struct stook__easy *easy, int http1)
{
    for (struct stook__link *link = easy->opened.next; link != &easy->opened; link = link->next)
        STOOK__OF(struct stook__socket, opened, link)->http1 = http1;
}

/* ---------------------------------------------------------------------- calls by libcurl */

int stook__sockets_exhausted(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return errno == EMFILE || errno == ENFILE;
    close(pair[0]);
    close(pair[1]);
    return 0;
}

/* Runs when libcurl has finished with a socket. If the socket never connected, its address refused.
   */
static void try_next_address(const struct stook__socket *socket)
{
    if (!socket->connected && socket->opener != NULL)
        stook__next_address_schedule(socket->opener);
}

int stook__sockets_close(void *user, curl_socket_t fd)
{
    struct stook__engine *engine = user;
    struct stook__socket *socket = stook__sockets_find(&engine->sockets, fd);
    engine->sockets.n_ended++;
    if (socket != NULL) {
        /* Without a descriptor libcurl cannot open a file of certificates, and reports it as bad.
           */
        if (!socket->connected && socket->opener != NULL)
            socket->opener->no_descriptors = stook__sockets_exhausted();
        try_next_address(socket);
        forget(socket);
    }
    close(fd);
    return 0;
}

/* libcurl does not want this descriptor watched any more. */
static void removed(struct stook__socket *socket)
{
    socket->want = 0;
    if (!socket->ours) {
        forget(socket);
        return;
    }
    try_next_address(socket);
    /* While transfers are paused the connection is not idle: its input belongs to a response. */
    if (socket->program_paused > 0) {
        move(socket, STOOK__SOCKET_PAUSED, "removed while paused");
        watch(socket);
        return;
    }
    move(socket, STOOK__SOCKET_IDLE, "removed");
    socket->alone = 0;
    /* An idle connection stays watched, mostly for the same events, which costs no system call. A
       socket that never connected may be closed without our callback (7.88 to 8.1). */
    if (socket->connected)
        set_events(socket, STOOK__IN | STOOK__HANGUP);
    else
        unwatch(socket);
}

/* Never returns -1: that fails every transfer of the CURLM, and some versions crash. */
int stook__sockets_announced(CURL *curl, curl_socket_t fd, int what, void *user, void *unused)
{
    struct stook__multi *multi = user;
    struct stook__socket *socket = stook__sockets_find(&multi->engine->sockets, fd);
    (void)curl; /* may be an internal handle of libcurl */
    (void)unused;
    if (socket != NULL && socket->state == STOOK__SOCKET_DIRECT)
        return 0;
    if (what == CURL_POLL_REMOVE) {
        if (socket != NULL)
            removed(socket);
        return 0;
    }
    if (socket == NULL)
        socket = enter(multi->engine, fd);
    /* There is no memory to watch a descriptor of the resolver. libcurl polls its resolver by timer
       too, so the look-up only takes longer. */
    if (socket == NULL)
        return 0;
    socket->multi = multi;
    socket->want = (what & CURL_POLL_IN ? STOOK__IN | (socket->ours ? STOOK__HANGUP : 0) : 0) |
                   (what & CURL_POLL_OUT ? STOOK__OUT : 0);
    if (socket->want != 0 || socket->program_paused == 0)
        move(socket, STOOK__SOCKET_WATCHED, "announced");
    else
        move(socket, STOOK__SOCKET_PAUSED, "announced without an event");
    watch(socket);
    return 0;
}

/* ---------------------------------------------------------------------- paused transfers */

static void pause_one(struct stook__socket *socket, int exclusive)
{
    socket->program_paused++;
    socket->unread = exclusive;
    if (is_idle(socket))
        socket->want = 0;
    if (socket->want == 0)
        move(socket, STOOK__SOCKET_PAUSED, "paused by the program");
    watch(socket);
}

static void resume_one(struct stook__socket *socket)
{
    if (--socket->program_paused > 0)
        return;
    socket->program_paused = socket->unread = 0;
    if (socket->want != 0)
        watch(socket);
    else
        removed(socket);
}

int64_t stook__sockets_last_input(struct stook__easy *easy)
{
    const struct stook__socket *socket = stook__connection_socket(easy);
    return socket != NULL && (!socket->tls || socket->http1) ? socket->last_input : 0;
}

void stook__sockets_program_paused(struct stook__easy *easy)
{
    if (!stook__easy_is_running(easy) || easy->program_paused)
        return;
    easy->program_paused = 1;
    struct stook__socket *socket = stook__connection_socket(easy);
    if (socket != NULL)
        pause_one(socket, easy->origin->protocol == 11);
}

void stook__sockets_program_resumed(struct stook__easy *easy)
{
    if (!easy->program_paused)
        return;
    easy->program_paused = 0;
    struct stook__socket *socket = stook__connection_socket(easy);
    if (socket != NULL && socket->program_paused > 0)
        resume_one(socket);
}

/* Marks the connections of all paused easy handles as paused. libcurl does not watch these
   connections either, so they would be taken for idle ones. */
static void note_paused(const struct stook__multi *multi)
{
    for (struct stook__link *link = multi->easies.next; link != &multi->easies; link = link->next) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, link, link);
        if (easy->paused)
            stook__sockets_program_paused(easy);
    }
}

/* ---------------------------------------------------------------------------- events */

/* Empties an eventfd of libcurl that libcurl itself never reads. */
static void drain_eventfd(struct stook__engine *engine, int fd)
{
    uint64_t count;
    struct stook__socket *socket = stook__sockets_find(&engine->sockets, fd);
    if (socket != NULL && !socket->ours && read(fd, &count, sizeof count) < 0)
        set_events(socket, socket->want);
}

static enum stook__idle_protocol protocol_of(const struct stook__socket *socket)
{
    if (!socket->tls)
        return STOOK__IDLE_HTTP_1;
    return socket->http1 ? STOOK__IDLE_HTTP_1_TLS : STOOK__IDLE_HTTP_2_TLS;
}

/* Handles an event of an idle connection. Returns the events to watch it for from now on; 0 if the
   connection is closed. */
static int idle_event(struct stook__socket *socket, int events)
{
    struct stook__sockets *sockets = &socket->engine->sockets;
    /* A connection without a name may be that of a paused transfer. It is left alone until libcurl
       announces it again; libcurl finds out by itself whether a plain connection was closed. */
    if (!stook__connection_has_name(&socket->name) && socket->multi->n_paused > 0)
        return 0;
    int watched = stook__idle_check(socket->fd, events, protocol_of(socket));
    int died = watched == 0 && !socket->dead;
    sockets->n_dead += (size_t)died;
    sockets->n_ended += (size_t)died;
    socket->dead = socket->dead || died;
    return watched;
}

static void on_event(void *owner, int events)
{
    struct stook__socket *socket = owner;
    struct stook__engine *engine = socket->engine;
    int fd = socket->fd;
    if (socket->state == STOOK__SOCKET_DIRECT) {
        socket->on_direct(socket->direct, events);
        return;
    }
    if (is_idle(socket) && socket->multi->n_paused > 0)
        note_paused(socket->multi);
    if (socket->state == STOOK__SOCKET_PAUSED)
        return;
    if (is_idle(socket)) {
        set_events(socket, idle_event(socket, events));
        return;
    }
    if (events & STOOK__IN)
        socket->last_input = stook__loop_cached(engine->loop);
    /* An error is reported as "readable and writable". libcurl finds the error itself, after it has
       read what the peer sent before. On CURL_CSELECT_ERR libcurl up to 8.9 discards those bytes.
       */
    int bits = (events & (STOOK__IN | STOOK__HANGUP) ? CURL_CSELECT_IN : 0) |
               (events & STOOK__OUT ? CURL_CSELECT_OUT : 0);
    if (events & STOOK__ERROR)
        bits = CURL_CSELECT_IN | CURL_CSELECT_OUT;
    else
        socket->errors = 0;
    struct stook__multi *multi = socket->multi;
    stook__multi_action(multi, fd, bits);
    if (multi->direct)
        engine->connected(multi); /* a new connection that is silent for long may be closed */
    if (engine->quirks & STOOK__QUIRK_WAKES_FOR_EVER)
        drain_eventfd(engine, fd);
    if (!(events & STOOK__ERROR))
        return;
    socket = stook__sockets_find(&engine->sockets, fd);
    if (socket == NULL || is_idle(socket))
        return;
    /* libuv has stopped the poll, so it is started again; but not without end. */
    if (++socket->errors >= ERRORS_MAX)
        shutdown(fd, SHUT_RDWR);
    set_events(socket, 0);
    watch(socket);
}

/* ---------------------------------------------------------------------- connections of ours */

void stook__sockets_hand_over(struct stook__socket *socket, struct stook__easy *easy,
                              void (*event)(struct stook__easy *easy, int events))
{
    move(socket, STOOK__SOCKET_DIRECT, "handed over");
    socket->want = 0;
    socket->direct = easy;
    socket->on_direct = event;
}

void stook__sockets_watch(struct stook__socket *socket, int events)
{
    set_events(socket, events);
}

/* ------------------------------------------------------------------------------- end */

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
