/* SPDX-License-Identifier: MIT */
/* The loop of a client; see loop.h. */
#include "loop/loop.h"

#include "loop/file.h"
#include "loop/handles.h"
#include "loop/poll.h"
#include "loop/standard_fds.h"

int64_t stook__loop_now(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

int64_t stook__loop_cached(const struct stook__loop *loop)
{
    return (int64_t)uv_now(loop->uv) * 1000;
}

int stook__loop_owned(const struct stook__loop *loop)
{
    return loop->uv == &loop->own;
}

static void run_turn(struct stook__loop *loop)
{
    if (!loop->turn_requested || loop->state != STOOK__LOOP_OPEN)
        return;
    loop->turn_requested = 0;
    loop->turns++;
    uv_idle_stop(&loop->idle);
    loop->turn(loop->owner);
}

static void on_check(uv_check_t *handle)
{
    run_turn(STOOK__OF(struct stook__loop, check, handle));
}

static void on_idle(uv_idle_t *handle)
{
    (void)handle; /* an active idle handle keeps the loop from waiting; there is nothing to do */
}

static void on_timer(uv_timer_t *handle)
{
    struct stook__loop *loop = STOOK__OF(struct stook__loop, timer, handle);
    loop->alarm = 0;
    stook__loop_request_turn(loop);
}

static void on_async(uv_async_t *handle)
{
    struct stook__loop *loop = STOOK__OF(struct stook__loop, async, handle);
    stook__loop_request_turn(loop);
    stook__workers_complete(loop);
}

/* The one call that can fail is the first, so that a failure leaves no handle to close. */
static int start_handles(struct stook__loop *loop)
{
    int status = uv_async_init(loop->uv, &loop->async, on_async);
    if (status != 0)
        return status;
    uv_timer_init(loop->uv, &loop->timer);
    uv_check_init(loop->uv, &loop->check);
    uv_idle_init(loop->uv, &loop->idle);
    loop->n_open = 4;
    loop->timer.data = loop->check.data = loop->idle.data = loop->async.data =
        (void *)&stook__handle_mark;
    uv_check_start(&loop->check, on_check);
    uv_unref((uv_handle_t *)&loop->timer);
    uv_unref((uv_handle_t *)&loop->idle);
    uv_unref((uv_handle_t *)&loop->async);
    if (stook__loop_owned(loop)) {
        uv_timer_init(loop->uv, &loop->wait_limit);
        loop->wait_limit.data = (void *)&stook__handle_mark;
        loop->n_open++;
    }
    loop->poll_pending = 1;
    stook__loop_busy(loop, 0);
    return 0;
}

int stook__loop_new(struct stook__allocator *allocator, struct uv_loop_s *borrowed,
                    const struct stook__loop_events *events, void *owner,
                    struct stook__loop **ret_loop)
{
    if (stook__standard_fds_hold() != 0)
        return STOOK_ENOFD;
    struct stook__loop *loop = stook__alloc(allocator, sizeof *loop);
    if (loop == NULL) {
        stook__standard_fds_release();
        return STOOK_ENOMEM;
    }
    loop->allocator = allocator;
    loop->turn = events->turn;
    loop->closed = events->closed;
    loop->owner = owner;
    stook__list_init(&loop->polls);
    stook__list_init(&loop->completed);
    loop->uv = borrowed != NULL ? borrowed : &loop->own;
    int status = borrowed != NULL ? 0 : uv_loop_init(&loop->own);
    if (status == 0) {
        status = start_handles(loop);
        if (status != 0 && borrowed == NULL)
            uv_loop_close(&loop->own);
    }
    if (status != 0) {
        stook__free(allocator, loop);
        stook__standard_fds_release();
        return status == UV_ENOMEM ? STOOK_ENOMEM : STOOK_ENOFD;
    }
    *ret_loop = loop;
    return 0;
}

void stook__loop_request_turn(struct stook__loop *loop)
{
    loop->turn_requested = 1;
    if (loop->state == STOOK__LOOP_OPEN)
        uv_idle_start(&loop->idle, on_idle);
}

void stook__loop_wake(struct stook__loop *loop)
{
    uv_async_send(&loop->async);
}

void stook__loop_busy(struct stook__loop *loop, int busy)
{
    /* An owned loop runs only when this library runs it, and must not end for lack of handles. */
    if (busy || loop->n_busy > 0 || stook__loop_owned(loop))
        uv_ref((uv_handle_t *)&loop->check);
    else
        uv_unref((uv_handle_t *)&loop->check);
}

void stook__loop_alarm(struct stook__loop *loop, int64_t due)
{
    if (due == 0 && loop->alarm != 0) {
        /* A timer that is left armed would end a wait although no clock runs. */
        uv_timer_stop(&loop->timer);
        loop->alarm = 0;
    }
    /* A timer that is due earlier stays: it wakes the loop once for nothing, which costs less than
       to move the timer in every turn. */
    if (due == 0 || (loop->alarm != 0 && loop->alarm <= due))
        return;
    loop->alarm = due;
    /* libuv counts from the time at which it last read the clock, which is old after a long
       callback. Both are of the same monotonic clock. Rounded up: the alarm is never early. */
    int64_t delay = (due + 999) / 1000 - (int64_t)uv_now(loop->uv);
    uv_timer_start(&loop->timer, on_timer, delay > 0 ? (uint64_t)delay : 0, 0);
}

void stook__loop_run(struct stook__loop *loop, int wait)
{
    /* This iteration adds to epoll what was started before it polls, not what its events start. */
    loop->poll_pending = 0;
    uv_run(&loop->own, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

static void on_wait_limit(uv_timer_t *handle)
{
    (void)handle; /* the wait has ended; there is nothing to do */
}

void stook__loop_pass(struct stook__loop *loop, int64_t timeout_ms)
{
    unsigned before = loop->turns;
    stook__loop_run(loop, 0);
    if (timeout_ms == 0 || loop->turns != before)
        return;
    if (timeout_ms > 0) {
        uv_update_time(&loop->own);
        uv_timer_start(&loop->wait_limit, on_wait_limit, (uint64_t)timeout_ms, 0);
    }
    /* If a timer ends the wait, the turn is taken after the poll of the next iteration. */
    do
        stook__loop_run(loop, 1);
    while (loop->turns == before &&
           (timeout_ms < 0 || uv_is_active((uv_handle_t *)&loop->wait_limit)));
    if (loop->state == STOOK__LOOP_OPEN)
        uv_timer_stop(&loop->wait_limit);
}

int stook__loop_fd(const struct stook__loop *loop)
{
    return uv_backend_fd(&loop->own);
}

int stook__loop_is_due(const struct stook__loop *loop)
{
    return loop->turn_requested || loop->poll_pending || uv_backend_timeout(&loop->own) == 0;
}

void stook__loop_stop(struct stook__loop *loop)
{
    uv_stop(&loop->own);
}

static void on_timer_closed(uv_handle_t *handle)
{
    stook__loop_handle_closed(STOOK__OF(struct stook__loop, timer, handle));
}

static void on_wait_limit_closed(uv_handle_t *handle)
{
    stook__loop_handle_closed(STOOK__OF(struct stook__loop, wait_limit, handle));
}

static void on_check_closed(uv_handle_t *handle)
{
    stook__loop_handle_closed(STOOK__OF(struct stook__loop, check, handle));
}

static void on_idle_closed(uv_handle_t *handle)
{
    stook__loop_handle_closed(STOOK__OF(struct stook__loop, idle, handle));
}

static void on_async_closed(uv_handle_t *handle)
{
    stook__loop_handle_closed(STOOK__OF(struct stook__loop, async, handle));
}

void stook__loop_close(struct stook__loop *loop)
{
    stook__loop_move(loop, STOOK__LOOP_CLOSING);
    stook__workers_detach(loop);
    stook__polls_close(loop);
    uv_close((uv_handle_t *)&loop->timer, on_timer_closed);
    if (stook__loop_owned(loop))
        uv_close((uv_handle_t *)&loop->wait_limit, on_wait_limit_closed);
    uv_close((uv_handle_t *)&loop->check, on_check_closed);
    uv_close((uv_handle_t *)&loop->idle, on_idle_closed);
    uv_close((uv_handle_t *)&loop->async, on_async_closed);
}

void stook__loop_free(struct stook__loop *loop)
{
    uv_loop_close(&loop->own);
    stook__free(loop->allocator, loop);
    stook__standard_fds_release();
}
