/* SPDX-License-Identifier: MIT */
/*
 * JSON posted to many URLs, and responses read as JSON, with the library jansson. The server sends
 * back what it received, so the program can tell whether each response belongs to its request.
 * Usage: post_json BASE_URL
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <stook.h>

#define FIELDS 50

/* The add copies the body, so the program may free it at once. */
static json_t *post(stook_batch *batch, const char *base_url, int field)
{
    static const char *const headers[] = {"Content-Type: application/json",
                                          "Accept: application/json", NULL};
    char url[512];
    json_t *harvest = json_pack("{s:i, s:s, s:[i,i]}", "field", field, "crop", "winter rye",
                                "sheaves", field * 3, field * 5);
    char *body = json_dumps(harvest, JSON_COMPACT);
    snprintf(url, sizeof url, "%s/echo/%d", base_url, field);
    stook_batch_add(batch, &STOOK_REQUEST(url, .headers = headers, .body = body,
                                          .body_size = STOOK_AUTO, .user = harvest));
    free(body);
    return harvest;
}

/* Whether the response repeats the request. A body may be anything, so it is parsed with care. */
static int is_answered(const stook_result *result)
{
    size_t size;
    json_error_t error;
    const char *body = stook_result_body(result, &size);
    json_t *answer = stook_result_ok(result) ? json_loadb(body, size, 0, &error) : NULL;
    int same = answer != NULL && json_equal(answer, stook_result_user(result));
    if (!same)
        fprintf(stderr, "post_json: %s: %s\n", stook_result_url(result),
                stook_result_ok(result) ? "not what was sent" : stook_result_message(result));
    json_decref(answer);
    return same;
}

int main(int argc, char **argv)
{
    stook_client *client;
    stook_batch *batch;
    json_t *harvests[FIELDS];
    size_t answered = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: post_json BASE_URL\n");
        return 2;
    }
    if (stook_client_new(NULL, NULL, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    for (int i = 0; i < FIELDS; i++)
        harvests[i] = post(batch, argv[1], i + 1);
    int failed = stook_gather(batch, &STOOK_GATHER(.limit = 10));
    for (size_t i = 0; failed >= 0 && i < FIELDS; i++)
        answered += is_answered(stook_batch_result(batch, i)) != 0;
    printf("%zu of %d posts came back as they were sent\n", answered, FIELDS);
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    for (int i = 0; i < FIELDS; i++)
        json_decref(harvests[i]);
    return failed != 0 || answered != FIELDS;
}
