/* SPDX-License-Identifier: MIT */
/* Bodies that wait, and those that do not; see ceiling.h. */
#include "deliver/ceiling.h"

int stook__ceiling_counts(const struct stook__tray *tray)
{
    return tray->terms.ordered && tray->terms.lent && tray->terms.held_max < SIZE_MAX;
}

size_t stook__ceiling_set(struct stook__tray *tray)
{
    struct stook__gauge *gauge = &tray->gauge;
    gauge->room = tray->terms.held_max > tray->held ? tray->terms.held_max - tray->held : 0;
    return gauge->room > gauge->bytes ? gauge->room - gauge->bytes : 0;
}

struct stook__brake *stook__ceiling_next(struct stook__tray *tray, struct stook__brake *head, int stuck, size_t *left)
{
    struct stook__gauge *gauge = &tray->gauge;
    if (head != NULL) {
        stook__brake_free(head);
        if (head->since != 0)
            return head;
    }
    if (stook__list_empty(&gauge->paused))
        return NULL;
    struct stook__brake *first = STOOK__OF(struct stook__brake, link, gauge->paused.next);
    if (first->wants <= *left) {
        *left -= first->wants;
        return first;
    }
    if (!stuck || gauge->n_free > 0)
        return NULL;
    stook__brake_free(first);
    return first;
}
