/* SPDX-License-Identifier: MIT */
/*
 * Resuming a download: the tag of a part, the request fields that ask for the rest, and whether a
 * response is that rest (RFC 9110 13.1.5, 14, 15.3.7). download.c calls it; it does no system call.
 */
#ifndef STOOK_HTTP_RESUME_H
#define STOOK_HTTP_RESUME_H

#include <stddef.h>
#include <stdint.h>

struct stook__allocator;
struct stook__attempt;
struct stook__part_file;

/* What the tag of a part says. */
struct stook__resume {
    char *validator; /* An entity tag or a date. */
    char *range, *if_range;
    const char *fields[3]; /* Both, then NULL; NULL first if the part cannot be resumed. */
    int64_t size;          /* Bytes of the part. */
    int64_t total;         /* Bytes of the whole representation; -1: not known. */
};

/*
 * Reads the tag of an open part. It counts only if stook could have written it for this part and
 * this URL. 1: `fields` are set. 0: the part cannot be resumed, or there is no memory.
 */
int stook__resume_read(struct stook__resume *resume, struct stook__allocator *allocator,
                       const struct stook__part_file *part, const char *url);
/*
 * Writes the tag for the response of the attempt into `text`, of STOOK__TAG_MAX bytes. Returns its
 * size; 0: a part of this response cannot be resumed.
 */
size_t stook__resume_write_tag(const struct stook__attempt *attempt,
                               const struct stook__part_file *part, const char *url, char *text);
void stook__resume_free(struct stook__resume *resume, struct stook__allocator *allocator);

/*
 * Compares a 206 with the part. Returns NULL if it is the rest, with the bytes of the rest and of
 * the whole; else why it is not.
 */
const char *stook__resume_mismatch(const struct stook__resume *resume,
                                   const struct stook__attempt *attempt, int64_t *ret_rest,
                                   int64_t *ret_total);

#endif
