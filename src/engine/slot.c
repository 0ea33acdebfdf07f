/* SPDX-License-Identifier: MIT */
/*
 * A slot: one easy handle and what libcurl's callbacks write down about it.
 *
 * Removing a handle whose name look-up is under way would wait for getaddrinfo, and with it the
 * whole loop. Such a slot is parked: its owner is gone, it opens no socket and sends nothing, and
 * it goes when its look-up has returned.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/lane.h"
#include "engine/sockets.h"

static size_t on_head(char *data, size_t one, size_t size, void *user)
{
    struct stook__slot *slot = user;
    (void)one;
    if (slot->owner == NULL || slot->events->head(slot->owner, data, size) != 0)
        return CURL_WRITEFUNC_ERROR;
    return size;
}

static size_t on_body(char *data, size_t one, size_t size, void *user)
{
    struct stook__slot *slot = user;
    (void)one;
    if (slot->owner == NULL || slot->events->body(slot->owner, data, size) != 0)
        return CURL_WRITEFUNC_ERROR;
    return size;
}

static int on_resolver(void *resolver, void *reserved, void *user)
{
    struct stook__slot *slot = user;
    (void)resolver;
    (void)reserved;
    slot->resolving = 1;
    return 0;
}

static int new_socket(const struct curl_sockaddr *address)
{
    return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
}

static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct stook__slot *slot = user;
    slot->resolving = 0;
    if (slot->owner == NULL || purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    int fd = new_socket(address);
    if (fd < 0) {
        slot->os_error = errno;
        return CURL_SOCKET_BAD;
    }
    if (stook__sockets_opened(slot, fd) != 0) {
        slot->os_error = ENOMEM;
        close(fd);
        return CURL_SOCKET_BAD;
    }
    if (slot->n_opened < (int)(sizeof slot->opened / sizeof *slot->opened))
        slot->opened[slot->n_opened++] = fd;
    return fd;
}

/* A connection is there and the request goes out next. The second time in one attempt libcurl means
   to send it again because a kept-alive connection died: whether that is right is not libcurl's to
   say, so it is refused. */
static int before_send(void *user, char *remote, char *local, int remote_port, int local_port)
{
    struct stook__slot *slot = user;
    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    slot->resolving = 0;
    if (slot->owner == NULL || ++slot->sends > 1)
        return CURL_PREREQFUNC_ABORT;
    stook__sockets_connected(slot);
    slot->events->before_send(slot->owner);
    return CURL_PREREQFUNC_OK;
}

static int set_options(struct stook__slot *slot)
{
    CURL *easy = slot->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)slot);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->error);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, (void *)slot);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, (void *)slot);
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, on_resolver);
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, (void *)slot);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, (void *)slot);
    /* libcurl copies these two into the connection, which outlives the slot. */
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, stook__sockets_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, (void *)slot->engine);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, (void *)slot);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* The age at which libcurl drops an idle connection is taken from whichever handle looks, so
       it has to be the same on all. */
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 60L);
    return 0;
}

struct stook__slot *stook__slot_take(struct stook__engine *engine, const struct stook__attempt_events *events,
                                     void *owner)
{
    struct stook__slot *slot = stook__alloc(engine->heap, sizeof *slot);
    if (slot == NULL)
        return NULL;
    slot->easy = curl_easy_init();
    if (slot->easy == NULL) {
        stook__free(engine->heap, slot);
        return NULL;
    }
    slot->engine = engine;
    slot->events = events;
    slot->owner = owner;
    stook__list_init(&slot->link);
    set_options(slot);
    return slot;
}

CURL *stook__slot_easy(struct stook__slot *slot)
{
    return slot->easy;
}

int stook__slot_start(struct stook__slot *slot)
{
    return stook__lane_add(slot->engine->lane, slot);
}

void stook__slot_facts(struct stook__slot *slot, struct stook__slot_facts *ret_facts)
{
    ret_facts->code = slot->code;
    ret_facts->text = slot->error;
    ret_facts->os_error = slot->os_error;
    ret_facts->resent = slot->sends > 1;
    ret_facts->broken = slot->broken;
}

static void park(struct stook__slot *slot)
{
    slot->owner = NULL;
    slot->engine->parked++;
    /* What belongs to the attempt goes with it. */
    curl_easy_setopt(slot->easy, CURLOPT_CURLU, NULL);
    curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(slot->easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, NULL);
}

void stook__slot_give_back(struct stook__slot *slot)
{
    if (slot->lane != NULL && slot->resolving)
        park(slot);
    else
        stook__slot_destroy(slot);
}

void stook__slot_destroy(struct stook__slot *slot)
{
    struct stook__engine *engine = slot->engine;
    if (slot->owner == NULL)
        engine->parked--;
    if (slot->lane != NULL)
        stook__lane_remove(slot);
    stook__list_remove(&slot->link);
    curl_easy_cleanup(slot->easy);
    stook__free(engine->heap, slot);
}
