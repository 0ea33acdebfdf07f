/* SPDX-License-Identifier: MIT */
/* What requests hold: waiting, in flight, answered and kept; and a million of them in turn. */
#include <stdio.h>
#include <string.h>

#include <stook.h>

#include "count.h"
#include "support/life.h"
#include "support/plain.h"

enum { FEW = 1000, MANY = 2000 };

static size_t queued(struct life *life, const char *url, size_t count)
{
    size_t before = life->memory.bytes;
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < count; i++)
        add(batch, url);
    size_t bytes = life->memory.bytes - before;
    stook_batch_free(batch);
    return bytes;
}

TEST(queued_request)
{
    static const char url[] = "http://127.0.0.1:1/todos/1";
    static struct life life;
    life_begin(&life, 0);
    life_open(&life, NULL);
    size_t few = queued(&life, url, FEW), many = queued(&life, url, MANY);
    double each = (double)(many - few) / (MANY - FEW) - (double)sizeof url;
    count_judge(each, 208, "%.1f bytes for a queued request beside its strings", each);
    life_end(&life);
    count_finish();
}

static struct {
    const stook_result *kept[MANY];
    size_t count, own;
} results;

/* What a result cannot do without: its URL, its body, its header fields, a NUL behind each. */
static size_t own_bytes(const stook_result *result)
{
    static const char *const fields[] = {"Content-Type", "Content-Length", "Connection"};
    size_t size, bytes = strlen(stook_result_url(result)) + 1;
    stook_result_body(result, &size);
    bytes += size + 1;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *value = stook_result_header(result, fields[i]);
        CHECK(value != NULL);
        bytes += strlen(fields[i]) + 1 + strlen(value) + 1;
    }
    return bytes;
}

static void keep(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    CHECK_EQ_INT(stook_result_ok(result), 1);
    results.own += own_bytes(result);
    results.kept[results.count++] = stook_result_ref(result);
}

/* Bytes that kept results hold beside their own when batch and client are gone. */
static size_t kept(const char *url, size_t count)
{
    static struct life life;
    results.count = results.own = 0;
    life_begin(&life, 0);
    life_open(&life, NULL);
    stook_batch *batch = life_batch(&life);
    for (size_t i = 0; i < count; i++)
        add(batch, url);
    CHECK_EQ_INT(stook_gather(batch, &STOOK_GATHER(.limit = 50, .on_result = keep)), 0);
    stook_batch_free(batch);
    life_close(&life);
    size_t bytes = life.memory.bytes - results.own;
    for (size_t i = 0; i < results.count; i++)
        stook_result_unref(results.kept[i]);
    life_end(&life);
    return bytes;
}

TEST(kept_result)
{
    char url[128];
    struct plain *plain = plain_start();
    snprintf(url, sizeof url, "%s", plain_url(plain, "/todos/1"));
    size_t few = kept(url, FEW), many = kept(url, MANY);
    double each = (double)(many - few) / (MANY - FEW);
    count_judge(each, 256, "%.1f bytes for a kept result beside its own", each);
    count_finish();
}

static double slope(const struct peer *peer, enum program program)
{
    struct run run = {.program = program, .answers = PEER_HELD, .in_flight = 200, .counted = 10000};
    long few = count_memory(peer, &run).most;
    run.in_flight = 2000;
    long many = count_memory(peer, &run).most;
    printf("%s: %ld kB at 200 in flight, %ld kB at 2000\n", program == STOOK ? "stook" : "baseline", few,
           many);
    return (double)(many - few) / 1800;
}

TEST(in_flight)
{
    struct peer *peer = peer_start();
    printf("baseline: %.1f kB for one more in flight\n", slope(peer, BASELINE));
    double stook = slope(peer, STOOK);
    count_judge(stook, 20, "%.1f kB for one more in flight", stook);
    count_finish();
}

TEST(a_million)
{
    struct peer *peer = peer_start();
    struct run run = {.program = STOOK, .answers = PEER_AT_ONCE, .ordered = 1, .in_flight = 100,
                      .counted = 1000000};
    struct memory_use use = count_memory(peer, &run);
    count_judge((double)use.most, 24 * 1024, "%ld kB at the most", use.most);
    count_judge((double)(use.late - use.early), 1024, "%ld kB after 100,000 and %ld kB after 900,000",
                use.early, use.late);
    count_finish();
}
