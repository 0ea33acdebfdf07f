/* SPDX-License-Identifier: MIT */
/*
 * The result queue of one batch: in which order results reach the program, and how long they are
 * held.
 *
 * `ordered`: in the order of the adds; otherwise in the order of completion.
 * `borrowed`: each result is delivered once and then dropped; otherwise all are kept.
 * `pulled`: the program asks for each result; otherwise a callback delivers it. Pulled results are
 * borrowed, too.
 *
 * Only the turn calls this room. Invariant: each entry is delivered or kept exactly once.
 */
#ifndef STOOK_DELIVER_RESULT_QUEUE_H
#define STOOK_DELIVER_RESULT_QUEUE_H

#include "deliver/flow_control.h"
#include "util/allocator.h"
#include "util/list.h"
#include "util/sparse_array.h"

/* Of a request: what this room keeps in its record. */
struct stook__result_entry {
    struct stook__link link; /* in `waiting` of its queue */
    uint64_t index : 62;     /* the number of the add */
    uint64_t arrived : 1;    /* its request has its result */
    uint64_t started : 1;    /* it counts for the window */
};

/* How a batch is awaited. SIZE_MAX: no bound; see flow_control.h. */
struct stook__gather_options {
    size_t window;
    size_t max_buffered_bytes;
    int ordered, borrowed, pulled;
};

struct stook__result_queue {
    struct stook__link ring; /* in the ring of the client, of queues with a result to deliver */
    struct stook__sparse_array entries; /* by index; borrowed ones leave it when delivered */
    struct stook__link waiting;         /* arrived before the await, or borrowed and unordered */
    struct stook__result_entry **order; /* if kept and unordered: in the order of completion */
    size_t order_capacity;
    size_t count;                    /* entries that were added */
    size_t arrived;                  /* of these, with a result */
    size_t delivered;                /* of these, delivered or kept */
    size_t failed;                   /* results that are not ok */
    struct stook__flow_control flow; /* window, bytes, pauses */
    struct stook__gather_options options;
    int open;       /* awaited: the options are set */
    int paused;     /* the program has paused delivery */
    int delivering; /* the program has a result: until it is released the queue delivers no other */
};

void stook__result_queue_init(struct stook__result_queue *queue);
void stook__result_queue_free(struct stook__result_queue *queue,
                              struct stook__allocator *allocator);

/* Adds an entry and sets its index. 0 or STOOK_ENOMEM. */
int stook__result_queue_add(struct stook__result_queue *queue, struct stook__allocator *allocator,
                            struct stook__result_entry *entry);
/* Sets the options when the await begins. 0 or STOOK_ENOMEM; then nothing has changed. */
int stook__result_queue_open(struct stook__result_queue *queue, struct stook__allocator *allocator,
                             struct stook__link *ring, const struct stook__gather_options *options);
/* Changes the window, at least to 64. */
void stook__result_queue_set_window(struct stook__result_queue *queue, size_t window);
/* The request has started, has gone back to its queue, and has its result of so many body bytes. */
void stook__result_queue_started(struct stook__result_queue *queue,
                                 struct stook__result_entry *entry);
void stook__result_queue_stopped(struct stook__result_queue *queue,
                                 struct stook__result_entry *entry);
void stook__result_queue_finished(struct stook__result_queue *queue, struct stook__link *ring,
                                  struct stook__result_entry *entry, size_t bytes, int ok);
/* Whether the window bounds the starts. Results in the order of completion wait only for the
   program. */
static inline int stook__result_queue_is_windowed(const struct stook__result_queue *queue)
{
    return queue->options.borrowed &&
           (queue->options.ordered || queue->options.pulled || queue->paused);
}
/* Whether one more request may start. A place is kept for the head until it starts. */
int stook__result_queue_has_room(const struct stook__result_queue *queue);
/* The head of the order, if it has not started: it may start also without room. NULL: there is
   none. */
struct stook__result_entry *stook__result_queue_head(const struct stook__result_queue *queue);
/* Returns what is the head when the results that have arrived before it are delivered, if it has
   not started. NULL: it has, or it is not within the window or among the next few. */
struct stook__result_entry *stook__result_queue_next_head(const struct stook__result_queue *queue);

/* Whether each entry is delivered or kept, or, if results are pulled, has arrived. */
int stook__result_queue_is_done(const struct stook__result_queue *queue);
/* Pauses delivery, or resumes it. */
void stook__result_queue_pause(struct stook__result_queue *queue, struct stook__link *ring,
                               int paused);

/* The next result to deliver, and its queue. Queues with results are served in turn. NULL: there
   is none. It must be released. */
struct stook__result_entry *stook__result_queue_next(struct stook__link *ring,
                                                     struct stook__result_queue **ret_queue);
/* The program has seen the result, of so many body bytes. */
void stook__result_queue_release(struct stook__result_queue *queue,
                                 struct stook__allocator *allocator, struct stook__link *ring,
                                 struct stook__result_entry *entry, size_t bytes);

/* The next result for the program to pull; NULL: none has arrived. It must be released. */
struct stook__result_entry *stook__result_queue_pull(struct stook__result_queue *queue);
int stook__result_queue_has_next(const struct stook__result_queue *queue);

/* Of kept results the i-th in the order of the verb, or the one with that index. NULL: there is
   none. */
struct stook__result_entry *stook__result_queue_at(const struct stook__result_queue *queue,
                                                   size_t i);
struct stook__result_entry *stook__result_queue_by_index(const struct stook__result_queue *queue,
                                                         size_t index);

#endif
