/* SPDX-License-Identifier: MIT */
/*
 * The libuv side of a client: its loop, owned or borrowed, with one timer, the wake-up from other
 * threads and the phase in which the client takes its turn. poll.h has the polls of descriptors,
 * file.h the work on files.
 *
 * A turn is taken in the check phase, right after the loop has polled. Whatever the program calls
 * before waits for that turn, so the client knows what happened to its idle connections before it
 * starts a request on one.
 *
 * Invariant: every handle is unreferenced except `check`, which is referenced while the client is
 * busy. So a borrowed loop ends by itself when nothing of the client is under way, whichever
 * connections libcurl keeps open.
 */
#ifndef STOOK_LOOP_LOOP_H
#define STOOK_LOOP_LOOP_H

#include <stdint.h>

#include "util/allocator.h"

struct uv_loop_s;
struct stook__loop;

struct stook__loop_events {
    /* Takes the turn that was requested. Called in the check phase. */
    void (*turn)(void *owner);
    /* The last handle is closed; no other event follows. `loop` is freed already if it is on a
       borrowed uv loop, otherwise the caller frees it. */
    void (*closed)(void *owner);
};

/* Creates a loop on `borrowed`, or on a uv loop of its own if that is NULL. 0, STOOK_ENOMEM or
   STOOK_ENOFD. */
int stook__loop_new(struct stook__allocator *allocator, struct uv_loop_s *borrowed,
                    const struct stook__loop_events *events, void *owner,
                    struct stook__loop **ret_loop);
int stook__loop_owned(const struct stook__loop *loop);

/* Returns the time of the monotonic clock in microseconds, read now. */
int64_t stook__loop_now(void);
/* Returns the time as libuv has last read it, in steps of 1 ms. It costs no system call, and is as
   old as the events that are being handled. */
int64_t stook__loop_cached(const struct stook__loop *loop);

/* Requests a turn before the loop waits again. */
void stook__loop_request_turn(struct stook__loop *loop);
/* The same from any thread. The caller makes sure that the loop is not closing. */
void stook__loop_wake(struct stook__loop *loop);
/* Sets whether a borrowed loop is kept alive. */
void stook__loop_busy(struct stook__loop *loop, int busy);
/* Requests a turn at that time at the latest. 0: at no time. Each call replaces the one before. */
void stook__loop_alarm(struct stook__loop *loop, int64_t due);

/* Owned loops: runs one iteration, which waits for an event if `wait` is set. */
void stook__loop_run(struct stook__loop *loop, int wait);
/* Owned loops: runs one iteration that does not wait. If it took no turn, runs more, which wait,
   until one has taken a turn or `timeout_ms` have passed. -1: without a limit. */
void stook__loop_pass(struct stook__loop *loop, int64_t timeout_ms);
/* Owned loops: returns the descriptor that is readable when the kernel has an event for it. */
int stook__loop_fd(const struct stook__loop *loop);
/* Owned loops: whether an iteration has work of which the kernel does not know. */
int stook__loop_is_due(const struct stook__loop *loop);
/* Owned loops: ends the iteration that is running as soon as possible. */
void stook__loop_stop(struct stook__loop *loop);

/* Closes all handles and polls, then calls events.closed. */
void stook__loop_close(struct stook__loop *loop);
/* Owned loops: frees the loop, after events.closed and outside of stook__loop_run(). */
void stook__loop_free(struct stook__loop *loop);

#endif
