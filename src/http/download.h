/* SPDX-License-Identifier: MIT */
/*
 * A response body that goes to a file: from the opening of the part to its final name. Only the
 * threads of loop/file.h touch the disk (part_file.h), one operation at a time per download.
 *
 *   QUEUED --> OPENING --> HEAD <--> BODY --> PLACING ------> CLOSED
 *                 |  |       |         |         v              ^
 *                 |  '-------'---------'--> DISCARDING ---------|
 *                 '---------------------------------------------'  it cannot be opened
 *
 * A download outlives its attempt if an operation runs when the attempt ends: then it discards its
 * part and frees itself. Another request of the same client for the same path is QUEUED until then.
 */
#ifndef STOOK_HTTP_DOWNLOAD_H
#define STOOK_HTTP_DOWNLOAD_H

#include "http/attempt_state.h"

struct stook__download;

/* Makes a download and begins to open its part. 0, or an error with the attempt's `why` set. */
int stook__download_new(struct stook__attempt *attempt, struct stook__download **ret_file);
/* Whether it is neither open nor failed yet. The attempt cannot start before. */
int stook__download_opening(const struct stook__download *file);
/* Returns the request fields that ask for the rest of the part: two, then NULL. NULL: none. */
const char *const *stook__download_fields(const struct stook__download *file);

/*
 * The final header section is complete. 1: the body goes to the file. 0: it goes elsewhere. -1: the
 * attempt must end, its error is set.
 */
int stook__download_head(struct stook__download *file, struct stook__attempt *attempt);
/* Whether enough bytes wait for the disk. The attempt is marked ready when there is room. */
int stook__download_full(const struct stook__download *file);
/* Takes all bytes, even if it is full. 0, STOOK_ENOMEM, or STOOK_EPROTOCOL: more than the rest. */
int stook__download_write(struct stook__download *file, const char *data, size_t size);
/* libcurl reports the end. Returns 0 if the file is complete, else the error with *ret_why. */
int stook__download_check(const struct stook__download *file, const char **ret_why);
/*
 * Ends the file: `good` renames a body to its final name, otherwise the part is discarded. 1: it is
 * closed. 0: the attempt is marked ready later, and calls again.
 */
int stook__download_settle(struct stook__download *file, int good);
/* The attempt ends. `file` may be NULL. */
void stook__download_end(struct stook__download *file);

#endif
