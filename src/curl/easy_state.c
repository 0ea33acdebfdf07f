/* SPDX-License-Identifier: MIT */
/* An easy handle inside the engine; see easy_state.h. */
#include "curl/easy_state.h"

#include <assert.h>
#include <errno.h>

#include "curl/connect_gate.h"
#include "curl/dns.h"
#include "curl/engine_state.h"
#include "curl/multi.h"
#include "curl/multi_state.h"
#include "curl/origin.h"
#include "curl/quirks/obs_fold.h"
#include "curl/quirks/quirks.h"
#include "curl/socket.h"
#include "loop/loop.h"
#include "util/trace.h"

static const int64_t PRUNE_US = 1000000; /* between two removals of expired DNS entries */

#define TO(state) (1u << STOOK__EASY_##state)

static const struct {
    const char *name;
    unsigned next; /* the states that may follow */
} states[] = {
    [STOOK__EASY_NEW] = {"new", TO(STARTED)},
    [STOOK__EASY_STARTED] = {"started", TO(COMPLETED) | TO(ORPHANED)},
    [STOOK__EASY_COMPLETED] = {"completed", TO(POOLED)},
    [STOOK__EASY_ORPHANED] = {"orphaned", 0},
    [STOOK__EASY_POOLED] = {"pooled", TO(NEW)},
};

void stook__easy_move(struct stook__easy *easy, enum stook__easy_state to, const char *why)
{
    (void)states, (void)why;
    assert(states[easy->state].next & (1u << to));
    STOOK__TRACE("curl", "attempt %p: easy handle %p of %.*s: %s -> %s: %s", easy->owner,
                 (void *)easy, (int)easy->origin->node.key_size, easy->origin->node.key,
                 states[easy->state].name, states[to].name, why);
    easy->state = to;
}

void stook__easy_complete(struct stook__easy *easy, CURLcode code, const char *why)
{
    easy->code = code;
    if (easy->state != STOOK__EASY_ORPHANED)
        stook__easy_move(easy, STOOK__EASY_COMPLETED, why);
    stook__list_append(&easy->engine->finished, &easy->link);
}

void stook__easy_renew(struct stook__easy *easy)
{
    easy->os_error = easy->n_opened = easy->no_descriptors = 0;
    easy->h2_error = -1;
    easy->error[0] = '\0';
}

/* ----------------------------------------------------------------------------- start */

/* Every transfer that ends walks all DNS entries to drop expired ones, unless its handle says that
   entries never expire. One transfer a second is enough. */
static void set_dns_age(struct stook__easy *easy)
{
    struct stook__engine *engine = easy->engine;
    int64_t now = stook__loop_cached(engine->loop);
    int prunes =
        now - engine->pruned_at >= PRUNE_US || (engine->quirks & STOOK__QUIRK_DROPS_DNS_ENTRIES);
    int age = prunes ? 60 : -1;
    if (prunes)
        engine->pruned_at = now;
    if (age != easy->dns_age)
        curl_easy_setopt(easy->curl, CURLOPT_DNS_CACHE_TIMEOUT, (long)age);
    easy->dns_age = age;
}

int stook__easy_enter(struct stook__easy *easy)
{
    struct stook__multi *multi = stook__curl_origin_enter(easy->origin, &easy->multi_index);
    if (multi == NULL)
        return STOOK_ENOMEM;
    set_dns_age(easy);
    stook__dns_set_address(easy);
    stook__obs_fold_begin(easy);
    int error = stook__multi_add(multi, easy);
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
    /* It may be in `finished` already, where it would be destroyed. In `easies` it is found if its
       CURLM breaks. */
    stook__list_remove(&easy->link);
    stook__list_append(&easy->multi->easies, &easy->link);
    easy->engine->orphaned++;
    /* These point into the memory of the attempt. */
    curl_easy_setopt(easy->curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy->curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy->curl, CURLOPT_POSTFIELDS, NULL);
}

void stook__easy_pool(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    /* Its CURLM may have broken after the transfer completed: then it was removed already. */
    if (easy->multi != NULL)
        stook__multi_remove(easy);
    stook__list_remove(&easy->link);
    stook__easy_move(easy, STOOK__EASY_POOLED, "given back");
    easy->owner = NULL;
    easy->n_ended_before = easy->engine->sockets.n_ended;
    stook__curl_origin_push(origin, easy);
    stook__curl_origin_unref(origin);
}

void stook__easy_destroy(struct stook__easy *easy)
{
    struct stook__engine *engine = easy->engine;
    struct stook__curl_origin *origin = easy->origin;
    int pooled = easy->state == STOOK__EASY_POOLED;
    if (easy->state == STOOK__EASY_ORPHANED)
        engine->orphaned--;
    if (pooled) {
        stook__list_remove(&easy->pooled);
        engine->n_pooled--;
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
    if (origin != NULL && !pooled)
        stook__curl_origin_unref(origin);
}
