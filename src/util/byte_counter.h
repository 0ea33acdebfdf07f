/* SPDX-License-Identifier: MIT */
/*
 * Bytes of bodies under way for one batch, and how many there may be: what cannot be held waits for
 * its turn in the socket. Filled by attempts, from inside libcurl; set and emptied by the turn.
 */
#ifndef STOOK_UTIL_BYTE_COUNTER_H
#define STOOK_UTIL_BYTE_COUNTER_H

#include <stdint.h>

#include "util/list.h"

struct stook__byte_counter {
    size_t bytes;                    /* of bodies under way */
    size_t room;                     /* of those that there may be */
    size_t n_free;                   /* bodies under way that never wait */
    struct stook__link paused;       /* brakes of attempts that wait for room */
    struct stook__link ready_owners; /* among those where one has begun to wait */
    struct stook__link *stir;        /* the list of these */
};

struct stook__body_flow {
    struct stook__link link;
    struct stook__byte_counter *counter; /* NULL: nobody counts */
    size_t bytes;                        /* of this body */
    size_t wants;                        /* while it waits: for so many more */
    int64_t since;                       /* when it began to wait; 0: it does not */
    int free;                            /* it never waits */
};

void stook__byte_counter_init(struct stook__byte_counter *counter);
void stook__byte_counter_end(struct stook__byte_counter *counter);

/* A body is under way; and is no more. */
void stook__body_flow_enter(struct stook__body_flow *flow, struct stook__byte_counter *counter);
void stook__body_flow_leave(struct stook__body_flow *flow);
/* 1: there is room for so many more bytes; 0: it waits. */
int stook__body_flow_may_take(struct stook__body_flow *flow, size_t size, int64_t now);
/* How many it has now. */
void stook__body_flow_count(struct stook__body_flow *flow, size_t bytes);
/* It never waits from now on. */
void stook__body_flow_exempt(struct stook__body_flow *flow);
/* It goes on, if it waits. For how long it did. */
int64_t stook__body_flow_release(struct stook__body_flow *flow, int64_t now);

#endif
