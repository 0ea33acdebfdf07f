/* SPDX-License-Identifier: MIT */
/* A batch is open, then awaited, then done. A call in any other state is STOOK_ESTATE. */
#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

static void never_done(stook_batch *batch, int failed, void *user)
{
    (void)batch, (void)failed, (void)user;
    FAIL("called although the await was refused");
}

static void check_no_await(stook_batch *batch)
{
    CHECK_ERROR(stook_gather(batch, NULL), STOOK_ESTATE);
    CHECK(stook_batch_message(batch)[0] != '\0');
    CHECK_ERROR(stook_gather_ordered(batch, NULL), STOOK_ESTATE);
    CHECK_ERROR(stook_gather_start(batch, NULL, never_done, NULL), STOOK_ESTATE);
    CHECK_ERROR(stook_gather_ordered_start(batch, NULL, never_done, NULL), STOOK_ESTATE);
}

TEST_BOTH(open_awaited_done)
{
    struct raw_server *server = raw_server_start(NULL);
    struct done done = {0, 0};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    CHECK_EQ_SIZE(stook_batch_count(batch), 0);
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_SIZE(stook_batch_count(batch), 1);
    CHECK(stook_batch_result(batch, 0) == NULL);

    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
    check_no_await(batch);
    add(batch, raw_url(server, "/ok")); /* joins */
    CHECK(stook_batch_result(batch, 0) == NULL);
    life_run(life);
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(done.failed, 0);

    check_no_await(batch);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/ok"))), STOOK_ESTATE);
    CHECK_EQ_SIZE(stook_batch_count(batch), 2);
    CHECK(stook_batch_result(batch, 0) && stook_batch_result(batch, 1));
    CHECK(stook_batch_result(batch, 2) == NULL);
    CHECK(stook_batch_result_by_index(batch, (size_t)-1) == NULL);
    life_run(life);
    CHECK_EQ_INT(done.calls, 1);
    stook_batch_free(batch);
}

/* A batch that was never awaited ends without a trace. */
TEST_BOTH(never_awaited)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    life_run(life);
    CHECK(stook_batch_result(batch, 0) == NULL);
    stook_batch_free(batch);
    life_close(life);
    CHECK_EQ_INT(raw_seen(server, "/ok"), 0);
}

/* The mistake of asyncio.run() inside a running loop: refused, with the cure named. */
TEST(blocking_on_a_borrowed_loop)
{
    static struct life life;
    struct raw_server *server = raw_server_start(NULL);
    life_begin(&life, 1);
    life_open(&life, NULL);
    stook_batch *batch = life_batch(&life);
    add(batch, raw_url(server, "/ok"));
    CHECK_ERROR(stook_gather(batch, NULL), STOOK_ESTATE);
    CHECK_CONTAINS(stook_batch_message(batch), "stook_gather_start");
    CHECK_ERROR(stook_gather_ordered(batch, NULL), STOOK_ESTATE);
    CHECK_CONTAINS(stook_batch_message(batch), "stook_gather_start");
    CHECK_CONTAINS(stook_strerror(STOOK_ESTATE), "stook_gather_start");
    CHECK_ERROR(stook_client_run(life.client), STOOK_ESTATE);
    CHECK_EQ_INT(life_gather(&life, batch, NULL), 0); /* it is still OPEN */
    stook_batch_free(batch);
    life_end(&life);
}

/* Ignoring the return value of add can never turn into success. */
TEST_BOTH(failed_add_is_remembered)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(.url = raw_url(server, "/ok"),
                                                      .timeout_ms = -7)), STOOK_EARG);
    CHECK_CONTAINS(stook_batch_message(batch), "timeout_ms");
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_SIZE(stook_batch_count(batch), 2);
    for (int i = 0; i < 2; i++) {
        CHECK_ERROR(life_gather(life, batch, NULL), STOOK_EARG);
        CHECK(stook_batch_message(batch)[0] != '\0');
    }
    CHECK_ERROR(stook_gather_start(batch, NULL, never_done, NULL), STOOK_EARG);
    life_run(life);
    CHECK(stook_batch_result(batch, 0) == NULL);
    CHECK_EQ_INT(raw_seen(server, "/ok"), 0);
    stook_batch_free(batch);
}

static void add_wrongly(stook_batch *batch, const stook_result *result, void *user)
{
    (void)user;
    if (stook_result_index(result) == 0)
        CHECK_ERROR(stook_batch_add(batch, NULL), STOOK_EARG);
}

/* During the await it counts as one request that is not ok. */
TEST_BOTH(failed_add_counts)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.on_result = add_wrongly)), 1);
    CHECK_EQ_SIZE(stook_batch_count(batch), 2);
    stook_batch_free(batch);
}

/* Wrong options leave the batch OPEN. */
TEST_BOTH(refused_options)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    CHECK_ERROR(life_gather(life, batch, &STOOK_GATHER(.limit = -5)), STOOK_EARG);
    CHECK_CONTAINS(stook_batch_message(batch), "limit");
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_STR(stook_batch_message(batch), "");
    stook_batch_free(batch);
}
