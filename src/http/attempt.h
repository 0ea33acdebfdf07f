/* SPDX-License-Identifier: MIT */
/*
 * One attempt: a request mapped onto an easy handle, and what came back.
 *
 *   stook__attempt_begin --> its files are opened --> under way --> its file ends --news--> stook__attempt_end
 *                                    \------------------\-----------------\---cancel, clock-----^
 */
#ifndef STOOK_HTTP_ATTEMPT_H
#define STOOK_HTTP_ATTEMPT_H

#include "request/exchange.h"

struct stook__engine;
struct stook__defaults;
struct stook__attempt;
struct stook__node;

/* What became of a request, or of an attempt. `message` is static, or of the heap if `owned`. */
struct stook__outcome {
    int error;
    const char *message;
    int message_owned;
    int idempotent, lost; /* see struct stook__ending */
    int sent;             /* a connection was there, and it went out */
    int os_error;         /* of an attempt that could not begin */
    int untried;          /* it never came to be sent */
    int starved; /* for want of a descriptor or a port: it may go well when others are over */
};

/*
 * Start one. `origin` is the normal form of the URL's origin (origin_key.h), with its hash; empty: it has none.
 * `fresh`: not on a connection that was used before. `owner` is what stook__attempt_owner gives back;
 * spec, origin and policy live as long as the attempt.
 * Returns NULL with *ret_outcome set when it cannot start.
 */
struct stook__attempt *stook__attempt_begin(struct stook__defaults *defaults,
                                            const struct stook__spec *spec,
                                            const struct stook__node *origin,
                                            const struct stook__settings *policy, int fresh,
                                            void *owner, struct stook__outcome *ret_outcome);
/* The next attempt that has ended by itself; NULL: no news. Those whose files are open start here. */
struct stook__attempt *stook__attempt_next_completed(struct stook__defaults *defaults);
/* There may be news at once. */
int stook__attempt_is_due(const struct stook__defaults *defaults);
void *stook__attempt_owner(const struct stook__attempt *attempt);

/* Whether the head is there that the result will have, and no other is to follow. */
int stook__attempt_has_head(const struct stook__attempt *attempt);
/* A copy of what came with it; of nothing without it. 0 or STOOK_ENOMEM; what was made is to be freed in either case. */
int stook__attempt_copy_head(struct stook__attempt *attempt, struct stook__answer *ret_answer);
/* Bytes of the response body, as they came; and how many there are to be, -1: not known. */
int64_t stook__attempt_received(const struct stook__attempt *attempt, int64_t *ret_expected);
/* How far it is. */
void stook__attempt_progress(const struct stook__attempt *attempt,
                             struct stook_progress *ret_progress);

/* When the last byte was seen, in either direction; 0: not since it was last asked. */
int64_t stook__attempt_moved_at(struct stook__attempt *attempt);
/* How far it has come. */
enum stook__phase {
    STOOK__GATED, /* another goes first to its origin, or looks up its name */
    STOOK__RESOLVING,
    STOOK__CONNECTING,
    STOOK__SECURING, /* TLS */
    STOOK__SENDING,
    STOOK__ANSWERING, /* sent, and no byte of an answer yet */
    STOOK__RECEIVING,
    STOOK__PAUSED,       /* by the program */
    STOOK__PAUSED_BUFFER /* until there is room for its body */
};
enum stook__phase stook__attempt_phase(const struct stook__attempt *attempt);
/* Whether it has a connection. */
int stook__attempt_connected(const struct stook__attempt *attempt);

/* End it, and free it; what came is the caller's. With `ret_outcome`, judge it; without, nobody asks. */
void stook__attempt_end(struct stook__attempt *attempt, struct stook__answer *ret_answer,
                        struct stook__outcome *ret_outcome);

#endif
