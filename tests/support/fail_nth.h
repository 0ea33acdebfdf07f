/* SPDX-License-Identifier: MIT */
/*
 * Runs a whole flow again and again while the 1st, 2nd, ... nth allocation of its client fails: once
 * alone, and once with all later ones; until the flow runs through and no allocation failed. Whatever
 * failed, this must hold: each accepted add of an accepted await has exactly one result, `done` runs
 * exactly once, a refused await calls nothing, and nothing is left in memory or in the loop.
 */
#ifndef STOOK_TEST_FAIL_NTH_H
#define STOOK_TEST_FAIL_NTH_H

#include "life.h"

enum { STORY_MAX = 16 };

/* What happened to one batch. */
struct story {
    struct life *life;
    stook_batch *batch; /* NULL: it could not be allocated */
    size_t accepted;    /* adds that returned 0 */
    int awaited;        /* the await was accepted */
    int streamed;       /* its results go to on_result */
    struct done done;
    unsigned results[STORY_MAX]; /* of each add, the number of results */
};

void story_begin(struct story *story, struct life *life);
void story_add(struct story *story, const char *url);
void story_add_request(struct story *story, const struct stook_request *request);
/* An on_result; its user is the story. */
void story_result(stook_batch *batch, const stook_result *result, void *user);
/* Starts the await, ordered or not, and counts `done`. */
void story_start(struct story *story, int ordered, const struct stook_gather_options *options);
/* Runs the loop, reads the kept results, checks, frees the batch. */
void story_end(struct story *story);
/* The steps of story_end(), for flows that close the client or free the batch themselves. */
void story_read(struct story *story);
void story_check(const struct story *story);

void fail_nth(void (*flow)(struct life *life));

#endif
