/* SPDX-License-Identifier: MIT */
/*
 * Checks links: follows redirects, at most five requests to a host at a time, and prints the status,
 * the final URL and what is wrong, in the order of the input.
 * Usage: link_checker <FILE_OF_URLS
 */
#include <stdio.h>
#include <stook.h>
#include <string.h>

static void print(stook_batch *batch, const stook_result *r, void *user)
{
    (void)batch, (void)user;
    printf("%d %s %s\n", stook_result_status(r), stook_result_final_url(r),
           stook_result_message(r));
}

int main(void)
{
    stook_client *client;
    stook_batch *batch;
    char url[4096];
    if (stook_client_new(NULL, &STOOK_CLIENT(.origin_limit = 5, .max_redirects = 10), &client) ||
        stook_batch_new(client, &batch))
        return 2;
    while (fgets(url, sizeof url, stdin) != NULL) {
        url[strcspn(url, "\n")] = '\0';
        stook_batch_add(batch, &STOOK_REQUEST(url, .method = "HEAD"));
    }
    int failed = stook_gather_ordered(batch, &STOOK_GATHER(.limit = 100, .on_result = print));
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return failed != 0;
}
