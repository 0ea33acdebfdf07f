/* SPDX-License-Identifier: MIT */
/*
 * Delivers events to webhooks. A POST that failed is sent again with the same Idempotency-Key, so
 * that the receiver knows an event that it has. An endpoint that fails on and on is left alone.
 * Usage: webhooks <EVENTS      each line: URL ID JSON
 */
#include <stdio.h>
#include <stdlib.h>
#include <stook.h>
#include <string.h>

static void print(stook_batch *batch, const stook_result *r, void *user)
{
    struct stook_attempt attempt = STOOK_ATTEMPT();
    char *id = stook_result_user(r);
    (void)batch, (void)user;
    printf("%s: %s, %s\n", id, stook_result_ok(r) ? "delivered" : "given up",
           stook_result_message(r));
    for (size_t i = 0; stook_result_attempt_at(r, i, &attempt) == 0; i++)
        printf("    after %5d ms: %s %d\n", (int)(attempt.started_us / 1000),
               attempt.error != 0 ? stook_strerror((int)attempt.error) : "status",
               (int)attempt.status);
    free(id);
}

int main(void)
{
    static char line[1 << 16], url[4096], id[256], json[1 << 16];
    stook_client *client;
    stook_batch *batch;
    struct stook_client_options options =
        STOOK_CLIENT(.origin_limit = 2, .max_retries = 6, .retry_delay_ms = 200,
                     .circuit_failures = 10);
    if (stook_client_new(NULL, &options, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    while (fgets(line, sizeof line, stdin) != NULL)
        if (sscanf(line, "%4095s %255s %65535[^\n]", url, id, json) == 3)
            stook_batch_add(batch, &STOOK_REQUEST(url, .json = json, .idempotency_key = id,
                                                  .user = strdup(id)));
    int failed = stook_gather_ordered(batch, &STOOK_GATHER(.limit = 100, .on_result = print));
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return failed != 0;
}
