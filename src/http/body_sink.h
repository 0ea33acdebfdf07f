/* SPDX-License-Identifier: MIT */
/*
 * The way of a body that is more than bytes put into memory: decoded, bounded as it comes out, to
 * memory, to a file, or to the program.
 *
 *   libcurl --stook__body_sink_body--> waiting --turn--> decoder --> memory, file, program
 *
 * Inside libcurl the bytes are only put aside, and libcurl is paused when there are many; but those
 * of a body that is not decoded and not for the program go where they belong at once. The turn takes
 * the others from there: what is for the program by stook__body_sink_take, all else by
 * stook__body_sink_pump. Decoding is work, and a turn has a budget of it for all its bodies.
 */
#ifndef STOOK_HTTP_BODY_SINK_H
#define STOOK_HTTP_BODY_SINK_H

#include "http/attempt_parts.h"

/* 0, or an error. A file is opened meanwhile. */
int stook__body_sink_begin(struct stook__attempt *attempt);
/* It is not open yet, the attempt cannot start. */
int stook__body_sink_opening(const struct stook__attempt *attempt);
/* Fields of the request that the body needs, ended by NULL; NULL: none. */
const char *const *stook__body_sink_fields(const struct stook__attempt *attempt);
void stook__body_sink_end(struct stook__attempt *attempt);

/* Inside libcurl: the final head is there; bytes of the body. Answered as attempt_events. */
int stook__body_sink_head(struct stook__attempt *attempt);
int stook__body_sink_body(struct stook__attempt *attempt, const char *data, size_t size);
/* Inside libcurl, before bytes of the body are looked at: 1: it is paused until there is room for them. */
int stook__body_sink_pauses(struct stook__attempt *attempt);

/* Its bytes go to a file, none of them stays in memory. */
int stook__body_sink_to_file(const struct stook__attempt *attempt);

/* Inside libcurl: another answer follows, and nothing of this one was kept. */
void stook__body_sink_restart(struct stook__attempt *attempt);

/* There are bytes that the turn has not taken. */
int stook__body_sink_waiting(const struct stook__attempt *attempt);
/* From the turn, for a body that is the program's: the next of them; *ret_piece is empty before. 1; 0: there are none, or
   the budget is used up; -1: the attempt is to end, its error is set. */
int stook__body_sink_take(struct stook__attempt *attempt, int64_t *budget,
                          struct stook__buffer *ret_piece);
/* From the turn, for any other body: takes on what waits, as far as the budget goes. 0; -1 as above. */
int stook__body_sink_pump(struct stook__attempt *attempt, int64_t *budget);
/* Whether its body is the program's. */
int stook__body_sink_for_program(const struct stook__attempt *attempt);
/* A piece that the program has had: its block is used again. */
void stook__body_sink_give_back(struct stook__attempt *attempt, struct stook__buffer *piece);

/* libcurl says that all has come: 0 if that is so, else the error, with *ret_why. */
int stook__body_sink_check(struct stook__attempt *attempt, const char **ret_why);
/* There is a file for it. */
int stook__body_sink_has_file(const struct stook__attempt *attempt);
/* It is what it should be, or it is not: a file is put in its place, or goes. 1: it has; 0: the attempt will have news. */
int stook__body_sink_settle(struct stook__attempt *attempt, int good);
/* The disk has to catch up: until then there is no room for more. The attempt will have news. */
int stook__body_sink_full(const struct stook__attempt *attempt);

#endif
