/* SPDX-License-Identifier: MIT */
/*
 * A loop with its handles. loop.c owns the struct; members whose comment names poll.c or file.c are
 * that file's.
 */
#ifndef STOOK_LOOP_HANDLES_H
#define STOOK_LOOP_HANDLES_H

#include <uv.h>

#include "loop/loop.h"
#include "util/list.h"

/*
 * The states of a loop. Only move_loop() in loop.c changes them.
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
    const struct stook__loop_events *events;
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

#endif
