/* SPDX-License-Identifier: MIT */
/*
 * A file that is sent: another thread (loop/file.h) reads it ahead, a piece at a time, as many
 * bytes as the file had when it was opened. libcurl takes the bytes that are ready, and is paused
 * while there are none.
 *
 *   OPENING --> OPEN --> FAILED
 *      |         |         |
 *      '---------'---------'--> CLOSING    the attempt has ended
 */
#ifndef STOOK_HTTP_UPLOAD_FILE_H
#define STOOK_HTTP_UPLOAD_FILE_H

#include <stddef.h>
#include <stdint.h>

struct stook__attempt;
struct stook__upload_file;

/* Makes an upload file and begins to open it. `path` is copied. 0 or STOOK_ENOMEM. */
int stook__upload_file_new(struct stook__attempt *attempt, const char *path,
                           struct stook__upload_file **ret_file);
/* Whether it is neither open nor failed yet. The attempt cannot start before. */
int stook__upload_file_opening(const struct stook__upload_file *file);
/* Returns the size that the file had when it was opened. */
int64_t stook__upload_file_size(const struct stook__upload_file *file);

/*
 * Inside libcurl: copies bytes that are ready into `buffer`. Returns their number; 0 at the end of
 * the file; -1 if none are ready, then the attempt is marked ready later; -2 if the attempt must
 * end, its error is set.
 */
ptrdiff_t stook__upload_file_read(struct stook__upload_file *file, void *buffer, size_t room);
/* Sets the position of the next read. 0: the file has no such byte. */
int stook__upload_file_seek(struct stook__upload_file *file, int64_t offset);
/* Whether a read returned -1 and bytes are ready now. Returns 1 once for each. */
int stook__upload_file_may_continue(struct stook__upload_file *file);
/* Closes and frees it, when no operation runs any more. */
void stook__upload_file_end(struct stook__upload_file *file);

#endif
