/* SPDX-License-Identifier: MIT */
/* At most so many bytes of an ordered batch: bodies behind a head that is late. */
#include <stook.h>

#include "harness/life.h"
#include "support/raw_server.h"

static struct life alone;

static void in_order(stook_batch *batch, const stook_result *result, void *user)
{
    size_t *shown = user;
    (void)batch;
    CHECK_EQ_SIZE(stook_result_index(result), (*shown)++);
    CHECK_STR(stook_result_message(result), "OK");
}

static size_t count_of(const stook_batch *batch, int state)
{
    size_t count = 0;
    for (size_t i = 0; i < stook_batch_count(batch); i++)
        count += stook_batch_state_of(batch, i) == state;
    return count;
}

static stook_batch *begin(const struct stook_client_options *options)
{
    life_begin(&alone, 1);
    life_open(&alone, options);
    return life_batch(&alone);
}

static void start(stook_batch *batch, int64_t limit, int64_t max, size_t *shown)
{
    struct stook_gather_options options =
        STOOK_GATHER(.limit = limit, .held_max = max, .on_result = in_order, .user = shown);
    CHECK_ERROR(stook_gather_ordered_start(batch, &options, NULL, NULL), 0);
}

static void end(stook_batch *batch, const size_t *shown)
{
    uv_run(&alone.loop, UV_RUN_DEFAULT);
    CHECK_EQ_SIZE(*shown, stook_batch_count(batch));
    stook_batch_free(batch);
    life_end(&alone);
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
    size_t shown = 0;
    uv_timer_t timer;
    uv_timer_init(&alone.loop, &timer);
    add(batch, raw_url(server, "/after?path=/go&n=1"));
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(server, "/big?n=1000"));
    start(batch, 0, 1, &shown);
    while (count_of(batch, STOOK_STATE_HELD_UP) < 20)
        uv_run(&alone.loop, UV_RUN_ONCE);
    uv_timer_start(&timer, too_late, 10000, 0);
    uv_unref((uv_handle_t *)&timer);
    raw_signal(server, "/go");
    uv_run(&alone.loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    end(batch, &shown);
}
