/* SPDX-License-Identifier: MIT */
/*
 * Flow control of one batch: how many requests may be outstanding, how many bytes may be buffered,
 * and which response bodies are paused meanwhile. Pure: no clock, no I/O, nothing of other rooms.
 * http/ reports the bytes of each body from inside libcurl; the turn pauses and resumes transfers.
 *
 * The window bounds requests that have started and whose results are not delivered. It applies
 * while results wait for something: for an earlier one, for the program to pull them, or for a
 * paused delivery. A request that waits for the window does not start.
 *
 * `max_buffered_bytes` bounds what results hold that are not delivered. Where results are delivered
 * in the order of the adds, it bounds response bodies in flight, too. A body that finds no room is
 * paused, and libcurl leaves its bytes in the socket.
 *
 * The head of the order is exempt: its body is never paused for room. While the head waits for
 * a slot, the running requests may be those that hold the slots. So if all of them are paused, the
 * one that was paused first becomes exempt and frees its slot in the end.
 *
 * Invariant: without the bodies that are exempt, and the results that come of them, a batch never
 * holds more than `max_buffered_bytes`. Beside the body of the head at most one is exempt.
 */
#ifndef STOOK_DELIVER_FLOW_CONTROL_H
#define STOOK_DELIVER_FLOW_CONTROL_H

#include <stdint.h>

#include "util/list.h"

/* Of a batch. */
struct stook__flow_control {
    size_t window;                    /* SIZE_MAX: no bound */
    size_t max_buffered_bytes;        /* SIZE_MAX: no bound */
    size_t outstanding;               /* requests that have started and are not delivered */
    size_t result_bytes;              /* body bytes of results that are not delivered */
    size_t body_bytes;                /* bytes of the counted bodies in flight */
    size_t body_limit;                /* how many these may be now */
    size_t n_exempt;                  /* counted bodies in flight that are exempt */
    struct stook__link paused;        /* bodies that are paused for room, the oldest pause first */
    struct stook__link has_paused;    /* in *newly_paused, since a body was paused */
    struct stook__link *newly_paused; /* the client's list of batches that the turn looks at */
    int counts_bodies;                /* whether bodies in flight count against the bound */
};

/* Why a body in flight is paused. Reasons are independent: it is read on when there is none. */
enum stook__pause {
    STOOK__PAUSE_PROGRAM = 1, /* on_body returned STOOK_PAUSE */
    STOOK__PAUSE_SINK = 2,    /* the body sink is full: the turn has to empty it */
    STOOK__PAUSE_BUFFER = 4   /* the batch buffers as many bytes as it may */
};

/* Of an attempt. Zeroed: the body is not counted and not paused. */
struct stook__body_flow {
    struct stook__link link;           /* in `paused` of its batch */
    struct stook__flow_control *batch; /* NULL: the body is not counted */
    size_t bytes;                      /* of this body */
    size_t wants;                      /* with PAUSE_BUFFER: how many more bytes it has to store */
    int64_t paused_at; /* when PAUSE_PROGRAM or PAUSE_BUFFER began. A body has one of them at most:
                                          what the program receives is not counted. */
    uint8_t paused;    /* enum stook__pause, or-ed */
    uint8_t exempt;    /* it is never paused for room */
};

void stook__flow_init(struct stook__flow_control *flow);
/* Sets the bounds when the await begins. */
void stook__flow_open(struct stook__flow_control *flow, size_t window, size_t max_buffered_bytes,
                      int counts_bodies);
/* Takes the batch out of the client's list. */
void stook__flow_end(struct stook__flow_control *flow);

/* A request has started, or has gone back to its queue. */
void stook__flow_started(struct stook__flow_control *flow);
void stook__flow_stopped(struct stook__flow_control *flow);
/* A result with that many body bytes has arrived, and was delivered. */
void stook__flow_arrived(struct stook__flow_control *flow, size_t bytes);
void stook__flow_delivered(struct stook__flow_control *flow, size_t bytes, int started);
/* Whether one more request may start. `windowed`: the window applies; `reserved`: places in it
   that are kept for others. */
int stook__flow_has_room(const struct stook__flow_control *flow, int windowed, size_t reserved);

/* Adapts `body_limit` to the results that are buffered. Returns how many more bytes bodies may
   take. */
size_t stook__flow_update(struct stook__flow_control *flow);
/* The next body to resume by stook__body_flow_resume(), NULL: none. `head`: the body of the
   head, or NULL if that is not in flight; `head_blocked`: the head waits for a slot. `left` is what
   stook__flow_update() returned; the body's share is subtracted. */
struct stook__body_flow *stook__flow_next_resumable(struct stook__flow_control *flow,
                                                    struct stook__body_flow *head, int head_blocked,
                                                    size_t *left);
/* The next batch in the client's list where a body was paused; NULL: none. It leaves the list. */
struct stook__flow_control *stook__flow_next_paused(struct stook__link *newly_paused);

/* Counts a body from its first byte on, until stook__body_flow_leave(), which does nothing to a
   body that is not counted. */
void stook__body_flow_enter(struct stook__body_flow *body, struct stook__flow_control *batch);
void stook__body_flow_leave(struct stook__body_flow *body);
/* 1: that many more bytes have room. 0: the body is paused for room. */
int stook__body_flow_may_take(struct stook__body_flow *body, size_t size, int64_t now);
/* How many bytes one allocation for the body may have. */
size_t stook__body_flow_room(const struct stook__body_flow *body);
/* The body holds that many bytes now. */
void stook__body_flow_count(struct stook__body_flow *body, size_t bytes);
/* The body is not paused for room from now on. */
void stook__body_flow_exempt(struct stook__body_flow *body);
/* Adds a reason. `now` counts for PAUSE_PROGRAM and PAUSE_BUFFER, which stop the request's
   clocks. */
void stook__body_flow_pause(struct stook__body_flow *body, enum stook__pause reason, int64_t now);
/* Takes a reason away. Returns for how many microseconds the clocks were stopped by it. */
int64_t stook__body_flow_resume(struct stook__body_flow *body, enum stook__pause reason,
                                int64_t now);

#endif
