/* SPDX-License-Identifier: MIT */
/*
 * Downloads to files, three at a time. A file grows under the name FILE.part and is renamed to FILE
 * when it is complete, so nobody ever finds half of it under its name. With `resume` a part that a
 * failure has left is continued by the next run.
 * Usage: output_file URL FILE [URL FILE]...
 */
#include <stdio.h>
#include <stook.h>

int main(int argc, char **argv)
{
    stook_client *client;
    stook_batch *batch;
    if (argc < 3 || argc % 2 == 0) {
        fprintf(stderr, "usage: output_file URL FILE [URL FILE]...\n");
        return 2;
    }
    if (stook_client_new(NULL, NULL, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    for (int i = 1; i < argc; i += 2)
        stook_batch_add(batch, &STOOK_REQUEST(argv[i], .output_file = argv[i + 1], .resume = 1));
    int failed = stook_gather_ordered(batch, &STOOK_GATHER(.limit = 3));
    for (size_t i = 0; i < stook_batch_count(batch); i++) {
        /* The message names the file and the reason if the disk was at fault (STOOK_EFILE). The
           body of a result with a status that is not 2xx is in memory, and no file was written. */
        const stook_result *result = stook_batch_result(batch, i);
        printf("%s: %s\n", argv[2 * i + 2], stook_result_message(result));
    }
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return failed != 0;
}
