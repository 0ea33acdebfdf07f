/* SPDX-License-Identifier: MIT */
/*
 * The libuv side: poll watchers, one timer, the phase in which a client takes its turn, the
 * wake-up from other threads, and the close that counts its handles.
 *
 * A turn is taken in the check phase, right behind the poll. What the program asked for meanwhile
 * waits for it too: so what happened to idle connections is known before anything starts.
 *
 * Every handle is unreferenced but `check`, which is referenced while the client is busy: a
 * borrowed loop ends by itself when nothing of ours is under way, whatever libcurl left open.
 */
#ifndef STOOK_LOOP_LOOP_H
#define STOOK_LOOP_LOOP_H

#include <stdint.h>

#include "util/allocator.h"

struct uv_loop_s;
struct stook__loop;
struct stook__poll;

struct stook__loop_events {
    /* From the check phase, when a turn was wanted. */
    void (*turn)(void *owner);
    /* The last handle is closed, the last thing that a loop says. A borrowed one is gone already. */
    void (*closed)(void *owner);
};

enum { STOOK__IN = 1, STOOK__OUT = 2, STOOK__HANGUP = 4, STOOK__ERROR = 8 };

/* `borrowed` NULL: a loop of our own. 0, STOOK_ENOMEM, STOOK_ENOFD. */
int stook__loop_new(struct stook__allocator *allocator, struct uv_loop_s *borrowed,
                    const struct stook__loop_events *events, void *owner,
                    struct stook__loop **ret_loop);
int stook__loop_owned(const struct stook__loop *loop);

/* Microseconds of the monotonic clock, read now. */
int64_t stook__loop_now(void);
/* The same as libuv last read it: free, as old as the events being handled, in steps of 1 ms. */
int64_t stook__loop_cached(const struct stook__loop *loop);

/* Have a turn soon: before the loop waits again. */
void stook__loop_request_turn(struct stook__loop *loop);
/* The same from any thread. The loop must not be closing. */
void stook__loop_wake(struct stook__loop *loop);
/* Whether a borrowed loop has to be kept alive. */
void stook__loop_busy(struct stook__loop *loop, int busy);
/* Have a turn at that time, at the latest; 0: no such time. One alarm: the last call counts. */
void stook__loop_alarm(struct stook__loop *loop, int64_t due);

/* Owned loops: one round, which waits for something to happen, or not. */
void stook__loop_run(struct stook__loop *loop, int wait);
/* Owned loops: one round that does not wait; if no turn was wanted, more of them, until one was taken or so
   many ms have passed. -1: however long. */
void stook__loop_pass(struct stook__loop *loop, int64_t timeout_ms);
/* Owned loops: readable when a round has something to do, as far as the kernel knows. */
int stook__loop_fd(const struct stook__loop *loop);
/* Owned loops: a round has something to do that the kernel does not know of. */
int stook__loop_is_due(const struct stook__loop *loop);
/* Owned loops: have the round under way return as soon as it can. */
void stook__loop_stop(struct stook__loop *loop);

/* Close everything, watchers too; then events.closed. */
void stook__loop_close(struct stook__loop *loop);
/* Owned loops, after events.closed and outside of stook__loop_run. */
void stook__loop_free(struct stook__loop *loop);

/* `event` gets STOOK__IN, OUT, HANGUP or, alone, ERROR: then libuv has stopped the watcher. */
struct stook__poll *stook__poll_new(struct stook__loop *loop, int fd,
                                    void (*event)(void *owner, int events), void *owner);
/* Watch for these of IN, OUT, HANGUP; 0 stops at once. Costs nothing if it does so already. */
int stook__poll_set(struct stook__poll *watcher, int events);
/* The descriptor may be closed right after this; `event` is not called again. */
void stook__poll_close(struct stook__poll *watcher);

#endif
