/* SPDX-License-Identifier: MIT */
/* Cancel, at any moment: each request has exactly one result. */
#include <pthread.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { MANY = 32 };

struct scene {
    struct raw_server *server;
    unsigned results[MANY];
    int errors[MANY];
    unsigned attempts[MANY];
    int acts; /* what to do at the first result */
};

static void begin(struct scene *scene, struct life *life)
{
    memset(scene, 0, sizeof *scene);
    scene->server = raw_server_start(NULL);
    life_open(life, NULL);
}

enum { CANCEL_ALL, CANCEL_TWICE, CANCEL_ONE };

static void cancel_some(stook_batch *batch)
{
    static const size_t some[] = {0, 1, 2, 6, 4711};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        stook_batch_cancel_request(batch, some[i]);
}

static void note_and_act(stook_batch *batch, const stook_result *result, void *user)
{
    struct scene *scene = user;
    size_t index = stook_result_index(result);
    CHECK(index < MANY);
    scene->results[index]++;
    scene->errors[index] = stook_result_error(result);
    scene->attempts[index] = stook_result_attempts(result);
    if (index != 0)
        return;
    if (scene->acts != CANCEL_ONE)
        stook_batch_cancel(batch);
    if (scene->acts == CANCEL_TWICE)
        stook_batch_cancel(batch);
    if (scene->acts == CANCEL_ONE)
        cancel_some(batch);
}

static void check_each(const struct scene *scene, size_t from, size_t to, int error, unsigned attempts)
{
    for (size_t i = from; i < to; i++) {
        test_note("request %zu", i);
        CHECK_EQ_INT(scene->results[i], 1);
        CHECK_ERROR(scene->errors[i], error);
        CHECK_EQ_INT(scene->attempts[i], attempts);
    }
}

/* The first result comes when all others are in flight. */
TEST_BOTH(in_flight)
{
    for (int acts = CANCEL_ALL; acts <= CANCEL_TWICE; acts++) {
        struct scene scene;
        begin(&scene, life);
        scene.acts = acts;
        stook_batch *batch = life_batch(life);
        add(batch, raw_url(scene.server, "/after?path=/stall&n=9"));
        for (int i = 0; i < 9; i++)
            add(batch, raw_url(scene.server, "/stall"));
        CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.on_result = note_and_act, .user = &scene)), 9);
        check_each(&scene, 0, 1, 0, 1);
        check_each(&scene, 1, 10, STOOK_ECANCELLED, 1);
        stook_batch_free(batch);
        life_close(life);
    }
}

TEST_BOTH(in_flight_ordered)
{
    struct scene scene;
    begin(&scene, life);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(scene.server, "/after?path=/stall&n=5"));
    for (int i = 0; i < 5; i++)
        add(batch, raw_url(scene.server, "/stall"));
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.on_result = note_and_act, .user = &scene)),
                 5);
    check_each(&scene, 1, 6, STOOK_ECANCELLED, 1);
    stook_batch_free(batch);
}

TEST_BOTH(waiting)
{
    struct scene scene;
    begin(&scene, life);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(scene.server, "/after?path=/stall"));
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(scene.server, "/stall"));
    CHECK_EQ_INT(
        life_gather(life, batch, &STOOK_GATHER(.limit = 2, .on_result = note_and_act, .user = &scene)), 20);
    check_each(&scene, 1, 2, STOOK_ECANCELLED, 1);
    check_each(&scene, 2, 3, STOOK_ECANCELLED, scene.attempts[2]); /* may have had the place of the first */
    check_each(&scene, 3, 21, STOOK_ECANCELLED, 0);
    CHECK(raw_seen(scene.server, "/stall") <= 2);
    stook_batch_free(batch);
}

/* Finished, in flight, queued, unknown; the others continue. */
TEST_BOTH(one_by_one)
{
    struct scene scene;
    begin(&scene, life);
    scene.acts = CANCEL_ONE;
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(scene.server, "/after?path=/stall&n=2")); /* 0: finished by then */
    add(batch, raw_url(scene.server, "/stall"));                 /* 1, 2: in flight */
    add(batch, raw_url(scene.server, "/stall"));
    for (int i = 3; i < 9; i++)
        add(batch, raw_url(scene.server, "/ok")); /* 6: waiting */
    CHECK_EQ_INT(
        life_gather(life, batch, &STOOK_GATHER(.limit = 3, .on_result = note_and_act, .user = &scene)), 3);
    check_each(&scene, 0, 1, 0, 1);
    check_each(&scene, 1, 3, STOOK_ECANCELLED, 1);
    check_each(&scene, 3, 6, 0, 1);
    check_each(&scene, 6, 7, STOOK_ECANCELLED, 0);
    check_each(&scene, 7, 9, 0, 1);
    CHECK_EQ_INT(raw_seen(scene.server, "/ok"), 5);
    stook_batch_free(batch);
}

/* Before the await: cancelled when awaited, nothing is sent. */
TEST_BOTH(before_the_await)
{
    struct scene scene;
    begin(&scene, life);
    for (int ordered = 0; ordered <= 1; ordered++) {
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 3; i++)
            add(batch, raw_url(scene.server, "/ok"));
        stook_batch_cancel(batch);
        stook_batch_cancel(batch);
        life_run(life);
        CHECK(stook_batch_result_by_index(batch, 0) == NULL); /* results come with the await */
        CHECK_EQ_INT((ordered ? life_gather_ordered : life_gather)(life, batch, NULL), 3);
        for (size_t i = 0; i < 3; i++) {
            const stook_result *result = stook_batch_result(batch, i);
            CHECK_EQ_SIZE(stook_result_index(result), i);
            CHECK_ERROR(stook_result_error(result), STOOK_ECANCELLED);
            CHECK_STR(stook_result_message(result), stook_strerror(STOOK_ECANCELLED));
            CHECK_EQ_INT(stook_result_attempts(result), 0);
        }
        stook_batch_free(batch);
    }
    CHECK_EQ_INT(raw_connections(scene.server), 0);
}

/* One request of an open batch; the others run. */
TEST_BOTH(one_before_the_await)
{
    struct scene scene;
    begin(&scene, life);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        add(batch, raw_url(scene.server, "/ok"));
    stook_batch_cancel_request(batch, 1);
    stook_batch_cancel_request(batch, 1);
    stook_batch_cancel_request(batch, 3);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 1);
    CHECK_EQ_INT(stook_result_ok(stook_batch_result(batch, 0)), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 1)), STOOK_ECANCELLED);
    CHECK_EQ_INT(stook_result_ok(stook_batch_result(batch, 2)), 1);
    CHECK_EQ_INT(raw_seen(scene.server, "/ok"), 2);
    stook_batch_free(batch);
}

TEST_BOTH(after_done)
{
    struct scene scene;
    begin(&scene, life);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(scene.server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_cancel(batch);
    stook_batch_cancel_request(batch, 0);
    life_run(life);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), 0);
    stook_batch_free(batch);
}

static void add_too_late(stook_batch *batch, const stook_result *result, void *user)
{
    (void)user;
    if (stook_result_index(result) != 0)
        return;
    stook_batch_cancel(batch);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(stook_result_url(result))), STOOK_ESTATE);
}

/* An add after a cancel is refused, and counts like every add that fails during an await. */
TEST_BOTH(add_after_it)
{
    struct scene scene;
    begin(&scene, life);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(scene.server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.on_result = add_too_late)), 1);
    CHECK_EQ_SIZE(stook_batch_count(batch), 1);
    stook_batch_free(batch);
}

/* Started and cancelled before the loop runs. */
TEST_BOTH(before_the_first_turn)
{
    struct scene scene;
    struct done done = {0, 0};
    begin(&scene, life);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        add(batch, raw_url(scene.server, "/ok"));
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.on_result = note_and_act, .user = &scene),
                                   count_done, &done),
                0);
    stook_batch_cancel(batch);
    CHECK_EQ_INT(done.calls, 0); /* never from inside the call */
    CHECK_EQ_INT(scene.results[0], 0);
    life_run(life);
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(done.failed, 3);
    check_each(&scene, 0, 3, STOOK_ECANCELLED, 0);
    CHECK_EQ_INT(raw_seen(scene.server, "/ok"), 0);
    stook_batch_free(batch);
}

/* --------------------------------------------------------------- other threads */

struct other {
    struct raw_server *server;
    stook_batch *batch;
    int times;
};

static void *cancel_when_seen(void *user)
{
    struct other *other = user;
    raw_wait(other->server, "/stall", 3);
    for (int i = 0; i < other->times; i++)
        stook_batch_cancel(other->batch);
    return NULL;
}

TEST_BOTH(from_other_threads)
{
    enum { THREADS = 4 };
    struct scene scene;
    pthread_t threads[THREADS];
    begin(&scene, life);
    stook_batch *batch = life_batch(life);
    struct other other = {scene.server, batch, 100};
    for (int i = 0; i < 3; i++)
        add(batch, raw_url(scene.server, "/stall"));
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ_INT(pthread_create(&threads[i], NULL, cancel_when_seen, &other), 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 3);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ_INT(pthread_join(threads[i], NULL), 0); /* some of them come after the end */
    for (size_t i = 0; i < 3; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), STOOK_ECANCELLED);
    stook_batch_free(batch);
}

/* The client is closed and the batch is not freed: a cancel from any thread does nothing. */
TEST_BOTH(from_another_thread_after_close)
{
    struct scene scene;
    pthread_t thread;
    begin(&scene, life);
    stook_batch *batch = life_batch(life), *open = life_batch(life);
    add(batch, raw_url(scene.server, "/ok"));
    add(open, raw_url(scene.server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    life_close(life);
    for (int i = 0; i < 3; i++)
        raw_signal(scene.server, "/stall");
    for (int i = 0; i < 2; i++) {
        struct other other = {scene.server, i ? batch : open, 2};
        CHECK_EQ_INT(pthread_create(&thread, NULL, cancel_when_seen, &other), 0);
        CHECK_EQ_INT(pthread_join(thread, NULL), 0);
    }
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), 0);
    stook_batch_free(batch);
    stook_batch_free(open);
}

/* A cancel that is still in the mailbox is removed when the batch is freed. */
TEST_BOTH(then_free_at_once)
{
    struct scene scene;
    begin(&scene, life);
    for (int awaited = 0; awaited <= 1; awaited++) {
        struct done done = {0, 0};
        stook_batch *batch = life_batch(life);
        add(batch, raw_url(scene.server, "/stall"));
        if (awaited)
            CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
        stook_batch_cancel(batch);
        stook_batch_free(batch);
        life_run(life);
        CHECK_EQ_INT(done.calls, awaited);
        CHECK_EQ_INT(done.failed, awaited);
    }
}

/* Cancelled while the program has the head: the next head is delivered when it is finished, not before. */
static int delivered[4];

static void cancel_last(stook_batch *batch, const stook_result *result, void *user)
{
    size_t index = stook_result_index(result);
    (void)user;
    CHECK_EQ_INT(++delivered[index], 1);
    CHECK_ERROR(stook_result_error(result), index == 2 ? STOOK_ECANCELLED : 0);
    CHECK_EQ_INT(stook_result_status(result), index == 2 ? 0 : 200);
    if (index == 0)
        stook_batch_cancel_request(batch, 2);
}

TEST_BOTH(behind_the_head)
{
    struct raw_server *server = raw_server_start(NULL);
    memset(delivered, 0, sizeof delivered);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/ok"));
    ADD(batch, raw_url(server, "/delay?ms=50"));
    ADD(batch, raw_url(server, "/stall"));
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.on_result = cancel_last)), 1);
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(delivered[i], 1);
    stook_batch_free(batch);
}
