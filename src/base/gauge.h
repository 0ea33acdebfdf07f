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
    size_t room;                /* of those that there may be; SIZE_MAX: no bound */
    struct stook__link paused;  /* brakes of attempts that wait for room */
    struct stook__link stirred; /* among those where one has begun to wait */
    struct stook__link *stir;   /* the list of these */
};

struct stook__brake {
    struct stook__link link;
    struct stook__gauge *gauge; /* NULL: nobody counts */
    size_t bytes;               /* of this body */
    int64_t since;              /* when it began to wait; 0: it does not */
    int free;                   /* the head: it never waits */
};

#endif
