/* SPDX-License-Identifier: MIT */
/* A program of somebody else, who has the installed header and library and nothing of ours. */
#include <stdio.h>
#include <string.h>

#include <stook.h>

static int closed_calls;

static void on_closed(void *user)
{
    (void)user;
    closed_calls++;
}

#define EXPECT(what)                                                         \
    do {                                                                     \
        if (!(what)) {                                                       \
            fprintf(stderr, "consumer.c:%d: not so: %s\n", __LINE__, #what); \
            return 1;                                                        \
        }                                                                    \
    } while (0)

int main(void)
{
    char version[40];
    snprintf(version, sizeof version, "%d.%d.%d", STOOK_VERSION_MAJOR, STOOK_VERSION_MINOR,
             STOOK_VERSION_PATCH);
    EXPECT(strcmp(stook_version(), version) == 0);

    stook_client *client;
    stook_batch *batch;
    EXPECT(stook_client_new(NULL, NULL, &client) == STOOK_OK);
    EXPECT(stook_batch_new(client, &batch) == STOOK_OK);
    EXPECT(stook_batch_add(batch, &STOOK_REQUEST(.url = "no url at all")) == STOOK_OK);

    EXPECT(stook_gather(batch, &STOOK_GATHER(.limit = 10)) == 1);

    EXPECT(stook_batch_count(batch) == 1);
    const stook_result *result = stook_batch_result(batch, 0);
    EXPECT(result != NULL);
    EXPECT(!stook_result_ok(result));
    EXPECT(stook_result_error(result) == STOOK_EURL);
    EXPECT(strstr(stook_result_message(result), stook_strerror(STOOK_EURL)) != NULL);

    stook_batch_free(batch);
    stook_client_close(client, on_closed, NULL);
    EXPECT(closed_calls == 1);
    puts("consumer: all as promised");
    return 0;
}
