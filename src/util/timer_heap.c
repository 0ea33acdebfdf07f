/* SPDX-License-Identifier: MIT */
/* Deadlines in order; see timer_heap.h. A line, and a pairing heap for those that do not fit in. */
#include "util/timer_heap.h"

#include <stddef.h>

static struct stook__timer *meld(struct stook__timer *a, struct stook__timer *b)
{
    if (a == NULL)
        return b;
    if (b == NULL)
        return a;
    if (b->due < a->due) {
        struct stook__timer *swap = a;
        a = b;
        b = swap;
    }
    b->prev = a;
    b->next = a->child;
    if (a->child != NULL)
        a->child->prev = b;
    a->child = b;
    return a;
}

/* Meld a list of siblings pair by pair, then from the right. Iterative: lists can be a million long. */
static struct stook__timer *meld_siblings(struct stook__timer *first)
{
    struct stook__timer *pairs = NULL;
    while (first != NULL) {
        struct stook__timer *a = first, *b = a->next;
        first = b != NULL ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b != NULL)
            b->next = b->prev = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    struct stook__timer *root = NULL;
    while (pairs != NULL) {
        struct stook__timer *rest = pairs->next;
        pairs->next = NULL;
        root = meld(root, pairs);
        pairs = rest;
    }
    return root;
}

static void leave_line(struct stook__timer_heap *clock, struct stook__timer *timer)
{
    if (timer->prev != NULL)
        timer->prev->next = timer->next;
    else
        clock->first = timer->next;
    if (timer->next != NULL)
        timer->next->prev = timer->prev;
    else
        clock->last = timer->prev;
}

static void leave_heap(struct stook__timer_heap *clock, struct stook__timer *timer)
{
    struct stook__timer *below = meld_siblings(timer->child);
    if (timer == clock->root) {
        clock->root = below;
        return;
    }
    if (timer->prev->child == timer)
        timer->prev->child = timer->next;
    else
        timer->prev->next = timer->next;
    if (timer->next != NULL)
        timer->next->prev = timer->prev;
    clock->root = meld(clock->root, below);
}

void stook__timer_heap_clear(struct stook__timer_heap *clock, struct stook__timer *timer)
{
    if (timer->due == 0)
        return;
    if (timer->child == timer)
        leave_line(clock, timer);
    else
        leave_heap(clock, timer);
    *timer = (struct stook__timer){0};
}

void stook__timer_heap_set(struct stook__timer_heap *clock, struct stook__timer *timer, int64_t due)
{
    if (due < 1)
        due = 1;
    if (timer->due == due)
        return;
    stook__timer_heap_clear(clock, timer);
    timer->due = due;
    if (clock->last != NULL && due < clock->last->due) {
        clock->root = meld(clock->root, timer);
        return;
    }
    timer->child = timer;
    timer->prev = clock->last;
    if (clock->last != NULL)
        clock->last->next = timer;
    else
        clock->first = timer;
    clock->last = timer;
}

struct stook__timer *stook__timer_heap_first(const struct stook__timer_heap *clock)
{
    struct stook__timer *allocator = clock->root, *line = clock->first;
    return allocator == NULL || (line != NULL && line->due < allocator->due) ? line : allocator;
}

int64_t stook__timer_heap_due(const struct stook__timer_heap *clock)
{
    const struct stook__timer *first = stook__timer_heap_first(clock);
    return first != NULL ? first->due : 0;
}
