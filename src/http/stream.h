/* SPDX-License-Identifier: MIT */
/*
 * What the program is told of an attempt while it is under way, and asked for. Inside libcurl it is
 * only written down: bytes into a bounded buffer, the stream into the engine's list of the stirred.
 * The turn takes it from there, calls the program, and has libcurl go on.
 *
 *   libcurl's callback --stir--> the engine's list --stook__stream_next--> turn --> the program
 *                                                         ^------ stook__stream_wake ------/
 */
#ifndef STOOK_HTTP_STREAM_H
#define STOOK_HTTP_STREAM_H

#include "deliver/flow_control.h"
#include "request/exchange.h"
#include "util/list.h"

struct stook__attempt;
struct stook__engine;

/* All that have something for the program now, or want something of it, moved to the end of `list`. */
void stook__stream_take_all(struct stook__engine *engine, struct stook__link *list);
/* The next of such a list; NULL: none. */
struct stook__attempt *stook__stream_next(struct stook__link *list);
/* Have it looked at by the next turn (again). */
void stook__stream_mark_ready(struct stook__attempt *attempt);

/* 1, once: the final head is there, and the answer of the attempt shows it. */
int stook__stream_take_head(struct stook__attempt *attempt);
/*
 * 1: body bytes that came since, moved into *ret_piece, which is empty before: at most some more than 1 MiB.
 * 0: none, or the turn's budget of decoding is used up. -1: the attempt is to end, they are not what they should be. The caller gives the buffer back
 * by stook__stream_give_back, or frees it if the attempt is gone.
 */
int stook__stream_take_body(struct stook__attempt *attempt, int64_t *budget,
                            struct stook__buffer *ret_piece);
void stook__stream_give_back(struct stook__attempt *attempt, struct stook__buffer *piece);

/* The body of one whose bytes are not the program's goes on. 0; -1: the attempt is to end. */
int stook__stream_pump(struct stook__attempt *attempt, int64_t *budget);

/* 1: bytes have moved since it was last asked. */
int stook__stream_take_progress(struct stook__attempt *attempt);

/* The program has paused it: no bytes are taken until it is woken. 0: it was woken meanwhile. */
int stook__stream_program_paused(struct stook__attempt *attempt, int64_t now);
/* The program wants it to go on, be it paused already or about to be. Microseconds for which it was; -1: it was not. */
int64_t stook__stream_wake(struct stook__attempt *attempt, int64_t now);
/* The program has been told all that there was: libcurl goes on, or the attempt is over. */
void stook__stream_served(struct stook__attempt *attempt);
/* The attempt ends with that. `why` is static, or NULL. */
void stook__stream_failed(struct stook__attempt *attempt, int error, const char *why);

/* Counts the body of an attempt that has just begun, if its bytes are buffered for the result. */
void stook__attempt_count_body(struct stook__attempt *attempt, struct stook__flow_control *batch);
struct stook__body_flow *stook__attempt_flow(struct stook__attempt *attempt);
struct stook__attempt *stook__attempt_of_flow(struct stook__body_flow *flow);
int stook__attempt_paused(const struct stook__attempt *attempt, enum stook__pause reason);
/* Tells the engine that a body which is paused for room may stay paused for long. From the turn. */
void stook__attempt_pause_for_buffer(struct stook__attempt *attempt);
/* Resumes it, if it is paused for room. Returns for how many microseconds it was. */
int64_t stook__attempt_resume_for_buffer(struct stook__attempt *attempt, int64_t now);

#endif
