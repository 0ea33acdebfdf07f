/* SPDX-License-Identifier: MIT */
/*
 * A easy handle: one easy handle and what libcurl's callbacks write down about it.
 *
 * Removing a handle whose name look-up is under way would wait for getaddrinfo, and with it the
 * whole loop. Such a easy handle is parked: its owner is gone, it opens no socket and sends nothing, and
 * it goes when its look-up has returned.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "curl/connect_gate.h"
#include "curl/dns.h"
#include "curl/quirks/obs_fold.h"
#include "curl/quirks/quirks.h"
#include "curl/socket.h"

static void note_protocol(struct stook__easy *easy, const char *line, size_t size)
{
    if (size <= 6 || memcmp(line, "HTTP/", 5) != 0)
        return;
    int http1 = line[5] == '1';
    if (easy->origin->protocol == 0)
        easy->origin->protocol = http1 ? 11 : 20;
    stook__sockets_speak(easy, http1);
}

static size_t on_head(char *data, size_t one, size_t size, void *user)
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

static size_t on_body(char *data, size_t one, size_t size, void *user)
{
    struct stook__easy *easy = user;
    (void)one;
    int answer =
        easy->owner != NULL ? easy->events->body(easy->owner, data, size) : STOOK__EASY_END;
    if (answer == 0)
        return size;
    if (answer != STOOK__EASY_PAUSE)
        return CURL_WRITEFUNC_ERROR;
    easy->multi->n_paused += !easy->paused;
    easy->paused = 1;
    return CURL_WRITEFUNC_PAUSE;
}

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

/* libcurl tells it in words: "HTTP/2 stream 1 was not closed cleanly: CANCEL (err 8)", newer ones "... reset by
   server (error 0x8 CANCEL)". */
static long h2_error_in(const char *text)
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
    easy->h2_error = h2_error_in(easy->error); /* soon other words take their place */
    return 0;
}

static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct stook__easy *easy = user;
    stook__connect_gate_resolved(easy);
    /* After it was sent there is no second connection: see before_send. */
    int may = may_send(easy);
    if (!may && easy->sends > 0)
        easy->sends++;
    if (!may || purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
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

/* A connection is there and the request goes out next. The second time in one attempt libcurl means
   to send it again because a kept-alive connection died: whether that is right is not libcurl's to
   say, so it is refused; but for answers that ask for it. */
static int before_send(void *user, char *remote, char *local, int remote_port, int local_port)
{
    struct stook__easy *easy = user;
    struct stook__connection name;
    (void)local;
    /* Some libcurls take an idle connection for alive that we know to have ended: 7.88 on GnuTLS,
       and from 8.22 on all, for a second after its last use. Nothing has been sent over it yet. */
    int dead = 0;
    if (easy->n_opened > 0 || easy->engine->sockets.n_dead > 0) {
        stook__sockets_name(easy, remote, remote_port, local_port, &name);
        dead = stook__sockets_dead(easy, &name);
    }
    if (easy->sends > 0 && may_send(easy)) {
        easy->sends = 0;
        easy->events->resend(easy->owner);
    }
    if (easy->owner == NULL || easy->sends > 0 || dead) {
        easy->dead = dead && easy->owner != NULL && easy->sends == 0;
        easy->sends += !easy->dead;
        return CURL_PREREQFUNC_ABORT;
    }
    easy->sends++;
    stook__connect_gate_connected(easy, remote);
    if (easy->n_opened > 0)
        stook__sockets_connected(easy, &name);
    easy->events->before_send(easy->owner, remote, remote_port);
    return CURL_PREREQFUNC_OK;
}

static void set_options(struct stook__easy *easy)
{
    stook__easy_set(easy, CURLOPT_PRIVATE, (void *)easy);
    stook__easy_set(easy, CURLOPT_ERRORBUFFER, easy->error);
    stook__easy_set(easy, CURLOPT_HEADERFUNCTION, on_head);
    stook__easy_set(easy, CURLOPT_HEADERDATA, (void *)easy);
    stook__easy_set(easy, CURLOPT_WRITEFUNCTION, on_body);
    stook__easy_set(easy, CURLOPT_WRITEDATA, (void *)easy);
    stook__easy_set(easy, CURLOPT_RESOLVER_START_FUNCTION, on_resolver);
    stook__easy_set(easy, CURLOPT_RESOLVER_START_DATA, (void *)easy);
    stook__easy_set(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    stook__easy_set(easy, CURLOPT_OPENSOCKETDATA, (void *)easy);
    /* libcurl copies these two into the connection, which outlives the easy handle. */
    stook__easy_set(easy, CURLOPT_CLOSESOCKETFUNCTION, stook__sockets_close);
    stook__easy_set(easy, CURLOPT_CLOSESOCKETDATA, (void *)easy->engine);
    stook__easy_set(easy, CURLOPT_PREREQFUNCTION, before_send);
    stook__easy_set(easy, CURLOPT_PREREQDATA, (void *)easy);
    stook__easy_set(easy, CURLOPT_NOSIGNAL, 1L);
    /* Chunks come as they are: libcurl takes some that have two readings, and does not say so. */
    stook__easy_set(easy, CURLOPT_HTTP_TRANSFER_DECODING, 0L);
    /* The age at which libcurl drops an idle connection is taken from whichever handle looks, so
       it has to be the same on all. */
    stook__easy_set(easy, CURLOPT_MAXAGE_CONN, 60L);
    /* Who is never idle finds a name's new addresses within the hour. */
    stook__easy_set(easy, CURLOPT_MAXLIFETIME_CONN, 3600L);
    stook__easy_set(easy, CURLOPT_SHARE, easy->trust->share);
    stook__obs_fold_init(easy);
}

struct stook__easy *stook__easy_new(struct stook__trust *trust,
                                    const struct stook__attempt_events *events, void *owner)
{
    struct stook__easy *easy = stook__alloc(trust->engine->allocator, sizeof *easy);
    if (easy == NULL)
        return NULL;
    easy->engine = trust->engine;
    easy->trust = trust;
    easy->events = events;
    easy->owner = owner;
    easy->h2_error = -1;
    easy->dns_age = 60; /* libcurl's own */
    stook__list_init(&easy->link);
    stook__list_init(&easy->rest);
    stook__list_init(&easy->lookup);
    stook__list_init(&easy->next_address);
    stook__list_init(&easy->opened);
    easy->settings.url = curl_url();
    easy->curl = curl_easy_init();
    if (easy->curl == NULL || easy->settings.url == NULL) {
        stook__easy_destroy(easy);
        return NULL;
    }
    set_options(easy);
    return easy;
}

struct stook__easy *stook__easy_take(struct stook__trust *trust, const struct stook__node *origin,
                                     int h2, const struct stook__attempt_events *events,
                                     void *owner)
{
    struct stook__easy *easy = stook__curl_origin_pop(trust, origin, h2);
    if (easy == NULL)
        return NULL;
    easy->events = events;
    easy->owner = owner;
    easy->rested = 1;
    easy->code = CURLE_OK;
    easy->broken = CURLM_OK;
    easy->ended = easy->sends = easy->dead = easy->sets_address = easy->address_failed = 0;
    stook__easy_renew(easy);
    return easy;
}

void stook__easy_renew(struct stook__easy *easy)
{
    easy->os_error = easy->n_opened = easy->no_descriptors = 0;
    easy->h2_error = -1;
    easy->error[0] = '\0';
}

int stook__easy_join(struct stook__easy *easy, const char *origin, size_t size, int h2,
                     int may_rest)
{
    easy->origin = stook__curl_origin_get(easy->trust, origin, size, h2);
    if (easy->origin == NULL)
        return STOOK_ENOMEM;
    stook__curl_origin_ref(easy->origin);
    easy->may_rest = may_rest;
    return 0;
}

int stook__easy_needs_directory(const struct stook__easy *easy)
{
    return easy->origin->directory;
}

void stook__easy_note_directory(struct stook__easy *easy)
{
    easy->origin->directory = 1;
}

int stook__easy_warm(const struct stook__easy *easy)
{
    return easy->rested && easy->n_ended == easy->engine->sockets.n_ended;
}

enum stook__connect_step stook__easy_connect_step(const struct stook__easy *easy)
{
    switch ((enum stook__connect_state)easy->connect) {
    case STOOK__CONNECT_GATED:
    case STOOK__CONNECT_WAITING_FOR_DNS:
        return STOOK__STEP_WAITING;
    case STOOK__CONNECT_LAUNCHED:
    case STOOK__CONNECT_RESOLVING:
    case STOOK__CONNECT_HUNG:
    case STOOK__CONNECT_LOOKUP_REFUSED:
        return STOOK__STEP_RESOLVING;
    case STOOK__CONNECT_CONNECTED:
        return STOOK__STEP_CONNECTED;
    default: /* the end of a transfer that has not been processed shows how far it came */
        return stook__sockets_reached(easy) ? STOOK__STEP_CONNECTED : STOOK__STEP_CONNECTING;
    }
}

CURL *stook__easy_curl(struct stook__easy *easy)
{
    return easy->curl;
}

struct stook__easy_settings *stook__easy_settings(struct stook__easy *easy)
{
    return &easy->settings;
}

void stook__easy_note(struct stook__easy *easy, CURLcode code, const char *option)
{
    if (code != CURLE_OK && easy->settings.refusal.code == CURLE_OK)
        easy->settings.refusal = (struct stook__refusal){code, option};
}

void stook__easy_note_memory(struct stook__easy *easy, CURLcode code, const char *option)
{
    if (code == CURLE_OUT_OF_MEMORY)
        stook__easy_note(easy, code, option);
}

/* Every transfer that ends walks all cached names to throw old ones away, unless it is told that
   they never grow old. One a second is enough. */
static void set_dns_age(struct stook__easy *easy)
{
    struct stook__engine *engine = easy->engine;
    int64_t now = stook__engine_time(engine);
    int age =
        now - engine->pruned_at >= 1000000 || (engine->quirks & STOOK__QUIRK_DROPS_DNS_ENTRIES)
            ? 60
            : -1;
    if (age > 0)
        engine->pruned_at = now;
    if (age != easy->dns_age)
        curl_easy_setopt(easy->curl, CURLOPT_DNS_CACHE_TIMEOUT, (long)age);
    easy->dns_age = age;
}

static int enter_lane(struct stook__easy *easy)
{
    struct stook__multi *multi = stook__curl_origin_enter(easy->origin, &easy->nth);
    if (multi == NULL)
        return STOOK_ENOMEM;
    set_dns_age(easy);
    stook__dns_set_address(easy);
    stook__obs_fold_begin(easy);
    int error = stook__multi_add(multi, easy);
    if (error != 0)
        stook__curl_origin_leave(easy->origin, easy->nth);
    return error;
}

int stook__easy_start(struct stook__easy *easy)
{
    return stook__connect_gate_pass(easy) ? enter_lane(easy) : 0;
}

void stook__easy_launch(struct stook__easy *easy)
{
    int error = enter_lane(easy);
    if (error == 0)
        return;
    easy->code = error == STOOK_ERESET ? CURLE_FAILED_INIT : CURLE_OUT_OF_MEMORY;
    easy->broken = error == STOOK_ERESET ? CURLM_INTERNAL_ERROR : CURLM_OK;
    easy->os_error = error == STOOK_ENOFD ? EMFILE : 0;
    stook__connect_gate_ended(easy, easy->code);
    stook__list_append(&easy->engine->finished, &easy->link);
}

void stook__easy_info(struct stook__easy *easy, struct stook__easy_info *ret_facts)
{
    ret_facts->code = easy->code;
    ret_facts->text = easy->error;
    ret_facts->os_error = easy->os_error;
    ret_facts->no_descriptors = easy->no_descriptors;
    ret_facts->h2_error =
        easy->h2_error >= 0 || easy->code == CURLE_OK ? easy->h2_error : h2_error_in(easy->error);
    ret_facts->http_2 = easy->origin->protocol == 20;
    ret_facts->reused = easy->sends > 0 && easy->n_opened == 0;
    ret_facts->resent = easy->sends > 1;
    ret_facts->broken = easy->broken;
    ret_facts->dead = easy->dead;
}

int stook__easy_succeeded(const struct stook__easy *easy)
{
    return easy->code == CURLE_OK && easy->broken == CURLM_OK;
}

static int on_transfer(void *user, curl_off_t receive_total, curl_off_t received,
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
    stook__easy_set(easy, CURLOPT_XFERINFOFUNCTION, on_transfer);
    stook__easy_set(easy, CURLOPT_XFERINFODATA, (void *)easy);
    stook__easy_set(easy, CURLOPT_NOPROGRESS, 0L);
}

void stook__easy_notify(struct stook__easy *easy)
{
    stook__list_remove(&easy->link);
    stook__list_append(&easy->engine->finished, &easy->link);
}

static void set_paused(struct stook__easy *easy, int paused)
{
    CURLcode code = curl_easy_pause(easy->curl, paused);
    stook__multi_kick(easy->multi);
    if (code == CURLE_OK)
        return;
    /* libcurl does not end the transfer for it. */
    easy->code = code;
    stook__easy_notify(easy);
}

void stook__easy_continue(struct stook__easy *easy, int paused)
{
    if (easy->multi == NULL || easy->ended)
        return;
    stook__easy_unpause(easy);
    set_paused(easy, paused);
}

void stook__easy_continue_upload(struct stook__easy *easy)
{
    if (easy->multi != NULL && !easy->ended)
        set_paused(easy, easy->paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
}

void stook__easy_unpause(struct stook__easy *easy)
{
    if (easy->program_paused)
        stook__sockets_program_paused(easy, 0);
    easy->multi->n_paused -= (size_t)easy->paused;
    easy->program_paused = easy->paused = 0;
}

/* libcurl 7.88 forgets it, but does not free it, where other transfers go on over the connection. So it hands it
   over once more, to nobody. */
void stook__easy_discard(struct stook__easy *easy)
{
    void *owner = easy->owner;
    if (!easy->paused)
        return;
    easy->owner = NULL;
    curl_easy_pause(easy->curl, CURLPAUSE_SEND);
    easy->owner = owner;
}

void stook__easy_program_paused(struct stook__easy *easy)
{
    if (easy->multi == NULL || easy->ended || easy->program_paused)
        return;
    easy->program_paused = 1;
    stook__sockets_program_paused(easy, 1);
}

void stook__easy_program_resumed(struct stook__easy *easy)
{
    if (!easy->program_paused || easy->paused)
        return;
    easy->program_paused = 0;
    stook__sockets_program_paused(easy, 0);
}

int64_t stook__easy_last_input(struct stook__easy *easy)
{
    return easy->multi != NULL && !easy->ended ? stook__sockets_heard_at(easy) : 0;
}

static void park(struct stook__easy *easy)
{
    easy->owner = NULL;
    easy->orphaned = 1;
    /* One that was told is no news for anybody now, and ends with the others of its multi handle. */
    stook__list_remove(&easy->link);
    stook__list_append(&easy->multi->easies, &easy->link);
    easy->engine->orphaned++;
    /* What belongs to the attempt goes with it. */
    curl_easy_setopt(easy->curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy->curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy->curl, CURLOPT_POSTFIELDS, NULL);
}

void stook__easy_give_back(struct stook__easy *easy)
{
    if (stook__connect_gate_is_resolving(easy)) {
        park(easy);
        return;
    }
    /* What was interrupted may have left something behind; what went well has not. */
    if (!easy->may_rest || !easy->ended || easy->code != CURLE_OK) {
        stook__easy_destroy(easy);
        return;
    }
    struct stook__curl_origin *origin = easy->origin;
    stook__multi_remove(easy);
    stook__list_remove(&easy->link);
    easy->owner = NULL;
    easy->n_ended = easy->engine->sockets.n_ended;
    stook__curl_origin_push(origin, easy);
    stook__curl_origin_unref(origin);
}

void stook__easy_destroy(struct stook__easy *easy)
{
    struct stook__engine *engine = easy->engine;
    struct stook__curl_origin *origin = easy->origin;
    int resting = !stook__list_empty(&easy->rest);
    if (easy->orphaned)
        engine->orphaned--;
    if (resting) {
        stook__list_remove(&easy->rest);
        engine->n_resting--;
    } else if (origin != NULL) {
        stook__connect_gate_ended(easy, CURLE_OK);
    }
    if (easy->multi != NULL)
        stook__multi_remove(easy);
    stook__list_remove(&easy->link);
    curl_easy_cleanup(easy->curl);
    curl_url_cleanup(easy->settings.url);
    curl_slist_free_all(easy->settings.connect_to);
    curl_slist_free_all(easy->resolve_list);
    stook__free(engine->allocator, easy);
    if (origin != NULL && !resting)
        stook__curl_origin_unref(origin);
}
