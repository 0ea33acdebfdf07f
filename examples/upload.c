/* SPDX-License-Identifier: MIT */
/*
 * Three ways to send a body: a form with a file in it, a file by itself, and JSON. Files are read
 * from disk while they are sent, so they may be larger than memory.
 * Usage: upload BASE_URL FILE
 */
#include <stdio.h>
#include <stook.h>
#include <string.h>

/* Whether the server has sent back what it received. */
static int came_back(const stook_result *result, const char *part)
{
    size_t size;
    const char *body = stook_result_body(result, &size);
    int there = stook_result_ok(result) && strstr(body, part) != NULL;
    if (there)
        printf("%zu bytes came back from %s\n", size, stook_result_url(result));
    else
        fprintf(stderr, "upload: %s: %s\n", stook_result_url(result),
                stook_result_ok(result) ? "not what was sent" : stook_result_message(result));
    return there;
}

int main(int argc, char **argv)
{
    stook_client *client;
    stook_batch *batch;
    char url[512];
    int came = 0;
    if (argc != 3) {
        fprintf(stderr, "usage: upload BASE_URL FILE\n");
        return 2;
    }
    if (stook_client_new(NULL, NULL, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    snprintf(url, sizeof url, "%s/echo", argv[1]);
    const struct stook_part *const parts[] = {
        &STOOK_PART(.name = "crop", .value = "winter rye", .value_size = STOOK_AUTO),
        &STOOK_PART(.name = "photo", .file = argv[2]),
        NULL,
    };
    stook_batch_add(batch, &STOOK_REQUEST(url, .parts = parts));
    stook_batch_add(batch, &STOOK_REQUEST(url, .body_file = argv[2], .method = "PUT"));
    stook_batch_add(batch, &STOOK_REQUEST(url, .json = "{\"crop\": \"winter rye\"}"));
    int failed = stook_gather_ordered(batch, NULL);
    if (failed >= 0) {
        came += came_back(stook_batch_result(batch, 0), "name=\"photo\"; filename=");
        came += came_back(stook_batch_result(batch, 1), "");
        came += came_back(stook_batch_result(batch, 2), "winter rye");
    }
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return came != 3;
}
