/* SPDX-License-Identifier: MIT */
/* The moves of an attempt, the start of each response, and what its files report; see
   attempt_state.h. */
#include "http/attempt_state.h"

#include <errno.h>
#include <string.h>

#include "http1/reader.h"

#define BIT(state) (1u << STOOK__ATTEMPT_##state)
#define ENDS (BIT(DELIVERING) | BIT(SETTLING) | BIT(COMPLETED))

const unsigned short stook__attempt_moves[] = {
    /* DELIVERING is for what was received, and for bytes of a body that were sent. */
    [STOOK__ATTEMPT_OPENING] = BIT(CONNECTING) | BIT(SETTLING) | BIT(COMPLETED),
    /* To itself: a retry with the directory of authorities, or on a new connection. */
    [STOOK__ATTEMPT_CONNECTING] = BIT(CONNECTING) | BIT(SENDING) | ENDS,
    [STOOK__ATTEMPT_SENDING] = BIT(CONNECTING) | BIT(HEAD) | ENDS,
    [STOOK__ATTEMPT_HEAD] = BIT(BODY) | ENDS,
    [STOOK__ATTEMPT_BODY] = BIT(SENDING) | ENDS,
    [STOOK__ATTEMPT_DELIVERING] = BIT(SETTLING) | BIT(COMPLETED),
    [STOOK__ATTEMPT_SETTLING] = BIT(COMPLETED),
    [STOOK__ATTEMPT_COMPLETED] = 0,
};

#ifdef STOOK_TRACE
const char *stook__attempt_state_name(enum stook__attempt_state state)
{
    static const char *const names[] = {"opening", "connecting", "sending",  "head",
                                        "body",    "delivering", "settling", "completed"};
    return names[state];
}
#endif

void stook__attempt_expect(struct stook__attempt *attempt)
{
    const struct stook__reader_rules rules = {
        .strict = attempt->settings->strict == 1,
        .to_head = attempt->method[0] == 'H' && strcmp(attempt->method, "HEAD") == 0,
        .framed = 1, /* receive.c refuses HTTP/2 where it cannot be */
    };
    stook__free(attempt->allocator, attempt->response.line);
    stook__reader_begin(&attempt->response, &rules, NULL, 0, 0);
}

/* ---------------------------------------------------------------------------------- its files */

static int error_of(int os_error)
{
    if (os_error == EMFILE || os_error == ENFILE)
        return STOOK_ENOFD;
    return os_error == ENOMEM ? STOOK_ENOMEM : STOOK_EFILE;
}

void stook__attempt_file_failed(struct stook__attempt *attempt, const char *path,
                                const char *suffix, int os_error, const char *why)
{
    if (attempt->error != 0)
        return;
    attempt->error = error_of(os_error);
    attempt->os_error = os_error;
    attempt->owned_why = stook__format(attempt->allocator, "%s%s: %s", path, suffix,
                                       why != NULL ? why : strerror(os_error));
    attempt->why = attempt->owned_why;
}

void stook__attempt_file_differs(struct stook__attempt *attempt, const char *why)
{
    if (attempt->error != 0)
        return;
    attempt->error = STOOK_ECHECKSUM;
    attempt->why = attempt->owned_why = stook__copy_string(attempt->allocator, why);
}

void stook__attempt_file_completed(struct stook__attempt *attempt)
{
    if (stook__list_empty(&attempt->files_ready))
        stook__list_append(&attempt->defaults->files_ready, &attempt->files_ready);
}

struct stook__attempt *stook__attempt_next_file(struct stook__defaults *defaults)
{
    struct stook__link *first = stook__list_pop(&defaults->files_ready);
    return first != NULL ? STOOK__OF(struct stook__attempt, files_ready, first) : NULL;
}
