/* SPDX-License-Identifier: MIT */
/* A hash table of nodes by a key of bytes. Intrusive: adding a node allocates no memory for it. */
#ifndef STOOK_UTIL_MAP_H
#define STOOK_UTIL_MAP_H

#include <stdint.h>

#include "util/allocator.h"

struct stook__node {
    struct stook__node *next;
    uint64_t hash;
    const char *key; /* must live as long as the node is in the map */
    size_t key_size;
};

struct stook__map {
    struct stook__node **bucket;
    size_t n_buckets, count;
};

uint64_t stook__map_hash(const char *key, size_t size);
/* NULL: no node has this key. */
struct stook__node *stook__map_find(const struct stook__map *map, uint64_t hash, const char *key,
                                    size_t size);
/* Adds a node whose key, key_size and hash are set and whose key is not in the map. 0 or
   STOOK_ENOMEM. */
int stook__map_add(struct stook__map *map, struct stook__allocator *allocator,
                   struct stook__node *node);
void stook__map_remove(struct stook__map *map, struct stook__node *node);
/* Returns the node after `node`, in no particular order; the first for NULL, NULL after the
   last. */
struct stook__node *stook__map_next(const struct stook__map *map, const struct stook__node *node);
/* Frees the table. The nodes belong to the caller. */
void stook__map_free(struct stook__map *map, struct stook__allocator *allocator);

#endif
