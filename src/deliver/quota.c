/* SPDX-License-Identifier: MIT */
/* Bodies that wait, and those that do not; see quota.h. */
#include "deliver/quota.h"

int stook__quota_counts(const struct stook__result_queue *queue)
{
    return queue->options.ordered && queue->options.borrowed &&
           queue->options.max_buffered_bytes < SIZE_MAX;
}

size_t stook__quota_set(struct stook__result_queue *queue)
{
    struct stook__byte_counter *counter = &queue->counter;
    counter->room = queue->options.max_buffered_bytes > queue->buffered
                        ? queue->options.max_buffered_bytes - queue->buffered
                        : 0;
    return counter->room > counter->bytes ? counter->room - counter->bytes : 0;
}

struct stook__body_flow *stook__quota_next(struct stook__result_queue *queue,
                                           struct stook__body_flow *head, int stuck, size_t *left)
{
    struct stook__byte_counter *counter = &queue->counter;
    if (head != NULL) {
        stook__body_flow_exempt(head);
        if (head->since != 0)
            return head;
    }
    if (stook__list_empty(&counter->paused))
        return NULL;
    struct stook__body_flow *first = STOOK__OF(struct stook__body_flow, link, counter->paused.next);
    if (first->wants <= *left) {
        *left -= first->wants;
        return first;
    }
    if (!stuck || counter->n_free > 0)
        return NULL;
    stook__body_flow_exempt(first);
    return first;
}
