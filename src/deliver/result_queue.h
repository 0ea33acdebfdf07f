/* SPDX-License-Identifier: MIT */
/*
 * The results of one batch, on their way to the program: in which order, and how many may be held.
 *
 * `lent`: each result is shown once and let go. Otherwise all are kept.
 * `ordered`: in the order of the adds; otherwise in the order of arrival.
 * `pulled`: the program comes for them, one by one; otherwise it is called.
 */
#ifndef STOOK_DELIVER_RESULT_QUEUE_H
#define STOOK_DELIVER_RESULT_QUEUE_H

#include "deliver/flow_control.h"
#include "util/allocator.h"
#include "util/list.h"
#include "util/sparse_array.h"

/* The part of a request that this room owns. */
struct stook__result_entry {
    struct stook__link link;
    uint64_t index : 62, arrived : 1, started : 1;
};

/* How a batch is awaited, as far as this room goes. SIZE_MAX: no such bound. */
struct stook__gather_options {
    size_t window; /* started and not delivered, at most, while results wait for something */
    size_t max_buffered_bytes;     /* bytes arrived and not delivered: nothing starts above that */
    int ordered, borrowed, pulled; /* pulled ones are lent */
};

/* All result queues of a client that have something to show stand in its ring and take turns. */
struct stook__result_queue {
    struct stook__link ring;
    struct stook__sparse_array entries; /* by index; lent ones leave when delivered */
    struct stook__link waiting;         /* arrived: before the await, or lent and unordered */
    struct stook__result_entry **order; /* kept, unordered: as they arrived */
    size_t order_capacity;
    size_t count, delivered, failed; /* added; shown or kept; of these not ok */
    size_t arrived;                  /* all with a result */
    struct stook__flow_control flow; /* window, bytes, pauses */
    struct stook__gather_options options;
    int open, paused;
    int delivering; /* the program looks at one: back in the ring when that is let go */
};

void stook__result_queue_init(struct stook__result_queue *queue);
void stook__result_queue_free(struct stook__result_queue *queue,
                              struct stook__allocator *allocator);

/* Gives the entry its index. 0 or STOOK_ENOMEM. */
int stook__result_queue_add(struct stook__result_queue *queue, struct stook__allocator *allocator,
                            struct stook__result_entry *entry);
/* The await begins. 0 or STOOK_ENOMEM; then nothing has changed. */
int stook__result_queue_open(struct stook__result_queue *queue, struct stook__allocator *allocator,
                             struct stook__link *ring, const struct stook__gather_options *options);
void stook__result_queue_started(struct stook__result_queue *queue,
                                 struct stook__result_entry *entry);
void stook__result_queue_stopped(struct stook__result_queue *queue,
                                 struct stook__result_entry *entry);
void stook__result_queue_finished(struct stook__result_queue *queue, struct stook__link *ring,
                                  struct stook__result_entry *entry, size_t bytes, int ok);
/* Whether one more may start; a place is kept for the head while it has not. */
int stook__result_queue_has_room(const struct stook__result_queue *queue);
/* The head, if it has not started: it may start though there is no room. NULL: it has, or there is none. */
struct stook__result_entry *stook__result_queue_head(const struct stook__result_queue *queue);

/* Every result is where it belongs: delivered, or, if the program comes for them, there for it. */
int stook__result_queue_is_done(const struct stook__result_queue *queue);
/* Shows nothing for a while; or goes on. */
void stook__result_queue_pause(struct stook__result_queue *queue, struct stook__link *ring,
                               int paused);

/* The next to be shown of the result queue whose turn it is; NULL: none. It has to be let go after. */
struct stook__result_entry *stook__result_queue_next(struct stook__link *ring,
                                                     struct stook__result_queue **ret_tray);
void stook__result_queue_release(struct stook__result_queue *queue,
                                 struct stook__allocator *allocator, struct stook__link *ring,
                                 struct stook__result_entry *entry, size_t bytes);

/* The next of a result queue that is pulled; NULL: none (yet). It has to be let go after. */
struct stook__result_entry *stook__result_queue_pull(struct stook__result_queue *queue);
int stook__result_queue_has_next(const struct stook__result_queue *queue);

/* The i-th in the order of the verb, of those kept; NULL: none. */
struct stook__result_entry *stook__result_queue_at(const struct stook__result_queue *queue,
                                                   size_t i);
/* The same by index. */
struct stook__result_entry *stook__result_queue_by_index(const struct stook__result_queue *queue,
                                                         size_t index);

#endif
