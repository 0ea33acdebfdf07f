/* SPDX-License-Identifier: MIT */
/* What an attempt hears of its files, those that it sends and the one that it writes. */
#include <errno.h>
#include <string.h>

#include "http/attempt_parts.h"

static int class_of(int os_error)
{
    if (os_error == EMFILE || os_error == ENFILE)
        return STOOK_ENOFD;
    return os_error == ENOMEM ? STOOK_ENOMEM : STOOK_EFILE;
}

void stook__files_failed(struct stook__attempt *attempt, const char *path, const char *end,
                         int os_error, const char *why)
{
    if (attempt->error != 0)
        return;
    attempt->error = class_of(os_error);
    attempt->os_error = os_error;
    attempt->owned_why = stook__format(attempt->allocator, "%s%s: %s", path, end,
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
