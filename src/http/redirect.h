/* SPDX-License-Identifier: MIT */
/*
 * Redirects (RFC 9110 15.4). A response that is followed is not shown to the program. The request
 * of the next hop is an attempt of its own, which waits in the queue of its origin.
 *
 * An origin is scheme, host and port. What a request has for one origin does not reach another:
 * across origins only the fields below go along, and what was dropped does not come back when a
 * later hop returns to the first origin.
 *
 *   always               Accept, Accept-Language, User-Agent
 *   with the body        Content-Type, Content-Encoding
 *   on request           the names in `redirect_headers`
 */
#ifndef STOOK_HTTP_REDIRECT_H
#define STOOK_HTTP_REDIRECT_H

#include "request/exchange.h"

struct stook__attempt;

enum {
    STOOK__REDIRECT_BODY_MAX = 64 << 10, /* bytes of a body that are read for its connection */
    STOOK__REDIRECT_WHY_MAX = 160
};

/* Whether the response, whose header section is complete, is one that the request follows: 301,
   302, 303, 307 or 308 with a Location. */
int stook__redirect_is_followed(const struct stook__attempt *attempt);

/* Whether another mirror is tried instead of the response, whose header section is complete. */
int stook__redirect_is_to_mirror(const struct stook__attempt *attempt);

/* Whether the response, whose header section is complete, is one of these two: its body is not
   kept. */
int stook__redirect_is_skipped(const struct stook__attempt *attempt);
/* Whether so much of the body of such a response has come that the rest is not read. */
int stook__redirect_is_cut(const struct stook__attempt *attempt);

/*
 * Makes the spec of the next hop out of the spec of the last one and the answer. `client` are the
 * settings of the client. 0; STOOK_EREDIRECT or STOOK_EPOLICY with the reason in `why`;
 * STOOK_ENOMEM. After an error the spec is that of the last hop.
 */
int stook__redirect_follow(struct stook__allocator *allocator, struct stook__spec *spec,
                           const struct stook__settings *settings,
                           const struct stook__settings *client, const struct stook__answer *answer,
                           char why[STOOK__REDIRECT_WHY_MAX]);

/*
 * Makes the spec of a try with URL i of its mirrors out of what the request was added with. Across
 * origins the rules above hold, and a Range of the program goes along. 0 or STOOK_ENOMEM; after an
 * error the spec is that of the last try.
 */
int stook__redirect_to_mirror(struct stook__allocator *allocator, struct stook__spec *spec,
                              const struct stook__settings *settings,
                              const struct stook__settings *client, size_t i);

#endif
