/* SPDX-License-Identifier: MIT */
/*
 * A polite crawler of many hosts. A host gets two requests a second, two at a time, and a pause if
 * it asks for one (429, 503). What failed is repeated. No host delays another. The list is read as
 * it is needed, and the lines that are printed are in its order.
 * Usage: crawler [REQUESTS_A_SECOND] <LIST_OF_URLS
 */
#include <stdio.h>
#include <stdlib.h>
#include <stook.h>
#include <string.h>

static int more(stook_batch *batch, void *user)
{
    char url[4096];
    (void)user;
    if (fgets(url, sizeof url, stdin) == NULL)
        return 0;
    url[strcspn(url, "\n")] = '\0';
    return stook_batch_add(batch, &STOOK_REQUEST(url)) == 0;
}

static void print(stook_batch *batch, const stook_result *r, void *user)
{
    size_t size;
    (void)batch, (void)user;
    stook_result_body(r, &size);
    printf("%d %s %zu bytes, %u attempts, %s\n", stook_result_status(r), stook_result_final_url(r),
           size, stook_result_attempts(r), stook_result_message(r));
}

int main(int argc, char **argv)
{
    int64_t a_second = argc > 1 ? atoll(argv[1]) : 2;
    const struct stook_rate *const rates[] = {&STOOK_RATE(.count = a_second), NULL};
    struct stook_client_options options =
        STOOK_CLIENT(.rates = rates, .origin_limit = 2, .max_retries = 3, .max_redirects = 10,
                     .decompress = 1, .max_body_bytes = 10 << 20);
    stook_client *client;
    stook_batch *batch;
    if (stook_client_new(NULL, &options, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    int failed = stook_gather_ordered(
        batch, &STOOK_GATHER(.limit = 200, .window = 5000, .more = more, .on_result = print));
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return failed != 0;
}
