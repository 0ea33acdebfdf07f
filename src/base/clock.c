/* SPDX-License-Identifier: MIT */
/* Deadlines in order; see clock.h. A pairing heap: O(1) to set, O(log n) amortised to clear. */
#include "base/clock.h"

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

void stook__clock_clear(struct stook__clock *clock, struct stook__timer *timer)
{
    if (timer->due == 0)
        return;
    struct stook__timer *below = meld_siblings(timer->child);
    if (timer == clock->root) {
        clock->root = below;
    } else {
        if (timer->prev->child == timer)
            timer->prev->child = timer->next;
        else
            timer->prev->next = timer->next;
        if (timer->next != NULL)
            timer->next->prev = timer->prev;
        clock->root = meld(clock->root, below);
    }
    *timer = (struct stook__timer){0};
}

void stook__clock_set(struct stook__clock *clock, struct stook__timer *timer, int64_t due)
{
    if (due < 1)
        due = 1;
    if (timer->due == due)
        return;
    stook__clock_clear(clock, timer);
    timer->due = due;
    clock->root = meld(clock->root, timer);
}

int64_t stook__clock_due(const struct stook__clock *clock)
{
    return clock->root != NULL ? clock->root->due : 0;
}
