/* SPDX-License-Identifier: MIT */
/* The table of a client's origins; see origin.h. */
#include "origin/origin.h"

#include <string.h>

void stook__origins_init(struct stook__origins *origins, struct stook__allocator *allocator)
{
    *origins = (struct stook__origins){.allocator = allocator};
}

void stook__origins_free(struct stook__origins *origins)
{
    stook__map_free(&origins->map, origins->allocator);
}

static struct stook__origin *make(struct stook__origins *origins, uint64_t hash, const char *key,
                                  size_t size)
{
    struct stook__origin *origin = stook__alloc(origins->allocator, sizeof *origin + size + 1);
    if (origin == NULL)
        return NULL;
    if (size > 0)
        memcpy(origin->text, key, size);
    origin->origins = origins;
    origin->node = (struct stook__node){NULL, hash, origin->text, size};
    stook__list_init(&origin->sched.all);
    stook__list_init(&origin->sched.parked);
    stook__list_init(&origin->sched.wake);
    if (stook__map_add(&origins->map, origins->allocator, &origin->node) == 0)
        return origin;
    stook__free(origins->allocator, origin);
    return NULL;
}

struct stook__origin *stook__origin_get(struct stook__origins *origins, const char *key,
                                        size_t size)
{
    uint64_t hash = stook__map_hash(key, size);
    struct stook__node *node = stook__map_find(&origins->map, hash, key, size);
    struct stook__origin *origin =
        node != NULL ? STOOK__OF(struct stook__origin, node, node) : make(origins, hash, key, size);
    return origin != NULL ? stook__origin_ref(origin) : NULL;
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
