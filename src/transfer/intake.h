/* SPDX-License-Identifier: MIT */
/*
 * The way of a body that is more than bytes put into memory: decoded, bounded as it comes out, to
 * memory, to a file, or to the program.
 *
 *   libcurl --stook__intake_body--> waiting --turn--> decoder --> memory, file, program
 *
 * Inside libcurl the bytes are only put aside, and libcurl is paused when there are many; but those
 * of a body that is not decoded and not for the program go where they belong at once. The turn takes
 * the others from there: what is for the program by stook__intake_take, all else by
 * stook__intake_pump. Decoding is work, and a turn has a budget of it for all its bodies.
 */
#ifndef STOOK_TRANSFER_INTAKE_H
#define STOOK_TRANSFER_INTAKE_H

#include "transfer/parts.h"

/* 0, or an error; the outcome is set if there is more to say. */
int stook__intake_begin(struct stook__attempt *attempt, struct stook__outcome *ret_outcome);
/* Fields of the request that the body needs, ended by NULL; NULL: none. */
const char *const *stook__intake_fields(const struct stook__attempt *attempt);
void stook__intake_end(struct stook__attempt *attempt);

/* Inside libcurl: the final head is there; bytes of the body. Answered as attempt_events. */
int stook__intake_head(struct stook__attempt *attempt);
int stook__intake_body(struct stook__attempt *attempt, const char *data, size_t size);

/* Its bytes go to a file, none of them stays in memory. */
int stook__intake_to_file(const struct stook__attempt *attempt);

/* Inside libcurl: another answer follows, and nothing of this one was kept. */
void stook__intake_anew(struct stook__attempt *attempt);

/* There are bytes that the turn has not taken. */
int stook__intake_waiting(const struct stook__attempt *attempt);
/* From the turn, for a body that is the program's: the next of them; *ret_piece is empty before. 1; 0: there are none, or
   the budget is used up; -1: the attempt is to end, its error is set. */
int stook__intake_take(struct stook__attempt *attempt, int64_t *budget, struct stook__buffer *ret_piece);
/* From the turn, for any other body: takes on what waits, as far as the budget goes. 0; -1 as above. */
int stook__intake_pump(struct stook__attempt *attempt, int64_t *budget);
/* Whether its body is the program's. */
int stook__intake_for_program(const struct stook__attempt *attempt);
/* A piece that the program has had: its block is used again. */
void stook__intake_give_back(struct stook__attempt *attempt, struct stook__buffer *piece);

/* libcurl says that all has come: 0 if that is so, else the error, with *ret_why. */
int stook__intake_verdict(struct stook__attempt *attempt, const char **ret_why);
/* And it is what it should be: a file is put in its place. The same. */
int stook__intake_finish(struct stook__attempt *attempt, const char **ret_why);

#endif
