/* SPDX-License-Identifier: MIT */
/*
 * Calls a language model within two quotas of each key: requests and tokens a minute. A call takes
 * the tokens that it may use, and is charged those that it has used. Its answer streams.
 * Usage: language_model URL REQUESTS_A_MINUTE TOKENS_A_MINUTE KEY... <JSON_LINES
 */
#include <stdio.h>
#include <stdlib.h>
#include <stook.h>
#include <string.h>

static struct call {
    long tokens; /* that it has used, as the model says */
    size_t line_size;
    char line[256], text[4096];
} calls[1000];

/* Server-sent events, a line each. A piece of the body may end within a line. */
static int on_body(stook_batch *b, const stook_result *r, const void *data, size_t size, void *user)
{
    struct call *call = user;
    (void)b, (void)r;
    for (const char *c = data; size-- > 0; c++) {
        call->line[call->line_size++] = *c;
        if (*c != '\n' && call->line_size + 1 < sizeof call->line)
            continue;
        call->line[call->line_size] = '\0', call->line_size = 0;
        sscanf(call->line, "data: {\"total_tokens\":%ld", &call->tokens);
        if (strlen(call->text) < sizeof call->text - sizeof call->line)
            sscanf(call->line, "data: {\"text\":\"%255[^\"]", strchr(call->text, '\0'));
    }
    return 0;
}

static void on_result(stook_batch *batch, const stook_result *r, void *user)
{
    struct call *call = stook_result_user(r);
    (void)batch;
    if (stook_result_ok(r))
        stook_client_charge(user, r, call->tokens);
    printf("%zu: %s, %ld tokens, %u attempts: %s\n", stook_result_index(r), stook_result_message(r),
           call->tokens, stook_result_attempts(r), call->text);
}

int main(int argc, char **argv)
{
    static char json[1 << 16];
    if (argc < 5)
        return 2;
    const struct stook_rate *const rates[] = {
        &STOOK_RATE(.by = STOOK_RATE_BY_KEY, .count = atol(argv[2]), .per_ms = 60000),
        &STOOK_RATE(.by = STOOK_RATE_BY_KEY, .count = atol(argv[3]) / 60, .of = STOOK_RATE_OF_COST),
        NULL};
    stook_client *client;
    stook_batch *batch;
    if (stook_client_new(NULL, &STOOK_CLIENT(.rates = rates, .max_retries = 5), &client) != 0 ||
        stook_batch_new(client, &batch) != 0)
        return 2;
    for (int i = 0; i < 1000 && fgets(json, sizeof json, stdin) != NULL; i++) {
        const char *most = strstr(json, "\"max_tokens\":"), *key = argv[4 + i % (argc - 4)];
        long cost = (long)strlen(json) / 4 + (most != NULL ? atol(most + 13) : 1000);
        stook_batch_add(batch, &STOOK_REQUEST(argv[1], .json = json, .cost = cost, .bearer = key,
                                              .rate_key = key, .idempotent = 1, .on_body = on_body,
                                              .user = &calls[i]));
    }
    int failed = stook_gather(batch, &STOOK_GATHER(.on_result = on_result, .user = client));
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return failed != 0;
}
