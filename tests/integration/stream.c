/* SPDX-License-Identifier: MIT */
/* Bodies that go to the program as they arrive: order, pauses, clocks, and what a callback may do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/fail_nth.h"
#include "support/life.h"
#include "support/nginx.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { LARGE = 100000000 };

/* What the callbacks of a test share; the request's user. */
struct scene {
    struct life *life;
    struct raw_server *server;
    stook_batch *batch;
    size_t bytes, pieces, heads;
    size_t largest;  /* piece */
    size_t wrong;    /* bytes that are not the last digit of their place */
    size_t pause_at; /* pause in that piece, counted from 1 */
    size_t passes;   /* of the loop, while it was paused */
    int resumed;
    int answer;      /* what the callbacks return */
    char message[128]; /* of the first */
};

static void begin(struct scene *scene, struct life *life)
{
    memset(scene, 0, sizeof *scene);
    scene->life = life;
    scene->server = raw_server_start(NULL);
    life_open(life, NULL);
    scene->batch = life_batch(life);
}

static void count(struct scene *scene, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        scene->wrong += data[i] != (char)('0' + (scene->bytes + i) % 10);
    scene->bytes += size;
    scene->largest = size > scene->largest ? size : scene->largest;
    scene->pieces++;
}

static int take(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct scene *scene = user;
    CHECK(batch == scene->batch);
    CHECK(stook_result_user(result) == user);
    CHECK_EQ_INT(stook_result_status(result) >= 200 || !scene->heads, 1);
    CHECK(size > 0);
    count(scene, data, size);
    return scene->pieces == scene->pause_at ? STOOK_PAUSE : scene->answer;
}

static int head(stook_batch *batch, const stook_result *result, void *user)
{
    struct scene *scene = user;
    CHECK(batch == scene->batch);
    CHECK_EQ_SIZE(scene->bytes, 0);
    CHECK_EQ_INT(stook_result_status(result), 200);
    CHECK_STR(stook_result_protocol(result), "HTTP/1.1");
    CHECK(stook_result_header(result, "content-length") != NULL);
    CHECK_EQ_INT(stook_result_ok(result), 0); /* not yet */
    scene->heads++;
    return 0;
}

static const stook_result *first(const struct scene *scene)
{
    return stook_batch_result_by_index(scene->batch, 0);
}

/* ------------------------------------------------------------------- all is well */

TEST_BOTH(whole_body)
{
    struct scene scene;
    size_t size = 1;
    begin(&scene, life);
    ADD(scene.batch, raw_url(scene.server, "/pour?n=5000001"), .on_head = head, .on_body = take, .user = &scene);
    CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 0);
    CHECK_EQ_SIZE(scene.bytes, 5000001);
    CHECK_EQ_SIZE(scene.wrong, 0);
    CHECK_EQ_SIZE(scene.heads, 1);
    CHECK_EQ_INT(stook_result_ok(first(&scene)), 1);
    stook_result_body(first(&scene), &size);
    CHECK_EQ_SIZE(size, 0);
    stook_batch_free(scene.batch);
}


/* The second request opens the way for the first: its body is not held back by the order. */
static int open_first(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct scene *scene = user;
    (void)batch, (void)result, (void)data, (void)size;
    raw_signal(scene->server, "/open");
    return 0;
}

TEST_BOTH(as_it_comes_in_order_too)
{
    struct scene scene;
    begin(&scene, life);
    ADD(scene.batch, raw_url(scene.server, "/after?path=/open"));
    ADD(scene.batch, raw_url(scene.server, "/ok"), .on_body = open_first, .user = &scene);
    CHECK_EQ_INT(life_gather_ordered(life, scene.batch, NULL), 0);
    stook_batch_free(scene.batch);
}

/* The bytes before the end are delivered, then the error. */
TEST_BOTH(broken_bodies)
{
    struct scene scene;
    begin(&scene, life);
    ADD(scene.batch, raw_url(scene.server, "/short"), .on_body = take, .user = &scene);
    CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 1);
    CHECK_EQ_SIZE(scene.bytes, 3);
    CHECK_ERROR(stook_result_error(first(&scene)), STOOK_ETRUNCATED);
    stook_batch_free(scene.batch);
}

TEST_BOTH(max_body_bytes)
{
    struct scene scene;
    begin(&scene, life);
    ADD(scene.batch, raw_url(scene.server, "/pour?n=70000000"), .on_body = take, .user = &scene);
    ADD(scene.batch, raw_url(scene.server, "/pour?n=1000001"), .on_body = take, .user = &scene, .max_body_bytes = 1000000);
    CHECK_EQ_INT(life_gather(life, scene.batch, &STOOK_GATHER(.limit = 1)), 1);
    CHECK_EQ_INT(stook_result_ok(first(&scene)), 1); /* without a cap of its own there is none */
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(scene.batch, 1)), STOOK_ETOOLARGE);
    stook_batch_free(scene.batch);
}

/* ----------------------------------------------------------------- callbacks that end it */

static int refuse_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result, (void)user;
    return 7;
}

TEST_BOTH(head_is_refused)
{
    struct scene scene;
    begin(&scene, life);
    ADD(scene.batch, raw_url(scene.server, "/pour?n=100000000"), .on_head = refuse_head, .on_body = take, .user = &scene);
    ADD(scene.batch, raw_url(scene.server, "/big?n=5"), .on_head = refuse_head);
    CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 2);
    CHECK_EQ_SIZE(scene.bytes, 0);
    for (size_t i = 0; i < 2; i++) {
        CHECK_ERROR(stook_result_error(stook_batch_result_by_index(scene.batch, i)), STOOK_ECALLBACK);
        CHECK_EQ_INT(stook_result_status(stook_batch_result_by_index(scene.batch, i)), 200);
        CHECK_CONTAINS(stook_result_message(stook_batch_result_by_index(scene.batch, i)), "on_head");
    }
    stook_batch_free(scene.batch);
}

TEST_BOTH(body_is_refused)
{
    struct scene scene;
    begin(&scene, life);
    scene.answer = -5;
    ADD(scene.batch, raw_url(scene.server, "/pour?n=100000000"), .on_body = take, .user = &scene);
    CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 1);
    CHECK_EQ_SIZE(scene.pieces, 1);
    CHECK_ERROR(stook_result_error(first(&scene)), STOOK_ECALLBACK);
    CHECK_CONTAINS(stook_result_message(first(&scene)), "on_body");
    stook_batch_free(scene.batch);
}

static int cancel_one(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct scene *scene = user;
    stook_batch_cancel_request(batch, stook_result_index(result));
    count(scene, data, size); /* still there */
    return 0;
}

static int cancel_all(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct scene *scene = user;
    (void)result;
    stook_batch_cancel(batch);
    count(scene, data, size);
    return STOOK_PAUSE;
}

static int cancel_in_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)user;
    stook_batch_cancel_request(batch, stook_result_index(result));
    return 0;
}

TEST_BOTH(cancelled_inside)
{
    struct scene scene;
    begin(&scene, life);
    ADD(scene.batch, raw_url(scene.server, "/pour?n=100000000"), .on_body = cancel_one, .user = &scene);
    ADD(scene.batch, raw_url(scene.server, "/pour?n=100000000"), .on_head = cancel_in_head, .on_body = take);
    ADD(scene.batch, raw_url(scene.server, "/ok"));
    CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 2);
    CHECK_EQ_SIZE(scene.pieces, 1);
    CHECK_EQ_SIZE(scene.wrong, 0);
    CHECK_ERROR(stook_result_error(first(&scene)), STOOK_ECANCELLED);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(scene.batch, 1)), STOOK_ECANCELLED);
    CHECK_EQ_INT(stook_result_ok(stook_batch_result_by_index(scene.batch, 2)), 1);
    stook_batch_free(scene.batch);
}

TEST_BOTH(batch_cancelled_inside)
{
    struct scene scene;
    begin(&scene, life);
    ADD(scene.batch, raw_url(scene.server, "/pour?n=100000000"), .on_body = cancel_all, .user = &scene);
    ADD(scene.batch, raw_url(scene.server, "/stall"));
    CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 2);
    CHECK_EQ_SIZE(scene.pieces, 1);
    stook_batch_free(scene.batch);
}

static int free_batch(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct scene *scene = user;
    (void)result;
    stook_batch_free(batch);
    count(scene, data, size);
    return 0;
}

TEST_BOTH(batch_freed_inside)
{
    struct scene scene;
    begin(&scene, life);
    ADD(scene.batch, raw_url(scene.server, "/pour?n=100000000"), .on_body = free_batch, .user = &scene);
    CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 1);
    CHECK_EQ_SIZE(scene.pieces, 1);
}

static int close_client(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct scene *scene = user;
    (void)batch, (void)result;
    stook_client_close(scene->life->client, NULL, NULL);
    count(scene, data, size);
    return STOOK_PAUSE;
}

TEST_BOTH(client_closed_inside)
{
    struct scene scene;
    begin(&scene, life);
    ADD(scene.batch, raw_url(scene.server, "/pour?n=100000000"), .on_body = close_client, .user = &scene);
    CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 1);
    life->client = NULL;
    CHECK_EQ_SIZE(scene.pieces, 1);
    CHECK_ERROR(stook_result_error(first(&scene)), STOOK_ECLOSED);
    stook_batch_free(scene.batch);
}

static int add_one(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct scene *scene = user;
    (void)data, (void)size;
    if (stook_result_index(result) < 5)
        ADD(batch, raw_url(scene->server, "/ok"), .on_body = add_one, .user = scene);
    return 0;
}

TEST_BOTH(added_inside)
{
    struct scene scene;
    begin(&scene, life);
    ADD(scene.batch, raw_url(scene.server, "/ok"), .on_body = add_one, .user = &scene);
    CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 0);
    CHECK_EQ_SIZE(stook_batch_count(scene.batch), 6);
    stook_batch_free(scene.batch);
}

/* ------------------------------------------------------------------------ pauses */

static int resume_and_pause(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    count(user, data, size);
    stook_batch_resume_request(batch, stook_result_index(result));
    return STOOK_PAUSE;
}

TEST_BOTH(resumed_before_it_pauses)
{
    struct scene scene;
    begin(&scene, life);
    ADD(scene.batch, raw_url(scene.server, "/pour?n=3000000"), .on_body = resume_and_pause, .user = &scene);
    CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 0);
    CHECK_EQ_SIZE(scene.bytes, 3000000);
    CHECK_EQ_SIZE(scene.wrong, 0);
    stook_batch_free(scene.batch);
}

/* A neighbour's answer, which comes when the server has done what it can, wakes the paused one. */
static void resume_first(stook_batch *batch, const stook_result *result, void *user)
{
    struct scene *scene = user;
    if (stook_result_index(result) == 10)
        stook_batch_resume_request(batch, 0);
    if (stook_result_index(result) == 0)
        snprintf(scene->message, sizeof scene->message, "%s", stook_result_message(result));
}

/* The others continue meanwhile, and the rest of the body stays at the server. */
TEST_BOTH(paused_among_others)
{
    struct scene scene;
    begin(&scene, life);
    scene.pause_at = 3;
    ADD(scene.batch, raw_url(scene.server, "/pour?n=%d", LARGE), .on_body = take, .user = &scene);
    for (int i = 1; i < 10; i++)
        ADD(scene.batch, raw_url(scene.server, "/big?n=1000"));
    ADD(scene.batch, raw_url(scene.server, "/delay?ms=400"));
    size_t before = life->memory.bytes;
    life->memory.peak = before;
    int failed = life_gather(life, scene.batch, &STOOK_GATHER(.on_result = resume_first, .user = &scene));
    CHECK_STR(scene.message, "OK");
    CHECK_EQ_INT(failed, 0);
    CHECK_EQ_SIZE(scene.bytes, LARGE);
    CHECK_EQ_SIZE(scene.wrong, 0);
    CHECK(scene.largest > 512 << 10 || life_is_direct()); /* alone it may wait in larger pieces */
    CHECK(life->memory.peak - before < 2000000);
    stook_batch_free(scene.batch);
}

static int pause_once(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    size_t *bytes = user, before = *bytes;
    (void)batch, (void)result, (void)data;
    *bytes += size;
    return before == 0 ? STOOK_PAUSE : 0;
}

static void resume_all(stook_batch *batch, const stook_result *result, void *user)
{
    (void)user;
    for (size_t i = 0; stook_result_index(result) == stook_batch_count(batch) - 1 && i < stook_batch_count(batch); i++)
        stook_batch_resume_request(batch, i);
}

/* What many bodies may have waiting is less for each: neither memory nor a turn grows with their number. */
TEST_BOTH(many_share_what_may_wait)
{
    enum { MANY = 64, EACH = 4000000 };
    size_t bytes[MANY] = {0};
    struct scene scene;
    begin(&scene, life);
    for (int i = 0; i < MANY; i++)
        ADD(scene.batch, raw_url(scene.server, "/pour?n=%d", EACH), .on_body = pause_once, .user = &bytes[i]);
    ADD(scene.batch, raw_url(scene.server, "/delay?ms=400"));
    size_t before = life->memory.bytes;
    life->memory.peak = before;
    CHECK_EQ_INT(life_gather(life, scene.batch, &STOOK_GATHER(.on_result = resume_all)), 0);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ_SIZE(bytes[i], EACH);
    CHECK(life->memory.peak - before < MANY * (size_t)320000);
    stook_batch_free(scene.batch);
}

/* Resumed before the rest has come: libcurl never heard of the pause, and reads on all the same. */
static enum raw_then halves(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
    raw_wait(call->server, "/go", call->seen);
    raw_say(call, "456789");
    return RAW_KEEP;
}

static void go_on(stook_client *client, void *user)
{
    struct scene *scene = user;
    (void)client;
    stook_batch_resume_request(scene->batch, 0);
    raw_signal(scene->server, "/go");
}

static int pause_a_moment(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct scene *scene = user;
    int answer = take(batch, result, data, size, user);
    if (answer == STOOK_PAUSE)
        CHECK_ERROR(stook_client_post(scene->life->client, go_on, scene), 0);
    return answer;
}

TEST_BOTH(resumed_before_there_is_more)
{
    static const struct raw_behaviour extra[] = {{"/halves", .answer = halves}, {NULL}};
    struct scene scene;
    memset(&scene, 0, sizeof scene);
    scene.life = life;
    scene.server = raw_server_start(extra);
    life_open(life, NULL);
    scene.pause_at = 1;
    for (int round = 0; round < 2; round++) { /* the second time no timer of a new connection helps */
        scene.batch = life_batch(life);
        scene.pieces = scene.bytes = 0;
        ADD(scene.batch, raw_url(scene.server, "/halves"), .on_body = pause_a_moment, .user = &scene, .stall_timeout_ms = 2000);
        CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 0);
        CHECK_EQ_SIZE(scene.bytes, 10);
        stook_batch_free(scene.batch);
    }
}

/* The clocks of a paused request stop, and continue where they were. */
TEST_BOTH(clocks_stand_still)
{
    struct scene scene;
    begin(&scene, life);
    scene.pause_at = 1;
    ADD(scene.batch, raw_url(scene.server, "/pour?n=1000000"), .on_body = take, .user = &scene,
        .attempt_timeout_ms = 2000, .timeout_ms = 2000, .stall_timeout_ms = 2000);
    for (int i = 1; i < 10; i++)
        ADD(scene.batch, raw_url(scene.server, "/ok"));
    ADD(scene.batch, raw_url(scene.server, "/delay?ms=2500"));
    int failed = life_gather(life, scene.batch, &STOOK_GATHER(.on_result = resume_first, .user = &scene));
    CHECK_STR(scene.message, "OK");
    CHECK_EQ_INT(failed, 0);
    CHECK_EQ_SIZE(scene.bytes, 1000000);
    stook_batch_free(scene.batch);
}

TEST_BOTH(clocks_continue)
{
    struct scene scene;
    begin(&scene, life);
    scene.pause_at = 1;
    ADD(scene.batch, raw_url(scene.server, "/stall-body"), .on_body = take, .user = &scene, .stall_timeout_ms = 400);
    for (int i = 1; i < 10; i++)
        ADD(scene.batch, raw_url(scene.server, "/ok"));
    ADD(scene.batch, raw_url(scene.server, "/delay?ms=300"));
    CHECK_EQ_INT(life_gather(life, scene.batch, &STOOK_GATHER(.on_result = resume_first, .user = &scene)), 1);
    CHECK_EQ_SIZE(scene.pieces, 1);
    stook_batch_free(scene.batch);
}

/* Neither a cancel nor the end of the client waits for a resume. */
static void cancel_first(stook_batch *batch, const stook_result *result, void *user)
{
    (void)user;
    if (stook_result_index(result) == 1)
        stook_batch_cancel_request(batch, 0);
}

TEST_BOTH(cancelled_while_paused)
{
    struct scene scene;
    begin(&scene, life);
    scene.pause_at = 1;
    ADD(scene.batch, raw_url(scene.server, "/pour?n=10000000"), .on_body = take, .user = &scene);
    ADD(scene.batch, raw_url(scene.server, "/delay?ms=100"));
    CHECK_EQ_INT(life_gather(life, scene.batch, &STOOK_GATHER(.on_result = cancel_first)), 1);
    CHECK_EQ_SIZE(scene.pieces, 1);
    stook_batch_free(scene.batch);
}

/* The server is done and has closed, the program is not: nothing is lost. */
TEST_BOTH(over_while_paused)
{
    struct scene scene;
    begin(&scene, life);
    scene.pause_at = 1;
    ADD(scene.batch, raw_url(scene.server, "/until-close"), .on_body = take, .user = &scene);
    for (int i = 1; i < 10; i++)
        ADD(scene.batch, raw_url(scene.server, "/ok"));
    ADD(scene.batch, raw_url(scene.server, "/delay?ms=50"));
    int failed = life_gather(life, scene.batch, &STOOK_GATHER(.on_result = resume_first, .user = &scene));
    CHECK_STR(scene.message, "OK");
    CHECK_EQ_INT(failed, 0);
    CHECK_EQ_SIZE(scene.bytes, 5);
    stook_batch_free(scene.batch);
}

/* -------------------------------------------------------- what a pause costs: passes of the loop */

/* A pause that spins passes some ten thousand times a second. */
enum { PASSES_MAX = 200 };

static void count_pass(struct scene *scene)
{
    scene->passes += scene->pieces == scene->pause_at && !scene->resumed;
}

static void on_check(uv_check_t *check)
{
    count_pass(check->data);
}

static void resume_first_and_note(stook_batch *batch, const stook_result *result, void *user)
{
    struct scene *scene = user;
    if (stook_result_index(result) == 10)
        scene->resumed = 1;
    resume_first(batch, result, user);
}

/* Awaits a batch whose first request pauses, and counts the passes while it does. Returns how many failed. */
static int gather_and_count(struct scene *scene)
{
    struct life *life = scene->life;
    struct done done = {0, 0};
    struct stook_gather_options options = STOOK_GATHER(.on_result = resume_first_and_note, .user = scene);
    uv_check_t check;
    scene->passes = 0;
    scene->resumed = 0;
    CHECK_ERROR(stook_gather_start(scene->batch, &options, count_done, &done), 0);
    if (life->borrowed) {
        CHECK_EQ_INT(uv_check_init(&life->loop, &check), 0);
        check.data = scene;
        CHECK_EQ_INT(uv_check_start(&check, on_check), 0);
        while (done.calls == 0)
            uv_run(&life->loop, UV_RUN_ONCE);
        uv_close((uv_handle_t *)&check, NULL);
        uv_run(&life->loop, UV_RUN_NOWAIT);
    } else {
        while (stook_client_turn(life->client, STOOK_NONE) > 0)
            count_pass(scene);
    }
    CHECK_EQ_INT(done.calls, 1);
    test_note("%zu passes during the pause", scene->passes);
    return done.failed;
}

/* A loop that is only waited on: a pause costs nothing. */
TEST_BOTH(a_pause_does_not_spin)
{
    struct scene scene;
    begin(&scene, life);
    scene.pause_at = 1;
    ADD(scene.batch, raw_url(scene.server, "/pour?n=10000000"), .on_body = take, .user = &scene);
    for (int i = 1; i < 10; i++)
        ADD(scene.batch, raw_url(scene.server, "/ok"));
    ADD(scene.batch, raw_url(scene.server, "/delay?ms=500"));
    int failed = gather_and_count(&scene);
    CHECK_STR(scene.message, "OK");
    CHECK_EQ_INT(failed, 0);
    CHECK_EQ_SIZE(scene.bytes, 10000000);
    CHECK(scene.passes < PASSES_MAX);
    stook_batch_free(scene.batch);
}

/*
 * Over TLS it is libcurl that reads the socket empty, or leaves it to be reported again and again. The
 * pause is longer than the clock of a stall, which is long enough for a machine that does much else.
 */
static void pause_over_tls(struct life *life, int64_t version)
{
    struct scene scene;
    struct nginx *nginx = nginx_start();
    begin(&scene, life);
    stook_batch_free(scene.batch);
    life_close(life);
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .http_version = version));
    for (int round = 0; round < 2; round++) { /* the second time over a connection that was there */
        scene.batch = life_batch(life);
        scene.bytes = scene.pieces = 0;
        scene.pause_at = 1;
        ADD(scene.batch, nginx_tls_url(nginx, "/big"), .on_body = take, .user = &scene, .stall_timeout_ms = 1500);
        for (int i = 1; i < 10; i++)
            ADD(scene.batch, nginx_tls_url(nginx, "/ok"));
        ADD(scene.batch, raw_url(scene.server, "/delay?ms=1800"));
        int failed = gather_and_count(&scene);
        CHECK_STR(scene.message, "OK");
        CHECK_EQ_INT(failed, 0);
        CHECK_EQ_SIZE(scene.bytes, nginx_big_size);
        CHECK_EQ_SIZE(scene.wrong, 0);
        CHECK(scene.passes < PASSES_MAX);
        stook_batch_free(scene.batch);
    }
}

TEST_BOTH(paused_over_tls, nginx)
{
    pause_over_tls(life, STOOK_HTTP_1_1);
}

TEST_BOTH(paused_over_http_2, nginx)
{
    pause_over_tls(life, STOOK_HTTP_2);
}

TEST_BOTH(resume_of_what_is_not_paused)
{
    struct scene scene;
    begin(&scene, life);
    stook_batch_resume_request(NULL, 0);
    stook_batch_resume_request(scene.batch, 0);
    add(scene.batch, raw_url(scene.server, "/ok"));
    stook_batch_resume_request(scene.batch, 0);
    stook_batch_resume_request(scene.batch, 1);
    CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 0);
    stook_batch_resume_request(scene.batch, 0);
    stook_batch_free(scene.batch);
}

/* Strings of a callback's result live as long as the request's result, also those of a call before the
   header section has come. */
struct kept_strings {
    const char *url, *message;
    int calls;
};

static void keep_strings(stook_batch *batch, const stook_result *result, const struct stook_progress *progress, void *user)
{
    struct kept_strings *kept = user;
    (void)batch, (void)progress;
    if (stook_result_status(result) == 0 && kept->url == NULL) {
        kept->url = stook_result_url(result);
        kept->message = stook_result_message(result);
    }
}

static int read_strings(stook_batch *batch, const stook_result *result, void *user)
{
    struct kept_strings *kept = user;
    (void)batch;
    CHECK(kept->url != NULL);
    CHECK_STR(kept->url, stook_result_url(result));
    CHECK_STR(kept->message, "");
    kept->calls++;
    return 0;
}

TEST_BOTH(strings_live_as_long_as_the_result)
{
    struct kept_strings kept = {0};
    struct scene scene;
    begin(&scene, life);
    size_t size = 4000000;
    char *body = calloc(1, size);
    CHECK(body != NULL);
    ADD(scene.batch, raw_url(scene.server, "/echo"), .body = body, .body_size = (int64_t)size, .on_progress = keep_strings,
        .on_head = read_strings, .user = &kept);
    free(body);
    CHECK_EQ_INT(life_gather(life, scene.batch, NULL), 0);
    CHECK_EQ_INT(kept.calls, 1);
    CHECK_STR(kept.url, stook_result_url(first(&scene)));
    stook_batch_free(scene.batch);
}

/* ------------------------------------------------------------------------ memory */

static struct raw_server *server;

static int take_any(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    (void)data, (void)size, (void)user;
    stook_batch_resume_request(batch, stook_result_index(result));
    return STOOK_PAUSE;
}

static void stream_flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    for (int i = 0; i < 4; i++)
        story_add_request(&story, &STOOK_REQUEST(raw_url(server, "/pour?n=600000"), .on_body = take_any));
    story_start(&story, 0, NULL);
    story_end(&story);
}

TEST(nomem, slow)
{
    server = raw_server_start(NULL);
    fail_nth(stream_flow);
}
