/* SPDX-License-Identifier: MIT */
/* How requests, batches and clients end before their time. */
#ifndef STOOK_CORE_COMPLETION_H
#define STOOK_CORE_COMPLETION_H

#include "core/client.h"
#include "http/attempt.h"

/* The outcome of a request that a clock, a cancel or a close has ended, with a line that names it.
   `cause`: why it was cancelled, or NULL. */
struct stook__outcome stook__completion_describe(struct stook__allocator *allocator,
                                                 const struct stook__job *job, int error,
                                                 const char *cause);
/* The attempt before was lost, and there was no way for this one: what came first is what happened. */
void stook__completion_name_first(struct stook__allocator *allocator, const struct stook__job *job,
                                  struct stook__outcome *outcome);
/* Nothing new from here on: what is in an await goes on until `due`, 0: as long as it takes; then it closes. */
void stook__shutdown_drain(stook_client *client, int64_t due);
/* Close: end what is under way, over the next turns. Closing already: nothing. */
void stook__shutdown_begin(stook_client *client);
/* The next step of closing a client, if the one before is over. */
void stook__shutdown_continue(stook_client *client);
/* The loop's last word. */
void stook__shutdown_closed(void *owner);

#endif
