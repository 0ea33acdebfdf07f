/* SPDX-License-Identifier: MIT */
/* What loop.c, poll.c and file.c share: the handles of a loop and how their closing is counted. */
#ifndef STOOK_LOOP_HANDLES_H
#define STOOK_LOOP_HANDLES_H

#include <uv.h>

#include "loop/loop.h"
#include "util/list.h"

struct stook__loop {
    struct stook__allocator *allocator;
    const struct stook__loop_events *events;
    void *owner;
    uv_loop_t *uv; /* the borrowed one, or &own */
    uv_loop_t own;
    uv_timer_t timer;
    uv_timer_t limit; /* of an owned loop: how long a pass may wait */
    uv_check_t check; /* the one that keeps a borrowed loop alive */
    uv_idle_t idle;   /* active while a turn is wanted, so that the loop does not wait */
    uv_async_t async;
    struct stook__link watchers;
    struct stook__link
        done;       /* file.c: workers whose operation is over; other threads put them there */
    size_t working; /* workers that are busy */
    int works;      /* there was a worker */
    int64_t alarm;
    size_t open; /* handles whose close callback is to come */
    int wanted, closing;
    int unseen; /* a watcher was started since the last poll: libuv tells the kernel only in the next one */
    unsigned turns; /* taken, ever */
};

/* What `data` of each of our handles points to. */
extern const char stook__handle_mark;

/* In the close callback of a watcher, after its memory was freed. */
void stook__loop_handle_closed(struct stook__loop *loop);
/* file.c: tell the owners of workers that are done. */
void stook__workers_complete(struct stook__loop *loop);
/* file.c: it has no workers any more; the last such loop ends the threads. */
void stook__workers_detach(struct stook__loop *loop);

#endif
