/* SPDX-License-Identifier: MIT */
/* The list of attempts of a request; see history.h. */
#include "request/history.h"

#include <string.h>

#include <stook.h>

struct stook__history *stook__history_new(struct stook__allocator *allocator)
{
    struct stook__history *history = stook__alloc(allocator, sizeof *history);
    if (history != NULL)
        history->taken = -1;
    return history;
}

/* Where the i-th attempt is kept. The last ones take turns in the second half. */
static size_t place_of(size_t i)
{
    enum { LAST = STOOK__HISTORY_MAX - STOOK__HISTORY_FIRST };
    return i < STOOK__HISTORY_MAX ? i : STOOK__HISTORY_FIRST + (i - STOOK__HISTORY_FIRST) % LAST;
}

int stook__history_add(struct stook__history *history, struct stook__allocator *allocator,
                       const struct stook__past_attempt *attempt)
{
    size_t at = place_of(history->count);
    if (at >= history->capacity) {
        size_t capacity = history->capacity == 0 ? 4 : 2 * history->capacity;
        struct stook__past_attempt *list =
            stook__resize(allocator, history->list, capacity * sizeof *list);
        if (list == NULL)
            return STOOK_ENOMEM;
        history->list = list;
        history->capacity = capacity;
    }
    history->list[at] = *attempt;
    history->count++;
    return 0;
}

struct stook__history *stook__history_copy(const struct stook__history *history,
                                           struct stook__allocator *allocator)
{
    struct stook__history *copy = stook__history_new(allocator);
    if (copy == NULL || history->capacity == 0)
        return copy;
    copy->list = stook__resize(allocator, NULL, history->capacity * sizeof *copy->list);
    if (copy->list == NULL) {
        stook__free(allocator, copy);
        return NULL;
    }
    size_t kept = history->count < history->capacity ? history->count : history->capacity;
    memcpy(copy->list, history->list, kept * sizeof *copy->list);
    copy->count = history->count;
    copy->capacity = history->capacity;
    return copy;
}

const struct stook__past_attempt *stook__history_at(const struct stook__history *history, size_t i)
{
    enum { LAST = STOOK__HISTORY_MAX - STOOK__HISTORY_FIRST };
    if (i >= history->count || (i >= STOOK__HISTORY_FIRST && history->count - i > LAST))
        return NULL;
    return &history->list[place_of(i)];
}

void stook__history_clear_receipt(struct stook__history *history,
                                  struct stook__allocator *allocator)
{
    stook__free(allocator, history->origin_key);
    stook__free(allocator, history->rate_key);
    history->origin_key = history->rate_key = NULL;
    history->taken = -1;
}

void stook__history_free(struct stook__history *history, struct stook__allocator *allocator)
{
    if (history == NULL)
        return;
    stook__free(allocator, history->list);
    stook__history_clear_receipt(history, allocator);
    stook__free(allocator, history);
}
