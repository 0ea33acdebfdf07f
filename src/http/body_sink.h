/* SPDX-License-Identifier: MIT */
/*
 * The destination of a response body that is decoded, or that does not go to memory. An attempt
 * whose body goes to memory as it arrives has no sink.
 *
 *   libcurl --stook__body_sink_body()--> pending --turn--> decoder --> memory, file or program
 *
 * Inside libcurl's callback the bytes are only stored as pending, and libcurl is paused while many
 * are pending. An undecoded body for memory or a file skips that: its bytes go there at once. The
 * turn takes pending bytes for the program with stook__body_sink_take(), and all others with
 * stook__body_sink_pump(). Decoding costs work, so the bodies of a client share one budget per
 * turn.
 *
 *   AWAITING_HEAD --stook__body_sink_head()--> TO_MEMORY, TO_FILE or TO_PROGRAM
 *         ^------stook__body_sink_restart()------'
 */
#ifndef STOOK_HTTP_BODY_SINK_H
#define STOOK_HTTP_BODY_SINK_H

#include "http/attempt_state.h"

/* Makes the sink and begins to open its file. 0, or an error. */
int stook__body_sink_begin(struct stook__attempt *attempt);
/* Whether its file is not open yet. The attempt cannot start before. */
int stook__body_sink_opening(const struct stook__attempt *attempt);
/* Returns header fields that the request needs for the sink, ended by NULL. NULL: none. */
const char *const *stook__body_sink_fields(const struct stook__attempt *attempt);
/* Frees the sink, if there is one. */
void stook__body_sink_end(struct stook__attempt *attempt);

/* Inside libcurl: the final header section is complete. Returns as attempt_events. */
int stook__body_sink_head(struct stook__attempt *attempt);
/* Inside libcurl: takes bytes of the body. Returns as attempt_events. */
int stook__body_sink_body(struct stook__attempt *attempt, const char *data, size_t size);
/* Inside libcurl, before bytes of the body: pauses the transfer if there is no room. 1: paused. */
int stook__body_sink_pauses(struct stook__attempt *attempt);
/* Inside libcurl: another response follows. Nothing of this one was kept. */
void stook__body_sink_restart(struct stook__attempt *attempt);

/* Whether the body goes to a file. None of its bytes stays in memory. */
int stook__body_sink_to_file(const struct stook__attempt *attempt);
/* Whether the response may be followed by a retry and its body is so long that the rest is not
   read. */
int stook__body_sink_is_cut(const struct stook__attempt *attempt);
/* Whether the request's body goes to the program: it has an on_body. */
int stook__body_sink_for_program(const struct stook__attempt *attempt);

/* Whether bytes are pending: the turn has not taken them. */
int stook__body_sink_waiting(const struct stook__attempt *attempt);
/*
 * From the turn, for a body that goes to the program: moves the next bytes into *ret_piece, which
 * is empty before. 1; 0 if there are none or the budget is used up; -1 if the attempt must end, its
 * error is set.
 */
int stook__body_sink_take(struct stook__attempt *attempt, int64_t *budget,
                          struct stook__buffer *ret_piece);
/*
 * From the turn, for any other body: decodes pending bytes as far as the budget allows. 0; -1 as
 * above, or the body is cut.
 */
int stook__body_sink_pump(struct stook__attempt *attempt, int64_t *budget);
/* Takes back the memory of a piece that the program has read. */
void stook__body_sink_give_back(struct stook__attempt *attempt, struct stook__buffer *piece);

/* libcurl reports the end: returns 0 if the body is complete, else the error with *ret_why. */
int stook__body_sink_check(struct stook__attempt *attempt, const char **ret_why);
/* Whether the sink has a file. */
int stook__body_sink_has_file(const struct stook__attempt *attempt);
/*
 * Ends the file: `good` renames it into its place, otherwise it is discarded. 1: it is closed. 0:
 * the attempt will be marked ready (stook__attempt_file_completed()).
 */
int stook__body_sink_settle(struct stook__attempt *attempt, int good);
/* Whether there is no room until the disk has written more. The attempt will be marked ready. */
int stook__body_sink_full(const struct stook__attempt *attempt);

#endif
