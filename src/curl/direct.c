/* SPDX-License-Identifier: MIT */
/* Easy handles that only connect, and their exchanges; see direct.h. */
#include "curl/direct.h"

#include "curl/attempt_events.h"
#include "curl/connect_gate.h"
#include "curl/easy_state.h"
#include "curl/engine_state.h"
#include "curl/multi_state.h"
#include "curl/origin.h"
#include "curl/socket.h"
#include "loop/loop.h"

/* ------------------------------------------------------------------ events of the connection */

static enum stook__http1_step on_take(void *owner, const char *data, size_t size, size_t *ret_used)
{
    struct stook__easy *easy = owner;
    if (easy->owner == NULL)
        return STOOK__HTTP1_STOP;
    if (easy->first_at == 0 && size > 0)
        easy->first_at = stook__loop_now();
    return easy->events->take(easy->owner, data, size, ret_used);
}

static void on_watch(void *owner, int events)
{
    struct stook__easy *easy = owner;
    struct stook__socket *socket = stook__sockets_find(&easy->engine->sockets, easy->direct_fd);
    if (socket != NULL)
        stook__sockets_watch(socket, events);
}

static void on_over(void *owner, CURLcode code)
{
    struct stook__easy *easy = owner;
    easy->over_at = stook__loop_now();
    if (easy->state != STOOK__EASY_STARTED)
        return;
    stook__list_remove(&easy->link); /* it may have been notified */
    stook__easy_complete(easy, code, "its exchange is over");
}

static const struct stook__http1_events exchange_events = {on_take, on_watch, on_over};

static void report_sent(const struct stook__easy *easy)
{
    if (easy->watches_sent && easy->owner != NULL)
        easy->events->sent(easy->owner, (int64_t)easy->http1.body_sent);
}

static void on_event(struct stook__easy *easy, int events)
{
    easy->engine->now = stook__loop_cached(easy->engine->loop);
    stook__http1_event(&easy->http1, events);
    report_sent(easy);
    if (easy->state == STOOK__EASY_POOLED && easy->http1.state == STOOK__HTTP1_DEAD)
        stook__curl_origin_drop(easy);
}

/* ------------------------------------------------------------------------------ an exchange */

void stook__direct_begin(struct stook__easy *easy)
{
    struct stook__engine *engine = easy->engine;
    struct stook__socket *socket = stook__sockets_find(&engine->sockets, easy->direct_fd);
    const char *body = NULL;
    size_t body_size = 0;
    engine->now = stook__loop_cached(engine->loop);
    easy->first_at = easy->over_at = 0;
    if (easy->sends == 0) { /* a kept connection; otherwise on_prereq() has done this */
        easy->started_at = stook__loop_now();
        easy->sends = 1;
        stook__connect_gate_used(easy->origin);
        easy->events->before_send(easy->owner, socket->name.remote, socket->name.remote_port);
    }
    size_t size = easy->owner != NULL ? easy->events->write(easy->owner, engine->room,
                                                            STOOK__HTTP1_ROOM, &body, &body_size)
                                      : 0;
    if (size == 0)
        on_over(easy, CURLE_SEND_ERROR);
    else
        stook__http1_send(&easy->http1, size, body, body_size);
    report_sent(easy);
}

void stook__direct_connected(struct stook__easy *easy)
{
    struct stook__engine *engine = easy->engine;
    curl_socket_t fd = CURL_SOCKET_BAD;
    curl_easy_getinfo(easy->curl, CURLINFO_ACTIVESOCKET, &fd);
    struct stook__socket *socket = stook__sockets_find(&engine->sockets, (int)fd);
    if (engine->room == NULL)
        engine->room = stook__resize(engine->allocator, NULL, STOOK__HTTP1_ROOM);
    if (engine->room == NULL || socket == NULL) {
        stook__easy_complete(easy, CURLE_OUT_OF_MEMORY, "there is no memory for its exchange");
        return;
    }
    easy->direct_fd = (int)fd;
    easy->connected_at = stook__loop_cached(engine->loop);
    stook__list_append(&easy->multi->connected, &easy->connected);
    engine->n_running--;
    stook__sockets_hand_over(socket, easy, on_event);
    stook__http1_open(&easy->http1, easy->curl, easy->origin->tls, engine->room, engine->allocator,
                      &exchange_events, easy);
    stook__direct_begin(easy);
}

int stook__direct_may_keep(const struct stook__easy *easy)
{
    return !stook__easy_has_connection(easy) || easy->http1.state == STOOK__HTTP1_IDLE;
}

int stook__direct_was_lost(const struct stook__easy *easy)
{
    return stook__easy_has_connection(easy) && easy->code != CURLE_OK && !easy->http1.answered;
}

void stook__direct_close(struct stook__easy *easy)
{
    stook__list_remove(&easy->connected);
    stook__http1_close(&easy->http1);
}
