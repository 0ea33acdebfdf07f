/* SPDX-License-Identifier: MIT */
/* Origins: one for each key, as long as somebody refers to it or it is remembered. */
#include <stdio.h>
#include <string.h>

#include "origin/origin.h"
#include "support/harness.h"
#include "support/process.h"

static struct stook__origin *find(const struct stook__origins *origins, const char *key)
{
    return stook__origin_find(origins, key, strlen(key));
}

TEST(one_for_each_key)
{
    struct stook__allocator *allocator = stook__allocator_new(NULL);
    struct stook__origins origins;
    stook__origins_init(&origins, allocator);
    CHECK(find(&origins, "http://a:80") == NULL);
    struct stook__origin *one = stook__origin_get(&origins, "http://a:80", 11);
    CHECK(stook__origin_get(&origins, "http://a:80", 11) == one);
    CHECK(find(&origins, "http://a:80") == one);
    CHECK(find(&origins, "http://a:8") == NULL);
    stook__origin_unref(one);
    CHECK(find(&origins, "http://a:80") == one);
    stook__origin_unref(one);
    CHECK(find(&origins, "http://a:80") == NULL);
    stook__origins_free(&origins);
    stook__allocator_unref(allocator);
}

/* The memory is bounded, and what was remembered last stays. */
TEST(remembered)
{
    enum { MANY = 300, KEPT = 256 };
    struct stook__allocator *allocator = stook__allocator_new(NULL);
    struct stook__origins origins;
    stook__origins_init(&origins, allocator);
    for (int i = 0; i < MANY; i++) {
        char key[32];
        struct stook__origin *origin =
            stook__origin_get(&origins, key, (size_t)snprintf(key, sizeof key, "http://h%d:80", i));
        origin->memory.broken_until = i + 1;
        stook__origin_remember(origin);
        stook__origin_unref(origin);
        stook__origin_remember(find(&origins, "http://h0:80")); /* it is always the newest */
    }
    CHECK_EQ_SIZE(origins.n_remembered, KEPT);
    CHECK_EQ_SIZE(origins.map.count, KEPT);
    for (int i = 1; i < MANY; i++) {
        const struct stook__origin *origin = find(&origins, text("http://h%d:80", i));
        CHECK_EQ_INT(origin != NULL, i > MANY - KEPT);
        if (origin != NULL)
            CHECK_EQ_INT(origin->memory.broken_until, i + 1);
    }
    CHECK_EQ_INT(find(&origins, "http://h0:80")->memory.broken_until, 1);
    stook__origins_free(&origins);
    stook__allocator_unref(allocator);
}

/* What is forgotten is forgotten also of an origin that is still used. */
TEST(forgotten)
{
    struct stook__allocator *allocator = stook__allocator_new(NULL);
    struct stook__origins origins;
    stook__origins_init(&origins, allocator);
    struct stook__origin *used = stook__origin_get(&origins, "http://a:80", 11);
    used->memory.broken_until = 1;
    stook__origin_remember(used);
    for (int i = 0; i < 256; i++) {
        char key[32];
        struct stook__origin *origin =
            stook__origin_get(&origins, key, (size_t)snprintf(key, sizeof key, "http://h%d:80", i));
        stook__origin_remember(origin);
        stook__origin_unref(origin);
    }
    CHECK_EQ_INT(used->memory.broken_until, 0);
    CHECK(find(&origins, "http://a:80") == used);
    stook__origin_unref(used);
    stook__origins_free(&origins);
    stook__allocator_unref(allocator);
}
