/* SPDX-License-Identifier: MIT */
/* The numbers of a batch for a progress bar. They always add up. */
#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

static struct stook_batch_stats stats_of(const stook_batch *batch)
{
    struct stook_batch_stats stats = STOOK_BATCH_STATS();
    CHECK_ERROR(stook_batch_stats(batch, &stats), 0);
    CHECK_EQ_SIZE(stats.size, sizeof stats);
    CHECK_EQ_INT(stats.added, stats.waiting + stats.in_flight + stats.finished);
    CHECK_EQ_INT(stats.added, (long long)stook_batch_count(batch));
    CHECK(stats.waiting >= 0 && stats.in_flight >= 0 && stats.failed >= 0 && stats.failed <= stats.finished);
    CHECK(stats.bytes_received >= 0 && stats.bytes_expected >= stats.bytes_received);
    return stats;
}

TEST(refused)
{
    struct stook_batch_stats stats = STOOK_BATCH_STATS();
    static struct life life;
    life_begin(&life, 0);
    life_open(&life, NULL);
    stook_batch *batch = life_batch(&life);
    CHECK_ERROR(stook_batch_stats(NULL, &stats), STOOK_EARG);
    CHECK_ERROR(stook_batch_stats(batch, NULL), STOOK_EARG);
    stats.size = 0;
    CHECK_ERROR(stook_batch_stats(batch, &stats), STOOK_EARG);
    stook_batch_free(batch);
    life_end(&life);
}

static void check_result(stook_batch *batch, const stook_result *result, void *user)
{
    struct stook_batch_stats stats = stats_of(batch);
    int64_t *finished = user;
    (void)result;
    CHECK(stats.in_flight <= 4);
    CHECK(stats.finished >= ++*finished); /* this one too */
}

/* Whether the program is called with results or they are kept. */
TEST_BOTH(before_during_and_after)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    for (int called = 0; called <= 1; called++) {
        stook_batch *batch = life_batch(life);
        int64_t finished = 0;
        CHECK_EQ_INT(stats_of(batch).added, 0);
        for (int i = 0; i < 30; i++)
            add(batch, raw_url(server, i % 3 ? "/big?n=1000" : "/status?code=404"));
        struct stook_batch_stats stats = stats_of(batch);
        CHECK_EQ_INT(stats.waiting, 30);
        CHECK_EQ_INT(stats.bytes_expected, 0);
        CHECK_EQ_INT(life_gather(life, batch,
                                 &STOOK_GATHER(.limit = 4, .on_result = called ? check_result : NULL, .user = &finished)),
                     10);
        CHECK_EQ_INT(finished, called ? 30 : 0);
        stats = stats_of(batch);
        CHECK_EQ_INT(stats.added, 30);
        CHECK_EQ_INT(stats.finished, 30);
        CHECK_EQ_INT(stats.failed, 10);
        CHECK_EQ_INT(stats.bytes_received, 20000);
        CHECK_EQ_INT(stats.bytes_expected, 20000);
        stook_batch_free(batch);
    }
}

static int64_t so_far;

static void look(stook_client *client, void *user)
{
    stook_batch *batch = user;
    struct stook_batch_stats stats = stats_of(batch);
    so_far = stats.bytes_received;
    if (stats.finished < 1 || so_far < 103) { /* not yet: look again */
        CHECK_ERROR(stook_client_post(client, look, batch), 0);
        return;
    }
    CHECK_EQ_INT(so_far, 103);
    CHECK_EQ_INT(stats.bytes_expected, 110); /* of the body that stops seven more were promised */
    CHECK_EQ_INT(stats.in_flight, 1);
    CHECK_EQ_INT(stats.waiting, 2);
    CHECK_EQ_INT(stats.finished, 1);
    CHECK_EQ_INT(stats.failed, 0);
    stook_batch_cancel(batch);
}

/* Bytes of a body that was cut off stay counted, and its rest is no longer expected. */
TEST_BOTH(bytes_of_those_in_flight)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    so_far = 0;
    add(batch, raw_url(server, "/big?n=100"));
    for (int i = 0; i < 3; i++)
        add(batch, raw_url(server, "/stall-body"));
    CHECK_ERROR(stook_client_post(life->client, look, batch), 0);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 1)), 3);
    struct stook_batch_stats stats = stats_of(batch);
    CHECK_EQ_INT(stats.bytes_received, 103);
    CHECK_EQ_INT(stats.bytes_expected, 103);
    CHECK_EQ_INT(stats.failed, 3);
    stook_batch_free(batch);
}

/* After the client is gone; and of a batch that was never awaited. */
TEST_BOTH(after_close)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life), *open = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    add(open, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    life_close(life);
    CHECK_EQ_INT(stats_of(batch).finished, 1);
    CHECK_EQ_INT(stats_of(batch).bytes_received, 2);
    CHECK_EQ_INT(stats_of(open).waiting, 1);
    stook_batch_free(batch);
    stook_batch_free(open);
}
