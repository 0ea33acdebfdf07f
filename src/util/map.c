/* SPDX-License-Identifier: MIT */
/* Nodes by key; see map.h. Each bucket is a chain. The number of buckets is a power of two. */
#include "util/map.h"

#include <string.h>

enum { FIRST = 16 };

/* Spreads every bit of a word to the low bits, which select the bucket. */
static uint64_t mix(uint64_t word)
{
    word *= UINT64_C(0x9e3779b97f4a7c15);
    return word ^ word >> 32;
}

uint64_t stook__map_hash(const char *key, size_t size)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ size, word;
    for (; size >= sizeof word; key += sizeof word, size -= sizeof word) {
        memcpy(&word, key, sizeof word);
        hash = mix(hash ^ word);
    }
    word = 0;
    memcpy(&word, key, size);
    return mix(hash ^ word);
}

struct stook__node *stook__map_find(const struct stook__map *map, uint64_t hash, const char *key,
                                    size_t size)
{
    if (map->n_buckets == 0)
        return NULL;
    struct stook__node *node = map->bucket[hash & (map->n_buckets - 1)];
    while (node != NULL &&
           (node->hash != hash || node->key_size != size || memcmp(node->key, key, size) != 0))
        node = node->next;
    return node;
}

static void insert(struct stook__map *map, struct stook__node *node)
{
    struct stook__node **bucket = &map->bucket[node->hash & (map->n_buckets - 1)];
    node->next = *bucket;
    *bucket = node;
}

static int grow(struct stook__map *map, struct stook__allocator *allocator)
{
    struct stook__map larger = {.n_buckets = map->n_buckets != 0 ? 2 * map->n_buckets : FIRST,
                                .count = map->count};
    larger.bucket = stook__alloc(allocator, larger.n_buckets * sizeof *larger.bucket);
    if (larger.bucket == NULL)
        return STOOK_ENOMEM;
    for (size_t i = 0; i < map->n_buckets; i++)
        for (struct stook__node *node = map->bucket[i], *next; node != NULL; node = next) {
            next = node->next;
            insert(&larger, node);
        }
    stook__free(allocator, map->bucket);
    *map = larger;
    return 0;
}

int stook__map_add(struct stook__map *map, struct stook__allocator *allocator,
                   struct stook__node *node)
{
    /* If the table cannot grow, its chains get longer, which is slower and still correct. */
    if (map->count >= map->n_buckets && grow(map, allocator) != 0 && map->n_buckets == 0)
        return STOOK_ENOMEM;
    insert(map, node);
    map->count++;
    return 0;
}

void stook__map_remove(struct stook__map *map, struct stook__node *node)
{
    struct stook__node **at = &map->bucket[node->hash & (map->n_buckets - 1)];
    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    map->count--;
}

struct stook__node *stook__map_next(const struct stook__map *map, const struct stook__node *node)
{
    if (node != NULL && node->next != NULL)
        return node->next;
    for (size_t i = node != NULL ? (node->hash & (map->n_buckets - 1)) + 1 : 0; i < map->n_buckets;
         i++)
        if (map->bucket[i] != NULL)
            return map->bucket[i];
    return NULL;
}

void stook__map_free(struct stook__map *map, struct stook__allocator *allocator)
{
    stook__free(allocator, map->bucket);
    *map = (struct stook__map){0};
}
