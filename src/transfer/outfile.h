/* SPDX-License-Identifier: MIT */
/*
 * A body that goes to a file: what its head means for it, its bytes on their way to the disk, and its end.
 * The disk is touched by other threads alone (loop/file.h, partfile.h), one operation at a time:
 *
 *   OPENING --> the head --> bytes --> ENDING --> closed
 *      \-----------\------------\----------^ the attempt is over
 *
 * An attempt whose time is up does not wait: the file ends without it, and frees itself. Whoever wants the
 * same path meanwhile, in the same client, waits until it has.
 */
#ifndef STOOK_TRANSFER_OUTFILE_H
#define STOOK_TRANSFER_OUTFILE_H

#include "transfer/parts.h"

struct stook__outfile;

/* Begins to open it. 0, or an error with the attempt's words set. */
int stook__outfile_new(struct stook__attempt *attempt, struct stook__outfile **ret_file);
/* It is not open yet, the attempt cannot start; or it is, or has failed. */
int stook__outfile_opening(const struct stook__outfile *file);
/* The fields that ask for what is missing; NULL: all of it is asked for. Two, then NULL. */
const char *const *stook__outfile_fields(const struct stook__outfile *file);

/* The final head is there. 1: its body goes to the file; 0: elsewhere. -1: the attempt is to end, its error is set. */
int stook__outfile_head(struct stook__outfile *file, struct stook__attempt *attempt);
/* So many bytes wait for the disk that no more are to come; the attempt has news when it can take more. */
int stook__outfile_full(const struct stook__outfile *file);
/* 0, or an error. Takes all of it, also if it is full. */
int stook__outfile_write(struct stook__outfile *file, const char *data, size_t size);
/* libcurl says that all has come: 0 if that is so, else the error, with *ret_why. */
int stook__outfile_verdict(const struct stook__outfile *file, const char **ret_why);
/* The body is over, and `good` or not: in its place with it, or away. 1: it is closed; 0: the attempt will have news. */
int stook__outfile_settle(struct stook__outfile *file, int good);
/* The attempt is over. NULL is allowed. */
void stook__outfile_end(struct stook__outfile *file);

#endif
