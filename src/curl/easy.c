/* SPDX-License-Identifier: MIT */
/* An easy handle as http/ uses it; see easy.h. Its transfer is in easy_transfer.c. */
#include "curl/easy.h"

#include <stdint.h>

#include "curl/connect_gate.h"
#include "curl/cookies.h"
#include "curl/direct.h"
#include "curl/easy_callbacks.h"
#include "curl/easy_state.h"
#include "curl/easy_transfer.h"
#include "curl/engine_state.h"
#include "curl/multi.h"
#include "curl/multi_state.h"
#include "curl/origin.h"
#include "curl/quirks/obs_fold.h"
#include "curl/socket.h"
#include "curl/trust.h"
#include "loop/loop.h"

void stook__easy_set_options(struct stook__easy *easy)
{
    stook__easy_set(easy, CURLOPT_PRIVATE, (void *)easy);
    stook__easy_set(easy, CURLOPT_ERRORBUFFER, easy->error);
    stook__easy_set_callbacks(easy);
    stook__easy_set(easy, CURLOPT_NOSIGNAL, 1L);
    /* Chunks are decoded by us: libcurl silently accepts some that can be read in two ways. */
    stook__easy_set(easy, CURLOPT_HTTP_TRANSFER_DECODING, 0L);
    /* libcurl drops an idle connection by the age that the handle which looks for one has set, so
       it is the same on all. */
    stook__easy_set(easy, CURLOPT_MAXAGE_CONN, 60L);
    /* A connection that is never idle must meet a name's new addresses within the hour. */
    stook__easy_set(easy, CURLOPT_MAXLIFETIME_CONN, 3600L);
    stook__easy_set(easy, CURLOPT_SHARE, easy->trust->share);
    if (easy->trust->has_cookies)
        stook__cookies_set(easy);
    stook__obs_fold_init(easy);
}

int stook__easy_speaks_http_1(struct stook__trust *trust, const struct stook__origin *origin,
                              int h2)
{
    const struct stook__curl_origin *known = stook__curl_origin_find(trust->origins, origin, h2);
    return known != NULL && known->protocol == 11;
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
    easy->n_ended_before = SIZE_MAX;
    easy->dns_age = 60; /* libcurl's default */
    stook__list_init(&easy->link);
    stook__list_init(&easy->pooled);
    stook__list_init(&easy->lookup);
    stook__list_init(&easy->next_address);
    stook__list_init(&easy->opened);
    stook__list_init(&easy->connected);
    easy->settings.url = curl_url();
    easy->curl = curl_easy_init();
    if (easy->curl == NULL || easy->settings.url == NULL) {
        stook__easy_destroy(easy);
        return NULL;
    }
    return easy;
}

/* Takes the reference that a handle has until it is given back. */
static void enter_origin(struct stook__easy *easy)
{
    if (stook__curl_origin_ref(easy->origin))
        stook__trust_ref(easy->trust);
}

struct stook__easy *stook__easy_take(struct stook__trust *trust, const struct stook__origin *origin,
                                     int h2, const struct stook__attempt_events *events,
                                     void *owner)
{
    struct stook__easy *easy =
        stook__curl_origin_pop(trust->origins, origin, h2, stook__loop_cached(trust->engine->loop));
    if (easy == NULL)
        return NULL;
    enter_origin(easy);
    stook__easy_move(easy, STOOK__EASY_NEW, "taken from the pool");
    easy->events = events;
    easy->owner = owner;
    easy->code = CURLE_OK;
    easy->broken = CURLM_OK;
    easy->watches_sent = 0;
    easy->sends = easy->dead = easy->sets_address = easy->address_failed = 0;
    stook__easy_renew(easy);
    return easy;
}

int stook__easy_join(struct stook__easy *easy, struct stook__origin *origin, int h2, int may_pool)
{
    easy->origin =
        stook__curl_origin_get(easy->engine, easy->trust->origins, &easy->trust->way, origin, h2);
    if (easy->origin == NULL)
        return STOOK_ENOMEM;
    enter_origin(easy);
    easy->may_pool = may_pool;
    return 0;
}

int stook__easy_start(struct stook__easy *easy)
{
    stook__easy_move(easy, STOOK__EASY_STARTED, "started");
    if (stook__easy_has_connection(easy)) {
        stook__direct_begin(easy);
        return 0;
    }
    return stook__connect_gate_pass(easy) ? stook__easy_enter(easy) : 0;
}

void stook__easy_notify(struct stook__easy *easy)
{
    stook__list_remove(&easy->link);
    stook__list_append(&easy->engine->completed, &easy->link);
}

void stook__easy_give_back(struct stook__easy *easy)
{
    if (stook__connect_gate_is_resolving(easy))
        stook__easy_orphan(easy);
    /* A transfer that was interrupted or failed may leave state in the handle. */
    else if (!easy->may_pool || easy->state != STOOK__EASY_COMPLETED ||
             !stook__easy_succeeded(easy) || !stook__direct_may_keep(easy))
        stook__easy_destroy(easy);
    else
        stook__easy_pool(easy);
}

/* ----------------------------------------------------------------------- what is known */

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
    return easy->n_ended_before == easy->engine->sockets.n_ended;
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

void stook__easy_info(struct stook__easy *easy, struct stook__easy_info *ret_info)
{
    ret_info->code = easy->code;
    ret_info->text = easy->error;
    ret_info->os_error = easy->os_error;
    ret_info->refusal = easy->refusal;
    ret_info->no_descriptors = easy->no_descriptors;
    ret_info->h2_error = easy->h2_error >= 0 || easy->code == CURLE_OK
                             ? easy->h2_error
                             : stook__easy_h2_error(easy->error);
    ret_info->http_2 = easy->origin->protocol == 20;
    ret_info->reused = easy->sends > 0 && easy->n_opened == 0;
    /* On a connection of ours we send nothing twice; that a kept one was lost means the same. */
    ret_info->resent = easy->sends > 1 || (ret_info->reused && stook__direct_was_lost(easy));
    ret_info->broken = easy->broken;
    ret_info->dead = easy->dead;
    ret_info->taken = easy->taken;
}

int stook__easy_succeeded(const struct stook__easy *easy)
{
    return easy->code == CURLE_OK && easy->broken == CURLM_OK;
}

int stook__easy_is_connected(const struct stook__easy *easy)
{
    return stook__easy_has_connection(easy);
}

int stook__easy_may_have_sent(const struct stook__easy *easy)
{
    return !stook__easy_has_connection(easy) || easy->http1.sent;
}

int64_t stook__easy_sent(const struct stook__easy *easy)
{
    curl_off_t sent = 0;
    if (stook__easy_has_connection(easy))
        return (int64_t)easy->http1.body_sent;
    curl_easy_getinfo(easy->curl, CURLINFO_SIZE_UPLOAD_T, &sent);
    return sent;
}

int stook__easy_is_direct(const struct stook__easy *easy, struct stook__easy_times *ret_times)
{
    if (!stook__easy_has_connection(easy))
        return 0;
    int64_t end = easy->over_at != 0 ? easy->over_at : stook__loop_now();
    ret_times->total = end - easy->started_at;
    ret_times->first_byte = easy->first_at != 0 ? easy->first_at - easy->started_at : 0;
    return 1;
}

int64_t stook__easy_last_input(struct stook__easy *easy)
{
    return stook__easy_is_running(easy) && !stook__easy_has_connection(easy)
               ? stook__sockets_last_input(easy)
               : 0;
}

/* ---------------------------------------------------------------------- pause and resume */

static void set_paused(struct stook__easy *easy, int paused)
{
    CURLcode code = curl_easy_pause(easy->curl, paused);
    stook__multi_make_due(easy->multi);
    if (code == CURLE_OK)
        return;
    /* libcurl does not end the transfer for this error. */
    easy->code = code;
    stook__easy_notify(easy);
}

void stook__easy_continue(struct stook__easy *easy, int paused)
{
    if (!stook__easy_is_running(easy))
        return;
    if (stook__easy_has_connection(easy)) {
        if (!(paused & CURLPAUSE_RECV))
            stook__http1_continue(&easy->http1);
        return;
    }
    stook__multi_unpause(easy);
    set_paused(easy, paused);
}

void stook__easy_continue_upload(struct stook__easy *easy)
{
    if (stook__easy_is_running(easy) && !stook__easy_has_connection(easy))
        set_paused(easy, easy->paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
}

void stook__easy_program_paused(struct stook__easy *easy)
{
    if (!stook__easy_has_connection(easy)) /* otherwise nothing is read that is not taken */
        stook__sockets_program_paused(easy);
}

void stook__easy_program_resumed(struct stook__easy *easy)
{
    if (!easy->paused)
        stook__sockets_program_resumed(easy);
}
