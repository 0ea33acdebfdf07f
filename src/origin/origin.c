/* SPDX-License-Identifier: MIT */
/* The table of a client's origins; see origin.h. */
#include "origin/origin.h"

#include <string.h>

enum { REMEMBERED_MAX = 256 };

void stook__origins_init(struct stook__origins *origins, struct stook__allocator *allocator)
{
    *origins = (struct stook__origins){.allocator = allocator};
    stook__list_init(&origins->remembered);
}

/* Forgets the origin that was remembered first. */
static void forget_oldest(struct stook__origins *origins)
{
    struct stook__origin *origin =
        STOOK__OF(struct stook__origin, memory.link, stook__list_pop(&origins->remembered));
    origin->memory = (struct stook__origin_memory){0};
    stook__list_init(&origin->memory.link);
    origins->n_remembered--;
    stook__origin_unref(origin);
}

void stook__origins_free(struct stook__origins *origins)
{
    while (origins->n_remembered > 0)
        forget_oldest(origins);
    stook__map_free(&origins->map, origins->allocator);
}

static struct stook__origin *make(struct stook__origins *origins, const char *key, size_t size)
{
    struct stook__origin *origin = stook__alloc(origins->allocator, sizeof *origin + size + 1);
    if (origin == NULL)
        return NULL;
    if (size > 0)
        memcpy(origin->text, key, size);
    origin->origins = origins;
    origin->node = (struct stook__node){NULL, stook__map_hash(key, size), origin->text, size};
    stook__list_init(&origin->sched.all);
    stook__list_init(&origin->sched.queues);
    stook__gate_init(&origin->sched.gate, STOOK__GATE_ORIGIN);
    stook__gate_init(&origin->sched.target.gate, STOOK__GATE_TARGET);
    origin->sched.target.origin = origin;
    stook__list_init(&origin->memory.link);
    if (stook__map_add(&origins->map, origins->allocator, &origin->node) == 0)
        return origin;
    stook__free(origins->allocator, origin);
    return NULL;
}

struct stook__origin *stook__origin_find(const struct stook__origins *origins, const char *key,
                                         size_t size)
{
    struct stook__node *node =
        stook__map_find(&origins->map, stook__map_hash(key, size), key, size);
    return node != NULL ? STOOK__OF(struct stook__origin, node, node) : NULL;
}

struct stook__origin *stook__origin_get(struct stook__origins *origins, const char *key,
                                        size_t size)
{
    struct stook__origin *origin = stook__origin_find(origins, key, size);
    if (origin == NULL)
        origin = make(origins, key, size);
    return origin != NULL ? stook__origin_ref(origin) : NULL;
}

void stook__origin_remember(struct stook__origin *origin)
{
    struct stook__origins *origins = origin->origins;
    if (stook__list_empty(&origin->memory.link)) {
        stook__origin_ref(origin);
        origins->n_remembered++;
    }
    stook__list_remove(&origin->memory.link);
    stook__list_append(&origins->remembered, &origin->memory.link);
    if (origins->n_remembered > REMEMBERED_MAX)
        forget_oldest(origins);
}

struct stook__origin *stook__origin_ref(struct stook__origin *origin)
{
    origin->refs++;
    return origin;
}

void stook__origin_unref(struct stook__origin *origin)
{
    if (--origin->refs > 0)
        return;
    stook__map_remove(&origin->origins->map, &origin->node);
    stook__free(origin->origins->allocator, origin);
}
