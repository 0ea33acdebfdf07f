/* SPDX-License-Identifier: MIT */
/*
 * Timers in the order of their due times. Intrusive: setting and clearing allocate nothing, so a
 * timeout can always be armed. Times are in microseconds and above 0; 0 means "not armed".
 *
 * Most timers are due after all that were set before, because each of a kind runs equally long.
 * Those are in a sorted list, where setting and clearing are O(1). The others are in a pairing
 * heap: O(1) to set, O(log n) amortised to clear.
 */
#ifndef STOOK_UTIL_TIMER_HEAP_H
#define STOOK_UTIL_TIMER_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct stook__timer {
    struct stook__timer *child, *next; /* a timer in the list is its own child */
    struct stook__timer *prev;         /* the previous sibling; the parent, for a first child */
    int64_t due;                       /* 0: not armed */
};

struct stook__timer_heap {
    struct stook__timer *root;         /* of the pairing heap */
    struct stook__timer *first, *last; /* of the sorted list */
};

/* Arms a timer, or moves it. A `due` below 1 is taken as 1, which is in the past. */
void stook__timer_heap_set(struct stook__timer_heap *heap, struct stook__timer *timer, int64_t due);
/* Disarms a timer. If it is not armed, nothing happens. */
void stook__timer_heap_clear(struct stook__timer_heap *heap, struct stook__timer *timer);
static inline int stook__timer_heap_is_empty(const struct stook__timer_heap *heap)
{
    return heap->root == NULL && heap->first == NULL;
}
/* Returns the timer that is due first; NULL: none is armed. */
static inline struct stook__timer *stook__timer_heap_first(const struct stook__timer_heap *heap)
{
    struct stook__timer *root = heap->root, *first = heap->first;
    return root == NULL || (first != NULL && first->due < root->due) ? first : root;
}
/* Returns when that timer is due; 0: none is armed. */
static inline int64_t stook__timer_heap_due(const struct stook__timer_heap *heap)
{
    const struct stook__timer *first = stook__timer_heap_first(heap);
    return first != NULL ? first->due : 0;
}

#endif
