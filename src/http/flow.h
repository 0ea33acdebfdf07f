/* SPDX-License-Identifier: MIT */
/* Bodies that wait, because the batch holds as many bytes as it may. */
#ifndef STOOK_HTTP_FLOW_H
#define STOOK_HTTP_FLOW_H

#include "util/byte_counter.h"

struct stook__attempt;

/* Count the body of an attempt that has just begun, if it is kept in memory. */
void stook__attempt_count_body(struct stook__attempt *attempt, struct stook__byte_counter *counter);
struct stook__body_flow *stook__attempt_flow(struct stook__attempt *attempt);
struct stook__attempt *stook__attempt_of_flow(struct stook__body_flow *flow);
/* From the turn: it waits, and it may be long. */
void stook__attempt_pause_for_buffer(struct stook__attempt *attempt);
int stook__attempt_paused_for_buffer(const struct stook__attempt *attempt);
/* It goes on, if it waits. Microseconds for which it did. */
int64_t stook__attempt_resume_for_buffer(struct stook__attempt *attempt, int64_t now);

#endif
