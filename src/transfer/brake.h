/* SPDX-License-Identifier: MIT */
/* Bodies that wait, because the batch holds as many bytes as it may. */
#ifndef STOOK_TRANSFER_BRAKE_H
#define STOOK_TRANSFER_BRAKE_H

#include "base/gauge.h"

struct stook__attempt;

/* Count the body of an attempt that has just begun. `free`: and never have it wait. */
void stook__brake_set(struct stook__attempt *attempt, struct stook__gauge *gauge, int free);
/* The attempt is over; what it received is counted by whoever has it now. */
void stook__brake_end(struct stook__attempt *attempt);
/* From inside libcurl: 1: there is room for these bytes, and they are counted; 0: it waits. */
int stook__brake_take(struct stook__attempt *attempt, size_t size);

/* From the turn. */
int stook__brake_is_on(const struct stook__attempt *attempt);
/* It may be long. */
void stook__brake_hold(struct stook__brake *brake);
/* Go on, if it waits. Microseconds for which it did. */
int64_t stook__brake_release(struct stook__attempt *attempt, int64_t now);
/* It never waits from now on. */
void stook__brake_free(struct stook__attempt *attempt);
struct stook__attempt *stook__brake_attempt(struct stook__brake *brake);

#endif
