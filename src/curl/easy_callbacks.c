/* SPDX-License-Identifier: MIT */
/* The callbacks that libcurl runs for an easy handle; see easy_callbacks.h. */
#include "curl/easy_callbacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "curl/address_filter.h"
#include "curl/connect_gate.h"
#include "curl/cookies.h"
#include "curl/easy_state.h"
#include "curl/engine_state.h"
#include "curl/multi_state.h"
#include "curl/origin.h"
#include "curl/quirks/next_address.h"
#include "curl/quirks/obs_fold.h"
#include "curl/socket.h"
#include "curl/trust.h"

static void note_protocol(struct stook__easy *easy, const char *line, size_t size)
{
    if (size <= 6 || memcmp(line, "HTTP/", 5) != 0)
        return;
    int http1 = line[5] == '1';
    if (easy->origin->protocol == 0)
        easy->origin->protocol = http1 ? 11 : 20;
    stook__sockets_note_protocol(easy, http1);
}

static size_t on_header(char *data, size_t one, size_t size, void *user)
{
    struct stook__easy *easy = user;
    (void)one;
    if (easy->obs_fold != STOOK__OBS_FOLD_SAFE)
        stook__obs_fold_line(easy, data, size);
    if (easy->origin->protocol == 0 || easy->n_opened > 0)
        note_protocol(easy, data, size);
    if (easy->owner == NULL || easy->events->head(easy->owner, data, size) != 0)
        return CURL_WRITEFUNC_ERROR;
    return size;
}

static size_t on_header_with_cookies(char *data, size_t one, size_t size, void *user)
{
    struct stook__easy *easy = user;
    stook__cookies_note(easy->engine, data, size);
    return on_header(data, one, size, user);
}

static size_t on_write(char *data, size_t one, size_t size, void *user)
{
    struct stook__easy *easy = user;
    (void)one;
    int result =
        easy->owner != NULL ? easy->events->body(easy->owner, data, size) : STOOK__EASY_END;
    if (result == 0)
        return size;
    if (result != STOOK__EASY_PAUSE)
        return CURL_WRITEFUNC_ERROR;
    easy->multi->n_paused += !easy->paused;
    easy->paused = 1;
    return CURL_WRITEFUNC_PAUSE;
}

/* Returns 1 to refuse the look-up. Then multi.c lets the handle wait for the look-up of another. */
static int on_resolver(void *resolver, void *reserved, void *user)
{
    struct stook__easy *easy = user;
    (void)resolver;
    (void)reserved;
    return easy->origin->literal || stook__connect_gate_resolving(easy) ? 0 : 1;
}

static int new_socket(const struct curl_sockaddr *address)
{
    return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                  address->protocol);
}

/* The code is only in libcurl's message: "HTTP/2 stream 1 was not closed cleanly: CANCEL (err 8)".
   Newer versions write "... reset by server (error 0x8 CANCEL)". */
long stook__easy_h2_error(const char *text)
{
    const char *at = strncmp(text, "HTTP/2 stream ", 14) == 0 ? strstr(text, "(err") : NULL;
    if (at != NULL)
        at += strcspn(at, "0123456789");
    return at != NULL && *at != '\0' ? strtol(at, NULL, 0) : -1;
}

static int may_send(struct stook__easy *easy)
{
    if (easy->owner == NULL)
        return 0;
    if (easy->sends == 0 || easy->events->may_resend(easy->owner))
        return 1;
    easy->h2_error = stook__easy_h2_error(easy->error); /* the refusal overwrites the message */
    return 0;
}

static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct stook__easy *easy = user;
    stook__connect_gate_resolved(easy);
    /* Once the request was sent, a second connection is refused, as in on_prereq(). */
    int may = may_send(easy);
    if (!may && easy->sends > 0)
        easy->sends++; /* counted although it is refused: more than one is `resent` */
    if (!may || purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (!stook__address_filter_passes(easy, easy->trust->way.public_only, &address->addr)) {
        stook__next_address_schedule(easy);
        return CURL_SOCKET_BAD;
    }
    int fd = new_socket(address);
    if (fd < 0) {
        easy->os_error = errno;
        return CURL_SOCKET_BAD;
    }
    if (stook__sockets_opened(easy, fd) != 0) {
        easy->os_error = ENOMEM;
        close(fd);
        return CURL_SOCKET_BAD;
    }
    easy->n_opened++;
    return fd;
}

/* Runs when a connection is established, before the request is sent. libcurl sends a request once
   more when a kept-alive connection is closed before the response. Whether that is safe is for
   sched to decide, so the second sending of an attempt is refused, except after the responses that
   ask for one (401, 417). */
static int on_prereq(void *user, char *remote, char *local, int remote_port, int local_port)
{
    struct stook__easy *easy = user;
    struct stook__connection_name name;
    (void)local;
    /* Some versions choose an idle connection that we know to be closed: 7.88 with GnuTLS, and all
       from 8.22 on within a second of its last use. Nothing has been sent on it yet. */
    int dead = 0;
    /* A new connection may have the name of a dead one, so it is named before it is looked for. */
    if (easy->n_opened > 0 || easy->engine->sockets.n_dead > 0) {
        stook__connection_name_set(&name, easy, remote, remote_port, local_port);
        stook__sockets_connected(easy, &name);
        dead = stook__connection_is_dead(easy, &name);
    }
    if (easy->sends > 0 && may_send(easy)) {
        easy->sends = 0;
        easy->events->resend(easy->owner);
    }
    if (easy->owner == NULL || easy->sends > 0 || dead) {
        easy->dead = dead && easy->owner != NULL && easy->sends == 0;
        easy->sends += !easy->dead; /* counted although it is refused, as in on_open() */
        return CURL_PREREQFUNC_ABORT;
    }
    easy->sends++;
    stook__connect_gate_connected(easy, remote);
    easy->events->before_send(easy->owner, remote, remote_port);
    return CURL_PREREQFUNC_OK;
}

static int on_progress(void *user, curl_off_t receive_total, curl_off_t received,
                       curl_off_t send_total, curl_off_t sent)
{
    struct stook__easy *easy = user;
    (void)receive_total;
    (void)received;
    (void)send_total;
    if (easy->owner != NULL)
        easy->events->sent(easy->owner, sent);
    return 0;
}

void stook__easy_watch_sent(struct stook__easy *easy)
{
    easy->watches_sent = 1;
    if (easy->origin->direct)
        return;
    stook__easy_set(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    stook__easy_set(easy, CURLOPT_XFERINFODATA, (void *)easy);
    stook__easy_set(easy, CURLOPT_NOPROGRESS, 0L);
}

void stook__easy_set_callbacks(struct stook__easy *easy)
{
    stook__easy_set(easy, CURLOPT_HEADERFUNCTION,
                    easy->trust->has_cookies ? on_header_with_cookies : on_header);
    stook__easy_set(easy, CURLOPT_HEADERDATA, (void *)easy);
    stook__easy_set(easy, CURLOPT_WRITEFUNCTION, on_write);
    stook__easy_set(easy, CURLOPT_WRITEDATA, (void *)easy);
    stook__easy_set(easy, CURLOPT_RESOLVER_START_FUNCTION, on_resolver);
    stook__easy_set(easy, CURLOPT_RESOLVER_START_DATA, (void *)easy);
    stook__easy_set(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    stook__easy_set(easy, CURLOPT_OPENSOCKETDATA, (void *)easy);
    /* libcurl copies these two into the connection, which outlives the easy handle. */
    stook__easy_set(easy, CURLOPT_CLOSESOCKETFUNCTION, stook__sockets_close);
    stook__easy_set(easy, CURLOPT_CLOSESOCKETDATA, (void *)easy->engine);
    stook__easy_set(easy, CURLOPT_PREREQFUNCTION, on_prereq);
    stook__easy_set(easy, CURLOPT_PREREQDATA, (void *)easy);
}
