/* SPDX-License-Identifier: MIT */
/*
 * A file that is written beside its place, and what is known of it: the system calls of a download, each
 * function one operation of loop/file.h. Two files lie in the folder of PATH:
 *
 *   PATH.part      the bytes so far
 *   PATH.part.tag  what they are the beginning of; only where they may be resumed
 *
 * Whenever the process is killed, the tag tells the truth about the part, or there is none: the old tag
 * goes before the first old byte does, the new one is there before the first new byte. A tag holds for
 * the file with the inode number that is in it and for no other, and counts only if it has its last line.
 *
 * The folder is opened once, and all names are looked up in it without following links. What is not a
 * regular file is neither written nor replaced. Between the last look at PATH and rename() somebody who
 * may write to the folder can still put something else there: rename() then replaces that name, and
 * follows no link.
 */
#ifndef STOOK_HTTP_PART_FILE_H
#define STOOK_HTTP_PART_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "loop/file.h"

enum { STOOK__TAG_MAX = 4096 };

struct stook__part_file {
    /* What the owner sets. */
    const char *folder, *name, *part, *tag; /* the names without a slash */
    int resumes;    /* the tag is to be read, and what does not become whole is to stay */
    char *tag_text; /* of STOOK__TAG_MAX; the tag as it was read, or as it is to be written */
    size_t tag_size;
    /* What the operations set. */
    int folder_fd;                  /* -1 */
    struct stook__file_guard guard; /* of the part */
    int is_open;
    uint64_t inode, device;
    int64_t size;      /* of the part, when it was opened; then what was written */
    int dirty_batches; /* it is ours: bytes that were there before are gone, or were added to */
    int tagged;        /* there is a tag that fits */
    /* The first thing that went wrong. */
    int failed, os_error;
    const char *why; /* NULL: strerror(os_error) says it */
    const char *of;  /* the end of the name: "", ".part", ".part.tag" */
};

/* All return 0, or -1 with what went wrong. The part, under a lock, and its tag. */
int stook__part_file_open(struct stook__part_file *file);
/* Another body begins. It has the tag that the owner has written, or none if that has no size. */
int stook__part_file_begin(struct stook__part_file *file);
/* The next bytes. */
int stook__part_file_write(struct stook__part_file *file, const char *data, size_t size);
/* It is whole: into its place with it. Closes it, if it could be done. */
int stook__part_file_place(struct stook__part_file *file);
/* It is not whole. It stays where it can be resumed, or was not touched, else it goes. Closes it. `drop`: it goes. */
void stook__part_file_discard(struct stook__part_file *file, int drop);

#endif
