/* SPDX-License-Identifier: MIT */
/*
 * What a result says of its end, where the attempt does not know it: it was ended from outside, or
 * an earlier attempt has the cause. record.c calls it. Without memory the text is shorter.
 */
#ifndef STOOK_CORE_DESCRIBE_H
#define STOOK_CORE_DESCRIBE_H

#include "http/outcome.h"
#include "sched/ending.h"

/* Makes the outcome of a request that a clock, a cancel or a close has ended. `cause`: why it was
   cancelled, or what it waited for, if it had not started; or NULL. */
struct stook__outcome stook__describe_end(struct stook__allocator *allocator,
                                          const struct stook__job *job, int error,
                                          const char *cause);
/* A repeat that never had a connection hides the failure that mattered: the first attempt was sent
   and lost its response. The outcome says so. */
void stook__describe_first_failure(struct stook__allocator *allocator,
                                   struct stook__outcome *outcome);
/* The last of several tries with mirrors is the result. Unless it is good, the outcome says why the
   first one failed too. `mirrors` may be NULL. */
struct stook__outcome stook__describe_first_try(struct stook__allocator *allocator,
                                                const struct stook__mirrors *mirrors, int status,
                                                struct stook__outcome outcome);

/* Adds to the message of an outcome why there is no further attempt. */
void stook__describe_no_retry(struct stook__allocator *allocator, enum stook__no_retry why,
                              struct stook__outcome *outcome);
/* The outcome of a request whose origin is left alone for so long. */
struct stook__outcome stook__describe_circuit(struct stook__allocator *allocator, int64_t rest_us);

#endif
