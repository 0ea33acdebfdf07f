/* SPDX-License-Identifier: MIT */
/*
 * How the files of an attempt, those that it sends and the one that it writes, report to it. A file
 * operation ends in a callback of loop/file.h; it only marks the attempt ready, and the turn takes
 * it from the list.
 */
#ifndef STOOK_HTTP_FILES_H
#define STOOK_HTTP_FILES_H

struct stook__attempt;
struct stook__defaults;

/*
 * Fails the attempt because one of its files cannot be used. `path` and `suffix` make the file's
 * name. `why` is the reason; NULL: the text of `os_error`. The first failure of an attempt counts.
 */
void stook__files_failed(struct stook__attempt *attempt, const char *path, const char *suffix,
                         int os_error, const char *why);
/* Marks the attempt ready: an operation on one of its files has ended. */
void stook__files_completed(struct stook__attempt *attempt);
/* Takes the next attempt that is ready. NULL: there is none. */
struct stook__attempt *stook__files_next(struct stook__defaults *defaults);

#endif
