/* SPDX-License-Identifier: MIT */
/*
 * A file that is sent: read ahead by another thread (loop/file.h), a piece at a time, as many bytes as it had when it was
 * opened. libcurl takes what is there, and is paused when nothing is.
 */
#ifndef STOOK_HTTP_UPLOAD_FILE_H
#define STOOK_HTTP_UPLOAD_FILE_H

#include <stddef.h>
#include <stdint.h>

struct stook__attempt;
struct stook__upload_file;

/* Begins to open it. `path` is copied. 0 or STOOK_ENOMEM. */
int stook__upload_file_new(struct stook__attempt *attempt, const char *path,
                           struct stook__upload_file **ret_file);
/* It is not open yet, the attempt cannot start; or it is, or has failed. */
int stook__upload_file_opening(const struct stook__upload_file *file);
int64_t stook__upload_file_size(const struct stook__upload_file *file);

/* Bytes that are there; 0: the end. -1: none yet, the attempt has news when there are. -2: the attempt is to end,
   its error is set. From inside libcurl. */
ptrdiff_t stook__upload_file_read(struct stook__upload_file *file, void *buffer, size_t room);
/* 1: the next byte is that one. */
int stook__upload_file_seek(struct stook__upload_file *file, int64_t offset);
/* libcurl waits for bytes of it, and there are some now; once. */
int stook__upload_file_may_continue(struct stook__upload_file *file);
/* The attempt is over, or does not need it any more. */
void stook__upload_file_end(struct stook__upload_file *file);

#endif
