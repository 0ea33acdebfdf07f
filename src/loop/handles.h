/* SPDX-License-Identifier: MIT */
/*
 * A loop with its handles: what the files of this room share. loop.c makes the struct; members
 * whose comment names poll.c or file.c are that file's.
 *
 * Each handle is counted from its start until its close callback. When the last one of a loop that
 * closes was counted, the loop is closed.
 */
#ifndef STOOK_LOOP_HANDLES_H
#define STOOK_LOOP_HANDLES_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "util/list.h"

struct stook__allocator;

/*
 * The states of a loop. Only stook__loop_move() changes them.
 *
 *           stook__loop_close()          the last handle is closed
 *     OPEN ---------------------> CLOSING -------------------------> CLOSED
 */
enum stook__loop_state {
    STOOK__LOOP_OPEN,
    STOOK__LOOP_CLOSING, /* takes no turn; close callbacks are still to come */
    STOOK__LOOP_CLOSED   /* an owned loop waits for stook__loop_free(); a borrowed one is freed */
};

struct stook__loop {
    struct stook__allocator *allocator;
    void (*turn)(void *owner);   /* as in struct stook__loop_events */
    void (*closed)(void *owner); /* as in struct stook__loop_events */
    void *owner;
    uv_loop_t *uv; /* the borrowed loop, or &own */
    uv_loop_t own;
    uv_timer_t timer;      /* the alarm */
    uv_timer_t wait_limit; /* owned loops: ends the wait of stook__loop_pass() */
    uv_check_t check;      /* takes turns, and keeps a borrowed loop alive */
    uv_idle_t idle;        /* active while a turn is requested, so that the loop does not wait */
    uv_async_t async;
    enum stook__loop_state state;
    size_t n_open;  /* handles whose close callback is to come */
    int64_t alarm;  /* due time of `timer`; 0: not armed */
    unsigned turns; /* taken so far */
    /* Independent of the state: both change many times while the loop is OPEN. */
    int turn_requested;
    int poll_pending;         /* poll.c: libuv adds a started poll to epoll in the next iteration */
    struct stook__link polls; /* poll.c */
    struct stook__link
        completed;  /* file.c: workers whose operation is over; under the pool's lock */
    size_t n_busy;  /* file.c: workers with an operation */
    int uses_files; /* file.c: the loop is counted among those that keep the threads */
};

/* `data` of each of our uv handles points here; stook_owns_handle() compares it. */
extern const char stook__handle_mark;

/* Moves a loop to its next state. */
void stook__loop_move(struct stook__loop *loop, enum stook__loop_state to);
/* Counts a handle that was closed. Its memory may be freed already. After the last one of a loop
   that closes, calls `closed`, and frees a loop that is on a borrowed uv loop before that. */
void stook__loop_handle_closed(struct stook__loop *loop);

#endif
