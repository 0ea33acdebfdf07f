/* SPDX-License-Identifier: MIT */
/*
 * A body that goes to a file: written beside it, as PATH.part, and put in its place when all is
 * there. To be resumed it stays, and PATH.part.tag says what it is a part of. Only disk is touched, so
 * this may run inside libcurl.
 */
#ifndef STOOK_TRANSFER_OUTFILE_H
#define STOOK_TRANSFER_OUTFILE_H

#include "transfer/parts.h"

struct stook__outfile;

/*
 * Opens the part, under a lock. 0 with *ret_file; STOOK_EARG (it cannot be written, or somebody else does),
 * STOOK_ENOMEM, STOOK_ENOFD, with the outcome set.
 */
int stook__outfile_open(struct stook__attempt *attempt, struct stook__outfile **ret_file, struct stook__outcome *ret_outcome);
/* The fields that ask for what is missing; NULL: all of it is asked for. Two, then NULL. */
const char *const *stook__outfile_fields(const struct stook__outfile *file);

/* The final head is there. 1: its body goes to the file; 0: elsewhere. -1: the attempt is to end, its error is set. */
int stook__outfile_head(struct stook__outfile *file, struct stook__attempt *attempt);
/* 0, or an errno. */
int stook__outfile_write(struct stook__outfile *file, const char *data, size_t size);
/* All of the body is there, and fine: in its place with it. 0, or an error with *ret_why. */
int stook__outfile_finish(struct stook__outfile *file, struct stook__attempt *attempt, const char **ret_why);
/* What is not in its place goes, or stays to be resumed. NULL is allowed. */
void stook__outfile_close(struct stook__outfile *file);

#endif
