/* SPDX-License-Identifier: MIT */
/*
 * The file that a download writes, next to its final path: the system calls. Each function is one
 * operation of loop/file.h and runs in its thread. There are two files in the folder of PATH:
 *
 *   PATH.part      the bytes so far
 *   PATH.part.tag  which representation they are the beginning of; only if it can be resumed
 *
 * Invariant: whenever the process is killed, the tag is true of the part, or there is no tag. The
 * old tag is removed before the first old byte, and the new tag is written before the first new
 * byte. A tag holds for the file with the inode number that it names and for no other, and it
 * counts only if its last line is complete.
 *
 * The folder is opened once, and all names are looked up in it without following links. A file that
 * is not a regular file is neither written nor replaced. Between the last check of PATH and
 * rename() a process that may write to the folder can still put another file there: rename()
 * replaces that name and follows no link.
 */
#ifndef STOOK_HTTP_PART_FILE_H
#define STOOK_HTTP_PART_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "loop/file.h"
#include "util/sha256.h"

enum { STOOK__TAG_MAX = 4096 };

struct stook__part_file {
    /* The owner sets these. */
    const char *folder, *name, *part, *tag; /* The last three have no slash. */
    int resumes;                            /* The tag is read, and an incomplete part stays. */
    int syncs;                              /* The file is on disk before it counts as placed. */
    const char *expected; /* The SHA-256 that the file must have, as digits; NULL: any. */
    char *tag_text; /* STOOK__TAG_MAX bytes: the tag that was read, or that is to be written. */
    size_t tag_size;
    /* The operations set these. */
    int folder_fd;                  /* The owner sets it to -1 at first. */
    struct stook__file_guard guard; /* Of the part. */
    int is_open;
    uint64_t inode, device;
    int64_t size; /* Of the part: when it was opened, then with the bytes that were written. */
    int modified; /* Bytes of the part were removed or added. */
    int tagged;   /* The tag is true of the part. The owner sets it after it checked the tag. */
    struct stook__sha256 digest; /* With `expected`: of the first digest.size bytes of the part. */
    int spoiled; /* The bytes of the part are wrong, or may be: it must not stay to be resumed. */
    /* The first failure. */
    int failed, os_error;
    int differs;                      /* The failure is that of the digest. */
    const char *why;                  /* NULL: strerror(os_error) describes it. */
    char room[STOOK__SHA256_WHY_MAX]; /* For `why`. */
    const char *suffix;               /* Which name it concerns: "", ".part" or ".part.tag". */
};

/* Opens and locks the part and reads its tag. All functions return 0, or -1 after a failure. */
int stook__part_file_open(struct stook__part_file *file);
/* Empties the part for another body. Writes the owner's tag, or none if its size is 0. */
int stook__part_file_begin(struct stook__part_file *file);
/* Appends bytes. */
int stook__part_file_write(struct stook__part_file *file, const char *data, size_t size);
/* Adds up to `max` bytes of the part, which was there before, to the digest. */
int stook__part_file_digest(struct stook__part_file *file, int64_t max);
/* The part is complete, and so is its digest: renames it to its final name, if it is the file that
   is expected. Closes it unless that fails. */
int stook__part_file_place(struct stook__part_file *file);
/*
 * The part is not complete. Removes it, unless it can be resumed or was not modified; with `drop`
 * it always removes it. Closes it.
 */
void stook__part_file_discard(struct stook__part_file *file, int drop);

#endif
