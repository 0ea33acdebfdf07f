/* SPDX-License-Identifier: MIT */
/* Look-ups that hang for long: which requests end, and what libcurl would do by itself. */
#include "support/nginx.h"
#include "regress/forgotten.h"
#include "regress/dns.h"
#include "regress/opened.h"

enum { HELD_MS = 1000 }; /* a loop that stands still for so long waits for somebody */

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
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 0)), STOOK_ETIMEOUT_ATTEMPT);
    stook_batch_free(batch);
    test_note("the longest pause of the loop was %d ms", (int)worst);
    CHECK(worst < HELD_MS);
    uv_close((uv_handle_t *)&timer, NULL);
    life_end(&alone);
}

/* The attempt is over and its look-up is not: libcurl's connect timeout must not block on it. */
TEST(orphaned_for_long)
{
    struct raw_server *server = watch_loop(2000, 0);
    stook_batch *batch = life_batch(&alone);
    ADD(batch, text("http://hung.test:%d/", raw_port(server)), .attempt_timeout_ms = 100, .connect_timeout_ms = 300);
    ADD(batch, raw_url(server, "/delay?ms=800"));
    CHECK_EQ_INT(life_gather(&alone, batch, NULL), 1);
    check_loop(batch);
}

/* Nor if the program blocks the loop, and libcurl is called before our clocks are checked. */
TEST(on_a_busy_loop)
{
    enum { NAMES = 8 };
    struct raw_server *server = watch_loop(2000, 60);
    stook_batch *batch = life_batch(&alone);
    /* Of so many clocks some ring while the program does not listen. */
    for (int i = 0; i < NAMES; i++)
        ADD(batch, text("http://hung%d.test:%d/", i, raw_port(server)), .connect_timeout_ms = 300 + 13 * i);
    for (int i = 0; i < 2000; i++)
        add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(&alone, batch, &STOOK_GATHER(.limit = 40)), NAMES);
    check_loop(batch);
}

/* An invalid address is a name and is looked up. */
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

/* ------------------------------------------------------------------- who waits */

/* Look-ups are bounded also if hundreds of origins are warm and libcurl has forgotten all names. */
TEST_BOTH(of_warm_origins)
{
    enum { MANY = 300 };
    spy.keep_option = forget_names;
    struct raw_server *server = begin(life, 50);
    for (int round = 0; round < 2; round++) {
        names.peak = names.asked = 0;
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 2 * MANY; i++)
            add(batch, text("http://slow%d.test:%d/close-after", i % MANY, raw_port(server)));
        CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = STOOK_NONE)), 0);
        test_note("round %d: at most %u look-ups at once", round, names.peak);
        CHECK(names.asked >= MANY);
        CHECK(names.peak <= calls_of_a_name() * (32 + 64)); /* and those that start in the same turn */
        stook_batch_free(batch);
    }
    spy.keep_option = NULL;
}

static int64_t began_ms, good_ms;

static void note_good(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    if (stook_result_ok(result))
        good_ms = now_ms() - began_ms;
}

/* As soon as hanging look-ups no longer count, all other names are resolved. */
TEST_BOTH(behind_some_that_hang, slow)
{
    struct raw_server *server = begin(life, 4500);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 60; i++)
        ADD(batch, text("http://hung%d.test:%d/", i, raw_port(server)), .attempt_timeout_ms = 4000);
    for (int i = 0; i < 20; i++)
        add(batch, text("http://good%d.test:%d/ok", i, raw_port(server)));
    began_ms = now_ms();
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = STOOK_NONE, .on_result = note_good)), 60);
    test_note("the last good one after %d ms", (int)good_ms);
    CHECK(good_ms < 3500); /* two times a second */
    stook_batch_free(batch);
}

/* The probe ends during its look-up: one of the others becomes the probe, not all of them. */
TEST(probe_gives_up, nginx)
{
    static struct life life;
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2))
        test_skip("this libcurl speaks no HTTP/2");
    struct nginx *nginx = nginx_start();
    life_begin(&life, 1);
    begin(&life, 300);
    life_close(&life);
    life_open(&life, &STOOK_CLIENT(.ca_file = nginx->ca, .http_version = STOOK_HTTP_2));
    spy.on_socket = count_opened;
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < 60; i++)
        ADD(batch, text("https://service.example:%d/number/%d", nginx->tls_port, i),
            .attempt_timeout_ms = i == 0 ? 100 : 0);
    CHECK_EQ_INT(life_gather(&life, batch, &STOOK_GATHER(.limit = STOOK_NONE)), 1);
    stook_batch_free(batch);
    test_note("%u connections", opened);
    CHECK_EQ_INT(opened, 1);
    spy.on_socket = NULL;
    life_end(&life);
}

/* ------------------------------------------------------------ looked up once more */

/* Its connection is reset, so libcurl makes another, and looks the name up, which it has forgotten: the
   program is there already, and may end the request in the middle of that look-up. */
static enum raw_then reset_later(struct raw_call *call)
{
    raw_wait(call->server, "/asked", 1); /* until libcurl has asked for the body */
    return RAW_RESET;
}

static const struct raw_behaviour resetting[] = {{.path = "/reset", .answer = reset_later, .early = 1}, {.path = NULL}};

enum { RESET }; /* its index; another may be behind it */

static struct {
    unsigned asked;   /* look-ups before */
    int laters[2];    /* how often each had nothing to send */
    int fails;        /* now body_read of the first does */
    int breaks;       /* now its CURLM does */
    int errors[2];    /* what was delivered */
    stook_batch *batch;
    struct raw_server *server;
} again;

static int64_t give_nothing(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    (void)buffer, (void)size, (void)user;
    if (!again.fails) {
        if (again.laters[index]++ == 0 && index == RESET)
            raw_signal(again.server, "/asked");
        return STOOK_AGAIN;
    }
    if (index == RESET)
        return -1;
    stook_batch_cancel_request(batch, RESET); /* before anybody has heard of its failure */
    return 0;
}

static void fail_while_looked_up(stook_client *client, void *user)
{
    pthread_mutex_lock(&names.lock);
    int looks = names.asked > again.asked;
    pthread_mutex_unlock(&names.lock);
    size_t count = *(size_t *)user;
    for (size_t i = 0; i < count; i++)
        looks = looks && again.laters[i] > 0;
    if (!looks) {
        CHECK_ERROR(stook_client_post(client, fail_while_looked_up, user), 0);
        return;
    }
    again.fails = 1;
    for (size_t i = 0; i < count; i++)
        stook_batch_resume_request(again.batch, i);
}

static void note_result(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    if (result != NULL)
        again.errors[stook_result_index(result)] = stook_result_error(result);
    pthread_mutex_lock(&names.lock);
    names.done++;
    pthread_mutex_unlock(&names.lock);
}

static int gather_one(struct life *life, const char *url)
{
    stook_batch *batch = life_batch(life);
    add(batch, url);
    int failed = life_gather(life, batch, &STOOK_GATHER(.on_result = note_result));
    stook_batch_free(batch);
    return failed;
}

/* As many results as `enough` come in before the look-up of the first returns. */
static struct raw_server *fail_one(struct life *life, size_t count, int enough, int error)
{
    spy.keep_option = forget_names;
    begin(life, 0);
    struct raw_server *server = raw_server_start(resetting);
    CHECK_EQ_INT(gather_one(life, text("http://slow.test:%d/ok", raw_port(server))), 0);
    names.done = 0;
    names.enough = enough;
    memset(&again, 0, sizeof again);
    again.asked = names.asked;
    again.server = server;
    again.batch = life_batch(life);
    ADD(again.batch, text("http://slow.test:%d/reset", raw_port(server)), .body_read = give_nothing);
    if (count > 1)
        ADD(again.batch, raw_url(server, "/echo"), .body_read = give_nothing);
    CHECK_ERROR(stook_client_post(life->client, fail_while_looked_up, &count), 0);
    CHECK_EQ_INT(life_gather(life, again.batch, &STOOK_GATHER(.on_result = note_result)), 1);
    CHECK_ERROR(again.errors[RESET], error);
    stook_batch_free(again.batch);
    return server;
}

/* A request has failed and is cancelled before that is processed: nothing waits for its look-up. */
TEST_BOTH(failed_and_cancelled)
{
    struct raw_server *server = fail_one(life, 2, 3, STOOK_ECANCELLED);
    CHECK_EQ_INT(gather_one(life, raw_url(server, "/ok")), 0);
    CHECK_EQ_INT(names.gave_up, 0);
    spy.keep_option = NULL;
}

static CURLMcode break_it(CURLM *multi, curl_socket_t fd, CURLMcode code)
{
    (void)multi, (void)fd;
    if (!again.breaks)
        return code;
    again.breaks = 0;
    note_result(NULL, NULL, NULL); /* what comes next may wait for the look-up */
    return CURLM_INTERNAL_ERROR;
}

/* A request has failed, its look-up still runs, and then its CURLM breaks. */
TEST_BOTH(failed_and_broken)
{
    struct raw_server *server = fail_one(life, 1, 2, STOOK_ECALLBACK);
    again.breaks = 1;
    spy.after_action = break_it;
    gather_one(life, text("http://slow.test:%d/ok", raw_port(server)));
    CHECK_EQ_INT(again.breaks, 0);
    spy.after_action = NULL;
    spy.keep_option = NULL;
    life_close(life);
}
