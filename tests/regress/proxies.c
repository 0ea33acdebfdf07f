/* SPDX-License-Identifier: MIT */
/*
 * Names that hang on the way through a proxy: its own, and with socks5 that of the origin, which libcurl
 * looks up when it is connected to the proxy already, so that no socket is opened behind it.
 */
#include "regress/forgotten.h"
#include "regress/dns.h"
#include "support/raw_proxy.h"

enum { HELD_MS = 1000 }; /* a loop that stands still for so long waits for somebody */
enum { ORIGIN, SOCKS, SILENT, DOORS };

static struct raw_proxy socks, silent;
static struct raw_door doors[DOORS];
static char log_path[300];
static struct life alone;
static uv_timer_t timer;
static int64_t ticked_at, worst;

static void tick(uv_timer_t *handle)
{
    (void)handle;
    if (ticked_at != 0 && now_ms() - ticked_at > worst)
        worst = now_ms() - ticked_at;
    ticked_at = now_ms();
}

/* A client on a loop whose longest pause is measured; nothing of it is left behind check_loop(). */
static stook_batch *watch_loop(int hang_ms)
{
    snprintf(log_path, sizeof log_path, "%s/log", temporary_directory());
    socks = (struct raw_proxy){.socks = 1, .log = log_path};
    silent = (struct raw_proxy){.socks = 1, .log = log_path, .reply = "", .then = RAW_HOLD};
    memset(doors, 0, sizeof doors);
    doors[SOCKS] = (struct raw_door){.serve = raw_proxy_serve, .arg = &socks};
    doors[SILENT] = (struct raw_door){.serve = raw_proxy_serve, .arg = &silent};
    life_begin(&alone, 1);
    begin(&alone, hang_ms);
    raw_server_open(NULL, doors, DOORS);
    ticked_at = worst = 0;
    uv_timer_init(&alone.loop, &timer);
    uv_timer_start(&timer, tick, 5, 5);
    uv_unref((uv_handle_t *)&timer);
    return life_batch(&alone);
}

static void check_loop(stook_batch *batch)
{
    stook_batch_free(batch);
    uv_close((uv_handle_t *)&timer, NULL);
    life_end(&alone); /* the close waits for look-ups, and for nothing else */
    test_note("the longest pause of the loop was %d ms", (int)worst);
    CHECK(worst < HELD_MS);
}

static int error_of(stook_batch *batch, size_t index)
{
    const stook_result *result = stook_batch_result_by_index(batch, index);
    test_note("request %zu: %s", index, stook_result_message(result));
    return stook_result_error(result);
}

static const char *way(const char *scheme, const char *host, int door)
{
    return text("%s://%s:%d", scheme, host, doors[door].port);
}

static const char *origin(const char *host, const char *path)
{
    return text("http://%s:%d%s", host, doors[ORIGIN].port, path);
}

/* Though the origin is an address. */
TEST(name_of_the_proxy_hangs)
{
    stook_batch *batch = watch_loop(1500);
    ADD(batch, origin("127.0.0.1", "/ok"), .proxy = way("http", "hung.test", ORIGIN), .attempt_timeout_ms = 100);
    ADD(batch, origin("127.0.0.1", "/ok"), .proxy = way("socks5h", "hung.test", SOCKS), .attempt_timeout_ms = 100);
    ADD(batch, origin("127.0.0.1", "/delay?ms=300"));
    CHECK_EQ_INT(life_gather(&alone, batch, NULL), 2);
    for (size_t i = 0; i < 2; i++)
        CHECK_ERROR(error_of(batch, i), STOOK_ETIMEOUT_ATTEMPT);
    check_loop(batch);
}

TEST(name_behind_socks_hangs)
{
    stook_batch *batch = watch_loop(1500);
    ADD(batch, origin("hung.test", "/ok"), .proxy = way("socks5", "127.0.0.1", SOCKS), .attempt_timeout_ms = 100);
    ADD(batch, origin("127.0.0.1", "/delay?ms=300"));
    CHECK_EQ_INT(life_gather(&alone, batch, NULL), 1);
    CHECK_ERROR(error_of(batch, 0), STOOK_ETIMEOUT_ATTEMPT);
    CHECK(names.asked > 0);
    check_loop(batch);
}

/* The name is found, and then the proxy does not answer: nobody waits for it. */
TEST(proxy_is_silent_behind_the_name)
{
    stook_batch *batch = watch_loop(50);
    ADD(batch, origin("slow.test", "/ok"), .proxy = way("socks5", "127.0.0.1", SILENT), .attempt_timeout_ms = 400);
    CHECK_EQ_INT(life_gather(&alone, batch, NULL), 1);
    CHECK_ERROR(error_of(batch, 0), STOOK_ETIMEOUT_ATTEMPT);
    CHECK(access(log_path, F_OK) == 0);
    check_loop(batch);
}

/* Given up during the look-up: when it returns, nothing is sent to the proxy, which would not answer. */
TEST(given_up_before_the_name)
{
    stook_batch *batch = watch_loop(600);
    ADD(batch, origin("slow.test", "/ok"), .proxy = way("socks5", "127.0.0.1", SILENT), .attempt_timeout_ms = 150);
    CHECK_EQ_INT(life_gather(&alone, batch, NULL), 1);
    CHECK_ERROR(error_of(batch, 0), STOOK_ETIMEOUT_ATTEMPT);
    CHECK(names.asked > 0);
    check_loop(batch);
    CHECK(access(log_path, F_OK) != 0);
}

/* The name of the proxy is looked up once, however many wait for it, and so is that of the origin. */
TEST_BOTH(looked_up_once)
{
    static const char *const schemes[] = {"socks5h", "socks5"};
    for (int local = 0; local <= 1; local++) {
        socks = (struct raw_proxy){.socks = 1};
        memset(doors, 0, sizeof doors);
        doors[SOCKS] = (struct raw_door){.serve = raw_proxy_serve, .arg = &socks};
        begin(life, 50);
        raw_server_open(NULL, doors, DOORS);
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 20; i++)
            ADD(batch, origin("slow.origin.test", "/ok"), .proxy = way(schemes[local], "slow.proxy.test", SOCKS));
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        test_note("%s: %u look-ups", schemes[local], names.asked);
        CHECK(names.asked <= (unsigned)(1 + local) * calls_of_a_name());
        stook_batch_free(batch);
        life_close(life);
    }
    life_open(life, NULL);
}

TEST_BOTH(name_of_the_proxy_fails)
{
    begin(life, 0);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 20; i++)
        ADD(batch, "http://127.0.0.1:1/", .proxy = "http://noname.test:1");
    CHECK_EQ_INT(life_gather(life, batch, NULL), 20);
    for (size_t i = 0; i < 20; i++) {
        CHECK_ERROR(error_of(batch, i), STOOK_EPROXY);
        CHECK(strstr(stook_result_message(stook_batch_result(batch, i)), "noname.test") != NULL);
    }
    stook_batch_free(batch);
}
