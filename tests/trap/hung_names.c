/* SPDX-License-Identifier: MIT */
/* Names that hang for long: who is given up, and what libcurl would do about it by itself. */
#include "trap/names.h"

enum { HELD_MS = 400 }; /* a loop that stands still for so long waits for somebody */

/* ------------------------------------------------------------ the loop goes on */

static struct life alone;
static uv_timer_t timer;
static int64_t ticked_at, worst;
static int lazy_ms; /* how long the program takes over each tick */

static void tick(uv_timer_t *handle)
{
    (void)handle;
    if (ticked_at != 0 && now_ms() - ticked_at > worst)
        worst = now_ms() - ticked_at;
    if (lazy_ms > 0)
        pause_for(lazy_ms);
    ticked_at = now_ms();
}

static struct raw_server *watch_loop(int hang_ms, int takes_ms)
{
    life_begin(&alone, 1);
    struct raw_server *server = begin(&alone, hang_ms);
    lazy_ms = takes_ms;
    uv_timer_init(&alone.loop, &timer);
    uv_timer_start(&timer, tick, 5, 5);
    uv_unref((uv_handle_t *)&timer);
    return server;
}

static void check_loop(stook_batch *batch)
{
    CHECK_ERROR(stook_result_error(stook_batch_result_of(batch, 0)), STOOK_ETIMEOUT_ATTEMPT);
    stook_batch_free(batch);
    test_note("the longest pause of the loop was %d ms", (int)worst);
    CHECK(worst < HELD_MS);
    uv_close((uv_handle_t *)&timer, NULL);
    life_end(&alone);
}

/* The attempt is over, its look-up is not: libcurl's own clock for connecting must not wait for it. */
TEST(parked_for_long)
{
    struct raw_server *server = watch_loop(2000, 0);
    stook_batch *batch = life_batch(&alone);
    ADD(batch, text("http://hung.test:%d/", raw_port(server)), .attempt_timeout_ms = 100, .connect_timeout_ms = 300);
    ADD(batch, raw_url(server, "/delay?ms=800"));
    CHECK_EQ_INT(life_gather(&alone, batch, NULL), 1);
    check_loop(batch);
}

/* Nor where the program holds up the loop, and libcurl is told of something before our clocks are read. */
TEST(on_a_busy_loop)
{
    struct raw_server *server = watch_loop(2000, 60);
    stook_batch *batch = life_batch(&alone);
    ADD(batch, text("http://hung.test:%d/", raw_port(server)), .connect_timeout_ms = 300);
    for (int i = 0; i < 2000; i++)
        add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(&alone, batch, &STOOK_GATHER(.limit = 40)), 1);
    check_loop(batch);
}

/* An address that is none is a name, and looked up. */
TEST(numbers_only)
{
    struct raw_server *server = watch_loop(1500, 0);
    stook_batch *batch = life_batch(&alone);
    ADD(batch, text("http://300.300.300.300:%d/", raw_port(server)), .attempt_timeout_ms = 100);
    ADD(batch, raw_url(server, "/delay?ms=500"));
    CHECK_EQ_INT(life_gather(&alone, batch, NULL), 1);
    CHECK(names.asked > 0);
    check_loop(batch);
}
