/* SPDX-License-Identifier: MIT */
/* Trusts; see trust.h. */
#include "curl/trust.h"

#include <string.h>

#include "curl/cookies.h"
#include "curl/engine_state.h"
#include "curl/multi.h"
#include "curl/multi_state.h"
#include "curl/origin.h"

/* Trusts without references. Each keeps its connections and its store of CA certificates. */
enum { UNUSED_MAX = 64 };

/* The multi handles of a trust share what each would otherwise have for itself. */
static CURLSH *make_share(void)
{
    CURLSH *share = curl_share_init();
    if (share == NULL)
        return NULL;
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return share;
}

static void destroy(struct stook__trust *trust)
{
    struct stook__engine *engine = trust->engine;
    for (size_t i = 0; i < sizeof trust->origins / sizeof trust->origins[0]; i++)
        stook__curl_origins_free(engine, &trust->origins[i]);
    stook__multi_close_dead(engine);
    for (size_t i = 0; i < trust->n_multis; i++)
        stook__multi_free(trust->multis[i]);
    if (trust->share != NULL && !trust->has_cookies)
        curl_share_cleanup(trust->share);
    if (!stook__list_empty(&trust->unused))
        engine->n_unused_trusts--;
    stook__list_remove(&trust->unused);
    stook__map_remove(&engine->trusts, &trust->node);
    stook__free(engine->allocator, trust->multis);
    stook__free(engine->allocator, trust);
}

static struct stook__trust *make(struct stook__engine *engine, uint64_t hash, const char *key,
                                 size_t size, const struct stook__way *way, int has_cookies)
{
    struct stook__trust *trust = stook__alloc(engine->allocator, sizeof *trust + size);
    if (trust == NULL)
        return NULL;
    memcpy(trust->key, key, size);
    trust->engine = engine;
    trust->way = *way;
    trust->has_cookies = has_cookies;
    trust->node = (struct stook__node){NULL, hash, trust->key, size};
    stook__list_init(&trust->unused);
    if (stook__map_add(&engine->trusts, engine->allocator, &trust->node) != 0) {
        stook__free(engine->allocator, trust);
        return NULL;
    }
    trust->share = has_cookies ? stook__cookies_share(engine) : make_share();
    if (trust->share == NULL) {
        destroy(trust);
        return NULL;
    }
    stook__list_append(&engine->unused_trusts, &trust->unused);
    engine->n_unused_trusts++;
    return trust;
}

struct stook__trust *stook__trust_get(struct stook__engine *engine, const char *key, size_t size,
                                      const struct stook__way *way, int has_cookies)
{
    uint64_t hash = stook__map_hash(key, size);
    struct stook__node *node = stook__map_find(&engine->trusts, hash, key, size);
    return node != NULL ? STOOK__OF(struct stook__trust, node, node)
                        : make(engine, hash, key, size, way, has_cookies);
}

void stook__trust_ref(struct stook__trust *trust)
{
    if (trust->n_users++ > 0)
        return;
    stook__list_remove(&trust->unused);
    trust->engine->n_unused_trusts--;
}

void stook__trust_unref(struct stook__trust *trust)
{
    struct stook__engine *engine = trust->engine;
    if (--trust->n_users > 0)
        return;
    stook__list_append(&engine->unused_trusts, &trust->unused);
    if (++engine->n_unused_trusts > UNUSED_MAX)
        destroy(STOOK__OF(struct stook__trust, unused, engine->unused_trusts.next));
}

struct stook__multi *stook__trust_multi(struct stook__trust *trust, size_t index)
{
    if (index >= trust->n_multis) {
        size_t count = index + 1 > 2 * trust->n_multis ? index + 1 : 2 * trust->n_multis;
        struct stook__multi **multis =
            stook__resize(trust->engine->allocator, trust->multis, count * sizeof *multis);
        if (multis == NULL)
            return NULL;
        for (size_t i = trust->n_multis; i < count; i++)
            multis[i] = NULL;
        trust->multis = multis;
        trust->n_multis = count;
    }
    if (trust->multis[index] == NULL)
        trust->multis[index] = stook__multi_new(trust->engine);
    return trust->multis[index];
}

void stook__trusts_free(struct stook__engine *engine)
{
    struct stook__node *node;
    while ((node = stook__map_next(&engine->trusts, NULL)) != NULL)
        destroy(STOOK__OF(struct stook__trust, node, node));
    stook__map_free(&engine->trusts, engine->allocator);
}
