/* SPDX-License-Identifier: MIT */
/* Results one at a time: pulled, paused and resumed, and how much may wait meanwhile. */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/plain.h"
#include "support/raw_server.h"

static void start(stook_batch *batch, int ordered, const struct stook_gather_options *options, struct done *done)
{
    int (*verb)(stook_batch *, const struct stook_gather_options *, void (*)(stook_batch *, int, void *), void *) =
        ordered ? stook_gather_ordered_start : stook_gather_start;
    CHECK_ERROR(verb(batch, options, count_done, done), 0);
}

/* In either life: a borrowed loop must be run by the test. */
static int next(struct life *life, stook_batch *batch, const stook_result **result)
{
    int answer;
    while ((answer = stook_batch_next(batch, result)) == STOOK_AGAIN) {
        CHECK(life->borrowed);
        uv_run(&life->loop, UV_RUN_ONCE);
    }
    return answer;
}

static void pull_all(struct life *life, int ordered, int64_t window)
{
    enum { COUNT = 200 };
    struct plain *plain = plain_start();
    struct done done = {0};
    const stook_result *result = NULL;
    unsigned char seen[COUNT] = {0};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < COUNT; i++)
        add(batch, plain_url(plain, "/todos/%d?delay_ms=%d", i + 1, i % 5));
    start(batch, ordered, &STOOK_GATHER(.limit = 10, .pull = 1, .window = window), &done);
    for (size_t i = 0; i < COUNT; i++) {
        CHECK_EQ_INT(next(life, batch, &result), 1);
        CHECK_EQ_INT(stook_result_ok(result), 1);
        CHECK_EQ_INT(seen[stook_result_index(result)]++, 0);
        if (ordered)
            CHECK_EQ_SIZE(stook_result_index(result), i);
    }
    CHECK_EQ_INT(next(life, batch, &result), 0);
    CHECK_EQ_INT(next(life, batch, &result), 0);
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(done.failed, 0);
    CHECK(stook_batch_result(batch, 0) == NULL);
    stook_batch_free(batch);
}

TEST_BOTH(pulled)
{
    pull_all(life, 0, 0);
}

TEST_BOTH(pulled_in_order)
{
    pull_all(life, 1, 0);
}

TEST_BOTH(pulled_through_the_smallest_window)
{
    pull_all(life, 0, 1);
    life_close(life);
    pull_all(life, 1, 1);
}

/* Nobody takes any: no more start than the window holds, and running the client does not wait for ever. */
TEST_BOTH(nobody_takes_them)
{
    struct plain *plain = plain_start();
    struct done done = {0}, other_done = {0};
    const stook_result *result = NULL;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life), *other = life_batch(life);
    for (int i = 0; i < 50; i++)
        add(batch, plain_url(plain, "/todos/1"));
    for (int i = 0; i < 50; i++)
        add(other, plain_url(plain, "/todos/2"));
    start(batch, 0, &STOOK_GATHER(.pull = 1, .window = 7), &done);
    start(other, 0, NULL, &other_done);
    if (!life->borrowed)
        CHECK_ERROR(stook_client_run(life->client), 0);
    while (other_done.calls == 0)
        uv_run(&life->loop, UV_RUN_ONCE);
    CHECK(plain_count(plain, "requests") <= 57);
    CHECK_EQ_INT(done.calls, 0);
    int taken = 0;
    while (next(life, batch, &result) == 1)
        taken++;
    CHECK_EQ_INT(taken, 50);
    CHECK_EQ_INT(done.calls, 1);
    stook_batch_free(batch);
    stook_batch_free(other);
}

/* The client closes: each request has its result, and it can still be taken. */
TEST_BOTH(after_close)
{
    struct raw_server *server = raw_server_start(NULL);
    struct done done = {0};
    const stook_result *result = NULL;
    int ok = 0, closed = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10; i++)
        add(batch, raw_url(server, i < 3 ? "/ok" : "/stall"));
    start(batch, 0, &STOOK_GATHER(.pull = 1), &done);
    CHECK_EQ_INT(next(life, batch, &result), 1);
    const stook_result *kept = stook_result_ref(result);
    life_close(life);
    CHECK_EQ_INT(done.calls, 1);
    while (stook_batch_next(batch, &result) == 1) {
        ok += stook_result_ok(result);
        closed += stook_result_error(result) == STOOK_ECLOSED;
    }
    CHECK_EQ_INT(1 + ok + closed, 10);
    CHECK_EQ_INT(stook_result_ok(kept), 1);
    stook_result_unref(kept);
    stook_batch_free(batch);
}

TEST_BOTH(freed_with_results_left)
{
    struct plain *plain = plain_start();
    struct done done = {0};
    const stook_result *result = NULL;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 20; i++)
        add(batch, plain_url(plain, "/todos/1"));
    start(batch, 1, &STOOK_GATHER(.pull = 1), &done);
    CHECK_EQ_INT(next(life, batch, &result), 1);
    stook_batch_free(batch);
    life_run(life);
    CHECK_EQ_INT(done.calls, 1);
}

/* The program has enough in the middle, in either order: by a cancel or a deadline it may take the rest, by
   freeing the batch it does not; what it has kept stays. */
static void break_off(struct life *life, int ordered, int how)
{
    struct raw_server *server = raw_server_start(NULL);
    struct done done = {0};
    const stook_result *result = NULL;
    int cancelled = 0, late = 0;
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 40; i++)
        add(batch, raw_url(server, i < 20 ? "/ok" : "/stall"));
    start(batch, ordered, &STOOK_GATHER(.limit = 5, .pull = 1, .window = 7, .timeout_ms = how == 2 ? 300 : 0), &done);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ_INT(next(life, batch, &result), 1);
        CHECK_EQ_INT(stook_result_ok(result), 1);
    }
    const stook_result *kept = stook_result_ref(result);
    if (how == 0) {
        stook_batch_free(batch);
        life_run(life);
    } else {
        if (how == 1)
            stook_batch_cancel(batch);
        for (int i = 10; i < 40; i++) {
            CHECK_EQ_INT(next(life, batch, &result), 1);
            cancelled += stook_result_error(result) == STOOK_ECANCELLED;
            late += stook_result_error(result) == STOOK_ETIMEOUT_BATCH;
        }
        CHECK_EQ_INT(next(life, batch, &result), 0);
        CHECK(how == 1 ? cancelled >= 20 && late == 0 : late == 20 && cancelled == 0);
        stook_batch_free(batch);
    }
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(stook_result_ok(kept), 1);
    stook_result_unref(kept);
}

TEST_BOTH(broken_off)
{
    life_open(life, NULL);
    for (int i = 0; i < 6; i++) {
        test_note("%s, way %d", i % 2 ? "in order" : "as they come", i / 2);
        break_off(life, i % 2, i / 2);
    }
}

static void try_inside(stook_client *client, void *user)
{
    const stook_result *result = NULL;
    (void)client;
    CHECK_EQ_INT(stook_batch_next(user, &result), STOOK_AGAIN); /* instead of waiting for itself */
    CHECK(result == NULL);
    tell("tried");
}

TEST_BOTH(inside_a_callback)
{
    struct raw_server *server = raw_server_start(NULL);
    struct done done = {0};
    const stook_result *result = NULL;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/after?path=/go&n=1"));
    start(batch, 0, &STOOK_GATHER(.pull = 1), &done);
    CHECK_ERROR(stook_client_post(life->client, try_inside, batch), 0);
    if (life->borrowed)
        CHECK_EQ_INT(stook_batch_next(batch, &result), STOOK_AGAIN);
    while (told()[0] == '\0') {
        if (life->borrowed)
            uv_run(&life->loop, UV_RUN_ONCE);
        else
            stook_client_run(life->client);
    }
    raw_signal(server, "/go");
    CHECK_EQ_INT(next(life, batch, &result), 1);
    CHECK_EQ_INT(next(life, batch, &result), 0);
    stook_batch_free(batch);
}

/* A callback that takes a result itself. */
static void take_one(stook_client *client, void *user)
{
    stook_batch **batch = user;
    const stook_result *result;
    if (stook_batch_next(*batch, &result) == STOOK_AGAIN)
        CHECK_ERROR(stook_client_post(client, take_one, user), 0);
}

/* A callback takes the result that an outer call waits for: that call waits on, also with the smallest window. */
TEST(taken_inside_a_wait)
{
    static struct life life;
    struct raw_server *server = raw_server_start(NULL);
    const stook_result *result;
    for (int64_t window = 0; window <= 1; window++) {
        int answer, taken = 0;
        life_begin(&life, 0);
        life_open(&life, NULL);
        stook_batch *batch = life_batch(&life);
        for (int i = 0; i < 4; i++)
            add(batch, raw_url(server, "/delay?ms=5"));
        CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.pull = 1, .limit = 1, .window = window), NULL, NULL), 0);
        CHECK_ERROR(stook_client_post(life.client, take_one, &batch), 0);
        while ((answer = stook_batch_next(batch, &result)) == 1)
            taken++;
        CHECK_EQ_INT(answer, 0);
        CHECK_EQ_INT(taken, 3);
        stook_batch_free(batch);
        life_end(&life);
    }
}

TEST_BOTH(pull_is_refused)
{
    const stook_result *result = NULL;
    struct done done = {0};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_next(batch, &result), STOOK_ESTATE);
    CHECK_CONTAINS(stook_batch_message(batch), "pull");
    CHECK_ERROR(stook_batch_next(batch, NULL), STOOK_EARG);
    CHECK_ERROR(stook_batch_next(NULL, &result), STOOK_EARG);
    if (!life->borrowed) {
        CHECK_ERROR(stook_gather(batch, &STOOK_GATHER(.pull = 1)), STOOK_EARG);
        CHECK_CONTAINS(stook_batch_message(batch), "stook_gather_start");
    }
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.pull = 2), NULL, NULL), STOOK_EARG);
    start(batch, 0, NULL, &done);
    life_run(life);
    CHECK_ERROR(stook_batch_next(batch, &result), STOOK_ESTATE);
    CHECK(result == NULL);
    stook_batch_free(batch);
}

/* -------------------------------------------------------------- paused, resumed */

struct pause {
    struct plain *plain;
    stook_batch *batch;
    size_t delivered;
    int paused;
};

static void resume(stook_client *client, void *user)
{
    struct pause *pause = user;
    (void)client;
    CHECK_EQ_INT(pause->paused, 1);
    CHECK_EQ_SIZE(pause->delivered, 5);
    pause->paused = 0;
    stook_batch_resume_delivery(pause->batch);
}

/* The other batch is over: by then the first could have been delivered long ago. */
static void resume_by_post(stook_batch *batch, int failed, void *user)
{
    struct pause *pause = user;
    (void)batch;
    CHECK_EQ_INT(failed, 0);
    tell("resumed");
    resume(NULL, pause);
}

static void pause_at_five(stook_batch *batch, const stook_result *result, void *user)
{
    struct pause *pause = user;
    CHECK_EQ_INT(stook_result_ok(result), 1);
    CHECK_EQ_INT(pause->paused, 0);
    if (++pause->delivered == 5) {
        pause->paused = 1;
        stook_batch_pause_delivery(batch);
    }
}

static void pause_and_resume(struct life *life, int ordered)
{
    struct plain *plain = plain_start();
    struct pause pause = {.plain = plain};
    struct done done = {0};
    life_open(life, NULL);
    stook_batch *batch = pause.batch = life_batch(life), *other = life_batch(life);
    for (int i = 0; i < 100; i++)
        add(batch, plain_url(plain, "/todos/%d", i + 1));
    for (int i = 0; i < 50; i++)
        add(other, plain_url(plain, "/todos/1?delay_ms=2"));
    start(batch, ordered, &STOOK_GATHER(.limit = 10, .window = 20, .on_result = pause_at_five, .user = &pause), &done);
    CHECK_ERROR(stook_gather_start(other, &STOOK_GATHER(.limit = 1), resume_by_post, &pause), 0);
    life_run(life);
    CHECK_STR(told(), "resumed");
    CHECK_EQ_SIZE(pause.delivered, 100);
    CHECK_EQ_INT(done.calls, 1);
    stook_batch_free(batch);
    stook_batch_free(other);
}

TEST_BOTH(paused)
{
    pause_and_resume(life, 0);
}

TEST_BOTH(paused_in_order)
{
    pause_and_resume(life, 1);
}

/* While paused no more starts than the window holds: twenty beyond the five that were delivered. */
static void count_requests(stook_batch *batch, int failed, void *user)
{
    struct pause *pause = user;
    (void)batch, (void)failed;
    CHECK_EQ_INT(plain_count(pause->plain, "requests"), 50 + 25);
    resume(NULL, pause);
}

TEST_BOTH(paused_and_bounded)
{
    struct plain *plain = plain_start();
    struct pause pause = {.plain = plain};
    struct done done = {0};
    life_open(life, NULL);
    stook_batch *batch = pause.batch = life_batch(life), *other = life_batch(life);
    for (int i = 0; i < 100; i++)
        add(batch, plain_url(plain, "/todos/%d", i + 1));
    for (int i = 0; i < 50; i++)
        add(other, plain_url(plain, "/todos/1?delay_ms=2"));
    start(batch, 1, &STOOK_GATHER(.limit = 10, .window = 20, .on_result = pause_at_five, .user = &pause), &done);
    CHECK_ERROR(stook_gather_start(other, &STOOK_GATHER(.limit = 1), count_requests, &pause), 0);
    life_run(life);
    CHECK_EQ_SIZE(pause.delivered, 100);
    stook_batch_free(batch);
    stook_batch_free(other);
}

static void count_delivered(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result;
    ++*(size_t *)user;
}

/* Every result and `done` all the same. */
TEST_BOTH(paused_and_cancelled)
{
    struct raw_server *server = raw_server_start(NULL);
    struct done done = {0};
    size_t delivered = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10; i++)
        add(batch, raw_url(server, "/stall"));
    start(batch, 1, &STOOK_GATHER(.on_result = count_delivered, .user = &delivered), &done);
    stook_batch_pause_delivery(batch);
    stook_batch_pause_delivery(NULL);
    stook_batch_cancel(batch);
    life_run(life);
    CHECK_EQ_SIZE(delivered, 10);
    CHECK_EQ_INT(done.calls, 1);
    stook_batch_resume_delivery(batch);
    stook_batch_pause_delivery(batch);
    stook_batch_free(batch);
}

TEST_BOTH(paused_and_late)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    for (int ordered = 0; ordered <= 1; ordered++) {
        struct done done = {0};
        size_t delivered = 0;
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 10; i++)
            add(batch, raw_url(server, i == 2 ? "/stall" : "/ok"));
        start(batch, ordered, &STOOK_GATHER(.timeout_ms = 200, .on_result = count_delivered, .user = &delivered), &done);
        stook_batch_pause_delivery(batch);
        life_run(life);
        CHECK_EQ_SIZE(delivered, 10);
        CHECK(done.failed >= 1); /* more on a machine that is busy */
        stook_batch_free(batch);
    }
}

/* A policy ends the others, but not the pause. */
static void resume_and_count(stook_batch *batch, int failed, void *user)
{
    struct pause *pause = user;
    (void)batch, (void)failed;
    CHECK_EQ_SIZE(pause->delivered, 0);
    stook_batch_resume_delivery(pause->batch);
}

TEST_BOTH(paused_and_failed)
{
    struct raw_server *server = raw_server_start(NULL);
    struct pause pause = {0};
    struct done done = {0};
    life_open(life, NULL);
    stook_batch *batch = pause.batch = life_batch(life), *other = life_batch(life);
    for (int i = 0; i < 10; i++)
        add(batch, raw_url(server, i == 2 ? "/status?code=500" : "/stall"));
    add(other, raw_url(server, "/after?path=/status&n=1&ms=100"));
    struct stook_gather_options options = STOOK_GATHER(.policy = STOOK_POLICY_FAIL_FAST, .on_result = count_delivered, .user = &pause.delivered);
    start(batch, 1, &options, &done);
    CHECK_ERROR(stook_gather_start(other, NULL, resume_and_count, &pause), 0);
    stook_batch_pause_delivery(batch);
    life_run(life);
    CHECK_EQ_SIZE(pause.delivered, 10);
    CHECK_EQ_INT(done.failed, 10);
    stook_batch_free(batch);
    stook_batch_free(other);
}

TEST_BOTH(paused_and_closed)
{
    struct plain *plain = plain_start();
    struct done done = {0};
    size_t delivered = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10; i++)
        add(batch, plain_url(plain, "/todos/1"));
    start(batch, 0, &STOOK_GATHER(.on_result = count_delivered, .user = &delivered), &done);
    stook_batch_pause_delivery(batch);
    life_close(life);
    CHECK_EQ_SIZE(delivered, 10);
    CHECK_EQ_INT(done.calls, 1);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------ held bytes */

struct held {
    struct raw_server *server;
    size_t delivered, at_head;
};

static void note_starts(stook_batch *batch, const stook_result *result, void *user)
{
    struct held *held = user;
    (void)batch;
    CHECK_EQ_INT(stook_result_ok(result), 1);
    if (held->delivered++ == 0)
        held->at_head = raw_seen(held->server, "/big");
}

/* When what the server has sent is there: before, the head could be first, and then a fifth may start. */
static void release_head(stook_client *client, void *user)
{
    struct stook_stats counters = STOOK_STATS();
    CHECK_ERROR(stook_client_stats(client, &counters), 0);
    if (counters.finished < 4)
        CHECK_ERROR(stook_client_post(client, release_head, user), 0);
    else
        raw_signal(user, "/go");
}

static void *release_later(void *user)
{
    struct life *life = ((void **)user)[0];
    struct raw_server *server = ((void **)user)[1];
    raw_wait(server, "/big", 4);
    CHECK_ERROR(stook_client_post(life->client, release_head, server), 0);
    return NULL;
}

/* Four bodies of a thousand bytes are what may be held; the head waits until they are there. */
TEST_BOTH(max_buffered_bytes)
{
    struct raw_server *server = raw_server_start(NULL);
    struct held held = {.server = server};
    pthread_t thread;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/after?path=/go&n=1"));
    for (int i = 0; i < 30; i++)
        add(batch, raw_url(server, "/big?n=1000"));
    void *both[] = {life, server};
    CHECK_EQ_INT(pthread_create(&thread, NULL, release_later, both), 0);
    struct stook_gather_options options =
        STOOK_GATHER(.limit = 2, .max_buffered_bytes = 4000, .on_result = note_starts, .user = &held);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &options), 0);
    CHECK_EQ_INT(pthread_join(thread, NULL), 0);
    CHECK_EQ_SIZE(held.delivered, 31);
    CHECK_EQ_SIZE(held.at_head, 4);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------- bodies on their way */

struct ordered {
    struct life *life;
    size_t next, bytes;
};

static void check_order(stook_batch *batch, const stook_result *result, void *user)
{
    struct ordered *ordered = user;
    size_t size = 0;
    (void)batch;
    CHECK_EQ_SIZE(stook_result_index(result), ordered->next++);
    CHECK_STR(stook_result_message(result), "OK");
    stook_result_body(result, &size);
    ordered->bytes += size;
}

static size_t count_paused(stook_batch *batch, size_t of)
{
    size_t count = 0;
    for (size_t i = 0; i < of; i++)
        count += stook_batch_request_state(batch, i) == STOOK_STATE_PAUSED_BUFFER;
    return count;
}

/* The head is late: the others stop in the middle of their bodies, and no clock of theirs runs out. */
TEST(bodies_wait_for_the_head)
{
    /* A server under a sanitizer takes long to begin. */
    enum { OTHERS = 5, SIZE = 1000000, MAX = 200000, STALL_MS = TEST_SANITIZED ? 2000 : 300 };
    struct raw_server *server = raw_server_start(NULL);
    static struct life life;
    struct ordered ordered = {&life, 0, 0};
    struct done done = {0};
    life_begin(&life, 1);
    life_open(&life, &STOOK_CLIENT(.stall_timeout_ms = STALL_MS, .attempt_timeout_ms = 2 * STALL_MS));
    stook_batch *batch = life_batch(&life);
    ADD(batch, raw_url(server, "/after?path=/go&n=1"), .stall_timeout_ms = STOOK_NONE, .attempt_timeout_ms = STOOK_NONE);
    for (int i = 0; i < OTHERS; i++)
        add(batch, raw_url(server, "/big?n=%d", SIZE));
    start(batch, 1, &STOOK_GATHER(.max_buffered_bytes = MAX, .on_result = check_order, .user = &ordered), &done);
    while (count_paused(batch, OTHERS + 1) < OTHERS)
        uv_run(&life.loop, UV_RUN_ONCE);
    uint64_t from = uv_hrtime(); /* longer than the clocks of those that wait */
    while (uv_hrtime() - from < UINT64_C(3000000) * STALL_MS) {
        CHECK(life.memory.bytes < 2 * MAX + 200000);
        uv_run(&life.loop, UV_RUN_NOWAIT);
        sched_yield();
    }
    CHECK_EQ_SIZE(count_paused(batch, OTHERS + 1), OTHERS);
    CHECK_EQ_SIZE(ordered.next, 0);
    raw_signal(server, "/go");
    uv_run(&life.loop, UV_RUN_DEFAULT);
    CHECK_EQ_SIZE(ordered.next, OTHERS + 1);
    CHECK(ordered.bytes >= OTHERS * SIZE);
    CHECK_EQ_INT(done.failed, 0);
    stook_batch_free(batch);
    life_end(&life);
}

static void cancel_all(struct life *life, int one_by_one)
{
    struct raw_server *server = raw_server_start(NULL);
    struct done done = {0};
    size_t delivered = 0;
    life_begin(life, 1);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/stall"));
    for (int i = 0; i < 4; i++)
        add(batch, raw_url(server, "/big?n=1000000"));
    start(batch, 1, &STOOK_GATHER(.max_buffered_bytes = 1, .on_result = count_delivered, .user = &delivered), &done);
    while (count_paused(batch, 5) < 4)
        uv_run(&life->loop, UV_RUN_ONCE);
    for (size_t i = 0; i < 4 && one_by_one; i++)
        stook_batch_cancel_request(batch, 4 - i);
    if (one_by_one)
        stook_batch_cancel_request(batch, 0);
    else
        stook_batch_cancel(batch);
    uv_run(&life->loop, UV_RUN_DEFAULT);
    CHECK_EQ_SIZE(delivered, 5);
    CHECK_EQ_INT(done.failed, 5);
    stook_batch_free(batch);
    life_end(life);
}

TEST(cancelled_while_they_wait)
{
    static struct life life;
    cancel_all(&life, 0);
    cancel_all(&life, 1);
}

/* The head is cancelled while the others wait: the next request becomes the head, and its body continues. */
TEST(next_head_continues)
{
    struct raw_server *server = raw_server_start(NULL);
    static struct life life;
    struct done done = {0};
    size_t delivered = 0;
    life_begin(&life, 1);
    life_open(&life, NULL);
    stook_batch *batch = life_batch(&life);
    add(batch, raw_url(server, "/stall"));
    for (int i = 0; i < 4; i++)
        add(batch, raw_url(server, "/big?n=1000000"));
    start(batch, 1, &STOOK_GATHER(.max_buffered_bytes = 1, .on_result = count_delivered, .user = &delivered), &done);
    while (count_paused(batch, 5) < 4)
        uv_run(&life.loop, UV_RUN_ONCE);
    stook_batch_cancel_request(batch, 0);
    uv_run(&life.loop, UV_RUN_DEFAULT);
    CHECK_EQ_SIZE(delivered, 5);
    CHECK_EQ_INT(done.failed, 1);
    stook_batch_free(batch);
    life_end(&life);
}
