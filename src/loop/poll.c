/* SPDX-License-Identifier: MIT */
/* A descriptor that the loop polls; see poll.h. */
#include "loop/poll.h"

#ifdef __linux__
#include <sys/epoll.h>
#endif

#include "loop/handles.h"
#include "util/allocator.h"

struct stook__poll {
    struct stook__link link; /* in `polls` of its loop */
    uv_poll_t handle;
    struct stook__loop *loop;
    void (*event)(void *owner, int events);
    void *owner;
    int events; /* for which the handle is started; 0: it is stopped */
};

struct stook__poll *stook__poll_new(struct stook__loop *loop, int fd,
                                    void (*event)(void *owner, int events), void *owner)
{
    struct stook__poll *poll = stook__alloc(loop->allocator, sizeof *poll);
    if (poll == NULL)
        return NULL;
    if (uv_poll_init(loop->uv, &poll->handle, fd) != 0) {
        stook__free(loop->allocator, poll);
        return NULL;
    }
    uv_unref((uv_handle_t *)&poll->handle);
    poll->handle.data = (void *)&stook__handle_mark;
    poll->loop = loop;
    poll->event = event;
    poll->owner = owner;
    stook__list_append(&loop->polls, &poll->link);
    loop->n_open++;
    return poll;
}

static void on_poll(uv_poll_t *handle, int status, int uv_events)
{
    struct stook__poll *poll = STOOK__OF(struct stook__poll, handle, handle);
    int events = (uv_events & UV_READABLE ? STOOK__IN : 0) |
                 (uv_events & UV_WRITABLE ? STOOK__OUT : 0) |
                 (uv_events & UV_DISCONNECT ? STOOK__HANGUP : 0);
    if (status < 0) {
        /* libuv reports every EPOLLERR as a status, and has stopped the handle. */
        events = STOOK__ERROR;
        poll->events = 0;
    }
    poll->loop->turn_requested = 1; /* without the idle handle: the check phase is next */
    poll->event(poll->owner, events);
}

int stook__poll_set(struct stook__poll *poll, int events)
{
    if (poll->events == events)
        return 0;
    poll->events = events;
    if (events == 0)
        return uv_poll_stop(&poll->handle);
    int uv_events = (events & STOOK__IN ? UV_READABLE : 0) |
                    (events & STOOK__OUT ? UV_WRITABLE : 0) |
                    (events & STOOK__HANGUP ? UV_DISCONNECT : 0);
    poll->loop->poll_pending = 1;
    return uv_poll_start(&poll->handle, uv_events, on_poll);
}

/* libuv uses the handle until its close callback, so the memory is freed there. */
static void on_closed(uv_handle_t *handle)
{
    struct stook__poll *poll = STOOK__OF(struct stook__poll, handle, handle);
    struct stook__loop *loop = poll->loop;
    stook__free(loop->allocator, poll);
    stook__loop_handle_closed(loop);
}

/* libuv 1.45 to 1.48 may remove a descriptor from epoll only after the program has closed it (libuv
   issue 4323), and then reports events of the next file that gets its number. */
static void remove_now(struct stook__poll *poll)
{
#ifdef __linux__
    uv_os_fd_t fd;
    struct epoll_event event = {0};
    if (uv_version() >= 0x012d00 && uv_version() < 0x013100 &&
        uv_fileno((uv_handle_t *)&poll->handle, &fd) == 0)
        epoll_ctl(uv_backend_fd(poll->loop->uv), EPOLL_CTL_DEL, fd, &event);
#else
    (void)poll;
#endif
}

void stook__poll_close(struct stook__poll *poll)
{
    remove_now(poll);
    stook__list_remove(&poll->link);
    uv_close((uv_handle_t *)&poll->handle, on_closed);
}

void stook__polls_close(struct stook__loop *loop)
{
    while (!stook__list_empty(&loop->polls))
        stook__poll_close(STOOK__OF(struct stook__poll, link, loop->polls.next));
}
