/* SPDX-License-Identifier: MIT */
/* Close of a client, at any moment: results are STOOK_ECLOSED, then `done` runs, then `closed`, then nothing. */
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { MANY = 32 };

struct scene {
    struct life *life;
    struct raw_server *server;
    unsigned results[MANY];
    int errors[MANY];
    int close_at; /* close in on_result of this index; -1: never */
};

static void tell_closed(void *user)
{
    struct scene *scene = user;
    scene->life->closed++;
    tell("closed");
}

static void never_closed(void *user)
{
    (void)user;
    FAIL("the second close is ignored, its callback never runs");
}

static void tell_done(stook_batch *batch, int failed, void *user)
{
    (void)batch, (void)user;
    tell(text("done:%d", failed));
}

/* From inside a callback it only marks: the client works until the callback returns. */
static void close_inside(struct scene *scene)
{
    stook_batch *batch = NULL;
    stook_client *client = scene->life->client;
    stook_client_close(client, tell_closed, scene);
    stook_client_close(client, never_closed, NULL);
    CHECK_ERROR(stook_batch_new(client, &batch), STOOK_ESTATE);
    CHECK(batch == NULL);
    CHECK_EQ_INT(scene->life->closed, 0);
    scene->life->client = NULL;
}

static void note_result(stook_batch *batch, const stook_result *result, void *user)
{
    struct scene *scene = user;
    size_t index = stook_result_index(result);
    CHECK(index < MANY);
    scene->results[index]++;
    scene->errors[index] = stook_result_error(result);
    if ((int)index != scene->close_at)
        return;
    close_inside(scene);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST("http://127.0.0.1/")), STOOK_ESTATE);
    CHECK_ERROR(stook_gather(batch, NULL), STOOK_ESTATE);
}

static void begin(struct scene *scene, struct life *life)
{
    memset(scene, 0, sizeof *scene);
    scene->close_at = -1;
    scene->life = life;
    scene->server = raw_server_start(NULL);
    life_open(life, NULL);
}

static void close_now(struct scene *scene)
{
    stook_client *client = scene->life->client;
    scene->life->client = NULL;
    stook_client_close(client, tell_closed, scene);
    if (!scene->life->borrowed)
        return;
    CHECK_EQ_INT(scene->life->closed, 0);
    uv_run(&scene->life->loop, UV_RUN_DEFAULT);
}

static void check_each(const struct scene *scene, size_t from, size_t to, int error)
{
    for (size_t i = from; i < to; i++) {
        test_note("request %zu", i);
        CHECK_EQ_INT(scene->results[i], 1);
        CHECK_ERROR(scene->errors[i], error);
    }
}

TEST_BOTH(idle)
{
    struct scene scene;
    begin(&scene, life);
    close_now(&scene);
    CHECK_STR(told(), "closed");
}

TEST_BOTH(without_a_callback)
{
    life_open(life, NULL);
    stook_client_close(life->client, NULL, NULL);
    life->client = NULL;
}

/* An open batch has no results, accepts no adds, and can be freed. */
TEST_BOTH(open_batch)
{
    struct scene scene;
    begin(&scene, life);
    stook_batch *batch = life_batch(life), *empty = life_batch(life);
    for (int i = 0; i < 5; i++)
        add(batch, raw_url(scene.server, "/ok"));
    close_now(&scene);
    CHECK_EQ_SIZE(stook_batch_count(batch), 5);
    CHECK(stook_batch_result(batch, 0) == NULL);
    CHECK(stook_batch_result_by_index(batch, 0) == NULL);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST("http://127.0.0.1/")), STOOK_ESTATE);
    CHECK_ERROR(stook_gather(batch, NULL), STOOK_ESTATE);
    CHECK_ERROR(stook_gather_ordered(batch, NULL), STOOK_ESTATE);
    CHECK_ERROR(stook_gather_start(batch, NULL, tell_done, NULL), STOOK_ESTATE);
    CHECK(stook_batch_message(batch)[0] != '\0');
    stook_batch_cancel_request(batch, 0);
    stook_batch_free(batch);
    stook_batch_free(empty);
    CHECK_STR(told(), "closed");
    CHECK_EQ_INT(raw_connections(scene.server), 0);
}

/* Started, and closed before the loop runs. */
TEST_BOTH(before_the_first_turn)
{
    struct scene scene;
    begin(&scene, life);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 5; i++)
        add(batch, raw_url(scene.server, "/ok"));
    CHECK_ERROR(stook_gather_start(batch, NULL, tell_done, NULL), 0);
    close_now(&scene);
    CHECK_STR(told(), "done:5 closed");
    for (size_t i = 0; i < 5; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        CHECK_ERROR(stook_result_error(result), STOOK_ECLOSED);
        CHECK_EQ_INT(stook_result_attempts(result), 0);
        CHECK_STR(stook_result_message(result), stook_strerror(STOOK_ECLOSED));
    }
    stook_batch_free(batch);
    CHECK_EQ_INT(raw_seen(scene.server, "/ok"), 0);
}

/* Some in flight, some queued; closed from a callback. */
static void close_in_flight(struct life *life, int ordered)
{
    struct scene scene;
    begin(&scene, life);
    scene.close_at = 0;
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(scene.server, "/after?path=/stall&n=3"));
    for (int i = 0; i < 8; i++)
        add(batch, raw_url(scene.server, "/stall"));
    CHECK_ERROR(
        (ordered ? stook_gather_ordered_start : stook_gather_start)(
            batch, &STOOK_GATHER(.limit = 4, .on_result = note_result, .user = &scene), tell_done, NULL),
        0);
    life_run(life);
    CHECK_STR(told(), "done:9 closed"); /* eight, and the add that came too late */
    check_each(&scene, 0, 1, 0);
    check_each(&scene, 1, 9, STOOK_ECLOSED);
    CHECK_EQ_SIZE(stook_batch_count(batch), 9);
    stook_batch_free(batch);
}

TEST_BOTH(in_flight)
{
    close_in_flight(life, 0);
}

TEST_BOTH(in_flight_ordered)
{
    close_in_flight(life, 1);
}

/* The blocking await that called the callback finishes the work, and returns after `closed`. */
TEST(in_flight_blocking)
{
    static struct life life;
    struct scene scene;
    life_begin(&life, 0);
    begin(&scene, &life);
    scene.close_at = 1;
    stook_batch *batch = life_batch(&life);
    add(batch, raw_url(scene.server, "/stall"));
    add(batch, raw_url(scene.server, "/after?path=/stall"));
    add(batch, raw_url(scene.server, "/stall"));
    CHECK_EQ_INT(stook_gather(batch, &STOOK_GATHER(.limit = 2, .on_result = note_result, .user = &scene)), 3);
    CHECK_STR(told(), "closed");
    check_each(&scene, 0, 1, STOOK_ECLOSED);
    check_each(&scene, 1, 2, 0);
    check_each(&scene, 2, 3, STOOK_ECLOSED);
    CHECK_EQ_SIZE(stook_batch_count(batch), 3);
    stook_batch_free(batch);
    life_end(&life);
}

/* Several awaits are all done before `closed`, whoever kept their results. */
TEST_BOTH(several_awaits)
{
    struct scene scene;
    stook_batch *batches[4];
    begin(&scene, life);
    for (int i = 0; i < 4; i++) {
        batches[i] = life_batch(life);
        for (int k = 0; k < 3; k++)
            add(batches[i], raw_url(scene.server, "/stall"));
        CHECK_ERROR((i % 2 ? stook_gather_ordered_start : stook_gather_start)(
                        batches[i], &STOOK_GATHER(.limit = 2), tell_done, NULL), 0);
    }
    stook_batch *last = life_batch(life);
    add(last, raw_url(scene.server, "/after?path=/stall&n=8"));
    scene.close_at = 0;
    CHECK_ERROR(stook_gather_start(last, &STOOK_GATHER(.on_result = note_result, .user = &scene), NULL, NULL),
                0);
    life_run(life);
    CHECK_STR(told(), "done:3 done:3 done:3 done:3 closed");
    for (int i = 0; i < 4; i++) {
        for (size_t k = 0; k < 3; k++)
            CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batches[i], k)), STOOK_ECLOSED);
        stook_batch_free(batches[i]);
    }
    stook_batch_free(last);
}

/* ---------------------------------------------------------- in other callbacks */

static void close_in_done(stook_batch *batch, int failed, void *user)
{
    tell_done(batch, failed, user);
    close_inside(user);
}

TEST_BOTH(in_done)
{
    struct scene scene;
    begin(&scene, life);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(scene.server, "/ok"));
    CHECK_ERROR(stook_gather_start(batch, NULL, close_in_done, &scene), 0);
    life_run(life);
    CHECK_STR(told(), "done:0 closed");
    CHECK_EQ_INT(stook_result_ok(stook_batch_result(batch, 0)), 1);
    stook_batch_free(batch);
}

/* Free and close in one callback. */
static void free_and_close_in_done(stook_batch *batch, int failed, void *user)
{
    tell_done(batch, failed, user);
    stook_batch_free(batch);
    close_inside(user);
}

TEST_BOTH(free_and_close)
{
    struct scene scene;
    begin(&scene, life);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(scene.server, "/ok"));
    CHECK_ERROR(stook_gather_start(batch, NULL, free_and_close_in_done, &scene), 0);
    life_run(life);
    CHECK_STR(told(), "done:0 closed");
}

static int close_in_more(stook_batch *batch, void *user)
{
    struct scene *scene = user;
    tell("more");
    for (int i = 0; i < 3; i++)
        add(batch, raw_url(scene->server, "/ok"));
    close_inside(scene);
    return 1;
}

TEST_BOTH(in_more)
{
    struct scene scene;
    begin(&scene, life);
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(
        stook_gather_start(batch, &STOOK_GATHER(.more = close_in_more, .user = &scene), tell_done, NULL), 0);
    life_run(life);
    CHECK_STR(told(), "more done:3 closed");
    for (size_t i = 0; i < 3; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, i)), STOOK_ECLOSED);
    stook_batch_free(batch);
}

static void close_in_call(stook_client *client, void *user)
{
    (void)client;
    tell("called");
    close_inside(user);
}

TEST_BOTH(in_a_posted_call)
{
    struct scene scene;
    begin(&scene, life);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(scene.server, "/stall"));
    CHECK_ERROR(stook_gather_start(batch, NULL, tell_done, NULL), 0);
    CHECK_ERROR(stook_client_post(life->client, close_in_call, &scene), 0);
    life_run(life);
    CHECK_STR(told(), "called done:1 closed");
    stook_batch_free(batch);
}

/* stook_client_run() ends the client that was closed inside it, and returns 0: no await needed. */
TEST(in_run)
{
    static struct life life;
    struct scene scene;
    life_begin(&life, 0);
    begin(&scene, &life);
    CHECK_ERROR(stook_client_post(life.client, close_in_call, &scene), 0);
    CHECK_ERROR(stook_client_run(life.client), 0);
    CHECK_STR(told(), "called closed");
    life_end(&life);
}

/* `closed` is the last callback: it may free what is left. */
static void free_in_closed(void *user)
{
    tell("closed");
    stook_batch_free(user);
}

TEST_BOTH(freed_in_closed)
{
    struct scene scene;
    begin(&scene, life);
    for (int awaited = 0; awaited <= 1; awaited++) {
        stook_batch *batch = life_batch(life);
        add(batch, raw_url(scene.server, "/stall"));
        if (awaited)
            CHECK_ERROR(stook_gather_start(batch, NULL, tell_done, NULL), 0);
        stook_client_close(life->client, free_in_closed, batch);
        life->client = NULL;
        if (life->borrowed)
            uv_run(&life->loop, UV_RUN_DEFAULT);
        if (!awaited)
            life_open(life, NULL);
    }
    CHECK_STR(told(), "closed done:1 closed");
}

/* --------------------------------------------------------------- borrowed loops */

/* Idle connections do not keep the program's loop alive; they close with the client. */
TEST(idle_connections_hold_no_loop)
{
    static struct life life;
    struct raw_server *server = raw_server_start(NULL);
    life_begin(&life, 1);
    life_open(&life, NULL);
    CHECK_EQ_INT(uv_loop_alive(&life.loop), 0);
    CHECK_EQ_INT(uv_run(&life.loop, UV_RUN_DEFAULT), 0);
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < 5; i++)
        add(batch, raw_url(server, "/after?path=/after&n=5"));
    CHECK_EQ_INT(uv_loop_alive(&life.loop), 0); /* a batch that is not awaited is no work */
    CHECK_EQ_INT(life_gather(&life, batch, NULL), 0);
    CHECK_EQ_INT(uv_loop_alive(&life.loop), 0);
    CHECK_EQ_INT(raw_connections(server), 5);
    stook_batch_free(batch);
    life_end(&life);
}

/* The loop is the program's: its own timer runs during the close. */
static void tick(uv_timer_t *timer)
{
    if (++*(int *)timer->data == 3)
        uv_close((uv_handle_t *)timer, NULL);
}

TEST(the_loop_continues)
{
    static struct life life;
    struct scene scene;
    uv_timer_t timer;
    int ticks = 0;
    life_begin(&life, 1);
    begin(&scene, &life);
    uv_timer_init(&life.loop, &timer);
    timer.data = &ticks;
    uv_timer_start(&timer, tick, 1, 1);
    close_now(&scene);
    CHECK_EQ_INT(ticks, 3);
    CHECK_STR(told(), "closed");
    life_end(&life);
}

/* A second client leaves no more behind than a first one. */
TEST_BOTH(a_hundred_lives)
{
    struct raw_server *server = raw_server_start(NULL);
    size_t fds = 0;
    for (int i = 0; i < 100; i++) {
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        add(batch, raw_url(server, "/ok"));
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        stook_batch_free(batch);
        life_close(life);
        if (i == 0)
            fds = test_count_fds();
        CHECK_EQ_SIZE(test_count_fds(), fds);
        memory_check_empty(&life->memory);
    }
}
