/* SPDX-License-Identifier: MIT */
/*
 * Bytes of bodies under way for one batch, and how many there may be: what cannot be held waits for
 * its turn in the socket. Filled by attempts, from inside libcurl; set and emptied by the turn.
 */
#ifndef STOOK_BASE_GAUGE_H
#define STOOK_BASE_GAUGE_H

#include <stdint.h>

#include "base/list.h"

struct stook__gauge {
    size_t bytes;               /* of bodies under way */
    size_t room;                /* of those that there may be */
    size_t n_free;              /* bodies under way that never wait */
    struct stook__link paused;  /* brakes of attempts that wait for room */
    struct stook__link stirred; /* among those where one has begun to wait */
    struct stook__link *stir;   /* the list of these */
};

struct stook__brake {
    struct stook__link link;
    struct stook__gauge *gauge; /* NULL: nobody counts */
    size_t bytes;               /* of this body */
    size_t wants;               /* while it waits: for so many more */
    int64_t since;              /* when it began to wait; 0: it does not */
    int free;                   /* it never waits */
};

void stook__gauge_init(struct stook__gauge *gauge);
void stook__gauge_end(struct stook__gauge *gauge);

/* A body is under way; and is no more. */
void stook__brake_enter(struct stook__brake *brake, struct stook__gauge *gauge);
void stook__brake_leave(struct stook__brake *brake);
/* 1: there is room for so many more bytes; 0: it waits. */
int stook__brake_may_take(struct stook__brake *brake, size_t size, int64_t now);
/* How many it has now. */
void stook__brake_count(struct stook__brake *brake, size_t bytes);
/* It never waits from now on. */
void stook__brake_free(struct stook__brake *brake);
/* It goes on, if it waits. For how long it did. */
int64_t stook__brake_release(struct stook__brake *brake, int64_t now);

#endif
