/* SPDX-License-Identifier: MIT */
/*
 * A million requests in flat memory. Instead of adding them all, the program gives the await a
 * function, `more`, which is called whenever fewer requests wait than could start. It adds the next
 * one, so only a few exist at a time. Results go to `on_result` and are not kept.
 * Usage: more BASE_URL [COUNT]
 */
#include <stdio.h>
#include <stdlib.h>
#include <stook.h>

struct source {
    const char *base_url;
    long count; /* requests to make */
    long added;
    long ok;
};

/* Adds one request and returns 1, or returns 0 when there are no more. An add that fails, for lack
   of memory, ends the input too. */
static int more(stook_batch *batch, void *user)
{
    struct source *source = user;
    char url[512];
    if (source->added == source->count)
        return 0;
    source->added++;
    snprintf(url, sizeof url, "%s/todos/%ld", source->base_url, source->added);
    return stook_batch_add(batch, &STOOK_REQUEST(url)) == 0;
}

/* The result is valid during the call only. */
static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    struct source *source = user;
    (void)batch;
    source->ok += stook_result_ok(result);
}

int main(int argc, char **argv)
{
    stook_client *client;
    stook_batch *batch;
    if (argc < 2) {
        fprintf(stderr, "usage: more BASE_URL [COUNT]\n");
        return 2;
    }
    struct source source = {argv[1], argc > 2 ? atol(argv[2]) : 1000000, 0, 0};
    if (stook_client_new(NULL, NULL, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    int failed = stook_gather(
        batch, &STOOK_GATHER(.limit = 20, .more = more, .on_result = on_result, .user = &source));
    if (failed < 0)
        fprintf(stderr, "more: %s\n", stook_batch_message(batch));
    else
        printf("%ld of %ld ok\n", source.ok, source.added);
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return failed != 0;
}
