/* SPDX-License-Identifier: MIT */
/* Timers by due time: a sorted list, and a pairing heap for those out of order; see
   timer_heap.h. */
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

/* Melds siblings in pairs, then the pairs from right to left. Iterative, because a list may have a
   million siblings. */
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

static void remove_from_list(struct stook__timer_heap *heap, struct stook__timer *timer)
{
    if (timer->prev != NULL)
        timer->prev->next = timer->next;
    else
        heap->first = timer->next;
    if (timer->next != NULL)
        timer->next->prev = timer->prev;
    else
        heap->last = timer->prev;
}

static void remove_from_heap(struct stook__timer_heap *heap, struct stook__timer *timer)
{
    struct stook__timer *below = meld_siblings(timer->child);
    if (timer == heap->root) {
        heap->root = below;
        return;
    }
    if (timer->prev->child == timer)
        timer->prev->child = timer->next;
    else
        timer->prev->next = timer->next;
    if (timer->next != NULL)
        timer->next->prev = timer->prev;
    heap->root = meld(heap->root, below);
}

void stook__timer_heap_clear(struct stook__timer_heap *heap, struct stook__timer *timer)
{
    if (timer->due == 0)
        return;
    if (timer->child == timer)
        remove_from_list(heap, timer);
    else
        remove_from_heap(heap, timer);
    *timer = (struct stook__timer){0};
}

void stook__timer_heap_set(struct stook__timer_heap *heap, struct stook__timer *timer, int64_t due)
{
    if (due < 1)
        due = 1;
    if (timer->due == due)
        return;
    stook__timer_heap_clear(heap, timer);
    timer->due = due;
    if (heap->last != NULL && due < heap->last->due) {
        heap->root = meld(heap->root, timer);
        return;
    }
    timer->child = timer;
    timer->prev = heap->last;
    if (heap->last != NULL)
        heap->last->next = timer;
    else
        heap->first = timer;
    heap->last = timer;
}
