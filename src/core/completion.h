/* SPDX-License-Identifier: MIT */
/*
 * How a batch completes: by its policy, early or in the end. The turn ends requests and delivers
 * results; here is noted what a batch has come to, and that the turn has to process it.
 */
#ifndef STOOK_CORE_COMPLETION_H
#define STOOK_CORE_COMPLETION_H

#include "core/client_state.h"

/* Asks the next turn to process the batch. */
void stook__batch_mark_dirty(stook_batch *batch);
/* Handles the message that another thread has cancelled or woken the batch. */
void stook__batch_handle_message(stook_batch *batch);

/* The only way to change the state of a batch; the move must be allowed. */
void stook__batch_move(stook_batch *batch, enum stook__batch_state to);

/* Sets the policy when the await begins. Results that are there already count. */
void stook__batch_set_policy(stook_batch *batch, int64_t policy, size_t quorum);
/* Counts a result, which may end other requests. */
void stook__batch_note_result(stook_batch *batch, const struct stook_result *record);
/* Counts a failure that has no request: of an add or of `more`. */
void stook__batch_add_failure(stook_batch *batch);
/* How many requests are not ok, with the failures that have none; INT_MAX at most. */
int stook__batch_failed(const stook_batch *batch);

/* Ends all requests that are not finished with `error`, over the next turns. */
void stook__batch_terminate(stook_batch *batch, int error);
/* Makes a cancel from another thread the end of the batch, if it has none. */
void stook__batch_note_cancel(stook_batch *batch);
/* Whether the batch ends early. A cancel from another thread counts before its message is read. */
static inline int stook__batch_is_ending(stook_batch *batch)
{
    if (batch->end.scope == STOOK__END_NONE &&
        atomic_load_explicit(&batch->cancelled, memory_order_acquire))
        stook__batch_note_cancel(batch);
    return batch->end.scope != STOOK__END_NONE;
}

/* Keeps the borrowed body of a request that is over, until stook__batch_release_bodies(). */
void stook__batch_keep_body(stook_batch *batch, struct stook_result *record);
/* Gives these bodies back to the program. From a turn, or from the program's own free. */
void stook__batch_release_bodies(stook_batch *batch);
/* Frees the batch and its results. It must be OPEN or DONE, or its client closed. */
void stook__batch_destroy(stook_batch *batch);

#endif
