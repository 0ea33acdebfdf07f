/* SPDX-License-Identifier: MIT */
/* An easy handle inside the engine; see easy_state.h. */
#include "curl/easy_state.h"

#include <assert.h>

#include "curl/engine_state.h"
#include "curl/origin.h"
#include "util/allocator.h"
#include "util/trace.h"

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
    stook__list_append(&easy->engine->completed, &easy->link);
}

void stook__easy_renew(struct stook__easy *easy)
{
    easy->os_error = easy->n_opened = easy->no_descriptors = 0;
    if (easy->refusal != NULL)
        stook__free(easy->engine->allocator, easy->refusal);
    easy->refusal = NULL;
    easy->h2_error = -1;
    easy->error[0] = '\0';
}

void stook__easy_free(struct stook__easy *easy)
{
    stook__list_remove(&easy->link);
    curl_easy_cleanup(easy->curl);
    curl_url_cleanup(easy->settings.url);
    curl_slist_free_all(easy->settings.connect_to);
    curl_slist_free_all(easy->resolve_list);
    stook__free(easy->engine->allocator, easy->refusal);
    stook__free(easy->engine->allocator, easy);
}
