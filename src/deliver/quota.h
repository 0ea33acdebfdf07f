/* SPDX-License-Identifier: MIT */
/*
 * Bodies under way when a batch holds as many bytes as it may: they wait, all but that of the head.
 * While the head has no slot one of those that have one goes on instead, or they would keep it from
 * the head for ever.
 */
#ifndef STOOK_DELIVER_QUOTA_H
#define STOOK_DELIVER_QUOTA_H

#include "deliver/result_queue.h"

/* Whether bodies under way are counted. */
int stook__quota_counts(const struct stook__result_queue *queue);
/* Say how many bytes there may be now. Returns how many more. */
size_t stook__quota_set(struct stook__result_queue *queue);
/* The next to go on, which is to be released; NULL: none. `head`: that of the head, or NULL if it is not
   under way; `stuck`: it waits for a slot. */
struct stook__body_flow *stook__quota_next(struct stook__result_queue *queue,
                                           struct stook__body_flow *head, int stuck, size_t *left);

#endif
