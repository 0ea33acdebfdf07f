/* SPDX-License-Identifier: MIT */
/*
 * The functions that the loop's thread enters for one request, from stook_batch_add() to the return of
 * stook_gather(), as addresses, one a line. Needs a build with -finstrument-functions; tests/trace-path.sh
 * makes one and turns the addresses into names.
 */
#include <stdio.h>

#include <stook.h>

#include "support/harness.h"
#include "support/plain.h"

enum { ENTRIES_MAX = 100000 };

static void *entries[ENTRIES_MAX];
static size_t n_entries;
static _Thread_local int recording; /* no other thread ever sets its own */

void __cyg_profile_func_enter(void *function, void *caller) __attribute__((no_instrument_function));
void __cyg_profile_func_exit(void *function, void *caller) __attribute__((no_instrument_function));

void __cyg_profile_func_enter(void *function, void *caller)
{
    (void)caller;
    if (recording && n_entries < ENTRIES_MAX)
        entries[n_entries++] = function;
}

void __cyg_profile_func_exit(void *function, void *caller)
{
    (void)function;
    (void)caller;
}

TEST(one_get)
{
    struct plain *plain = plain_start();
    const char *url = plain_url(plain, "/todos/1");
    stook_client *client;
    stook_batch *batch;
    CHECK_EQ_INT(stook_client_new(NULL, NULL, &client), 0);
    CHECK_EQ_INT(stook_batch_new(client, &batch), 0);

    recording = 1;
    int added = stook_batch_add(batch, &STOOK_REQUEST(url));
    int failed = stook_gather(batch, NULL);
    recording = 0;

    CHECK_EQ_INT(added, 0);
    CHECK_EQ_INT(failed, 0);
    CHECK_EQ_INT(stook_result_status(stook_batch_result(batch, 0)), 200);
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    CHECK(n_entries > 0 && n_entries < ENTRIES_MAX);
    for (size_t i = 0; i < n_entries; i++)
        printf("%p\n", entries[i]);
}
