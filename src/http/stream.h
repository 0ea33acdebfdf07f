/* SPDX-License-Identifier: MIT */
/*
 * What an attempt has for the program while it runs, and what it needs from it. Inside libcurl, a
 * callback only stores bytes in a bounded buffer and marks the stream as ready. The turn takes the
 * ready streams, calls the program, and lets libcurl continue.
 *
 *   libcurl's callback --mark_ready--> engine's list --stook__stream_next--> turn --> the program
 *                                            ^------ stook__stream_resume ------/
 */
#ifndef STOOK_HTTP_STREAM_H
#define STOOK_HTTP_STREAM_H

#include "deliver/flow_control.h"
#include "http/stream_ready.h"
#include "request/exchange.h"

/* -------------------------------------------------------------------- for the turn */

/* Returns 1 once: on_head is due, and the attempt's answer has the header section. */
int stook__stream_take_head(struct stook__attempt *attempt);
/*
 * Moves body bytes for on_body into *ret_piece, which is empty before: little more than 1 MiB at
 * most. Returns 1; 0 if there are none, or the turn's decoding budget is used up; -1 if the attempt
 * has failed. The caller returns the buffer by stook__stream_give_back, or frees it if the attempt
 * is gone.
 */
int stook__stream_take_body(struct stook__attempt *attempt, int64_t *budget,
                            struct stook__buffer *ret_piece);
void stook__stream_give_back(struct stook__attempt *attempt, struct stook__buffer *piece);
/* Decodes a body that is not for on_body. Returns 0; -1 if the attempt has failed. */
int stook__stream_pump(struct stook__attempt *attempt, int64_t *budget);
/* Returns 1 if bytes have moved since the last call. */
int stook__stream_take_progress(struct stook__attempt *attempt);

/* Pauses the response body for the program. Returns 1; 0 if the program has resumed it already. */
int stook__stream_program_paused(struct stook__attempt *attempt, int64_t now);
/* Resumes the request for the program, whether it is paused or about to be. Returns how many
   microseconds it was paused; -1 if it was not. */
int64_t stook__stream_resume(struct stook__attempt *attempt, int64_t now);
/* The program has had all that there was: libcurl continues, or the attempt completes. */
void stook__stream_served(struct stook__attempt *attempt);
/* Whether the body of the response goes to on_body as it comes. */
int stook__stream_to_program(const struct stook__attempt *attempt);
/* Whether on_head or on_body was called: no other response may take the place of this one. */
int stook__stream_was_shown(const struct stook__attempt *attempt);
/* Ends the attempt with that error. `why` is static, or NULL. */
void stook__stream_failed(struct stook__attempt *attempt, int error, const char *why);

/* ------------------------------------------------------------ flow control of the batch */

/* Counts the body of an attempt that has just begun, if its bytes are buffered for the result. */
void stook__attempt_count_body(struct stook__attempt *attempt, struct stook__flow_control *batch);
struct stook__body_flow *stook__attempt_flow(struct stook__attempt *attempt);
struct stook__attempt *stook__attempt_of_flow(struct stook__body_flow *flow);
int stook__attempt_paused(const struct stook__attempt *attempt, enum stook__pause reason);
/* Tells the engine that a body which is paused for room may stay paused for long. From the turn. */
void stook__attempt_pause_for_buffer(struct stook__attempt *attempt);
/* Resumes it, if it is paused for room. Returns for how many microseconds it was. */
int64_t stook__attempt_resume_for_buffer(struct stook__attempt *attempt, int64_t now);

/* ------------------------------------------------------ for the files of this room */

/* Gives the attempt a stream. Returns 0 or STOOK_ENOMEM. */
int stook__stream_begin(struct stook__attempt *attempt);
/* Frees the attempt's stream, if it has one. */
void stook__stream_end(struct stook__attempt *attempt);
/* Inside libcurl: the final header section is complete. */
void stook__stream_head(struct stook__attempt *attempt);
/* Returns 1 if the response whose header section is complete is the last of the attempt. */
int stook__stream_head_is_final(const struct stook__attempt *attempt);
/* The transfer has ended. Returns 1 if the program has not had all of it; the engine reports the
   attempt a second time when it has. */
int stook__stream_defers(struct stook__attempt *attempt);

#endif
