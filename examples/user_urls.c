/* SPDX-License-Identifier: MIT */
/*
 * Fetches URLs that users supply: public addresses and web ports only, everything bounded. Users
 * are told the same for every failure; the reason is for the log, here stderr.
 * Usage: user_urls URL...
 */
#include <stdio.h>
#include <stook.h>

static int refuse_other_ports(const struct stook_address *address, void *user)
{
    (void)user;
    return address->port != 80 && address->port != 443;
}

static void show(stook_batch *batch, const stook_result *result, void *user)
{
    size_t size;
    (void)batch, (void)user;
    stook_result_body(result, &size);
    if (stook_result_error(result) == 0)
        printf("%s: %d, %zu bytes\n", stook_result_url(result), stook_result_status(result), size);
    else
        printf("%s: cannot be fetched\n", stook_result_url(result));
    fprintf(stderr, "%s: %s\n", stook_result_final_url(result), stook_result_message(result));
}

int main(int argc, char **argv)
{
    stook_client *client;
    stook_batch *batch;
    struct stook_client_options options =
        STOOK_CLIENT(.public_only = 1, .on_address = refuse_other_ports, .max_redirects = 5,
                     .max_body_bytes = 10 << 20, .timeout_ms = 15000, .connect_timeout_ms = 5000,
                     .limit = 100, .origin_limit = 4);
    if (stook_client_new(NULL, &options, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    for (int i = 1; i < argc; i++)
        stook_batch_add(batch, &STOOK_REQUEST(argv[i]));
    int failed = stook_gather_ordered(batch, &STOOK_GATHER(.on_result = show));
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return failed != 0;
}
