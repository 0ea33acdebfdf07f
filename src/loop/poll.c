/* SPDX-License-Identifier: MIT */
/* A descriptor under watch. Its memory goes in the close callback: libuv holds it until then. */
#ifdef __linux__
#include <sys/epoll.h>
#endif

#include "loop/handles.h"

struct stook__poll {
    struct stook__link link; /* first: loop.c goes from link to watcher */
    uv_poll_t poll;
    struct stook__loop *loop;
    void (*event)(void *owner, int events);
    void *owner;
    int armed;
};

struct stook__poll *stook__poll_new(struct stook__loop *loop, int fd,
                                    void (*event)(void *owner, int events), void *owner)
{
    struct stook__poll *watcher = stook__alloc(loop->allocator, sizeof *watcher);
    if (watcher == NULL)
        return NULL;
    if (uv_poll_init(loop->uv, &watcher->poll, fd) != 0) {
        stook__free(loop->allocator, watcher);
        return NULL;
    }
    uv_unref((uv_handle_t *)&watcher->poll);
    watcher->poll.data = (void *)&stook__handle_mark;
    watcher->loop = loop;
    watcher->event = event;
    watcher->owner = owner;
    stook__list_append(&loop->watchers, &watcher->link);
    loop->open++;
    return watcher;
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct stook__poll *watcher = STOOK__OF(struct stook__poll, poll, poll);
    int seen = (events & UV_READABLE ? STOOK__IN : 0) | (events & UV_WRITABLE ? STOOK__OUT : 0) |
               (events & UV_DISCONNECT ? STOOK__HANGUP : 0);
    if (status < 0) {
        /* libuv turns every EPOLLERR into this and has stopped the handle. */
        seen = STOOK__ERROR;
        watcher->armed = 0;
    }
    watcher->loop->wanted = 1; /* no idle needed: check comes right after poll */
    watcher->event(watcher->owner, seen);
}

int stook__poll_set(struct stook__poll *watcher, int events)
{
    if (watcher->armed == events)
        return 0;
    watcher->armed = events;
    if (events == 0)
        return uv_poll_stop(&watcher->poll);
    int mask = (events & STOOK__IN ? UV_READABLE : 0) | (events & STOOK__OUT ? UV_WRITABLE : 0) |
               (events & STOOK__HANGUP ? UV_DISCONNECT : 0);
    watcher->loop->unseen = 1;
    return uv_poll_start(&watcher->poll, mask, on_event);
}

static void on_closed(uv_handle_t *handle)
{
    struct stook__poll *watcher = STOOK__OF(struct stook__poll, poll, handle);
    struct stook__loop *loop = watcher->loop;
    stook__free(loop->allocator, watcher);
    stook__loop_handle_closed(loop);
}

/* libuv 1.45 to 1.48 may put the removal off until after the descriptor was closed (libuv issue 4323),
   and then report events of whoever has its number next. */
static void remove_now(struct stook__poll *watcher)
{
#ifdef __linux__
    uv_os_fd_t fd;
    struct epoll_event event = {0};
    if (uv_version() >= 0x012d00 && uv_version() < 0x013100 &&
        uv_fileno((uv_handle_t *)&watcher->poll, &fd) == 0)
        epoll_ctl(uv_backend_fd(watcher->loop->uv), EPOLL_CTL_DEL, fd, &event);
#else
    (void)watcher;
#endif
}

void stook__poll_close(struct stook__poll *watcher)
{
    remove_now(watcher);
    stook__list_remove(&watcher->link);
    uv_close((uv_handle_t *)&watcher->poll, on_closed);
}
