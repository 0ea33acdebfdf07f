/* SPDX-License-Identifier: MIT */
/*
 * The attempts of a request that is not FINISHED: how one starts, what its end means, whether
 * another one follows. record.h has the states.
 */
#ifndef STOOK_CORE_ATTEMPTS_H
#define STOOK_CORE_ATTEMPTS_H

#include "core/record.h"
#include "http/outcome.h"

/* Turns a request that is ADMITTED to a mirror if its URL is at an origin that is remembered as
   broken. Returns 1 if it did: the request has to wait in a queue of its new origin. */
int stook__record_choose_mirror(stook_client *client, struct stook_result *record, int64_t now);
/* Starts an attempt of a request that is ADMITTED, on a fresh connection if its job says so. A
   request that cannot start has its result, or waits in its queue again until a descriptor is free
   or its next attempt is due. */
void stook__record_start(stook_client *client, struct stook_result *record);
/* Counts the body of an attempt that has begun against the bound of its batch. */
void stook__record_count_body(stook_client *client, struct stook_result *record,
                              struct stook__attempt *attempt);
/* Ends a request that waits, because the circuit of its origin is open. */
void stook__record_refuse(stook_client *client, struct stook_result *record, int64_t now);
/* Handles an attempt that has completed by itself. Its request has its result, starts another
   attempt or waits again. Returns 1 if it has followed a redirect or turned to a mirror instead: it
   is ADMITTED, and has to wait in a queue of its new origin. */
int stook__record_conclude(stook_client *client, struct stook_result *record, int64_t now);
/* Tells sched how an attempt of a request ended. */
void stook__record_note_ending(stook_client *client, struct stook_result *record,
                               const struct stook__answer *answer,
                               const struct stook__outcome *outcome, int64_t now);
/* Notes that a request which was ADMITTED waits in a queue of sched again. */
void stook__record_waits_again(struct stook_result *record, const char *why);
/* Ends a request one of whose clocks has run out with `error`. Returns 1 if it has turned to a
   mirror instead, as stook__record_conclude() does. */
int stook__record_expire(stook_client *client, struct stook_result *record, int error, int64_t now);
/* Takes back the start of a request that is ADMITTED: it waits again, in another way. */
void stook__record_unstart(stook_client *client, struct stook_result *record, int64_t now);
/* Ends a request that is not FINISHED with `error`, whatever it does. */
void stook__record_end(stook_client *client, struct stook_result *record, int error);

#endif
