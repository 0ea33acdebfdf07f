/* SPDX-License-Identifier: MIT */
/*
 * Awaits a batch in any of the four ways, and counts: every request has exactly one result, an ordered await
 * keeps the order of the adds, an error is one of those that are expected.
 */
#ifndef STOOK_TEST_LEDGER_H
#define STOOK_TEST_LEDGER_H

#include "life.h"

enum { LEDGER_ERRORS = 64, LEDGER_EXPECTED = 8 };

struct ledger {
    int ordered;
    int streamed;  /* the results go to on_result; otherwise the batch keeps them */
    int expected[LEDGER_EXPECTED]; /* STOOK_E values; 0: no more of them */
    void (*look)(struct ledger *ledger, const stook_result *result); /* at each result; or NULL */
    void *user;
    /* What was found. */
    size_t count, delivered, ok;
    size_t errors[LEDGER_ERRORS]; /* by their distance from -20000 */
    unsigned *results;
};

/* `options` may have all but on_result and its `user`. Finds nothing of an earlier await. */
void ledger_await(struct ledger *ledger, struct life *life, stook_batch *batch,
                  const struct stook_gather_options *options);
size_t ledger_errors(const struct ledger *ledger, int error);
/* For the message of a failed check: how many of each class there are. */
const char *ledger_text(const struct ledger *ledger);

/* A request for /pattern?i=...&n=..., and a look that compares the body of its result, or a part of one. */
const char *ledger_pattern(const char *origin, size_t i, size_t size);
void ledger_check_pattern(const stook_result *result);

#endif
