/* SPDX-License-Identifier: MIT */
/*
 * What the attempts of a request came to, and what the last one took of the rates. Plain data:
 * core/record.c adds to it, the result keeps it. A request that was sent once and took nothing has
 * none.
 */
#ifndef STOOK_REQUEST_HISTORY_H
#define STOOK_REQUEST_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "util/allocator.h"

/* Of more attempts, the first and the last are kept. */
enum { STOOK__HISTORY_FIRST = 32, STOOK__HISTORY_MAX = 64 };

struct stook__past_attempt {
    int64_t started_us, ended_us; /* from the add */
    int16_t error, status;
    uint8_t again; /* STOOK_AGAIN_... */
};

struct stook__history {
    struct stook__past_attempt *list; /* of `capacity` */
    size_t count, capacity;           /* `count` may be larger: those of all attempts */
    int64_t taken;    /* what the last attempt took of the rates of cost; -1: nothing to charge */
    int64_t taken_at; /* when, on the clock of the loop */
    char *origin_key; /* the target that it was taken from */
    char *rate_key;   /* NULL: none */
};

/* Makes an empty one. NULL: out of memory. */
struct stook__history *stook__history_new(struct stook__allocator *allocator);
/* Adds an attempt, after STOOK__HISTORY_MAX in the place of the oldest of the last ones. 0 or
   STOOK_ENOMEM. */
int stook__history_add(struct stook__history *history, struct stook__allocator *allocator,
                       const struct stook__past_attempt *attempt);
/* Returns a copy without what was taken. NULL: out of memory. */
struct stook__history *stook__history_copy(const struct stook__history *history,
                                           struct stook__allocator *allocator);
/* Returns the i-th attempt of all. NULL: it is not there, or not any more. */
const struct stook__past_attempt *stook__history_at(const struct stook__history *history, size_t i);
/* Forgets what was taken. */
void stook__history_clear_receipt(struct stook__history *history,
                                  struct stook__allocator *allocator);
/* NULL: nothing happens. */
void stook__history_free(struct stook__history *history, struct stook__allocator *allocator);

#endif
