/* SPDX-License-Identifier: MIT */
/*
 * A file that is sent: read where libcurl asks for bytes, as many as it had when it was opened. No
 * program is called and nothing waits for a peer, so that may happen inside libcurl.
 */
#ifndef STOOK_TRANSFER_FILE_H
#define STOOK_TRANSFER_FILE_H

#include <stddef.h>
#include <stdint.h>

struct stook__file {
    const char *path;
    int fd; /* -1: not open */
    int64_t size, left;
};

/* 0, or an errno; ENOTSUP: it is not a regular file. */
int stook__file_open(struct stook__file *file, const char *path);
/* Bytes read; 0: the end. -1: *ret_error is an errno, or 0 where the file has become shorter or
   longer than it was, which *ret_why says. */
ptrdiff_t stook__file_read(struct stook__file *file, void *buffer, size_t room, int *ret_error, const char **ret_why);
/* 1: the next byte is that one. */
int stook__file_seek(struct stook__file *file, int64_t offset);
void stook__file_close(struct stook__file *file);

#endif
