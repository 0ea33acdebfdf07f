/* SPDX-License-Identifier: MIT */
/*
 * Each result is handled as soon as it is there, while the other requests are still in flight. The
 * batch keeps nothing: a result is valid only during the call of `on_result`.
 * Usage: one_by_one URL...
 */
#include <stdio.h>
#include <stook.h>

struct progress {
    size_t seen;
    size_t good;
    size_t bytes;
};

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    struct progress *progress = user;
    size_t size;
    stook_result_body(result, &size);
    progress->seen++;
    progress->good += stook_result_ok(result) != 0;
    progress->bytes += size;
    printf("%zu: %s, %zu bytes from %s (%zu still unfinished)\n", progress->seen,
           stook_result_message(result), size, stook_result_url(result),
           stook_batch_count(batch) - progress->seen);
}

/* Whether `on_result` ran once for each request, and the await counted the same failures. */
static int is_consistent(const struct progress *progress, size_t count, int failed)
{
    return progress->seen == count && failed >= 0 && (size_t)failed == count - progress->good;
}

int main(int argc, char **argv)
{
    stook_client *client;
    stook_batch *batch;
    struct progress progress = {0, 0, 0};
    if (stook_client_new(NULL, NULL, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    for (int i = 1; i < argc; i++)
        stook_batch_add(batch, &STOOK_REQUEST(.url = argv[i]));
    int failed =
        stook_gather(batch, &STOOK_GATHER(.limit = 10, .on_result = on_result, .user = &progress));
    if (failed < 0)
        fprintf(stderr, "one_by_one: %s\n", stook_batch_message(batch));
    else
        printf("%zu of %zu ok, %zu bytes\n", progress.good, progress.seen, progress.bytes);
    int consistent = is_consistent(&progress, stook_batch_count(batch), failed);
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return !consistent || failed != 0;
}
