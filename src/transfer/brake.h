/* SPDX-License-Identifier: MIT */
/* Bodies that wait, because the batch holds as many bytes as it may. */
#ifndef STOOK_TRANSFER_BRAKE_H
#define STOOK_TRANSFER_BRAKE_H

#include "base/gauge.h"

struct stook__attempt;

/* Count the body of an attempt that has just begun, if it is kept in memory. */
void stook__attempt_brake(struct stook__attempt *attempt, struct stook__gauge *gauge);
struct stook__brake *stook__attempt_brake_of(struct stook__attempt *attempt);
struct stook__attempt *stook__brake_attempt(struct stook__brake *brake);
/* From the turn: it waits, and it may be long. */
void stook__attempt_hold_up(struct stook__attempt *attempt);
int stook__attempt_held_up(const struct stook__attempt *attempt);
/* It goes on, if it waits. Microseconds for which it did. */
int64_t stook__attempt_go_on(struct stook__attempt *attempt, int64_t now);

#endif
