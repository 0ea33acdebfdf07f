/* SPDX-License-Identifier: MIT */
/* Borrowed bodies, on their way back to the program. */
#ifndef STOOK_CORE_BODY_RELEASE_H
#define STOOK_CORE_BODY_RELEASE_H

#include "core/client.h"

/* The request is over: its own body goes at once, a borrowed one goes back from stook__body_release_call. */
void stook__body_release_add(stook_batch *batch, struct stook_result *record);
/* Call the program for all of the batch that were taken. In a turn, or from inside its free. */
void stook__body_release_call(stook_batch *batch);

#endif
