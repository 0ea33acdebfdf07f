/* SPDX-License-Identifier: MIT */
/* Look-ups that hang or fail delay no other request. */
#include "regress/forgotten.h"
#include "regress/dns.h"

/* ----------------------------------------------------------------- that hang */

static int64_t ticked_at, worst;

static void tick(uv_timer_t *timer)
{
    int64_t now = now_ms();
    (void)timer;
    if (ticked_at != 0 && now - ticked_at > worst)
        worst = now - ticked_at;
    ticked_at = now;
}

/* While a look-up hangs, the loop runs, and so do the clocks of the requests that wait for it. */
TEST(loop_continues)
{
    static struct life life;
    uv_timer_t timer;
    life_begin(&life, 1);
    struct raw_server *server = begin(&life, 1500);
    uv_timer_init(&life.loop, &timer);
    uv_timer_start(&timer, tick, 5, 5);
    uv_unref((uv_handle_t *)&timer);
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < 4; i++)
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(text("http://hung%d.test:%d/", i / 2, raw_port(server)),
                                                          .attempt_timeout_ms = 200)), 0);
    int64_t began = now_ms();
    CHECK_EQ_INT(life_gather(&life, batch, NULL), 4);
    int64_t took = now_ms() - began;
    for (size_t i = 0; i < 4; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), STOOK_ETIMEOUT_ATTEMPT);
    stook_batch_free(batch);
    test_note("took %d ms, the longest pause of the loop %d ms", (int)took, (int)worst);
    CHECK(took >= 200 && took < 900);
    CHECK(worst < 500);
    uv_close((uv_handle_t *)&timer, NULL);
    life_end(&life);
}

/* Many look-ups hang: each request ends by its clock, and the number of threads is bounded. */
TEST_BOTH(bounded)
{
    enum { HUNG = 400 };
    struct raw_server *server = begin(life, 1500);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < HUNG; i++)
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(text("http://hung%d.test:%d/", i, raw_port(server)),
                                                          .attempt_timeout_ms = 1300)), 0);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = STOOK_NONE)), HUNG);
    for (size_t i = 0; i < HUNG; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, i)), STOOK_ETIMEOUT_ATTEMPT);
    test_note("%u look-ups in the first second, at most %u at once", names.before_a_second, names.peak);
    /* And those that start in the same turn. From 8.20 on each name is two look-ups, one of a family. */
    unsigned families = curl_version_info(CURLVERSION_NOW)->version_num >= 0x081400 ? 2 : 1;
    CHECK(names.before_a_second <= families * (32 + 64));
    CHECK(names.peak <= 256);
    stook_batch_free(batch);
}

/* ----------------------------------------------------------------- that fail */

/* However a look-up fails, the result is STOOK_EDNS, at once. */
TEST_BOTH(failures)
{
    static const char *const all[] = {"noname", "again", "fail", "memory", "system", "family"};
    struct raw_server *server = begin(life, 0);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        add(batch, text("http://%s.test:%d/", all[i], raw_port(server)));
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 6);
    for (size_t i = 0; i < 6; i++) {
        test_note("%s: %s", all[i], stook_result_message(stook_batch_result(batch, i)));
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), STOOK_EDNS);
    }
    stook_batch_free(batch);
}

/* All spellings of an origin are one: its name is resolved once, and one request connects first. */
TEST_BOTH(however_it_is_written)
{
    static const char *const ways[] = {"http://slow.test:", "HTTP://Slow.Test:", "hTTp://sLOW.tEST:0"};
    struct raw_server *server = begin(life, 100);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 12; i++)
        add(batch, text("%s%d/path/%d", ways[i % 3], raw_port(server), i));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = STOOK_NONE)), 0);
    /* From 8.20 on one name is two look-ups, one of a family. */
    unsigned families = curl_version_info(CURLVERSION_NOW)->version_num >= 0x081400 ? 2 : 1;
    CHECK_EQ_INT(names.asked, families);
    stook_batch_free(batch);
}

/* A name whose look-up failed is resolved again for the next request. */
TEST_BOTH(failed_once)
{
    struct raw_server *server = begin(life, 0);
    for (int round = 0; round < 2; round++) {
        names.good_at_ms = round == 0 ? INT64_MAX : 0;
        stook_batch *batch = life_batch(life);
        add(batch, text("http://flaky.test:%d/ok", raw_port(server)));
        CHECK_EQ_INT(life_gather(life, batch, NULL), round == 0);
        test_note("%s", stook_result_message(stook_batch_result(batch, 0)));
        stook_batch_free(batch);
    }
}

/* The origin is warm, but libcurl has forgotten the name, and no connection is kept: of those who need
   a new one, one asks at a time. */
TEST_BOTH(forgotten)
{
    spy.keep_option = forget_names;
    struct raw_server *server = begin(life, 20);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 40; i++)
        add(batch, text("http://slow.test:%d/close-after", raw_port(server)));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    test_note("%u look-ups, at most %u at once", names.asked, names.peak);
    CHECK(names.peak <= calls_of_a_name());
    stook_batch_free(batch);
    spy.keep_option = NULL;
}

static void count_result(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result, (void)user;
    pthread_mutex_lock(&names.lock);
    names.done++;
    pthread_mutex_unlock(&names.lock);
}

/* The same, and now the name hangs: who has a connection goes on, the others share one look-up. */
TEST_BOTH(forgotten_and_hung)
{
    enum { COUNT = 100, LIMIT = 5 };
    spy.keep_option = forget_names;
    struct raw_server *server = begin(life, 0);
    for (int round = 0; round < 2; round++) {
        names.enough = round == 0 ? 0 : COUNT - LIMIT;
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < (round == 0 ? 1 : COUNT); i++)
            add(batch, text("http://slow.test:%d/%s", raw_port(server), i < LIMIT ? "delay?ms=20" : "ok"));
        CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = LIMIT, .on_result = count_result)), 0);
        stook_batch_free(batch);
    }
    test_note("%u look-ups, at most %u at once", names.asked, names.peak);
    CHECK(names.asked >= 2); /* it did hang */
    CHECK(names.peak <= calls_of_a_name());
    CHECK_EQ_INT(names.gave_up, 0);
    spy.keep_option = NULL;
}

/* The thread for the look-up cannot be created. */
TEST_BOTH(without_threads)
{
    struct raw_server *server = begin(life, 0);
    size_t ok = 0;
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 20; i++)
        add(batch, text("http://good%d.test:%d/ok", i, raw_port(server)));
    names.refuse_threads = 1;
    int failed = life_gather(life, batch, NULL);
    names.refuse_threads = 0;
    for (size_t i = 0; i < 20; i++) {
        const stook_result *result = stook_batch_result_by_index(batch, i);
        ok += (size_t)stook_result_ok(result);
        if (!stook_result_ok(result))
            CHECK_ERROR(stook_result_error(result), STOOK_EDNS);
    }
    CHECK_EQ_SIZE(ok + (size_t)failed, 20);
    CHECK(ok > 0);
    stook_batch_free(batch);
    batch = life_batch(life);
    for (int i = 0; i < 20; i++)
        add(batch, text("http://good%d.test:%d/ok", i, raw_port(server)));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------ two families */

/* One family of addresses is silent: the other answers a moment later. */
TEST_BOTH(one_family_is_silent)
{
    struct raw_server *server = begin(life, 0);
    silent_at("::1", raw_port(server));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 5; i++)
        add(batch, text("http://both.test:%d/ok", raw_port(server)));
    int64_t began = now_ms();
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    test_note("after %d ms", (int)(now_ms() - began));
    CHECK(now_ms() - began < 2000);
    stook_batch_free(batch);
}
