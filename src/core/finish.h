/* SPDX-License-Identifier: MIT */
/* How a request gets its result: from its last attempt, or as a copy of that of an equal one. */
#ifndef STOOK_CORE_FINISH_H
#define STOOK_CORE_FINISH_H

#include "core/record.h"

struct stook__outcome;

/* Finishes a request that has no attempt any more. The buffers of *answer, and the message of
   *outcome, belong to the result then. */
void stook__record_finish(stook_client *client, struct stook_result *record,
                          struct stook__answer *answer, const struct stook__outcome *outcome);
/* Finishes a request that waits with a copy of the result of another one, which is FINISHED and is
   kept, because they share its body. */
void stook__record_share(stook_client *client, struct stook_result *record,
                         struct stook_result *sender);

#endif
