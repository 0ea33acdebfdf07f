/* SPDX-License-Identifier: MIT */
/*
 * The whole library in a few lines: create a batch, add requests, await them all with at most ten
 * in flight, and read the results in the order of the adds.
 * Usage: ten_lines URL...
 */
#include <stdio.h>
#include <stook.h>

int main(int argc, char **argv)
{
    stook_client *client;
    stook_batch *batch;
    if (stook_client_new(NULL, NULL, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    for (int i = 1; i < argc; i++)
        stook_batch_add(batch, &STOOK_REQUEST(.url = argv[i]));
    int failed = stook_gather_ordered(batch, &STOOK_GATHER(.limit = 10));
    for (size_t i = 0; i < stook_batch_count(batch); i++) {
        const stook_result *r = stook_batch_result(batch, i);
        printf("%d %s %s\n", stook_result_status(r), stook_result_url(r), stook_result_message(r));
    }
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return failed != 0;
}
