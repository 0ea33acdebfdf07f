/* SPDX-License-Identifier: MIT */
/*
 * What a client knows of its origins, once a second and at the end, as text that Prometheus reads.
 * Usage: metrics URL...
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stook.h>
#include <string.h>
#include <time.h>

static void print_metric(const stook_client *client, const char *name, size_t member)
{
    struct stook_origin origin = STOOK_ORIGIN();
    for (size_t i = 0; stook_client_origin_at(client, i, &origin) == 0; i++) {
        int64_t value;
        memcpy(&value, (const char *)&origin + member, sizeof value);
        printf("http_client_%s{origin=\"%s\"} %" PRId64 "\n", name, origin.name, value);
    }
}
#define PRINT(client, member) print_metric(client, #member, offsetof(struct stook_origin, member))

int main(int argc, char **argv)
{
    stook_client *client;
    stook_batch *batch;
    time_t next = 0;
    if (stook_client_new(NULL, &STOOK_CLIENT(.origin_limit = STOOK_AUTO, .max_retries = 3),
                         &client) != 0 ||
        stook_batch_new(client, &batch) != 0)
        return 2;
    for (int i = 1; i < argc; i++)
        stook_batch_add(batch, &STOOK_REQUEST(argv[i]));
    stook_gather_start(batch, NULL, NULL, NULL);
    for (int awaits = 1; awaits > 0;) {
        awaits = stook_client_turn(client, 1000);
        if (awaits > 0 && time(NULL) < next)
            continue;
        PRINT(client, in_flight);
        PRINT(client, waiting);
        PRINT(client, limit);
        PRINT(client, retries);
        PRINT(client, cooldown_ms);
        PRINT(client, circuit);
        PRINT(client, first_byte_95_us);
        next = time(NULL) + 1;
    }
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return 0;
}
