/* SPDX-License-Identifier: MIT */
/* Awaits batches: on a loop, in a blocking call, and result by result. The turn does the work of an
   await; here one begins, and here a blocking call waits for it. */
#ifndef STOOK_CORE_AWAIT_H
#define STOOK_CORE_AWAIT_H

#include "deliver/callbacks.h"
#include "deliver/result_queue.h"

/* The options of an await, validated. */
struct stook__await {
    struct stook__callbacks callbacks;
    struct stook__gather_options queue; /* for the result queue */
    size_t limit;                       /* of requests in flight; SIZE_MAX: none */
    size_t max_waiting;                 /* of the requests that `more` adds */
    int adaptive;                       /* the limit finds itself */
    int window_follows;                 /* the window is a multiple of the limit then */
    int64_t timeout_ms;                 /* -1: no deadline */
    int64_t policy;                     /* STOOK_POLICY_... */
    size_t quorum;
};

/* 0: the await of the batch may begin, in a blocking call or not. An error of which
   stook_batch_message() tells the reason, or that of a failed add. */
int stook__await_check(stook_batch *batch, int blocking);
/* Begins an await that may begin, and asks for a turn. 0, or STOOK_ENOMEM: the batch is still
   open. */
int stook__await_begin(stook_batch *batch, const struct stook__await *await);
/* Runs the owned loop until the await that has begun is over. How many requests are not ok. */
int stook__await_finish(stook_batch *batch);

/* The next result of an await that is pulled, for which the owned loop runs: 1 with *ret_result; 0:
   there is no other; STOOK_AGAIN: there is none yet, and nothing may wait for it; STOOK_ESTATE. */
int stook__await_next(stook_batch *batch, const stook_result **ret_result);
/* Pauses the delivery of results, or resumes it. */
void stook__await_pause(stook_batch *batch, int paused);

#endif
