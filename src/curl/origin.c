/* SPDX-License-Identifier: MIT */
/*
 * Origins, their pools and their multi handles; see origin.h.
 *
 * To find a connection, libcurl walks those of the same host, and some of its work walks all
 * connections of a CURLM. So the requests of an origin fill one multi handle after another, 25 in
 * each, always from `home` on: established connections are used first, and the walks stay short.
 */
#include "curl/origin.h"

#include <arpa/inet.h>
#include <string.h>

#include "curl/easy_state.h"
#include "curl/engine_state.h"

enum {
    MULTIS_MAX = 512,
    MULTI_LOAD = 25,   /* requests of one origin in one multi handle */
    HOMES = 32,        /* the first multi handles of origins without TLS */
    TLS_HOMES = 4,     /* with TLS: each loads a store of CA certificates, 30 ms and 0.8 MB */
    POOL_MAX = 1024,   /* easy handles in all pools, about 7 KB each */
    UNUSED_MAX = 4096, /* origins without a request */
    IDLE_MAX = 4096,   /* connections of ours that wait for their next request */
};
static const int64_t IDLE_US = 60000000;  /* as CURLOPT_MAXAGE_CONN in easy.c */
static const int64_t AGE_US = 3600000000; /* as CURLOPT_MAXLIFETIME_CONN */

/* Tells whether libcurl needs no look-up for this origin. */
static int is_literal(const char *key, size_t size)
{
    const char *host = memchr(key, ':', size);
    if (host == NULL || size - (size_t)(host - key) < 4)
        return 0;
    host += 3;
    size_t rest = size - (size_t)(host - key);
    /* A Unix socket, or an address given by the request, needs none either. */
    if (host[0] == '[' || memchr(host, ' ', rest) != NULL || memchr(host, '>', rest) != NULL)
        return 1;
    struct in_addr address;
    char name[INET_ADDRSTRLEN];
    const char *colon = memchr(host, ':', rest);
    size_t length = colon != NULL ? (size_t)(colon - host) : rest;
    if (length >= sizeof name)
        return 0;
    memcpy(name, host, length);
    name[length] = '\0';
    /* libcurl resolves localhost itself. Numbers and dots may still be a name: 300.300.300.300. */
    return strcmp(name, "localhost") == 0 || inet_pton(AF_INET, name, &address) == 1;
}

static struct stook__curl_origin *make(struct stook__engine *engine, struct stook__map *table,
                                       const struct stook__way *way, struct stook__origin *shared,
                                       int kind)
{
    struct stook__curl_origin *origin = stook__alloc(engine->allocator, sizeof *origin);
    const char *key = shared->node.key;
    size_t size = shared->node.key_size;
    if (origin == NULL)
        return NULL;
    origin->engine = engine;
    origin->table = table;
    origin->node = (struct stook__node){NULL, shared->node.hash, key, size};
    origin->direct = kind == STOOK__CURL_DIRECT;
    origin->h2 = origin->direct ? 0 : kind;
    int https = size > 5 && memcmp(key, "https", 5) == 0;
    origin->tls = https || way->tls;
    origin->proxied = way->proxied;
    origin->protocol = https && !origin->direct ? 0 : 11;
    origin->literal = is_literal(key, size) && !way->is_name;
    origin->home = (unsigned)(shared->node.hash % (origin->tls ? TLS_HOMES : HOMES));
    stook__list_init(&origin->pool);
    stook__list_init(&origin->unused);
    stook__list_init(&origin->gated);
    stook__list_init(&origin->ready);
    stook__list_init(&origin->waiting_for_dns);
    stook__list_init(&origin->waiting_for_lookup);
    if (stook__map_add(table, engine->allocator, &origin->node) != 0) {
        stook__free(engine->allocator, origin);
        return NULL;
    }
    origin->shared = stook__origin_ref(shared);
    return origin;
}

static struct stook__curl_origin *find(struct stook__map *table, const struct stook__origin *shared)
{
    struct stook__node *node =
        stook__map_find(table, shared->node.hash, shared->node.key, shared->node.key_size);
    return node != NULL ? STOOK__OF(struct stook__curl_origin, node, node) : NULL;
}

struct stook__curl_origin *stook__curl_origin_find(struct stook__map *tables,
                                                   const struct stook__origin *shared, int kind)
{
    return find(&tables[kind], shared);
}

struct stook__curl_origin *stook__curl_origin_get(struct stook__engine *engine,
                                                  struct stook__map *tables,
                                                  const struct stook__way *way,
                                                  struct stook__origin *shared, int kind)
{
    struct stook__curl_origin *origin = find(&tables[kind], shared);
    return origin != NULL ? origin : make(engine, &tables[kind], way, shared, kind);
}

/* Takes an easy handle out of its pool. */
static void unpool(struct stook__easy *easy)
{
    stook__list_remove(&easy->link);
    stook__list_remove(&easy->pooled);
    if (stook__easy_has_connection(easy))
        easy->engine->n_idle--;
    else
        easy->engine->n_pooled--;
}

void stook__curl_origin_drop(struct stook__easy *easy)
{
    unpool(easy);
    if (stook__easy_has_connection(easy))
        stook__list_append(&easy->engine->dead, &easy->link);
    else
        stook__easy_free(easy);
}

/* The origin goes before its connection does. */
static void orphan_and_drop(struct stook__easy *easy)
{
    if (stook__easy_has_connection(easy))
        easy->origin = NULL;
    stook__curl_origin_drop(easy);
}

static void destroy(struct stook__curl_origin *origin)
{
    struct stook__engine *engine = origin->engine;
    while (!stook__list_empty(&origin->pool))
        orphan_and_drop(STOOK__OF(struct stook__easy, link, origin->pool.next));
    if (!stook__list_empty(&origin->unused)) {
        stook__list_remove(&origin->unused);
        engine->n_unused--;
    }
    stook__timer_heap_clear(&engine->caps, &origin->cap);
    stook__list_remove(&origin->ready);
    stook__list_remove(&origin->waiting_for_lookup);
    stook__map_remove(origin->table, &origin->node);
    stook__origin_unref(origin->shared);
    stook__free(engine->allocator, origin->load);
    stook__free(engine->allocator, origin);
}

int stook__curl_origin_ref(struct stook__curl_origin *origin)
{
    if (origin->in_flight++ > 0)
        return 0;
    if (!stook__list_empty(&origin->unused)) {
        stook__list_remove(&origin->unused);
        origin->engine->n_unused--;
    }
    return 1;
}

int stook__curl_origin_unref(struct stook__curl_origin *origin)
{
    struct stook__engine *engine = origin->engine;
    if (--origin->in_flight > 0)
        return 0;
    stook__list_append(&engine->unused, &origin->unused);
    if (++engine->n_unused > UNUSED_MAX)
        destroy(STOOK__OF(struct stook__curl_origin, unused, engine->unused.next));
    return 1;
}

static int is_too_old(const struct stook__easy *easy, int64_t now)
{
    return stook__easy_has_connection(easy) &&
           (now - easy->idle_since > IDLE_US || now - easy->connected_at > AGE_US);
}

struct stook__easy *stook__curl_origin_pop(struct stook__map *tables,
                                           const struct stook__origin *shared, int kind,
                                           int64_t now)
{
    struct stook__curl_origin *origin = find(&tables[kind], shared);
    while (origin != NULL && !stook__list_empty(&origin->pool)) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, link, origin->pool.next);
        if (is_too_old(easy, now)) {
            stook__curl_origin_drop(easy);
            continue;
        }
        unpool(easy);
        return easy;
    }
    return NULL;
}

void stook__curl_origin_push(struct stook__curl_origin *origin, struct stook__easy *easy)
{
    struct stook__engine *engine = origin->engine;
    stook__list_append(origin->pool.next, &easy->link); /* before the first */
    if (stook__easy_has_connection(easy)) {
        stook__list_append(&engine->idle, &easy->pooled);
        if (++engine->n_idle > IDLE_MAX)
            stook__curl_origin_drop(STOOK__OF(struct stook__easy, pooled, engine->idle.next));
        return;
    }
    stook__list_append(&engine->pooled, &easy->pooled);
    if (++engine->n_pooled > POOL_MAX)
        stook__curl_origin_drop(STOOK__OF(struct stook__easy, pooled, engine->pooled.next));
}

/* Adds counters for more multi handles. Without memory for them the known ones take the load. */
static void grow_load(struct stook__curl_origin *origin)
{
    size_t count = origin->n_load != 0 ? 2 * origin->n_load : 1;
    unsigned short *load =
        stook__resize(origin->engine->allocator, origin->load, count * sizeof *load);
    if (load == NULL)
        return;
    memset(load + origin->n_load, 0, (count - origin->n_load) * sizeof *load);
    origin->load = load;
    origin->n_load = count;
}

static size_t multis_allowed(const struct stook__curl_origin *origin)
{
    /* Where HTTP/2 may be negotiated, one connection may carry all requests: they share one multi
       handle unless the origin is known to speak HTTP/1.1. */
    return !origin->h2 || origin->protocol == 11 ? MULTIS_MAX : 1;
}

/* Returns which of the origin's multi handles takes the next request. */
static size_t pick(struct stook__curl_origin *origin)
{
    size_t allowed = multis_allowed(origin), index = 0;
    while (index < origin->n_load && index < allowed && origin->load[index] >= MULTI_LOAD)
        index++;
    if (index >= allowed)
        return origin->in_flight % allowed;
    if (index == origin->n_load)
        grow_load(origin);
    return index < origin->n_load ? index : 0;
}

size_t stook__curl_origin_enter(struct stook__curl_origin *origin, unsigned *ret_index)
{
    size_t index = pick(origin);
    if (index >= origin->n_load)
        return SIZE_MAX;
    origin->load[index]++;
    *ret_index = (unsigned)index;
    size_t kind = origin->direct ? STOOK__CURL_DIRECT : (size_t)origin->h2;
    return kind * MULTIS_MAX + (origin->home + index) % MULTIS_MAX;
}

void stook__curl_origin_leave(struct stook__curl_origin *origin, unsigned index)
{
    origin->load[index]--;
}

void stook__curl_origins_free(struct stook__engine *engine, struct stook__map *table)
{
    struct stook__node *node;
    while ((node = stook__map_next(table, NULL)) != NULL)
        destroy(STOOK__OF(struct stook__curl_origin, node, node));
    stook__map_free(table, engine->allocator);
}
