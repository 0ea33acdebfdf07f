/* SPDX-License-Identifier: MIT */
/*
 * Hedges: a second attempt of a request whose first one has no byte of a response after
 * `hedge_after_ms` ("The Tail at Scale"). It runs beside the first over a connection of its own, in
 * a place of its own as the limits count. The first of the two that has a good response is the
 * request's attempt, and the other one is ended. If one fails, the other goes on.
 */
#ifndef STOOK_CORE_HEDGE_H
#define STOOK_CORE_HEDGE_H

#include <stook.h>

struct stook_result;
struct stook__attempt;

/* Starts a hedge of a request that is ATTEMPTING, if limits, rates and the share of hedges of its
   origin allow one. */
void stook__hedge_start(stook_client *client, struct stook_result *record);
/* Handles the end of one of two attempts. Returns 1 if `attempt` is the request's only one now, and
   is to be concluded; 0 if it was lost and the other one goes on. */
int stook__hedge_settle(stook_client *client, struct stook_result *record,
                        struct stook__attempt *attempt);
/* The body of one of two attempts was paused for room from `since` on. 1: that of the other one is
   too, and the clocks of the request stand still until that is resumed. */
int stook__hedge_takes_pause(struct stook__attempt *other, int64_t since);
/* Returns the hedge of a request that is ATTEMPTING. NULL: it has none. */
struct stook__attempt *stook__hedge_of(const struct stook_result *record);
/* Ends the hedge, if there is one. */
void stook__hedge_end(stook_client *client, struct stook_result *record);

#endif
