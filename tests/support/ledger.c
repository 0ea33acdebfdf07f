/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/process.h"
#include "raw_server.h"

static void check_class(const struct ledger *ledger, int error)
{
    for (size_t i = 0; i < LEDGER_EXPECTED && ledger->expected[i]; i++)
        if (ledger->expected[i] == error)
            return;
    FAIL("nobody expects %s", stook_err_name(error));
}

static void take(struct ledger *ledger, const stook_result *result)
{
    size_t index = stook_result_index(result);
    int error = stook_result_error(result);
    test_note("request %zu: %s, after %zu results: %s", index, stook_result_message(result), ledger->delivered,
              ledger_text(ledger));
    if (index >= ledger->count) {
        ledger->results = realloc(ledger->results, 2 * (index + 1) * sizeof *ledger->results);
        memset(ledger->results + ledger->count, 0, (2 * (index + 1) - ledger->count) * sizeof *ledger->results);
        ledger->count = 2 * (index + 1);
    }
    CHECK_EQ_INT(++ledger->results[index], 1);
    if (ledger->ordered)
        CHECK_EQ_SIZE(index, ledger->delivered);
    ledger->delivered++;
    if (error) {
        check_class(ledger, error);
        CHECK(-20000 - error < LEDGER_ERRORS);
        ledger->errors[-20000 - error]++;
    } else {
        CHECK_EQ_INT(stook_result_status(result), 200);
        ledger->ok++;
    }
    if (ledger->look)
        ledger->look(ledger, result);
}

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch;
    take(user, result);
}

void ledger_await(struct ledger *ledger, struct life *life, stook_batch *batch,
                  const struct stook_gather_options *options)
{
    struct stook_gather_options own = options ? *options : STOOK_GATHER();
    ledger->count = ledger->delivered = ledger->ok = 0;
    memset(ledger->errors, 0, sizeof ledger->errors);
    own.user = ledger;
    if (ledger->streamed)
        own.on_result = on_result;
    int failed = (ledger->ordered ? life_gather_ordered : life_gather)(life, batch, &own);
    for (size_t i = 0; !ledger->streamed && i < stook_batch_count(batch); i++) {
        CHECK(stook_batch_result(batch, i) != NULL);
        take(ledger, stook_batch_result(batch, i));
    }
    CHECK(stook_batch_result(batch, stook_batch_count(batch)) == NULL);
    CHECK_EQ_SIZE(ledger->delivered, stook_batch_count(batch));
    CHECK_EQ_SIZE((size_t)failed, ledger->delivered - ledger->ok);
    free(ledger->results);
    ledger->results = NULL;
    test_note("%s", ledger_text(ledger));
}

size_t ledger_errors(const struct ledger *ledger, int error)
{
    return ledger->errors[-20000 - error];
}

const char *ledger_text(const struct ledger *ledger)
{
    static char line[200];
    size_t at = (size_t)snprintf(line, sizeof line, "%zu OK", ledger->ok);
    for (int i = 0; i < LEDGER_ERRORS && at < sizeof line; i++)
        if (ledger->errors[i] > 0)
            at += (size_t)snprintf(line + at, sizeof line - at, ", %zu %s", ledger->errors[i], stook_err_name(-20000 - i));
    return line;
}

const char *ledger_pattern(const char *origin, size_t i, size_t size)
{
    return text("%s/pattern?i=%zu&n=%zu", origin, i, size);
}

void ledger_check_pattern(const stook_result *result)
{
    size_t i, wanted, size;
    const char *url = strstr(stook_result_url(result), "/pattern?"), *body = stook_result_body(result, &size);
    CHECK(url && sscanf(url, "/pattern?i=%zu&n=%zu", &i, &wanted) == 2);
    char *bytes = malloc(wanted + 1);
    raw_pattern(bytes, wanted, (long)i);
    CHECK(size == wanted || (stook_result_error(result) != 0 && size < wanted));
    CHECK(memcmp(bytes, body, size) == 0);
    free(bytes);
}
