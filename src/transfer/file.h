/* SPDX-License-Identifier: MIT */
/*
 * A file that is sent: read ahead by another thread (loop/file.h), a piece at a time, as many bytes as it had when it was
 * opened. libcurl takes what is there, and is paused when nothing is.
 */
#ifndef STOOK_TRANSFER_FILE_H
#define STOOK_TRANSFER_FILE_H

#include <stddef.h>
#include <stdint.h>

struct stook__attempt;
struct stook__file;

/* Begins to open it. `path` is copied. 0 or STOOK_ENOMEM. */
int stook__file_new(struct stook__attempt *attempt, const char *path, struct stook__file **ret_file);
/* It is not open yet, the attempt cannot start; or it is, or has failed. */
int stook__file_opening(const struct stook__file *file);
int64_t stook__file_size(const struct stook__file *file);

/* Bytes that are there; 0: the end. -1: none yet, the attempt has news when there are. -2: the attempt is to end,
   its error is set. From inside libcurl. */
ptrdiff_t stook__file_read(struct stook__file *file, void *buffer, size_t room);
/* 1: the next byte is that one. */
int stook__file_seek(struct stook__file *file, int64_t offset);
/* libcurl waits for bytes of it, and there are some now; once. */
int stook__file_goes_on(struct stook__file *file);
/* The attempt is over, or does not need it any more. */
void stook__file_end(struct stook__file *file);

#endif
