/* SPDX-License-Identifier: MIT */
#include "seeds.h"

#include <stdlib.h>

#include "../support/harness.h"

static uint64_t run(seeds_history *history, uint64_t seed)
{
    test_note("seed %llu", (unsigned long long)seed);
    return history(seed);
}

void seeds_run(seeds_history *history, uint64_t count)
{
    const char *alone = getenv("STOOK_SEED");
    if (alone != NULL)
        run(history, strtoull(alone, NULL, 10));
    for (uint64_t seed = 0; alone == NULL && seed < count; seed++)
        run(history, seed);
}

void seeds_check_digests(seeds_history *history, uint64_t count)
{
    void *apart[64];
    for (uint64_t seed = 0; seed < count; seed++) {
        uint64_t first = run(history, seed);
        for (size_t i = 0; i < 64; i++)
            apart[i] = malloc(16 + (size_t)(seed * 7 + i * 13) % 700);
        CHECK(run(history, seed) == first);
        CHECK(run(history, seed + 1) != first);
        for (size_t i = 0; i < 64; i++)
            free(apart[i]);
    }
}
