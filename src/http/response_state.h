/* SPDX-License-Identifier: MIT */
/*
 * What the three sources of the response parser share: the move from state to state, and the two
 * ways to treat a violation. All of it is inline, because it runs for every response.
 */
#ifndef STOOK_HTTP_RESPONSE_STATE_H
#define STOOK_HTTP_RESPONSE_STATE_H

#include <assert.h>
#include <stddef.h>

#include <stook.h>

#include "http/response_parser.h"
#include "util/trace.h"

#define STOOK__BIT(state) (1u << STOOK__RESPONSE_##state)

/* Whether response_parser.h allows the move. Only an assert asks. */
static inline int stook__response_may_move(enum stook__response_state from,
                                           enum stook__response_state to)
{
    static const unsigned allowed[] = {
        [STOOK__RESPONSE_STATUS_LINE] = STOOK__BIT(FIELDS) | STOOK__BIT(FAILED),
        [STOOK__RESPONSE_FIELDS] = STOOK__BIT(STATUS_LINE) | STOOK__BIT(LENGTH) |
                                   STOOK__BIT(CHUNKS) | STOOK__BIT(UNTIL_CLOSE) |
                                   STOOK__BIT(ENDED) | STOOK__BIT(FAILED),
        [STOOK__RESPONSE_LENGTH] = STOOK__BIT(ENDED),
        [STOOK__RESPONSE_CHUNKS] = STOOK__BIT(TRAILERS) | STOOK__BIT(FAILED),
        [STOOK__RESPONSE_TRAILERS] = STOOK__BIT(ENDED) | STOOK__BIT(FAILED),
        [STOOK__RESPONSE_FAILED] = STOOK__BIT(FAILED),
    };
    return (allowed[from] >> to & 1) != 0;
}

#undef STOOK__BIT

/* Moves the parser. A release build has neither the assert nor the trace: this is a store. */
static inline void stook__response_move(struct stook__response_parser *parser,
                                        enum stook__response_state state)
{
    assert(stook__response_may_move(parser->state, state));
#ifdef STOOK_TRACE
    static const char *const names[] = {"status line", "fields",      "length", "chunks",
                                        "trailers",    "until close", "ended",  "failed"};
    STOOK__TRACE("http", "response %p: %s -> %s", (void *)parser, names[parser->state],
                 names[state]);
#endif
    parser->state = state;
}

/* Fails the response. The first error counts. */
static inline enum stook__response_event stook__response_fail(struct stook__response_parser *parser,
                                                              int error, const char *why)
{
    if (parser->error == 0) {
        parser->error = error;
        parser->why = why;
    }
    stook__response_move(parser, STOOK__RESPONSE_FAILED);
    return STOOK__RESPONSE_ERROR;
}

/*
 * Notes a violation that can be read in one way only. 0; -1 if `strict` made it fail the response.
 */
static inline int stook__response_tolerate(struct stook__response_parser *parser, const char *why)
{
    if (parser->lenient == NULL)
        parser->lenient = why;
    if (!parser->rules.strict)
        return 0;
    stook__response_fail(parser, STOOK_EPROTOCOL, why);
    return -1;
}

static inline int stook__is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static inline int stook__is_digit(char c)
{
    return c >= '0' && c <= '9';
}

#endif
