/* SPDX-License-Identifier: MIT */
/* on_result: when it is called, in which order, and what it may do. */
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { MANY = 40 };

/* What the callbacks of a test share. */
struct scene {
    struct life *life;
    struct raw_server *server;
    stook_batch *batch;
    size_t results;
    size_t order[MANY];
    struct done other;
};

static void begin(struct scene *scene, struct life *life)
{
    memset(scene, 0, sizeof *scene);
    scene->life = life;
    scene->server = raw_server_start(NULL);
    life_open(life, NULL);
    scene->batch = life_batch(life);
}

static void note_order(struct scene *scene, const stook_result *result)
{
    CHECK(scene->results < MANY);
    scene->order[scene->results++] = stook_result_index(result);
}

/* ------------------------------------------------------------------- order */

/* Each result releases the response of the request before it. */
static void open_previous(stook_batch *batch, const stook_result *result, void *user)
{
    struct scene *scene = user;
    (void)batch;
    note_order(scene, result);
    if (stook_result_index(result) > 0)
        raw_signal(scene->server, text("/open/%zu", stook_result_index(result) - 1));
}

/* Hangs if results are delivered only when all have arrived. */
TEST_BOTH(while_others_are_in_flight)
{
    struct scene scene;
    begin(&scene, life);
    for (int i = 0; i < 5; i++)
        add(scene.batch, i == 4 ? raw_url(scene.server, "/ok")
                                : raw_url(scene.server, "/after?path=/open/%d", i));
    CHECK_EQ_INT(life_gather(life, scene.batch, &STOOK_GATHER(.on_result = open_previous, .user = &scene)),
                 0);
    for (size_t i = 0; i < 5; i++)
        CHECK_EQ_SIZE(scene.order[i], 4 - i);
    CHECK_EQ_SIZE(stook_batch_count(scene.batch), 5);
    CHECK(stook_batch_result(scene.batch, 0) == NULL); /* they were borrowed */
    CHECK(stook_batch_result_by_index(scene.batch, 4) == NULL);
    stook_batch_free(scene.batch);
}

/* The result of the head releases all other responses. */
static void open_all(stook_batch *batch, const stook_result *result, void *user)
{
    struct scene *scene = user;
    (void)batch;
    note_order(scene, result);
    if (stook_result_index(result) == 0)
        raw_signal(scene->server, "/open");
}

TEST_BOTH(head_is_delivered_at_once)
{
    struct scene scene;
    begin(&scene, life);
    add(scene.batch, raw_url(scene.server, "/ok"));
    for (int i = 1; i < 10; i++)
        add(scene.batch, raw_url(scene.server, "/after/%d?path=/open", i));
    CHECK_EQ_INT(life_gather_ordered(life, scene.batch, &STOOK_GATHER(.on_result = open_all, .user = &scene)),
                 0);
    for (size_t i = 0; i < 10; i++)
        CHECK_EQ_SIZE(scene.order[i], i);
    stook_batch_free(scene.batch);
}

/* ------------------------------------------------------------------ window */

struct window {
    struct raw_server *server;
    unsigned delivered, most;
};

/* The server cannot see more requests than were started. */
static void watch_window(stook_batch *batch, const stook_result *result, void *user)
{
    struct window *window = user;
    (void)batch;
    unsigned seen = raw_seen(window->server, "/ok") + raw_seen(window->server, "/after");
    CHECK_EQ_SIZE(stook_result_index(result), window->delivered);
    if (seen - window->delivered > window->most)
        window->most = seen - window->delivered;
    window->delivered++;
}

/* The head is late: all requests that may start have reached the server long before. */
static void await_late_head(struct life *life, const struct stook_gather_options *options, unsigned expected)
{
    struct window window = {raw_server_start(NULL), 0, 0};
    struct stook_gather_options own = *options;
    own.on_result = watch_window;
    own.user = &window;
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(window.server, "/after?path=/ok&n=%u&ms=150", expected - 1));
    for (int i = 0; i < 150; i++)
        add(batch, raw_url(window.server, "/ok"));
    CHECK_EQ_INT(life_gather_ordered(life, batch, &own), 0);
    CHECK_EQ_INT(window.delivered, 151);
    CHECK_EQ_INT(window.most, expected);
    stook_batch_free(batch);
}

TEST_BOTH(window)
{
    life_open(life, NULL);
    await_late_head(life, &STOOK_GATHER(.limit = 4, .window = 10), 10);
    await_late_head(life, &STOOK_GATHER(.limit = 4, .window = 4), 4);
    await_late_head(life, &STOOK_GATHER(.window = 7), 7);
}

TEST_BOTH(window_by_default)
{
    life_open(life, NULL);
    await_late_head(life, &STOOK_GATHER(.limit = 3), 64);
    await_late_head(life, &STOOK_GATHER(.limit = 20), 80);
}

/* With a window of one requests run one after the other, and the await ends. */
TEST_BOTH(window_of_one)
{
    struct window window = {raw_server_start(NULL), 0, 0};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(window.server, "/ok"));
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.window = 1, .on_result = watch_window,
                                                                .user = &window)), 0);
    CHECK_EQ_INT(window.most, 1);
    stook_batch_free(batch);
}

/* The bytes of results that wait for the head count too: at 64 MiB nothing else starts. */
static void watch_bytes(stook_batch *batch, const stook_result *result, void *user)
{
    struct scene *scene = user;
    (void)batch;
    if (stook_result_index(result) == 0)
        scene->results = raw_seen(scene->server, "/big");
}

TEST_BOTH(bytes_held)
{
    enum { BIG = 4 << 20, FULL = (64 << 20) / BIG };
    struct scene scene;
    begin(&scene, life);
    add(scene.batch, raw_url(scene.server, "/after?path=/big&n=%d&ms=200", FULL));
    for (int i = 0; i < 2 * FULL; i++)
        add(scene.batch, raw_url(scene.server, "/big?n=%d", BIG));
    CHECK_EQ_INT(life_gather_ordered(
                     life, scene.batch,
                     &STOOK_GATHER(.limit = 3, .window = 1000, .on_result = watch_bytes, .user = &scene)),
                 0);
    CHECK(scene.results >= FULL);
    CHECK(scene.results <= FULL + 2); /* those that were in flight when the last of 64 MiB came */
    stook_batch_free(scene.batch);
}

/* -------------------------------------------------------------- what it may do */

/* Each of the first three results adds two requests. */
static void add_two(stook_batch *batch, const stook_result *result, void *user)
{
    struct scene *scene = user;
    note_order(scene, result);
    if (stook_result_index(result) < 3)
        for (int i = 0; i < 2; i++)
            add(batch, raw_url(scene->server, "/ok"));
}

TEST_BOTH(adds_join)
{
    for (int ordered = 0; ordered <= 1; ordered++) {
        struct scene scene;
        begin(&scene, life);
        add(scene.batch, raw_url(scene.server, "/ok"));
        CHECK_EQ_INT((ordered ? life_gather_ordered : life_gather)(
                         life, scene.batch, &STOOK_GATHER(.limit = 2, .on_result = add_two, .user = &scene)),
                     0);
        CHECK_EQ_SIZE(scene.results, 7);
        CHECK_EQ_SIZE(stook_batch_count(scene.batch), 7);
        stook_batch_free(scene.batch);
        life_close(life);
    }
}

static void free_it(stook_batch *batch, const stook_result *result, void *user)
{
    struct scene *scene = user;
    note_order(scene, result);
    if (scene->results == 2)
        stook_batch_free(batch);
    CHECK(stook_result_url(result)[0] != '\0'); /* valid until we return */
}

static void note_done(stook_batch *batch, int failed, void *user)
{
    struct done *done = user;
    CHECK_EQ_SIZE(stook_batch_count(batch), 5); /* still there */
    count_done(batch, failed, done);
}

/* Cancel, then free after done: every result is still delivered. */
TEST_BOTH(frees_its_batch)
{
    struct scene scene;
    struct done done = {0, 0};
    begin(&scene, life);
    for (int i = 0; i < 5; i++)
        add(scene.batch, raw_url(scene.server, i < 2 ? "/ok" : "/stall"));
    CHECK_ERROR(stook_gather_start(scene.batch, &STOOK_GATHER(.on_result = free_it, .user = &scene),
                                   note_done, &done), 0);
    life_run(life);
    CHECK_EQ_SIZE(scene.results, 5);
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(done.failed, 3);
}

/* The blocking verbs return the count of a batch that a callback has freed. */
TEST(frees_its_batch_blocking)
{
    static struct life life;
    struct scene scene;
    life_begin(&life, 0);
    begin(&scene, &life);
    for (int i = 0; i < 5; i++)
        add(scene.batch, raw_url(scene.server, i < 2 ? "/ok" : "/stall"));
    CHECK_EQ_INT(stook_gather(scene.batch, &STOOK_GATHER(.on_result = free_it, .user = &scene)), 3);
    CHECK_EQ_SIZE(scene.results, 5);
    life_end(&life);
}

static void free_in_done(stook_batch *batch, int failed, void *user)
{
    count_done(batch, failed, user);
    stook_batch_free(batch);
}

TEST_BOTH(frees_in_done)
{
    struct scene scene;
    struct done done = {0, 0};
    begin(&scene, life);
    for (int i = 0; i < 3; i++)
        add(scene.batch, raw_url(scene.server, "/ok"));
    CHECK_ERROR(stook_gather_start(scene.batch, NULL, free_in_done, &done), 0);
    life_run(life);
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(done.failed, 0);
}

/* A chain: each `done` starts the next await, until ten are over. */
static void start_next(stook_batch *batch, int failed, void *user)
{
    struct scene *scene = user;
    CHECK_EQ_INT(failed, 0);
    stook_batch_free(batch);
    if (++scene->results == 10)
        return;
    stook_batch *next = life_batch(scene->life);
    add(next, raw_url(scene->server, "/ok"));
    CHECK_ERROR(stook_gather_start(next, NULL, start_next, scene), 0);
}

TEST_BOTH(starts_in_done)
{
    struct scene scene;
    begin(&scene, life);
    add(scene.batch, raw_url(scene.server, "/ok"));
    CHECK_ERROR(stook_gather_start(scene.batch, NULL, start_next, &scene), 0);
    life_run(life);
    CHECK_EQ_SIZE(scene.results, 10);
}

static void start_other(stook_batch *batch, const stook_result *result, void *user)
{
    struct scene *scene = user;
    (void)batch, (void)result;
    scene->results++;
    stook_batch *other = life_batch(scene->life);
    add(other, raw_url(scene->server, "/ok"));
    CHECK_ERROR(stook_gather_ordered_start(other, NULL, free_in_done, &scene->other), 0);
    CHECK_EQ_INT(scene->other.calls, 0);
}

TEST_BOTH(starts_in_on_result)
{
    struct scene scene;
    begin(&scene, life);
    add(scene.batch, raw_url(scene.server, "/ok"));
    CHECK_EQ_INT(life_gather(life, scene.batch, &STOOK_GATHER(.on_result = start_other, .user = &scene)), 0);
    life_run(life); /* the blocking verb ends with its own batch */
    CHECK_EQ_SIZE(scene.results, 1);
    CHECK_EQ_INT(scene.other.calls, 1);
    stook_batch_free(scene.batch);
}

/* A blocking await in a callback would wait for itself. */
static void try_to_block(stook_batch *batch, const stook_result *result, void *user)
{
    struct scene *scene = user;
    stook_batch *other = life_batch(scene->life);
    note_order(scene, result);
    CHECK(batch == scene->batch);
    CHECK_ERROR(stook_gather(other, NULL), STOOK_ESTATE);
    CHECK_CONTAINS(stook_batch_message(other), "stook_gather_start");
    CHECK_ERROR(stook_gather_ordered(other, NULL), STOOK_ESTATE);
    CHECK_CONTAINS(stook_batch_message(other), "stook_gather_start");
    CHECK_ERROR(stook_client_run(scene->life->client), STOOK_ESTATE);
    stook_batch_free(other);
}

static int try_to_block_in_more(stook_batch *batch, void *user)
{
    struct scene *scene = user;
    CHECK_ERROR(stook_gather(batch, NULL), STOOK_ESTATE);
    CHECK_ERROR(stook_client_run(scene->life->client), STOOK_ESTATE);
    tell("more");
    return 0;
}

static void try_to_block_in_done(stook_batch *batch, int failed, void *user)
{
    struct scene *scene = user;
    CHECK_EQ_INT(failed, 0);
    CHECK_ERROR(stook_gather(batch, NULL), STOOK_ESTATE);
    CHECK_ERROR(stook_client_run(scene->life->client), STOOK_ESTATE);
    tell("done");
}

TEST_BOTH(blocking_is_refused)
{
    struct scene scene;
    begin(&scene, life);
    for (int i = 0; i < 3; i++)
        add(scene.batch, raw_url(scene.server, "/ok"));
    CHECK_ERROR(stook_gather_start(scene.batch,
                                   &STOOK_GATHER(.on_result = try_to_block, .more = try_to_block_in_more,
                                                 .user = &scene), try_to_block_in_done, &scene), 0);
    life_run(life);
    CHECK_EQ_SIZE(scene.results, 3);
    CHECK_STR(told(), "more done");
    stook_batch_free(scene.batch);
}

/* ----------------------------------------------------- never from inside the call */

static void tell_result(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result, (void)user;
    tell("result");
}

static int tell_more(stook_batch *batch, void *user)
{
    (void)batch, (void)user;
    tell("more");
    return 0;
}

static void tell_done(stook_batch *batch, int failed, void *user)
{
    (void)batch, (void)failed, (void)user;
    tell("done");
}

/* Even if everything is known at once: no request, a bad URL, all cancelled. */
TEST_BOTH(never_from_inside_start)
{
    life_open(life, NULL);
    for (int i = 0; i < 6; i++) {
        stook_batch *batch = life_batch(life);
        if (i % 3 > 0)
            add(batch, "nonsense");
        if (i % 3 > 1)
            stook_batch_cancel(batch);
        tell("start");
        CHECK_ERROR((i < 3 ? stook_gather_start : stook_gather_ordered_start)(
                        batch, &STOOK_GATHER(.on_result = tell_result, .more = i % 3 > 1 ? NULL : tell_more),
                        tell_done, NULL), 0);
        tell("started");
        life_run(life);
        stook_batch_free(batch);
    }
    CHECK_STR(told(), "start started more done start started more result done start started result done "
                      "start started more done start started more result done start started result done");
}
