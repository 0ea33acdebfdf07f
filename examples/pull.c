/* SPDX-License-Identifier: MIT */
/*
 * Results taken by a loop of the program, without a callback. The await is started with `pull`, and
 * stook_batch_next() returns one result after another, in the order of the adds. It waits until the
 * next one is there. A program that takes its time slows the batch down: only a window of requests
 * is started ahead of it.
 * Usage: pull URL...
 */
#include <stdio.h>
#include <stook.h>

int main(int argc, char **argv)
{
    stook_client *client;
    stook_batch *batch;
    const stook_result *result;
    int next, ok = 0;
    if (stook_client_new(NULL, NULL, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    for (int i = 1; i < argc; i++)
        stook_batch_add(batch, &STOOK_REQUEST(.url = argv[i]));
    int error =
        stook_gather_ordered_start(batch, &STOOK_GATHER(.limit = 10, .pull = 1), NULL, NULL);
    /* 1: a result, valid until the next call. 0: there are no more. Negative: misuse. */
    while (error == 0 && (next = stook_batch_next(batch, &result)) != 0) {
        if (next < 0) {
            error = next;
            break;
        }
        printf("%d %s\n", stook_result_status(result), stook_result_url(result));
        ok += stook_result_ok(result);
    }
    if (error != 0)
        fprintf(stderr, "pull: %s\n", stook_batch_message(batch));
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return error != 0 || ok != argc - 1;
}
