/* SPDX-License-Identifier: MIT */
/* Map and sparse array find what was put in, and nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/map.h"
#include "util/sparse_array.h"
#include "support/harness.h"

enum { MANY = 5000 };

static struct {
    struct stook__node node;
    char key[24];
} entries[MANY];

static struct stook__node *find(const struct stook__map *map, const char *key)
{
    return stook__map_find(map, stook__map_hash(key, strlen(key)), key, strlen(key));
}

TEST(map)
{
    struct stook__allocator *allocator = stook__allocator_new(NULL);
    struct stook__map map = {0};
    CHECK(find(&map, "x") == NULL);
    for (int i = 0; i < MANY; i++) {
        struct stook__node *node = &entries[i].node;
        node->key_size = (size_t)snprintf(entries[i].key, sizeof entries[i].key, "http://h%d", i);
        node->key = entries[i].key;
        node->hash = stook__map_hash(node->key, node->key_size);
        CHECK_EQ_INT(stook__map_add(&map, allocator, node), 0);
    }
    for (int i = 0; i < MANY; i += 2)
        stook__map_remove(&map, &entries[i].node);
    CHECK_EQ_SIZE(map.count, MANY / 2);
    for (int i = 0; i < MANY; i++)
        CHECK(find(&map, entries[i].key) == (i % 2 ? &entries[i].node : NULL));
    stook__map_free(&map, allocator);
    stook__allocator_unref(allocator);
}

static size_t blocks;

static void *counting_resize(void *block, size_t size, void *user)
{
    (void)user;
    blocks += block == NULL;
    return realloc(block, size);
}

static void counting_release(void *block, void *user)
{
    (void)user;
    blocks -= block != NULL;
    free(block);
}

/* A million that come and go take the memory of those that are there. */
TEST(pages_go_when_empty)
{
    struct stook_allocator functions = {counting_resize, counting_release, NULL};
    struct stook__allocator *allocator = stook__allocator_new(&functions);
    struct stook__sparse_array sparse_array = {0};
    int x;
    size_t most = 0;
    CHECK(stook__sparse_array_get(&sparse_array, 7) == NULL);
    for (size_t i = 0; i < 1000000; i++) {
        CHECK_EQ_INT(stook__sparse_array_set(&sparse_array, allocator, i, &x), 0);
        CHECK(stook__sparse_array_get(&sparse_array, i) == &x);
        if (i >= 300)
            stook__sparse_array_clear(&sparse_array, allocator, i - 300);
        most = blocks > most ? blocks : most;
    }
    CHECK(most <= 5); /* heap, table, and two or three pages */
    CHECK(stook__sparse_array_get(&sparse_array, 1000) == NULL);
    CHECK(stook__sparse_array_get(&sparse_array, 999999) == &x);
    CHECK(stook__sparse_array_get(&sparse_array, 100000000) == NULL);
    stook__sparse_array_free(&sparse_array, allocator);
    stook__allocator_unref(allocator);
    CHECK_EQ_SIZE(blocks, 0);
}
