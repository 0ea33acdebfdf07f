/* SPDX-License-Identifier: MIT */
/*
 * A whole flow again and again, with the 1st, 2nd, ... nth allocation of its client failing: once,
 * and from there on; until it runs through and nothing had to fail. Whatever failed, a story must
 * hold: each accepted add of an accepted await has exactly one result, `done` comes exactly once,
 * a refused await calls nothing, and nothing is left in memory or in the loop.
 */
#ifndef STOOK_TEST_FAIL_NTH_H
#define STOOK_TEST_FAIL_NTH_H

#include "life.h"

enum { STORY_MAX = 16 };

/* What happened to one batch. */
struct story {
    struct life *life;
    stook_batch *batch; /* NULL: there was no memory for it */
    size_t accepted;    /* adds that returned 0 */
    int awaited;        /* the await was accepted */
    int streamed;       /* its results come by on_result */
    struct done done;
    unsigned results[STORY_MAX]; /* per add, how many results came */
};

void story_begin(struct story *story, struct life *life);
void story_add(struct story *story, const char *url);
/* For on_result, with the story as its user. */
void story_result(stook_batch *batch, const stook_result *result, void *user);
/* Start the await, ordered or not, with `done` counted. */
void story_start(struct story *story, int ordered, const struct stook_gather_options *options);
/* Turn the loop, read what the batch keeps, check, free the batch. */
void story_end(struct story *story);
/* The parts of story_end(), for flows that close the client or free the batch themselves. */
void story_read(struct story *story);
void story_check(const struct story *story);

void fail_nth(void (*flow)(struct life *life));

#endif
