/* SPDX-License-Identifier: MIT */
/* max_buffered_bytes of an ordered batch: bodies of all kinds behind a head that is late or has no slot. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

enum { SIZE = 1000000, LARGE = 5000000, MAX = 100000 };

static struct life alone;

static void in_order(stook_batch *batch, const stook_result *result, void *user)
{
    size_t *delivered = user;
    (void)batch;
    CHECK_EQ_SIZE(stook_result_index(result), (*delivered)++);
    CHECK_STR(stook_result_message(result), "OK");
}

static size_t count_of(const stook_batch *batch, int state)
{
    size_t count = 0;
    for (size_t i = 0; i < stook_batch_count(batch); i++)
        count += stook_batch_request_state(batch, i) == state;
    return count;
}

static stook_batch *begin(const struct stook_client_options *options)
{
    life_begin(&alone, 1);
    life_open(&alone, options);
    return life_batch(&alone);
}

static void start(stook_batch *batch, int64_t limit, int64_t max, size_t *delivered)
{
    struct stook_gather_options options =
        STOOK_GATHER(.limit = limit, .max_buffered_bytes = max, .on_result = in_order, .user = delivered);
    CHECK_ERROR(stook_gather_ordered_start(batch, &options, NULL, NULL), 0);
}

static void end(stook_batch *batch, const size_t *delivered)
{
    uv_run(&alone.loop, UV_RUN_DEFAULT);
    CHECK_EQ_SIZE(*delivered, stook_batch_count(batch));
    stook_batch_free(batch);
    life_end(&alone);
}

/* The head has the lowest priority and no slot. One that has a slot goes on, so that the head comes to
   one; the others wait as ever. A body that grows takes three times what it is, and one behind it is there. */
TEST(head_without_a_slot)
{
    struct raw_server *server = raw_server_start(NULL);
    stook_batch *batch = begin(NULL);
    size_t delivered = 0;
    ADD(batch, raw_url(server, "/ok"), .priority = 1);
    for (int i = 0; i < 20; i++)
        ADD(batch, raw_url(server, "/big?n=%d", LARGE), .priority = 7);
    start(batch, 10, MAX, &delivered);
    uv_run(&alone.loop, UV_RUN_DEFAULT);
    test_note("%zu bytes at most", alone.memory.peak);
    CHECK(alone.memory.peak < 6 * LARGE);
    end(batch, &delivered);
}

/* Two batches: each has in flight what the other's head waits for. The heads come late, or they would be the first. */
TEST(heads_that_wait_for_each_other)
{
    struct raw_server *servers[2] = {raw_server_start(NULL), raw_server_start(NULL)};
    stook_batch *batches[2] = {begin(&STOOK_CLIENT(.origin_limit = 1)), life_batch(&alone)};
    size_t delivered[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        ADD(batches[i], raw_url(servers[i], "/ok"), .delay_ms = 100);
        for (int k = 0; k < 5; k++)
            ADD(batches[i], raw_url(servers[1 - i], "/big?n=%d", SIZE), .priority = 7);
        start(batches[i], 0, MAX, &delivered[i]);
    }
    uv_run(&alone.loop, UV_RUN_DEFAULT);
    CHECK_EQ_SIZE(delivered[1], 6);
    stook_batch_free(batches[1]);
    end(batches[0], &delivered[0]);
}

/* Less room is left than one piece needs: nothing is tried repeatedly. */
TEST(waits_without_spinning)
{
    struct raw_server *server = raw_server_start(NULL);
    stook_batch *batch = begin(NULL);
    size_t delivered = 0, rounds = 0;
    add(batch, raw_url(server, "/after?path=/go&n=1&ms=200"));
    for (int i = 0; i < 5; i++)
        add(batch, raw_url(server, "/big?n=%d", SIZE));
    start(batch, 0, MAX, &delivered);
    while (count_of(batch, STOOK_STATE_PAUSED_BUFFER) < 5)
        uv_run(&alone.loop, UV_RUN_ONCE);
    raw_signal(server, "/go");
    for (; delivered == 0; rounds++)
        uv_run(&alone.loop, UV_RUN_ONCE);
    CHECK(rounds < 50);
    end(batch, &delivered);
}

static void too_late(uv_timer_t *timer)
{
    (void)timer;
    FAIL("a body that libcurl has had all of goes on only with the next event");
}

/* Small ones, which libcurl has read to their end when they are made to wait: their sockets wake nobody. */
TEST(small_ones)
{
    struct raw_server *server = raw_server_start(NULL);
    stook_batch *batch = begin(&STOOK_CLIENT(.stall_timeout_ms = STOOK_NONE));
    size_t delivered = 0;
    uv_timer_t timer;
    uv_timer_init(&alone.loop, &timer);
    add(batch, raw_url(server, "/after?path=/go&n=1"));
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(server, "/big?n=1000"));
    start(batch, 0, 1, &delivered);
    while (count_of(batch, STOOK_STATE_PAUSED_BUFFER) < 20)
        uv_run(&alone.loop, UV_RUN_ONCE);
    uv_timer_start(&timer, too_late, 10000, 0);
    uv_unref((uv_handle_t *)&timer);
    raw_signal(server, "/go");
    uv_run(&alone.loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    end(batch, &delivered);
}

static int look_at_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    CHECK_EQ_INT(stook_result_status(result), 200);
    return 0;
}

static void look_at_progress(stook_batch *batch, const stook_result *result, const struct stook_progress *progress, void *user)
{
    (void)batch, (void)result, (void)user;
    CHECK(progress->received <= SIZE);
}

/* With and without callbacks during the request. */
TEST(with_callbacks)
{
    struct raw_server *server = raw_server_start(NULL);
    stook_batch *batch = begin(NULL);
    size_t delivered = 0;
    add(batch, raw_url(server, "/after?path=/go&n=1"));
    for (int i = 0; i < 9; i++)
        ADD(batch, raw_url(server, "/big?n=%d", SIZE), .on_head = i % 3 ? look_at_head : NULL,
            .on_progress = i % 3 != 1 ? look_at_progress : NULL);
    start(batch, 0, MAX, &delivered);
    while (count_of(batch, STOOK_STATE_PAUSED_BUFFER) < 9)
        uv_run(&alone.loop, UV_RUN_ONCE);
    test_note("%zu bytes at most", alone.memory.peak);
    CHECK(alone.memory.peak < 10 * MAX);
    raw_signal(server, "/go");
    end(batch, &delivered);
}

/* Bodies that go to a file do not count and do not wait. */
TEST(to_files)
{
    struct raw_server *server = raw_server_start(NULL);
    char directory[] = "/tmp/stook-quota-XXXXXX", path[64];
    CHECK(mkdtemp(directory) != NULL);
    stook_batch *batch = begin(NULL);
    size_t delivered = 0;
    add(batch, raw_url(server, "/after?path=/go&n=1"));
    for (int i = 1; i < 5; i++) {
        snprintf(path, sizeof path, "%s/%d", directory, i);
        ADD(batch, raw_url(server, "/big?n=%d", SIZE), .output_file = path);
    }
    start(batch, 0, MAX, &delivered);
    while (count_of(batch, STOOK_STATE_FINISHED) < 4) {
        CHECK_EQ_SIZE(count_of(batch, STOOK_STATE_PAUSED_BUFFER), 0);
        uv_run(&alone.loop, UV_RUN_ONCE);
    }
    raw_signal(server, "/go");
    end(batch, &delivered);
    for (int i = 1; i < 5; i++) {
        snprintf(path, sizeof path, "%s/%d", directory, i);
        CHECK_EQ_INT(unlink(path), 0);
    }
    CHECK_EQ_INT(rmdir(directory), 0);
}
