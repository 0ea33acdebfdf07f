/* SPDX-License-Identifier: MIT */
/*
 * One attempt: a request mapped onto an easy handle, and the response to it. An attempt first opens
 * its files, then runs a transfer, then puts its file in place; it is completed after that. The
 * caller may end it at any time.
 *
 *   stook__attempt_begin -> opening files -> transfer -> settling the file -> completed
 *                                 \______________\_______________\____________|
 *                                                                             v
 *                                                                   stook__attempt_end
 *
 * The turn calls all functions here. None of them may be called from inside libcurl.
 */
#ifndef STOOK_HTTP_ATTEMPT_H
#define STOOK_HTTP_ATTEMPT_H

#include "http/outcome.h"
#include "request/exchange.h"

struct stook__engine;
struct stook__defaults;
struct stook__attempt;
struct stook__origin;

/*
 * Begins an attempt. `plain_path` is what follows the origin in the URL of the spec, if it is plain
 * (request/url.h), else NULL. `origin` is the request's; an empty key means that its URL has none.
 * `fresh`: the attempt must not use a connection that was used before. stook__attempt_owner returns
 * `owner`. `spec`, `origin` and `settings` must live as long as the attempt. Returns NULL with
 * *ret_outcome set if the attempt cannot begin.
 */
struct stook__attempt *stook__attempt_begin(struct stook__defaults *defaults,
                                            const struct stook__spec *spec, const char *plain_path,
                                            struct stook__origin *origin,
                                            const struct stook__settings *settings, int fresh,
                                            void *owner, struct stook__outcome *ret_outcome);
/* Notes that another attempt may follow this one, which has just begun, so that a response which is
   retried is not shown to the program. */
void stook__attempt_may_be_retried(struct stook__attempt *attempt);
/* Returns the next attempt that has completed by itself, or NULL. Attempts whose files have been
   opened start their transfer in this call. */
struct stook__attempt *stook__attempt_next_completed(struct stook__defaults *defaults);
/* Returns 1 if stook__attempt_next_completed has work to do without another event of the loop. */
int stook__attempt_is_due(const struct stook__defaults *defaults);
void *stook__attempt_owner(const struct stook__attempt *attempt);

/* Returns 1 if the header section of the response is complete and no other response follows. */
int stook__attempt_has_head(const struct stook__attempt *attempt);
/* Copies status, header section and metadata; without a header section *ret_answer is empty. The
   caller frees *ret_answer in either case. Returns 0 or STOOK_ENOMEM. */
int stook__attempt_copy_head(struct stook__attempt *attempt, struct stook__answer *ret_answer);
/* Returns how many bytes of the response's body were received, before decoding. *ret_expected is
   how many there will be; -1: unknown. */
int64_t stook__attempt_received(const struct stook__attempt *attempt, int64_t *ret_expected);
/* Fills *ret_progress for on_progress. */
void stook__attempt_progress(const struct stook__attempt *attempt,
                             struct stook_progress *ret_progress);

/* Returns when a byte was last seen, in either direction; 0: never. */
int64_t stook__attempt_moved_at(struct stook__attempt *attempt);
/* The phase of an attempt, as stook_batch_request_state() reports it. */
enum stook__phase {
    STOOK__PHASE_FILES, /* it opens its files, or could not start and is about to end */
    STOOK__PHASE_GATE,  /* it waits for another request to connect or to resolve the name */
    STOOK__PHASE_RESOLVING,
    STOOK__PHASE_CONNECTING,
    STOOK__PHASE_TLS,
    STOOK__PHASE_SENDING,
    STOOK__PHASE_WAITING, /* the request is sent, no byte of a response has come */
    STOOK__PHASE_RECEIVING,
    STOOK__PHASE_PAUSED,       /* by the program */
    STOOK__PHASE_PAUSED_BUFFER /* until the batch has room for its body */
};
/* Returns the phase. Costs a few system calls: for people, not for every turn. */
enum stook__phase stook__attempt_phase(const struct stook__attempt *attempt);
/* Returns 1 if a byte of a response has come. */
int stook__attempt_responded(const struct stook__attempt *attempt);
/* Returns 1 if the attempt, which has completed, has a response that is not one to be retried. */
int stook__attempt_is_good(struct stook__attempt *attempt);
/* Returns 1 if the attempt has had a connection. */
int stook__attempt_connected(const struct stook__attempt *attempt);

/* Returns 1 if a byte of the request may have reached a connection. */
int stook__attempt_may_have_sent(const struct stook__attempt *attempt);

/* Sets what a repeat depends on, in *outcome: idempotent, replayable, shown, sent. */
void stook__attempt_describe_repeat(const struct stook__attempt *attempt,
                                    struct stook__outcome *outcome);
/* Ends and frees an attempt, and moves what was received to *ret_answer. Sets *ret_outcome unless
   it is NULL. */
void stook__attempt_end(struct stook__attempt *attempt, struct stook__answer *ret_answer,
                        struct stook__outcome *ret_outcome);

#endif
