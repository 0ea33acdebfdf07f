/* SPDX-License-Identifier: MIT */
/* Things by a key of bytes. Intrusive: entering one needs no memory of its own. */
#ifndef STOOK_UTIL_MAP_H
#define STOOK_UTIL_MAP_H

#include <stdint.h>

#include "util/allocator.h"

struct stook__node {
    struct stook__node *next;
    uint64_t hash;
    const char *key; /* lives as long as the node */
    size_t key_size;
};

struct stook__map {
    struct stook__node **bucket;
    size_t n_buckets, count;
};

uint64_t stook__map_hash(const char *key, size_t size);
struct stook__node *stook__map_find(const struct stook__map *map, uint64_t hash, const char *key,
                                    size_t size);
/* The key is not there yet; key, key_size and hash are set. 0 or STOOK_ENOMEM. */
int stook__map_add(struct stook__map *map, struct stook__allocator *allocator,
                   struct stook__node *node);
void stook__map_remove(struct stook__map *map, struct stook__node *node);
/* Walks over all in no order: the first for NULL, and NULL behind the last. */
struct stook__node *stook__map_next(const struct stook__map *map, const struct stook__node *node);
/* Frees the table, not what is in it. */
void stook__map_free(struct stook__map *map, struct stook__allocator *allocator);

#endif
