/* SPDX-License-Identifier: MIT */
/* An easy handle from the start of its transfer to the end; see easy_transfer.h. */
#include "curl/easy_transfer.h"

#include <errno.h>
#include <stdint.h>

#include "curl/connect_gate.h"
#include "curl/cookies.h"
#include "curl/easy_state.h"
#include "curl/engine_state.h"
#include "curl/multi.h"
#include "curl/multi_state.h"
#include "curl/origin.h"
#include "curl/quirks/dropped_lookups.h"
#include "curl/quirks/obs_fold.h"
#include "curl/quirks/quirks.h"
#include "curl/socket.h"
#include "curl/trust.h"
#include "loop/loop.h"

static const int64_t PRUNE_US = 1000000; /* between two removals of expired DNS entries */

/* ----------------------------------------------------------------------------- start */

/* Every transfer that ends walks all DNS entries of its CURLSH to drop expired ones, unless its
   handle says that entries never expire. One transfer a second is enough, in each trust. */
static void set_dns_age(struct stook__easy *easy)
{
    struct stook__engine *engine = easy->engine;
    struct stook__trust *trust = easy->trust;
    int64_t now = stook__loop_cached(engine->loop);
    int prunes =
        now - trust->pruned_at >= PRUNE_US || (engine->quirks & STOOK__QUIRK_DROPS_DNS_ENTRIES);
    int age = prunes ? 60 : -1;
    if (prunes)
        trust->pruned_at = now;
    if (age != easy->dns_age)
        curl_easy_setopt(easy->curl, CURLOPT_DNS_CACHE_TIMEOUT, (long)age);
    easy->dns_age = age;
}

int stook__easy_enter(struct stook__easy *easy)
{
    size_t number = stook__curl_origin_enter(easy->origin, &easy->multi_index);
    if (number == SIZE_MAX)
        return STOOK_ENOMEM;
    struct stook__multi *multi = stook__trust_multi(easy->trust, number);
    int error = STOOK_ENOMEM;
    if (multi != NULL) {
        set_dns_age(easy);
        easy->started_at = stook__loop_now();
        stook__dropped_lookup_set_address(easy);
        stook__obs_fold_begin(easy);
        if (easy->trust->has_cookies)
            stook__cookies_limit(easy->engine, 0);
        error = stook__multi_add(multi, easy);
    }
    if (error != 0)
        stook__curl_origin_leave(easy->origin, easy->multi_index);
    return error;
}

void stook__easy_launch(struct stook__easy *easy)
{
    int error = stook__easy_enter(easy);
    if (error == 0)
        return;
    CURLcode code = error == STOOK_ERESET ? CURLE_FAILED_INIT : CURLE_OUT_OF_MEMORY;
    easy->broken = error == STOOK_ERESET ? CURLM_INTERNAL_ERROR : CURLM_OK;
    easy->os_error = error == STOOK_ENOFD ? EMFILE : 0;
    stook__connect_gate_ended(easy, code);
    stook__easy_complete(easy, code, "its CURLM did not take it");
}

/* ------------------------------------------------------------------------------- end */

void stook__easy_orphan(struct stook__easy *easy)
{
    easy->owner = NULL;
    stook__easy_move(easy, STOOK__EASY_ORPHANED, "given back during its look-up");
    /* It may be in `completed` already, where it would be destroyed. In `easies` it is found if its
       CURLM breaks. */
    stook__list_remove(&easy->link);
    stook__list_append(&easy->multi->easies, &easy->link);
    easy->engine->orphaned++;
    /* These point into the memory of the attempt. */
    curl_easy_setopt(easy->curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy->curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy->curl, CURLOPT_POSTFIELDS, NULL);
    /* With socks5 it looks up the origin while it is connected to the proxy, and nothing shows when
       that look-up has ended. Without the connection it fails then, and sends nothing. */
    stook__sockets_break_off(easy);
}

/* Drops the reference of a handle that is given back. */
static void leave_origin(struct stook__curl_origin *origin, struct stook__trust *trust)
{
    if (stook__curl_origin_unref(origin))
        stook__trust_unref(trust);
}

void stook__easy_pool(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    /* Its CURLM may have broken after the transfer completed: then it was removed already. */
    if (easy->multi != NULL && !stook__easy_has_connection(easy))
        stook__multi_remove(easy);
    stook__list_remove(&easy->link);
    stook__easy_move(easy, STOOK__EASY_POOLED, "given back");
    easy->owner = NULL;
    easy->n_ended_before = easy->engine->sockets.n_ended;
    easy->idle_since = stook__loop_cached(easy->engine->loop);
    stook__curl_origin_push(origin, easy);
    leave_origin(origin, easy->trust);
}

void stook__easy_destroy(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    struct stook__trust *trust = easy->trust;
    if (easy->state == STOOK__EASY_ORPHANED)
        easy->engine->orphaned--;
    if (origin != NULL)
        stook__connect_gate_ended(easy, CURLE_OK);
    if (easy->multi != NULL)
        stook__multi_remove(easy);
    stook__easy_free(easy);
    if (origin != NULL)
        leave_origin(origin, trust);
}
