/* SPDX-License-Identifier: MIT */
/*
 * Mirrors: which URL of a request is tried next, and which of their origins are remembered as
 * broken. A try ends with a result, or with another try, which is queued at its origin as the hop
 * of a redirect is.
 */
#ifndef STOOK_HTTP_FAILOVER_H
#define STOOK_HTTP_FAILOVER_H

#include "http/outcome.h"
#include "request/exchange.h"

struct stook__attempt;
struct stook__origins;

/* A request with mirrors. */
struct stook__failover {
    struct stook__spec *spec;
    const struct stook__settings *settings, *client; /* its own, the client's */
    struct stook__origins *origins;                  /* of the client, whose allocator is used */
    int64_t now;
};

/* Returns 1 if the request may be tried with another URL, should this attempt fail: it has one
   left, and the program has seen nothing of the response. */
int stook__failover_is_possible(const struct stook__attempt *attempt);
/* Remembers how a try ended: whether its origin is broken, and why the first one failed. `status`
   is 0 without a response. */
void stook__failover_note(const struct stook__failover *failover,
                          const struct stook__outcome *outcome, int status);
/* Gives the request its next URL if this end of a try asks for it. Returns 1 if it has one. 0: the
   outcome is the result's. It says so if there was no memory. */
int stook__failover_next(const struct stook__failover *failover, struct stook__outcome *outcome,
                         int status);
/* Before an attempt: gives the request another URL if that of its own is at an origin that is
   remembered as broken. Returns 1 if it has another one. */
int stook__failover_choose(const struct stook__failover *failover);

#endif
