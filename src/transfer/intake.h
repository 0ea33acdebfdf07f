/* SPDX-License-Identifier: MIT */
/*
 * The way of a body that is more than bytes put into memory: decoded, bounded as it comes out, to
 * memory, to a file, or to the program, which takes it when its turn has come.
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

/* There are bytes that the program has not had. */
int stook__intake_waiting(const struct stook__attempt *attempt);
/* The next of them; *ret_piece is empty before. 1; 0: there are none; -1: the attempt is to end, its error is set. */
int stook__intake_take(struct stook__attempt *attempt, struct stook__buffer *ret_piece);
/* A piece that the program has had: its block is used again. */
void stook__intake_give_back(struct stook__attempt *attempt, struct stook__buffer *piece);

/* libcurl says that all has come: 0 if that is so, else the error, with *ret_why. */
int stook__intake_verdict(struct stook__attempt *attempt, const char **ret_why);
/* And it is what it should be: a file is put in its place. The same. */
int stook__intake_finish(struct stook__attempt *attempt, const char **ret_why);

#endif
