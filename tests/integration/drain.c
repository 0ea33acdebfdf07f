/* SPDX-License-Identifier: MIT */
/* Drain of a client: it accepts nothing new, finishes what it has, then closes; on either loop, from any place. */
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { SOME = 20 };

static struct scene {
    struct life *life;
    struct raw_server *server;
    stook_batch *batch;
    int64_t timeout_ms;
    unsigned results, ok, cut_off;
    unsigned drain_at; /* in on_result, when so many results are there; 0: never */
    unsigned asked;    /* calls of `more` */
} scene;

static void begin(struct life *life)
{
    memset(&scene, 0, sizeof scene);
    scene.life = life;
    scene.server = raw_server_start(NULL);
    scene.timeout_ms = STOOK_NONE;
    life_open(life, NULL);
}

static void tell_drained(void *user)
{
    (void)user;
    scene.life->closed++;
    tell("drained");
}

static void tell_closed(void *user)
{
    (void)user;
    tell("closed");
}

static void tell_done(stook_batch *batch, int failed, void *user)
{
    (void)batch, (void)user;
    tell(text("done:%d", failed));
}

static void never_closed(void *user)
{
    (void)user;
    FAIL("called although it was refused");
}

/* From then on the client is its own. */
static void drain(void)
{
    stook_client *client = scene.life->client;
    CHECK_ERROR(stook_client_drain(client, scene.timeout_ms, tell_drained, NULL), 0);
    CHECK_ERROR(stook_client_drain(client, 0, never_closed, NULL), STOOK_ESTATE);
    CHECK_EQ_INT(scene.life->closed, 0);
}

/* Turn the loop as the program does. */
static void run(void)
{
    struct life *life = scene.life;
    life_run(life);
    life->client = NULL;
    CHECK_EQ_INT(life->closed, 1);
}

static void note_result(stook_batch *batch, const stook_result *result, void *user)
{
    (void)user;
    CHECK(batch == scene.batch);
    scene.ok += stook_result_error(result) == 0;
    scene.cut_off += stook_result_error(result) == STOOK_ECLOSED;
    if (++scene.results == scene.drain_at)
        drain();
}

static void start(const struct stook_gather_options *options)
{
    CHECK_ERROR(stook_gather_start(scene.batch, options, tell_done, NULL), 0);
}

/* ---------------------------------------------------------------------- refused */

TEST(refused)
{
    static struct life life;
    life_begin(&life, 0);
    begin(&life);
    CHECK_ERROR(stook_client_drain(NULL, 0, never_closed, NULL), STOOK_EARG);
    CHECK_ERROR(stook_client_drain(life.client, -2, never_closed, NULL), STOOK_EARG);
    CHECK_ERROR(stook_client_drain(life.client, INT64_MAX, never_closed, NULL), STOOK_EARG);
    scene.batch = life_batch(&life);
    add(scene.batch, raw_url(scene.server, "/ok"));
    CHECK_EQ_INT(stook_gather(scene.batch, NULL), 0); /* no harm done */
    stook_batch_free(scene.batch);
    life_end(&life);
}

static void count_call(stook_client *client, void *user)
{
    (void)client;
    ++*(int *)user;
}

/* What is refused meanwhile, and what is not. */
TEST_BOTH(takes_nothing_new)
{
    int calls = 0;
    begin(life);
    stook_batch *batch = NULL, *open = life_batch(life);
    add(open, raw_url(scene.server, "/ok/open"));
    scene.batch = life_batch(life);
    add(scene.batch, raw_url(scene.server, "/ok"));
    start(NULL);
    drain();
    CHECK_ERROR(stook_batch_new(life->client, &batch), STOOK_ESTATE);
    CHECK(batch == NULL);
    CHECK_ERROR(stook_batch_add(scene.batch, &STOOK_REQUEST(raw_url(scene.server, "/ok"))), STOOK_ESTATE);
    CHECK_CONTAINS(stook_batch_message(scene.batch), "drains");
    CHECK_ERROR(stook_gather_start(open, NULL, tell_done, NULL), STOOK_ESTATE);
    CHECK_CONTAINS(stook_batch_message(open), "drains");
    CHECK_ERROR(stook_gather(open, NULL), STOOK_ESTATE);
    CHECK_ERROR(stook_batch_add(open, &STOOK_REQUEST(raw_url(scene.server, "/ok"))), STOOK_ESTATE);
    CHECK_ERROR(stook_client_post(life->client, count_call, &calls), 0);
    run();
    CHECK_EQ_INT(calls, 1);
    CHECK_STR(told(), "done:1 drained"); /* the add that was refused */
    CHECK_EQ_INT(stook_result_ok(stook_batch_result(scene.batch, 0)), 1);
    CHECK_EQ_INT((int)raw_seen(scene.server, "/ok/open"), 0);
    CHECK_EQ_SIZE(stook_batch_count(open), 1);
    stook_batch_free(scene.batch);
    stook_batch_free(open);
}

/* --------------------------------------------------------------- to their own end */

TEST_BOTH(idle)
{
    begin(life);
    drain();
    run();
    CHECK_STR(told(), "drained");
}

TEST_BOTH(without_a_callback)
{
    begin(life);
    CHECK_ERROR(stook_client_drain(life->client, STOOK_NONE, NULL, NULL), 0);
    life_run(life);
    life->client = NULL;
}

/* Requests in flight and in the queue, in one await or two: all end as without a drain. */
TEST_BOTH(what_waits_continues)
{
    begin(life);
    scene.drain_at = 1;
    stook_batch *other = life_batch(life);
    scene.batch = life_batch(life);
    for (int i = 0; i < SOME; i++) {
        add(scene.batch, raw_url(scene.server, "/delay?ms=%d", i % 3));
        add(other, raw_url(scene.server, "/delay?ms=%d", i % 3));
    }
    CHECK_ERROR(stook_gather_ordered_start(other, &STOOK_GATHER(.limit = 1), tell_done, NULL), 0);
    start(&STOOK_GATHER(.limit = 3, .on_result = note_result));
    run();
    CHECK_STR(told(), "done:0 done:0 drained");
    CHECK_EQ_INT((int)scene.ok, SOME);
    stook_batch_free(scene.batch);
    stook_batch_free(other);
}

static int add_more(stook_batch *batch, void *user)
{
    (void)user;
    add(batch, raw_url(scene.server, "/ok"));
    return ++scene.asked < 1000;
}

static int add_and_drain(stook_batch *batch, void *user)
{
    add_more(batch, user);
    if (scene.asked == 5)
        drain();
    return 1;
}

static int drain_and_have_nothing(stook_batch *batch, void *user)
{
    (void)batch, (void)user;
    if (scene.asked++ == 0)
        drain();
    return STOOK_AGAIN;
}

/* `more` has many more requests; it is not called again, whatever it returned. */
TEST_BOTH(more_counts_as_ended)
{
    begin(life);
    scene.drain_at = 3;
    scene.batch = life_batch(life);
    start(&STOOK_GATHER(.limit = 2, .more = add_more, .on_result = note_result));
    run();
    CHECK_STR(told(), "done:0 drained");
    CHECK(scene.asked < 50);
    CHECK_EQ_SIZE(stook_batch_count(scene.batch), scene.asked);
    CHECK_EQ_INT((int)scene.results, (int)scene.asked);
    stook_batch_free(scene.batch);
}

TEST_BOTH(in_more)
{
    begin(life);
    scene.batch = life_batch(life);
    start(&STOOK_GATHER(.limit = 2, .more = add_and_drain, .on_result = note_result));
    run();
    CHECK_STR(told(), "done:0 drained");
    CHECK_EQ_INT((int)scene.asked, 5);
    CHECK_EQ_INT((int)scene.results, 5);
    stook_batch_free(scene.batch);
}

TEST_BOTH(in_more_without_an_add)
{
    begin(life);
    scene.batch = life_batch(life);
    start(&STOOK_GATHER(.more = drain_and_have_nothing));
    run();
    CHECK_STR(told(), "done:0 drained");
    CHECK_EQ_INT((int)scene.asked, 1);
    stook_batch_free(scene.batch);
}

static void drain_in_done(stook_batch *batch, int failed, void *user)
{
    tell_done(batch, failed, user);
    stook_batch_free(batch);
    drain();
}

TEST_BOTH(in_done)
{
    begin(life);
    scene.batch = life_batch(life);
    add(scene.batch, raw_url(scene.server, "/ok"));
    CHECK_ERROR(stook_gather_start(scene.batch, NULL, drain_in_done, NULL), 0);
    run();
    CHECK_STR(told(), "done:0 drained");
}

static void drain_in_post(stook_client *client, void *user)
{
    (void)user;
    CHECK(client == scene.life->client);
    drain();
}

TEST_BOTH(in_a_posted_call)
{
    begin(life);
    scene.batch = life_batch(life);
    add(scene.batch, raw_url(scene.server, "/ok"));
    start(NULL);
    CHECK_ERROR(stook_client_post(life->client, drain_in_post, NULL), 0);
    run();
    CHECK_STR(told(), "done:0 drained");
    stook_batch_free(scene.batch);
}

/* A connection that dies before an answer costs an idempotent request its repeat. */
TEST_BOTH(repeats_do_not_start)
{
    begin(life);
    scene.batch = life_batch(life);
    add(scene.batch, raw_url(scene.server, "/ok"));
    CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 0);
    stook_batch_free(scene.batch);
    scene.batch = life_batch(life);
    add(scene.batch, raw_url(scene.server, "/swallow?n=1"));
    start(NULL);
    drain();
    run();
    CHECK_STR(told(), "done:1 drained");
    const stook_result *result = stook_batch_result(scene.batch, 0);
    CHECK_ERROR(stook_result_error(result), STOOK_ERESET);
    CHECK_EQ_INT((int)stook_result_attempts(result), 1);
    CHECK_EQ_INT((int)raw_seen(scene.server, "/swallow"), 1);
    stook_batch_free(scene.batch);
}

/* --------------------------------------------------------------------- cut off */

static void add_stalled(void)
{
    scene.batch = life_batch(scene.life);
    for (int i = 0; i < 5; i++)
        add(scene.batch, raw_url(scene.server, i == 0 ? "/ok" : "/stall"));
}

static void check_cut_off(void)
{
    for (size_t i = 1; i < 5; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result_by_index(scene.batch, i)), STOOK_ECLOSED);
    stook_batch_free(scene.batch);
}

TEST_BOTH(cut_off_after_its_time)
{
    begin(life);
    scene.timeout_ms = 50;
    scene.drain_at = 1; /* the one that has an answer */
    add_stalled();
    start(&STOOK_GATHER(.limit = 2, .on_result = note_result));
    run();
    CHECK_STR(told(), "done:4 drained");
    CHECK_EQ_INT((int)scene.ok, 1);
    CHECK_EQ_INT((int)scene.cut_off, 4);
    stook_batch_free(scene.batch);
}

TEST_BOTH(cut_off_at_once)
{
    begin(life);
    scene.timeout_ms = 0;
    add_stalled();
    start(&STOOK_GATHER(.limit = 2));
    drain();
    CHECK_STR(told(), "");
    run();
    CHECK_STR(told(), "done:5 drained");
    check_cut_off();
}

/* Delivery that the program has paused resumes when the time is over. */
TEST_BOTH(cut_off_while_paused)
{
    begin(life);
    scene.timeout_ms = 30;
    scene.batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        add(scene.batch, raw_url(scene.server, "/ok"));
    start(&STOOK_GATHER(.on_result = note_result));
    stook_batch_pause_delivery(scene.batch);
    struct stook_batch_stats stats = STOOK_BATCH_STATS();
    while (stats.finished < 3) {
        if (life->borrowed)
            uv_run(&life->loop, UV_RUN_ONCE);
        else
            CHECK_EQ_INT(stook_client_turn(life->client, STOOK_NONE), 1);
        CHECK_ERROR(stook_batch_stats(scene.batch, &stats), 0);
    }
    CHECK_EQ_INT((int)scene.results, 0);
    drain();
    run();
    CHECK_STR(told(), "done:0 drained");
    CHECK_EQ_INT((int)scene.results, 3);
    stook_batch_free(scene.batch);
}

/* ------------------------------------------------------------- a close meanwhile */

/* From outside: on an owned loop the close does it all. */
TEST_BOTH(closed_meanwhile)
{
    begin(life);
    add_stalled();
    start(&STOOK_GATHER(.limit = 2));
    drain();
    stook_client_close(life->client, tell_closed, NULL);
    if (life->borrowed) {
        CHECK_STR(told(), "");
        stook_client_close(life->client, never_closed, NULL);
        uv_run(&life->loop, UV_RUN_DEFAULT);
    }
    life->client = NULL;
    CHECK_STR(told(), "done:5 drained closed");
    check_cut_off();
}

static void close_in_post(stook_client *client, void *user)
{
    (void)user;
    stook_client_close(client, tell_closed, NULL);
    stook_client_close(client, never_closed, NULL);
    CHECK_ERROR(stook_client_drain(client, 0, never_closed, NULL), STOOK_ESTATE);
}

TEST_BOTH(closed_meanwhile_in_a_callback)
{
    begin(life);
    add_stalled();
    start(&STOOK_GATHER(.limit = 2));
    drain();
    CHECK_ERROR(stook_client_post(life->client, close_in_post, NULL), 0);
    run();
    CHECK_STR(told(), "done:5 drained closed");
    check_cut_off();
}

/* The drain is over and the client is closing: another close still has its `closed` called. */
static void close_and_drain(void *user)
{
    stook_batch *batch = NULL;
    stook_client *client = scene.life->client;
    tell_drained(user);
    CHECK_ERROR(stook_client_drain(client, 0, never_closed, NULL), STOOK_ESTATE);
    CHECK_ERROR(stook_batch_new(client, &batch), STOOK_ESTATE);
    stook_client_close(client, tell_closed, NULL);
    stook_client_close(client, never_closed, NULL);
    CHECK_STR(told(), "drained");
}

TEST_BOTH(closed_in_closed)
{
    begin(life);
    CHECK_ERROR(stook_client_drain(life->client, STOOK_NONE, close_and_drain, NULL), 0);
    life_run(life);
    life->client = NULL;
    CHECK_STR(told(), "drained closed");
}

static void drain_in_closed(void *user)
{
    tell_closed(user);
    CHECK_ERROR(stook_client_drain(scene.life->client, 0, never_closed, NULL), STOOK_ESTATE);
}

TEST_BOTH(refused_while_closing)
{
    begin(life);
    stook_client_close(life->client, drain_in_closed, NULL);
    if (life->borrowed) {
        CHECK_ERROR(stook_client_drain(life->client, 0, never_closed, NULL), STOOK_ESTATE);
        uv_run(&life->loop, UV_RUN_DEFAULT);
    }
    life->client = NULL;
    CHECK_STR(told(), "closed");
}

/* ------------------------------------------------------------ of an owned loop */

static void begin_owned(void)
{
    static struct life life;
    life_begin(&life, 0);
    begin(&life);
}

/* Turns do it, and return more than 0 until it is over. */
TEST(by_turns)
{
    for (int waits = 0; waits <= 1; waits++) {
        int left;
        begin_owned();
        scene.batch = life_batch(scene.life);
        for (int i = 0; i < SOME; i++)
            add(scene.batch, raw_url(scene.server, "/ok"));
        start(&STOOK_GATHER(.limit = 2));
        drain();
        CHECK_EQ_INT(stook_client_timeout_ms(scene.life->client), 0);
        while ((left = stook_client_turn(scene.life->client, waits ? STOOK_NONE : 0)) > 0)
            CHECK_EQ_INT(scene.life->closed, 0);
        scene.life->client = NULL;
        CHECK_ERROR(left, STOOK_ECLOSED);
        CHECK_STR(told(), "done:0 drained");
        stook_batch_free(scene.batch);
        life_end(scene.life);
    }
}

/* The time-out for an outer loop includes the time of the drain. */
TEST(its_time_is_in_the_time_out)
{
    int left = 1;
    begin_owned();
    scene.timeout_ms = 40;
    add_stalled();
    start(&STOOK_GATHER(.limit = 1));
    while (raw_seen(scene.server, "/stall") == 0)
        stook_client_turn(scene.life->client, 5);
    drain();
    for (unsigned turns = 0; left > 0; turns++) {
        int64_t wait = stook_client_timeout_ms(scene.life->client);
        CHECK(wait >= 0 && wait <= 41);
        left = stook_client_turn(scene.life->client, wait);
        CHECK(turns < 100);
    }
    scene.life->client = NULL;
    CHECK_ERROR(left, STOOK_ECLOSED);
    CHECK_STR(told(), "done:4 drained");
    check_cut_off();
    life_end(scene.life);
}

/* In a blocking await: it returns what it would have, and the client is gone with it. */
TEST(in_a_blocking_await)
{
    begin_owned();
    scene.drain_at = 1;
    scene.batch = life_batch(scene.life);
    for (int i = 0; i < SOME; i++)
        add(scene.batch, raw_url(scene.server, i % 2 ? "/ok" : "/status?code=404"));
    CHECK_EQ_INT(stook_gather(scene.batch, &STOOK_GATHER(.limit = 2, .on_result = note_result)), SOME / 2);
    scene.life->client = NULL;
    CHECK_STR(told(), "drained");
    CHECK_EQ_INT((int)scene.results, SOME);
    stook_batch_free(scene.batch);
    life_end(scene.life);
}

/* Results that are pulled are for the program to take: run waits neither for it nor for ever. */
TEST(pulled)
{
    const stook_result *result;
    unsigned taken = 0;
    begin_owned();
    scene.batch = life_batch(scene.life);
    for (int i = 0; i < SOME; i++)
        add(scene.batch, raw_url(scene.server, "/ok"));
    start(&STOOK_GATHER(.limit = 2, .window = 2, .pull = 1));
    drain();
    CHECK_ERROR(stook_client_run(scene.life->client), 0);
    CHECK_EQ_INT(scene.life->closed, 0);
    while (stook_batch_next(scene.batch, &result) == 1) {
        CHECK_EQ_INT(stook_result_ok(result), 1);
        taken++;
    }
    CHECK_EQ_INT((int)taken, SOME);
    scene.life->client = NULL;
    CHECK_STR(told(), "done:0 drained");
    stook_batch_free(scene.batch);
    life_end(scene.life);
}
