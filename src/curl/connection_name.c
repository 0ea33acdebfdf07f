/* SPDX-License-Identifier: MIT */
/* Names of connections; see connection_name.h. */
#include "curl/connection_name.h"

#include <string.h>

#include "curl/easy_state.h"
#include "curl/engine_state.h"
#include "curl/multi_state.h"
#include "curl/socket.h"

/* Of libcurl 8.2; the headers that we are built with may be older. */
#define CONN_ID ((CURLINFO)(CURLINFO_OFF_T + 64))

int stook__connection_has_name(const struct stook__connection_name *name)
{
    return name->id >= 0 || name->local_port > 0;
}

void stook__connection_name_set(struct stook__connection_name *ret_name,
                                const struct stook__easy *easy, const char *remote, int remote_port,
                                int local_port)
{
    curl_off_t id = -1;
    if (curl_easy_getinfo(easy->curl, CONN_ID, &id) != CURLE_OK)
        id = -1;
    *ret_name = (struct stook__connection_name){
        .id = id, .local_port = local_port, .remote_port = remote_port};
    size_t size = remote != NULL ? strlen(remote) : 0;
    if (size < sizeof ret_name->remote)
        memcpy(ret_name->remote, remote != NULL ? remote : "", size);
}

/* The same for a running transfer, outside that callback. */
static void name_of(const struct stook__easy *easy, struct stook__connection_name *ret_name)
{
    long local = 0, remote = 0;
    char *ip = NULL;
    curl_easy_getinfo(easy->curl, CURLINFO_LOCAL_PORT, &local);
    curl_easy_getinfo(easy->curl, CURLINFO_PRIMARY_PORT, &remote);
    curl_easy_getinfo(easy->curl, CURLINFO_PRIMARY_IP, &ip);
    stook__connection_name_set(ret_name, easy, ip, (int)remote, (int)local);
}

static int matches(const struct stook__socket *socket, const struct stook__multi *multi,
                   const struct stook__connection_name *name)
{
    if (!socket->ours || !socket->connected || socket->multi != multi ||
        !stook__connection_has_name(name))
        return 0;
    if (name->id >= 0)
        return socket->name.id == name->id;
    return socket->name.local_port == name->local_port &&
           socket->name.remote_port == name->remote_port &&
           strcmp(socket->name.remote, name->remote) == 0;
}

int stook__connection_is_used(const struct stook__socket *socket)
{
    const struct stook__link *easies = &socket->multi->easies;
    for (const struct stook__link *link = easies->next; link != easies; link = link->next) {
        const struct stook__easy *easy = STOOK__OF(struct stook__easy, link, link);
        struct stook__connection_name name;
        if (easy->sends == 0)
            continue;
        name_of(easy, &name);
        if (matches(socket, socket->multi, &name))
            return 1;
    }
    return 0;
}

int stook__connection_is_dead(const struct stook__easy *easy,
                              const struct stook__connection_name *name)
{
    const struct stook__sockets *sockets = &easy->engine->sockets;
    int dead = 0;
    if (sockets->n_dead == 0)
        return 0;
    for (size_t fd = 0; fd < sockets->capacity; fd++) {
        const struct stook__socket *socket = sockets->by_fd[fd];
        if (socket == NULL || !matches(socket, easy->multi, name))
            continue;
        if (!socket->dead)
            return 0;
        dead = 1;
    }
    return dead;
}

/* A socket that the transfer has opened and that is connected is the one. Otherwise the connection
   is mostly at the descriptor where it was last found. It is not a dead one: on that no request is
   sent. */
struct stook__socket *stook__connection_socket(struct stook__easy *easy)
{
    const struct stook__sockets *sockets = &easy->engine->sockets;
    struct stook__connection_name name;
    struct stook__link *link;
    for (link = easy->opened.next; link != &easy->opened; link = link->next)
        if (STOOK__OF(struct stook__socket, opened, link)->connected)
            return STOOK__OF(struct stook__socket, opened, link);
    name_of(easy, &name);
    struct stook__socket *socket = stook__sockets_find(sockets, easy->last_fd);
    if (socket != NULL && !socket->dead && matches(socket, easy->multi, &name))
        return socket;
    for (size_t fd = 0; stook__connection_has_name(&name) && fd < sockets->capacity; fd++) {
        socket = sockets->by_fd[fd];
        if (socket == NULL || socket->dead || !matches(socket, easy->multi, &name))
            continue;
        easy->last_fd = (int)fd;
        return socket;
    }
    return NULL;
}
