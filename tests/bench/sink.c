/* SPDX-License-Identifier: MIT */
/* One body to a callback, and nothing else: cost_sink URL SIZE [CA]. */
#include <stdio.h>
#include <stdlib.h>

#include <stook.h>

static int take(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    (void)batch, (void)result, (void)data;
    *(size_t *)user += size;
    return 0;
}

int main(int argc, char **argv)
{
    size_t bytes = 0;
    stook_client *client;
    stook_batch *batch;
    if (argc < 3 || stook_client_new(NULL, &STOOK_CLIENT(.ca_file = argv[3]), &client) != 0)
        return 2;
    if (stook_batch_new(client, &batch) != 0 ||
        stook_batch_add(batch, &STOOK_REQUEST(argv[1], .on_body = take, .user = &bytes)) != 0)
        return 2;
    int failed = stook_gather(batch, NULL);
    if (failed != 0)
        fprintf(stderr, "sink: %s\n", stook_result_message(stook_batch_result(batch, 0)));
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return failed != 0 || bytes != strtoull(argv[2], NULL, 10);
}
