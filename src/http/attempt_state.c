/* SPDX-License-Identifier: MIT */
/* The moves of an attempt, and the start of each response; see attempt_state.h. */
#include "http/attempt_state.h"

#include <string.h>

#include "http/response_parser.h"

#define BIT(state) (1u << STOOK__ATTEMPT_##state)
#define ENDS (BIT(DRAINING) | BIT(SETTLING) | BIT(COMPLETED))

const unsigned short stook__attempt_moves[] = {
    /* DRAINING is for what was received, and for bytes of a body that were sent. */
    [STOOK__ATTEMPT_OPENING] = BIT(CONNECTING) | BIT(SETTLING) | BIT(COMPLETED),
    /* To itself: a retry with the directory of authorities, or on a new connection. */
    [STOOK__ATTEMPT_CONNECTING] = BIT(CONNECTING) | BIT(SENDING) | ENDS,
    [STOOK__ATTEMPT_SENDING] = BIT(CONNECTING) | BIT(HEAD) | ENDS,
    [STOOK__ATTEMPT_HEAD] = BIT(BODY) | ENDS,
    [STOOK__ATTEMPT_BODY] = BIT(SENDING) | ENDS,
    [STOOK__ATTEMPT_DRAINING] = BIT(SETTLING) | BIT(COMPLETED),
    [STOOK__ATTEMPT_SETTLING] = BIT(COMPLETED),
    [STOOK__ATTEMPT_COMPLETED] = 0,
};

#ifdef STOOK_TRACE
const char *stook__attempt_state_name(enum stook__attempt_state state)
{
    static const char *const names[] = {"opening", "connecting", "sending",  "head",
                                        "body",    "draining",   "settling", "completed"};
    return names[state];
}
#endif

void stook__attempt_expect(struct stook__attempt *attempt)
{
    const struct stook__response_rules rules = {
        .strict = attempt->policy->strict == 1,
        .to_head = attempt->method[0] == 'H' && strcmp(attempt->method, "HEAD") == 0,
        .framed = 1, /* receive.c refuses HTTP/2 where it cannot be */
    };
    stook__free(attempt->allocator, attempt->response.line);
    stook__response_begin(&attempt->response, &rules, NULL, 0);
}
