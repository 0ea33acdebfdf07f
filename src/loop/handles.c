/* SPDX-License-Identifier: MIT */
/* The handles of a loop, from their mark to the last close callback; see handles.h. */
#include "loop/handles.h"

#include <assert.h>

#include "loop/standard_fds.h"
#include "util/allocator.h"
#include "util/trace.h"

const char stook__handle_mark = 0;

int stook_owns_handle(const struct uv_handle_s *handle)
{
    return handle != NULL && handle->data == &stook__handle_mark;
}

void stook__loop_move(struct stook__loop *loop, enum stook__loop_state to)
{
    static const char *const names[] = {"OPEN", "CLOSING", "CLOSED"};
    /* Each state has one successor. */
    assert(to == loop->state + 1 && to <= STOOK__LOOP_CLOSED);
    STOOK__TRACE("loop", "loop %p: %s -> %s, %zu handles", (void *)loop, names[loop->state],
                 names[to], loop->n_open);
    (void)names; /* in release builds */
    loop->state = to;
}

void stook__loop_handle_closed(struct stook__loop *loop)
{
    if (--loop->n_open > 0 || loop->state == STOOK__LOOP_OPEN)
        return;
    stook__loop_move(loop, STOOK__LOOP_CLOSED);
    void (*closed)(void *owner) = loop->closed;
    void *owner = loop->owner;
    if (loop->uv != &loop->own) {
        stook__free(loop->allocator, loop);
        stook__standard_fds_release();
    }
    closed(owner);
}
