/* SPDX-License-Identifier: MIT */
/* A body of one gigabyte, to the program and to a file, in little memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

#define GIGA INT64_C(1073741824)

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { RSS_COUNTS = 0 }; /* theirs is not ours */
#else
enum { RSS_COUNTS = 1 };
#endif

/* Most kB that this process had resident. getrusage() counts what the program before exec() had too. */
static long peak_kb(void)
{
    char line[128];
    long kb = 0;
    FILE *status = fopen("/proc/self/status", "re");
    CHECK(status != NULL);
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    fclose(status);
    CHECK(kb > 0);
    return kb;
}

struct sink {
    int64_t bytes;
    int wrong;
};

static int take(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct sink *sink = user;
    const char *first = data, *last = first + size - 1;
    (void)batch, (void)result;
    sink->wrong += *first != (char)('0' + sink->bytes % 10);
    sink->bytes += (int64_t)size;
    sink->wrong += *last != (char)('0' + (sink->bytes - 1) % 10);
    return 0;
}

/* As it is asked for by default: no clock and no cap is in the way. */
static void gather_one(stook_client *client, stook_batch *batch)
{
    CHECK_EQ_INT(stook_gather(batch, NULL), 0);
    CHECK_EQ_INT(stook_result_size(stook_batch_result(batch, 0), STOOK_SIZE_BODY), GIGA);
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    if (RSS_COUNTS && peak_kb() >= 20 * 1024)
        FAIL("%ld kB were resident", peak_kb());
}

TEST(to_the_program, slow)
{
    struct raw_server *server = raw_server_start(NULL);
    struct sink sink = {0, 0};
    stook_client *client;
    stook_batch *batch;
    CHECK_ERROR(stook_client_new(NULL, NULL, &client), 0);
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
    ADD(batch, raw_url(server, "/pour?n=1073741824&kb=1000"), .on_body = take, .user = &sink);
    gather_one(client, batch);
    CHECK_EQ_INT(sink.bytes, GIGA);
    CHECK_EQ_INT(sink.wrong, 0);
}

TEST(to_a_file, slow)
{
    struct stat stat_of;
    struct raw_server *server = raw_server_start(NULL);
    const char *path = text("%s/large", temporary_directory());
    stook_client *client;
    stook_batch *batch;
    CHECK_ERROR(stook_client_new(NULL, NULL, &client), 0);
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
    ADD(batch, raw_url(server, "/pour?n=1073741824&kb=1000"), .output_file = path);
    gather_one(client, batch);
    CHECK_EQ_INT(stat(path, &stat_of), 0);
    CHECK_EQ_INT(stat_of.st_size, GIGA);
}
