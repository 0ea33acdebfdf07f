/* SPDX-License-Identifier: MIT */
/*
 * An origin that cools down delays no other: response times of a healthy origin, from the add to the result, alone and
 * with a thousand requests for an origin that cools down before them in the same batch. Times, so no test; both runs
 * take turns.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <stook.h>

#include "count.h"
#include "support/life.h"
#include "support/plain.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { TURNS = 9, HEALTHY = 2000, COOLING = 1000, LIMIT = 20 };

static const struct raw_behaviour rows[] = {
    {"/later", "HTTP/1.1 429 Later\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n", .then = RAW_KEEP}, {NULL}};

static struct {
    char url[128];
    size_t first, added, results;
    double took_ms[HEALTHY], added_ms[HEALTHY];
} healthy;

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int more(stook_batch *batch, void *user)
{
    (void)user;
    if (healthy.added == HEALTHY)
        return 0;
    healthy.added_ms[healthy.added++] = now_ms();
    add(batch, healthy.url);
    return 1;
}

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    size_t index = stook_result_index(result);
    (void)user;
    if (index < healthy.first)
        return; /* it is cancelled in the end */
    CHECK_EQ_INT(stook_result_ok(result), 1);
    healthy.took_ms[healthy.results++] = now_ms() - healthy.added_ms[index - healthy.first];
    if (healthy.results == HEALTHY)
        stook_batch_cancel(batch);
}

/* Returns the 99th percentile in milliseconds, beside so many that wait for the cool-down. */
static double p99_beside(size_t waiting, struct raw_server *server)
{
    static struct life life;
    memset(&life, 0, sizeof life);
    life_begin(&life, 0);
    life_open(&life, NULL);
    stook_batch *batch = life_batch(&life);
    add(batch, raw_url(server, "/later"));
    CHECK_EQ_INT(stook_gather(batch, NULL), 1);
    stook_batch_free(batch);
    unsigned sent = raw_seen(server, "/later");
    batch = life_batch(&life);
    healthy.first = waiting;
    healthy.added = healthy.results = 0;
    for (size_t i = 0; i < waiting; i++)
        add(batch, raw_url(server, "/later"));
    stook_gather(batch, &STOOK_GATHER(.limit = LIMIT, .more = more, .on_result = on_result));
    CHECK_EQ_SIZE(healthy.results, HEALTHY);
    CHECK_EQ_INT(raw_seen(server, "/later"), sent);
    stook_batch_free(batch);
    life_end(&life);
    return count_percentile(healthy.took_ms, HEALTHY, 99);
}

TEST(beside_a_cool_down)
{
    struct plain *plain = plain_start();
    struct raw_server *server = raw_server_start(rows);
    double ratios[TURNS], alone[TURNS], beside[TURNS];
    snprintf(healthy.url, sizeof healthy.url, "%s", plain_url(plain, "/todos/1?delay_ms=5"));
    for (int i = 0; i < TURNS; i++) {
        alone[i] = p99_beside(0, server);
        beside[i] = p99_beside(COOLING, server);
        ratios[i] = beside[i] / alone[i];
    }
    double ratio = count_percentile(ratios, TURNS, 50);
    count_judge(ratio, 1.1, "%.3f: p99 of %d requests of 5 ms at limit %d, %.2f ms alone, %.2f ms beside %d that wait",
                ratio, HEALTHY, LIMIT, count_percentile(alone, TURNS, 50), count_percentile(beside, TURNS, 50), COOLING);
    count_finish();
}
