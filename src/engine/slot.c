/* SPDX-License-Identifier: MIT */
/*
 * A slot: one easy handle and what libcurl's callbacks write down about it.
 *
 * Removing a handle whose name look-up is under way would wait for getaddrinfo, and with it the
 * whole loop. Such a slot is parked: its owner is gone, it opens no socket and sends nothing, and
 * it goes when its look-up has returned.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/fold.h"
#include "engine/gate.h"
#include "engine/names.h"
#include "engine/quirks.h"
#include "engine/sockets.h"

static void note_protocol(struct stook__slot *slot, const char *line, size_t size)
{
    if (size <= 6 || memcmp(line, "HTTP/", 5) != 0)
        return;
    int http1 = line[5] == '1';
    if (slot->origin->protocol == 0)
        slot->origin->protocol = http1 ? 11 : 20;
    stook__sockets_speak(slot, http1);
}

static size_t on_head(char *data, size_t one, size_t size, void *user)
{
    struct stook__slot *slot = user;
    (void)one;
    if (slot->folds != STOOK__FOLDS_ARE_GOOD)
        stook__fold_line(slot, data, size);
    if (slot->origin->protocol == 0 || slot->n_opened > 0)
        note_protocol(slot, data, size);
    if (slot->owner == NULL || slot->events->head(slot->owner, data, size) != 0)
        return CURL_WRITEFUNC_ERROR;
    return size;
}

static size_t on_body(char *data, size_t one, size_t size, void *user)
{
    struct stook__slot *slot = user;
    (void)one;
    int answer = slot->owner != NULL ? slot->events->body(slot->owner, data, size) : STOOK__SLOT_END;
    if (answer == 0)
        return size;
    if (answer != STOOK__SLOT_PAUSE)
        return CURL_WRITEFUNC_ERROR;
    slot->lane->n_paused += !slot->paused;
    slot->paused = 1;
    return CURL_WRITEFUNC_PAUSE;
}

static int on_resolver(void *resolver, void *reserved, void *user)
{
    struct stook__slot *slot = user;
    (void)resolver;
    (void)reserved;
    return slot->origin->literal || stook__gate_resolving(slot) ? 0 : 1;
}

static int new_socket(const struct curl_sockaddr *address)
{
    return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
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

static int may_send(struct stook__slot *slot)
{
    if (slot->owner == NULL)
        return 0;
    if (slot->sends == 0 || slot->events->may_resend(slot->owner))
        return 1;
    slot->h2_error = h2_error_in(slot->error); /* soon other words take their place */
    return 0;
}

static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct stook__slot *slot = user;
    stook__gate_resolved(slot);
    /* After it was sent there is no second connection: see before_send. */
    int may = may_send(slot);
    if (!may && slot->sends > 0)
        slot->sends++;
    if (!may || purpose != CURLSOCKTYPE_IPCXN)
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
    slot->n_opened++;
    return fd;
}

/* A connection is there and the request goes out next. The second time in one attempt libcurl means
   to send it again because a kept-alive connection died: whether that is right is not libcurl's to
   say, so it is refused; but for answers that ask for it. */
static int before_send(void *user, char *remote, char *local, int remote_port, int local_port)
{
    struct stook__slot *slot = user;
    struct stook__connection name;
    (void)local;
    /* Some libcurls take an idle connection for alive that we know to have ended: 7.88 on GnuTLS,
       and from 8.22 on all, for a second after its last use. Nothing has been sent over it yet. */
    int dead = 0;
    if (slot->n_opened > 0 || slot->engine->sockets.n_dead > 0) {
        stook__sockets_name(slot, remote, remote_port, local_port, &name);
        dead = stook__sockets_dead(slot, &name);
    }
    if (slot->sends > 0 && may_send(slot)) {
        slot->sends = 0;
        slot->events->resend(slot->owner);
    }
    if (slot->owner == NULL || slot->sends > 0 || dead) {
        slot->dead = dead && slot->owner != NULL && slot->sends == 0;
        slot->sends += !slot->dead;
        return CURL_PREREQFUNC_ABORT;
    }
    slot->sends++;
    stook__gate_connected(slot, remote);
    if (slot->n_opened > 0)
        stook__sockets_connected(slot, &name);
    slot->events->before_send(slot->owner, remote, remote_port);
    return CURL_PREREQFUNC_OK;
}

static void set_options(struct stook__slot *slot)
{
    stook__slot_set(slot, CURLOPT_PRIVATE, (void *)slot);
    stook__slot_set(slot, CURLOPT_ERRORBUFFER, slot->error);
    stook__slot_set(slot, CURLOPT_HEADERFUNCTION, on_head);
    stook__slot_set(slot, CURLOPT_HEADERDATA, (void *)slot);
    stook__slot_set(slot, CURLOPT_WRITEFUNCTION, on_body);
    stook__slot_set(slot, CURLOPT_WRITEDATA, (void *)slot);
    stook__slot_set(slot, CURLOPT_RESOLVER_START_FUNCTION, on_resolver);
    stook__slot_set(slot, CURLOPT_RESOLVER_START_DATA, (void *)slot);
    stook__slot_set(slot, CURLOPT_OPENSOCKETFUNCTION, on_open);
    stook__slot_set(slot, CURLOPT_OPENSOCKETDATA, (void *)slot);
    /* libcurl copies these two into the connection, which outlives the slot. */
    stook__slot_set(slot, CURLOPT_CLOSESOCKETFUNCTION, stook__sockets_close);
    stook__slot_set(slot, CURLOPT_CLOSESOCKETDATA, (void *)slot->engine);
    stook__slot_set(slot, CURLOPT_PREREQFUNCTION, before_send);
    stook__slot_set(slot, CURLOPT_PREREQDATA, (void *)slot);
    stook__slot_set(slot, CURLOPT_NOSIGNAL, 1L);
    /* Chunks come as they are: libcurl takes some that have two readings, and does not say so. */
    stook__slot_set(slot, CURLOPT_HTTP_TRANSFER_DECODING, 0L);
    /* The age at which libcurl drops an idle connection is taken from whichever handle looks, so
       it has to be the same on all. */
    stook__slot_set(slot, CURLOPT_MAXAGE_CONN, 60L);
    /* Who is never idle finds a name's new addresses within the hour. */
    stook__slot_set(slot, CURLOPT_MAXLIFETIME_CONN, 3600L);
    stook__slot_set(slot, CURLOPT_SHARE, slot->trust->share);
    stook__fold_init(slot);
}

struct stook__slot *stook__slot_new(struct stook__trust *trust, const struct stook__attempt_events *events,
                                    void *owner)
{
    struct stook__slot *slot = stook__alloc(trust->engine->heap, sizeof *slot);
    if (slot == NULL)
        return NULL;
    slot->engine = trust->engine;
    slot->trust = trust;
    slot->events = events;
    slot->owner = owner;
    slot->h2_error = -1;
    slot->dns_age = 60; /* libcurl's own */
    stook__list_init(&slot->link);
    stook__list_init(&slot->rest);
    stook__list_init(&slot->lookup);
    stook__list_init(&slot->nudge);
    stook__list_init(&slot->opened);
    slot->kit.url = curl_url();
    slot->easy = curl_easy_init();
    if (slot->easy == NULL || slot->kit.url == NULL) {
        stook__slot_destroy(slot);
        return NULL;
    }
    set_options(slot);
    return slot;
}

struct stook__slot *stook__slot_take(struct stook__trust *trust, const struct stook__node *origin, int h2,
                                     const struct stook__attempt_events *events, void *owner)
{
    struct stook__slot *slot = stook__origin_pop(trust, origin, h2);
    if (slot == NULL)
        return NULL;
    slot->events = events;
    slot->owner = owner;
    slot->rested = 1;
    slot->code = CURLE_OK;
    slot->broken = CURLM_OK;
    slot->ended = slot->sends = slot->dead = slot->tells = slot->doubts = 0;
    stook__slot_renew(slot);
    return slot;
}

void stook__slot_renew(struct stook__slot *slot)
{
    slot->os_error = slot->n_opened = slot->starved = 0;
    slot->h2_error = -1;
    slot->error[0] = '\0';
}

int stook__slot_join(struct stook__slot *slot, const char *origin, size_t size, int h2, int may_rest)
{
    slot->origin = stook__origin_get(slot->trust, origin, size, h2);
    if (slot->origin == NULL)
        return STOOK_ENOMEM;
    stook__origin_hold(slot->origin);
    slot->may_rest = may_rest;
    return 0;
}

int stook__slot_needs_directory(const struct stook__slot *slot)
{
    return slot->origin->directory;
}

void stook__slot_note_directory(struct stook__slot *slot)
{
    slot->origin->directory = 1;
}

int stook__slot_warm(const struct stook__slot *slot)
{
    return slot->rested && slot->n_ended == slot->engine->sockets.n_ended;
}

enum stook__way stook__slot_way(const struct stook__slot *slot)
{
    if (slot->lane == NULL)
        return STOOK__AT_GATE;
    if (slot->n_opened == 0)
        return STOOK__TO_NAME;
    return stook__sockets_reached(slot) ? STOOK__AT_PEER : STOOK__TO_PEER;
}

CURL *stook__slot_easy(struct stook__slot *slot)
{
    return slot->easy;
}

struct stook__slot_kit *stook__slot_kit(struct stook__slot *slot)
{
    return &slot->kit;
}

void stook__slot_note(struct stook__slot *slot, CURLcode code, const char *option)
{
    if (code != CURLE_OK && slot->kit.refusal.code == CURLE_OK)
        slot->kit.refusal = (struct stook__refusal){code, option};
}

void stook__slot_note_memory(struct stook__slot *slot, CURLcode code, const char *option)
{
    if (code == CURLE_OUT_OF_MEMORY)
        stook__slot_note(slot, code, option);
}

/* Every transfer that ends walks all cached names to throw old ones away, unless it is told that
   they never grow old. One a second is enough. */
static void set_dns_age(struct stook__slot *slot)
{
    struct stook__engine *engine = slot->engine;
    int64_t now = stook__engine_time(engine);
    int age = now - engine->pruned_at >= 1000000 || (engine->quirks & STOOK__QUIRK_DROPS_NAMES) ? 60 : -1;
    if (age > 0)
        engine->pruned_at = now;
    if (age != slot->dns_age)
        curl_easy_setopt(slot->easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)age);
    slot->dns_age = age;
}

static int enter_lane(struct stook__slot *slot)
{
    struct stook__lane *lane = stook__origin_enter(slot->origin, &slot->nth);
    if (lane == NULL)
        return STOOK_ENOMEM;
    set_dns_age(slot);
    stook__names_tell(slot);
    stook__fold_begin(slot);
    int error = stook__lane_add(lane, slot);
    if (error != 0)
        stook__origin_leave(slot->origin, slot->nth);
    return error;
}

int stook__slot_start(struct stook__slot *slot)
{
    return stook__gate_pass(slot) ? enter_lane(slot) : 0;
}

void stook__slot_launch(struct stook__slot *slot)
{
    int error = enter_lane(slot);
    if (error == 0)
        return;
    slot->code = error == STOOK_ERESET ? CURLE_FAILED_INIT : CURLE_OUT_OF_MEMORY;
    slot->broken = error == STOOK_ERESET ? CURLM_INTERNAL_ERROR : CURLM_OK;
    slot->os_error = error == STOOK_ENOFD ? EMFILE : 0;
    stook__gate_left(slot, slot->code);
    stook__list_append(&slot->engine->finished, &slot->link);
}

void stook__slot_facts(struct stook__slot *slot, struct stook__slot_facts *ret_facts)
{
    ret_facts->code = slot->code;
    ret_facts->text = slot->error;
    ret_facts->os_error = slot->os_error;
    ret_facts->starved = slot->starved;
    ret_facts->h2_error = slot->h2_error >= 0 || slot->code == CURLE_OK ? slot->h2_error : h2_error_in(slot->error);
    ret_facts->http_2 = slot->origin->protocol == 20;
    ret_facts->reused = slot->sends > 0 && slot->n_opened == 0;
    ret_facts->resent = slot->sends > 1;
    ret_facts->broken = slot->broken;
    ret_facts->dead = slot->dead;
}

int stook__slot_succeeded(const struct stook__slot *slot)
{
    return slot->code == CURLE_OK && slot->broken == CURLM_OK;
}

static int on_transfer(void *user, curl_off_t receive_total, curl_off_t received, curl_off_t send_total, curl_off_t sent)
{
    struct stook__slot *slot = user;
    (void)receive_total;
    (void)received;
    (void)send_total;
    if (slot->owner != NULL)
        slot->events->sent(slot->owner, sent);
    return 0;
}

void stook__slot_watch_sent(struct stook__slot *slot)
{
    stook__slot_set(slot, CURLOPT_XFERINFOFUNCTION, on_transfer);
    stook__slot_set(slot, CURLOPT_XFERINFODATA, (void *)slot);
    stook__slot_set(slot, CURLOPT_NOPROGRESS, 0L);
}

void stook__slot_tell(struct stook__slot *slot)
{
    stook__list_remove(&slot->link);
    stook__list_append(&slot->engine->finished, &slot->link);
}

static void set_paused(struct stook__slot *slot, int paused)
{
    CURLcode code = curl_easy_pause(slot->easy, paused);
    stook__lane_kick(slot->lane);
    if (code == CURLE_OK)
        return;
    /* libcurl does not end the transfer for it. */
    slot->code = code;
    stook__slot_tell(slot);
}

void stook__slot_go_on(struct stook__slot *slot, int paused)
{
    if (slot->lane == NULL || slot->ended)
        return;
    stook__slot_unpause(slot);
    set_paused(slot, paused);
}

void stook__slot_send_on(struct stook__slot *slot)
{
    if (slot->lane != NULL && !slot->ended)
        set_paused(slot, slot->paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
}

void stook__slot_unpause(struct stook__slot *slot)
{
    if (slot->held)
        stook__sockets_hold(slot, 0);
    slot->lane->n_paused -= (size_t)slot->paused;
    slot->held = slot->paused = 0;
}

/* libcurl 7.88 forgets it, but does not free it, where other transfers go on over the connection. So it hands it
   over once more, to nobody. */
void stook__slot_discard(struct stook__slot *slot)
{
    void *owner = slot->owner;
    if (!slot->paused)
        return;
    slot->owner = NULL;
    curl_easy_pause(slot->easy, CURLPAUSE_SEND);
    slot->owner = owner;
}

void stook__slot_hold(struct stook__slot *slot)
{
    if (slot->lane == NULL || slot->ended || slot->held)
        return;
    slot->held = 1;
    stook__sockets_hold(slot, 1);
}

void stook__slot_release(struct stook__slot *slot)
{
    if (!slot->held || slot->paused)
        return;
    slot->held = 0;
    stook__sockets_hold(slot, 0);
}

int64_t stook__slot_heard_at(struct stook__slot *slot)
{
    return slot->lane != NULL && !slot->ended ? stook__sockets_heard_at(slot) : 0;
}

static void park(struct stook__slot *slot)
{
    slot->owner = NULL;
    slot->parked = 1;
    /* One that was told is no news for anybody now, and ends with the others of its lane. */
    stook__list_remove(&slot->link);
    stook__list_append(&slot->lane->slots, &slot->link);
    slot->engine->parked++;
    /* What belongs to the attempt goes with it. */
    curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(slot->easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, NULL);
}

void stook__slot_give_back(struct stook__slot *slot)
{
    if (slot->lane != NULL && slot->resolving) {
        park(slot);
        return;
    }
    /* What was interrupted may have left something behind; what went well has not. */
    if (!slot->may_rest || !slot->ended || slot->code != CURLE_OK) {
        stook__slot_destroy(slot);
        return;
    }
    struct stook__origin *origin = slot->origin;
    stook__lane_remove(slot);
    stook__list_remove(&slot->link);
    slot->owner = NULL;
    slot->n_ended = slot->engine->sockets.n_ended;
    stook__origin_push(origin, slot);
    stook__origin_let_go(origin);
}

void stook__slot_destroy(struct stook__slot *slot)
{
    struct stook__engine *engine = slot->engine;
    struct stook__origin *origin = slot->origin;
    int resting = !stook__list_empty(&slot->rest);
    if (slot->parked)
        engine->parked--;
    if (resting) {
        stook__list_remove(&slot->rest);
        engine->n_resting--;
    } else if (origin != NULL) {
        stook__gate_left(slot, CURLE_OK);
    }
    if (slot->lane != NULL)
        stook__lane_remove(slot);
    stook__list_remove(&slot->link);
    curl_easy_cleanup(slot->easy);
    curl_url_cleanup(slot->kit.url);
    curl_slist_free_all(slot->kit.connect_to);
    curl_slist_free_all(slot->told);
    stook__free(engine->heap, slot);
    if (origin != NULL && !resting)
        stook__origin_let_go(origin);
}
