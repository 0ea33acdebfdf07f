/* SPDX-License-Identifier: MIT */
/* Random histories: each is made from its seed alone. */
#ifndef STOOK_TEST_SEEDS_H
#define STOOK_TEST_SEEDS_H

#include <stdint.h>

/* Returns a digest of all that happened. */
typedef uint64_t seeds_history(uint64_t seed);

/* Runs the histories of the seeds below `count`; with STOOK_SEED=n in the environment that of n alone. */
void seeds_run(seeds_history *history, uint64_t count);
/* The same seed gives the same history, wherever in memory it happens; the next seed gives another. */
void seeds_check_digests(seeds_history *history, uint64_t count);

#endif
