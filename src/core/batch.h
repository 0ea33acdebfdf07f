/* SPDX-License-Identifier: MIT */
/*
 * Makes batches, adds requests to them, shows their results, cancels and frees them. core/await.h
 * awaits a batch; core/completion.h ends and destroys one.
 *
 * api/ has checked the arguments of the functions here; what depends on the state of a batch or of
 * its client, they check themselves.
 */
#ifndef STOOK_CORE_BATCH_H
#define STOOK_CORE_BATCH_H

#include <stddef.h>

#include <stook.h>

/* Makes an open batch. 0; STOOK_ENOMEM; STOOK_ESTATE: the client is drained or closed, or of a
   parent process. */
int stook__batch_new(stook_client *client, stook_batch **ret_batch);

/* 0: a request may be added. STOOK_ESTATE with *ret_why: none may. */
int stook__batch_may_add(stook_batch *batch, const char **ret_why);
/*
 * Adds a request, by its origin and its priority, 0 the lowest, if stook__batch_may_add(). If the
 * batch is awaited, this asks for a turn. 0, or an error: nothing is added, *ret_why is its reason
 * or NULL, and a borrowed body stays the program's.
 */
int stook__batch_add(stook_batch *batch, const struct stook_request *request, unsigned priority,
                     const char **ret_why);
/* Moves a request that was redirected, and is ADMITTED, to the queue of its new origin. Without
   memory for that it ends. */
void stook__batch_requeue(stook_client *client, struct stook_result *record);
/* Notes a failed add, so that a program that ignores what an add returns learns of it from the
   await. Returns `error`. `why` NULL: the error says it all. */
int stook__batch_refuse_add(stook_batch *batch, int error, const char *why);
/* Notes for stook_batch_message() why a call was refused. Returns `error`. */
int stook__batch_refuse(stook_batch *batch, int error, const char *why);
const char *stook__batch_message(const stook_batch *batch);

/* The number of adds, and kept results: the i-th in the order of the verb, or the one with that
   index. NULL: there is none. */
size_t stook__batch_count(const stook_batch *batch);
const stook_result *stook__batch_result(const stook_batch *batch, size_t i);
const stook_result *stook__batch_result_by_index(const stook_batch *batch, size_t index);

/* Cancels the batch, and makes a turn process it. Any thread. */
void stook__batch_cancel(stook_batch *batch);
void stook__batch_wake(stook_batch *batch);
/* Cancels one request, if it is not finished. */
void stook__batch_cancel_request(stook_batch *batch, size_t index);

/* Sets how many requests of an awaited batch may be in flight; SIZE_MAX: any number. 0, or
   STOOK_ESTATE: the batch is not awaited, or its client closes or is of a parent process. */
int stook__batch_set_limit(stook_batch *batch, size_t limit);
/* Whether the completion policy of the await is satisfied. */
int stook__batch_is_satisfied(const stook_batch *batch);

/* Frees the batch, or marks it: inside a turn, an await or a blocking call it is destroyed behind
   that. In a forked child nothing happens. */
void stook__batch_free(stook_batch *batch);

#endif
