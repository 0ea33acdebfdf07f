/* SPDX-License-Identifier: MIT */
/*
 * How the files of an attempt report to it; see files.h. Uploads and downloads share it, so it is a
 * source of its own. upload_file.c and download.c call it; attempt.c takes the attempts.
 */
#include "http/files.h"

#include <errno.h>
#include <string.h>

#include "http/attempt_state.h"

static int error_of(int os_error)
{
    if (os_error == EMFILE || os_error == ENFILE)
        return STOOK_ENOFD;
    return os_error == ENOMEM ? STOOK_ENOMEM : STOOK_EFILE;
}

void stook__files_failed(struct stook__attempt *attempt, const char *path, const char *suffix,
                         int os_error, const char *why)
{
    if (attempt->error != 0)
        return;
    attempt->error = error_of(os_error);
    attempt->os_error = os_error;
    attempt->owned_why = stook__format(attempt->allocator, "%s%s: %s", path, suffix,
                                       why != NULL ? why : strerror(os_error));
    attempt->why = attempt->owned_why;
}

void stook__files_completed(struct stook__attempt *attempt)
{
    if (stook__list_empty(&attempt->files_ready))
        stook__list_append(&attempt->defaults->files_ready, &attempt->files_ready);
}

struct stook__attempt *stook__files_next(struct stook__defaults *defaults)
{
    struct stook__link *first = stook__list_pop(&defaults->files_ready);
    return first != NULL ? STOOK__OF(struct stook__attempt, files_ready, first) : NULL;
}
