/* SPDX-License-Identifier: MIT */
/* Requests that exchange heads, bytes and progress with the program while they are in flight. */
#ifndef STOOK_CORE_STREAMS_H
#define STOOK_CORE_STREAMS_H

#include <stddef.h>

#include <stook.h>

/* Calls the program for the streams that are ready, a bounded number of them. Step 6 of a turn. */
void stook__streams_serve(stook_client *client);
/* Resumes a request that the program has paused, if it is in flight. */
void stook__streams_resume(stook_batch *batch, size_t index);
/* The progress of a request. 0, or STOOK_ESTATE: it is not in flight, or of a parent process. */
int stook__streams_progress(const stook_batch *batch, size_t index,
                            struct stook_progress *ret_progress);

#endif
