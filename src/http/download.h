/* SPDX-License-Identifier: MIT */
/*
 * A body that goes to a file: what its head means for it, its bytes on their way to the disk, and its end.
 * The disk is touched by other threads alone (loop/file.h, part_file.h), one operation at a time:
 *
 *   OPENING --> the head --> bytes --> ENDING --> closed
 *      \-----------\------------\----------^ the attempt is over
 *
 * An attempt whose time is up does not wait: the file ends without it, and frees itself. Whoever wants the
 * same path meanwhile, in the same client, waits until it has.
 */
#ifndef STOOK_HTTP_DOWNLOAD_H
#define STOOK_HTTP_DOWNLOAD_H

#include "http/attempt_parts.h"

struct stook__download;

/* Begins to open it. 0, or an error with the attempt's words set. */
int stook__download_new(struct stook__attempt *attempt, struct stook__download **ret_file);
/* It is not open yet, the attempt cannot start; or it is, or has failed. */
int stook__download_opening(const struct stook__download *file);
/* The fields that ask for what is missing; NULL: all of it is asked for. Two, then NULL. */
const char *const *stook__download_fields(const struct stook__download *file);

/* The final head is there. 1: its body goes to the file; 0: elsewhere. -1: the attempt is to end, its error is set. */
int stook__download_head(struct stook__download *file, struct stook__attempt *attempt);
/* So many bytes wait for the disk that no more are to come; the attempt has news when it can take more. */
int stook__download_full(const struct stook__download *file);
/* 0, or an error. Takes all of it, also if it is full. */
int stook__download_write(struct stook__download *file, const char *data, size_t size);
/* libcurl says that all has come: 0 if that is so, else the error, with *ret_why. */
int stook__download_check(const struct stook__download *file, const char **ret_why);
/* The body is over, and `good` or not: in its place with it, or away. 1: it is closed; 0: the attempt will have news. */
int stook__download_settle(struct stook__download *file, int good);
/* The attempt is over. NULL is allowed. */
void stook__download_end(struct stook__download *file);

#endif
