/* SPDX-License-Identifier: MIT */
/* How libcurl's multi interface must be called, and how its surprises are handled. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"
#include "regress/spy.h"

/* ------------------------------------------------------ rules for every call */

static void from_outside(stook_batch *batch, const stook_result *result, void *user)
{
    struct raw_server *server = user;
    CHECK_EQ_INT(spy.inside, 0); /* the program is never called from inside libcurl */
    if (stook_result_index(result) < 5)
        add(batch, raw_url(server, "/ok"));
    if (stook_result_index(result) == 3)
        stook_batch_cancel_request(batch, 9);
}

/* spy.h checks all the rules. */
TEST_BOTH(rules)
{
    static const char *const paths[] = {"/delay?ms=2", "/ok", "/rst", "/short", "/big?n=300000", "/until-close", "/rst-after",
                                        "/stall", "/drip?n=5&ms=1", "/garbage", "/swallow?n=1", "/1xx?n=3"};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = 2000));
    for (int round = 0; round < 2; round++) {
        stook_batch *batch = life_batch(life);
        for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
            add(batch, raw_url(server, "%s", paths[i]));
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/stall"), .attempt_timeout_ms = 50)), 0);
        add(batch, text("http://127.0.0.1:%d/", refusing_port()));
        life_gather(life, batch, &STOOK_GATHER(.limit = 4, .on_result = from_outside, .user = server));
        stook_batch_free(batch);
    }
}

/* All messages are read before a handle is removed, and none is missed. */
TEST_BOTH(drained_before_removed)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = 5000));
    spy.drains_first = 1;
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 120; i++)
        add(batch, raw_url(server, "/after?path=/after&n=120"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    spy.drains_first = 0;
}

/* ------------------------------------------------------- one that is broken */

static CURLM *to_break;
static unsigned broken;

static CURLMcode break_one(CURLM *multi, curl_socket_t fd, CURLMcode code)
{
    (void)fd;
    if (multi != to_break)
        return code;
    to_break = NULL;
    broken++;
    return CURLM_INTERNAL_ERROR;
}

enum { HOSTS = 6 };

/* An error of a multi handle ends its own transfers, never those of another one. */
TEST_BOTH(broken_alone)
{
    struct raw_server *servers[HOSTS]; /* origins, spread over several multi handles */
    memset(&spy, 0, sizeof spy);
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = 10000));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < HOSTS; i++) {
        servers[i] = raw_server_start(NULL);
        add(batch, raw_url(servers[i], "/ok"));
    }
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    CHECK(spy.multis > 1);
    to_break = spy.handles[0];
    broken = 0;
    spy.after_action = break_one;
    batch = life_batch(life);
    for (int i = 0; i < HOSTS; i++)
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(servers[i], "/ok"), .method = "POST")), 0);
    unsigned before = spy.adds_of[0];
    int failed = life_gather(life, batch, NULL);
    CHECK_EQ_INT(broken, 1);
    for (size_t i = 0; i < HOSTS; i++) {
        const stook_result *result = stook_batch_result_by_index(batch, i);
        test_note("%s: %s", stook_result_url(result), stook_result_message(result));
        CHECK_ERROR(stook_result_error(result), stook_result_ok(result) ? 0 : STOOK_ERESET);
    }
    CHECK_EQ_INT(failed, spy.adds_of[0] - before);
    CHECK(failed > 0 && failed < HOSTS);
    stook_batch_free(batch);
    batch = life_batch(life);
    for (int i = 0; i < HOSTS; i++)
        add(batch, raw_url(servers[i], "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    spy.after_action = NULL;
}

/* -------------------------------------- one that breaks behind many that have completed */

/* A turn takes 256 completed attempts. However the answers are spread over two polls, one has more. */
enum { TOGETHER = 640, MORE_THAN_A_TURN = 276 };

static struct raw_server *together;
static unsigned at_once, multis_broken;
static int all_answered;

static enum raw_then answer_together(struct raw_call *call)
{
    raw_wait(call->server, "/together", TOGETHER);
    raw_answer(call, "ok", 2);
    raw_signal(call->server, "/answered");
    return RAW_KEEP;
}

/* When the first answer is read, all others have arrived before the loop polls again. */
static int wait_for_all(curl_socket_t fd, int events)
{
    (void)events;
    if (fd != CURL_SOCKET_TIMEOUT && !all_answered && raw_seen(together, "/together") == TOGETHER) {
        raw_wait(together, "/answered", TOGETHER);
        all_answered = 1;
    }
    return 1;
}

/* Each multi handle that took part is due once more, and breaks if more than a turn takes have completed. */
static CURLMcode break_behind_many(CURLM *multi, curl_socket_t fd, CURLMcode code)
{
    if (!all_answered)
        return code;
    if (fd != CURL_SOCKET_TIMEOUT) {
        at_once++;
        CHECK_EQ_INT(spy.timer(multi, 0, spy_socket_user(multi)), 0);
        return code;
    }
    if (at_once <= MORE_THAN_A_TURN) {
        at_once = 0;
        return code;
    }
    multis_broken++;
    return CURLM_INTERNAL_ERROR;
}

/* An attempt that has completed is not lost when its multi breaks before the turn that takes it. */
TEST_BOTH(broken_behind_many)
{
    static const struct raw_behaviour own[] = {{"/together", .answer = answer_together}, {NULL}};
    memset(&spy, 0, sizeof spy);
    together = raw_server_start(own);
    life_open(life, &STOOK_CLIENT(.limit = TOGETHER, .origin_limit = TOGETHER));
    at_once = multis_broken = 0;
    all_answered = 0;
    spy.before_action = wait_for_all;
    spy.after_action = break_behind_many;
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < TOGETHER; i++)
        add(batch, raw_url(together, "/together"));
    life_gather(life, batch, NULL);
    CHECK(multis_broken > 0);
    for (size_t i = 0; i < TOGETHER; i++) {
        const stook_result *result = stook_batch_result_by_index(batch, i);
        CHECK_ERROR(stook_result_error(result), stook_result_ok(result) ? 0 : STOOK_ERESET);
    }
    stook_batch_free(batch);
    spy.before_action = NULL;
    spy.after_action = NULL;
}

/* curl_multi_add_handle() fails. */
TEST_BOTH(refused_at_once)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    for (int round = 0; round < 2; round++) {
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 5; i++)
            add(batch, raw_url(server, "/ok"));
        spy.add_code = round == 0 ? CURLM_INTERNAL_ERROR : CURLM_OK;
        CHECK_EQ_INT(life_gather(life, batch, NULL), round == 0 ? 5 : 0);
        for (size_t i = 0; i < 5; i++)
            CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), round == 0 ? STOOK_ERESET : 0);
        stook_batch_free(batch);
    }
}

/* ------------------------------------------------------------- descriptors */

static int announce(CURLM *multi, int fd, int what)
{
    /* A handle that is not ours: nothing may be asked of it. */
    return spy.socket((CURL *)(void *)&spy, fd, what, spy_socket_user(multi), NULL);
}

static void ask_one(struct life *life, struct raw_server *server)
{
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
}

/* Descriptors of libcurl's own: announced twice, taken back twice, or never announced at all. */
TEST_BOTH(unknown_descriptors)
{
    struct raw_server *server = raw_server_start(NULL);
    int ends[2];
    life_open(life, NULL);
    ask_one(life, server);
    CURLM *multi = spy_any_multi();
    CHECK_EQ_INT(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    CHECK_EQ_INT(announce(multi, 999, CURL_POLL_REMOVE), 0);
    CHECK_EQ_INT(announce(multi, 100000, CURL_POLL_REMOVE), 0);
    for (int round = 0; round < 2; round++) {
        CHECK_EQ_INT(announce(multi, ends[0], CURL_POLL_IN), 0);
        CHECK_EQ_INT(announce(multi, ends[0], CURL_POLL_IN), 0);
        ask_one(life, server);
        CHECK_EQ_INT(announce(multi, ends[0], CURL_POLL_INOUT), 0);
        CHECK_EQ_INT(announce(multi, ends[0], CURL_POLL_REMOVE), 0);
        CHECK_EQ_INT(announce(multi, ends[0], CURL_POLL_REMOVE), 0);
        ask_one(life, server);
    }
    close(ends[0]);
    close(ends[1]);
    ask_one(life, server);
}

/* A descriptor that cannot be watched is never an error for libcurl, which would end all transfers or crash. */
TEST_BOTH(unwatchable_descriptors)
{
    struct raw_server *server = raw_server_start(NULL);
    const char *path = text("%s/file", temporary_directory());
    write_file(path, "x");
    int file = open(path, O_RDONLY | O_CLOEXEC);
    life_open(life, NULL);
    ask_one(life, server);
    CHECK(file >= 0);
    CHECK_EQ_INT(announce(spy_any_multi(), file, CURL_POLL_IN), 0);
    ask_one(life, server);
    CHECK_EQ_INT(announce(spy_any_multi(), file, CURL_POLL_REMOVE), 0);
    close(file);
}

/* During its clean-up libcurl announces sockets that it never removes. */
static int late_end;

static void announce_late(CURLM *multi)
{
    CHECK_EQ_INT(announce(multi, late_end, CURL_POLL_IN), 0);
}

TEST_BOTH(announced_in_the_end)
{
    struct raw_server *server = raw_server_start(NULL);
    int ends[2];
    CHECK_EQ_INT(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    late_end = ends[0];
    life_open(life, NULL);
    ask_one(life, server);
    spy.before_cleanup = announce_late;
    life_close(life);
    spy.before_cleanup = NULL;
    memory_check_empty(&life->memory);
    CHECK_EQ_INT(fcntl(ends[0], F_GETFD), FD_CLOEXEC); /* not ours to close */
    close(ends[0]);
    close(ends[1]);
}

/* 8.20 announces an eventfd and never reads it. */
TEST_BOTH(woken_for_ever)
{
    struct raw_server *server = raw_server_start(NULL);
    int ends[2];
    spy.version = 0x081400;
    life_open(life, NULL);
    ask_one(life, server);
    CHECK_EQ_INT(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    CHECK_EQ_INT(announce(spy_any_multi(), ends[0], CURL_POLL_IN), 0);
    CHECK_EQ_INT(write(ends[1], "wake up!", 8), 8);
    unsigned before = spy.actions;
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/delay?ms=100"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    test_note("%u actions", spy.actions - before);
    CHECK(spy.actions - before < 50);
    CHECK_EQ_INT(announce(spy_any_multi(), ends[0], CURL_POLL_REMOVE), 0);
    close(ends[0]);
    close(ends[1]);
    spy.version = 0;
}

/* ------------------------------------------------------------------ timers */

static int never_told(long timeout_ms)
{
    return timeout_ms <= 0; /* what is to be done at once is still heard of */
}

/* Versions that forget to ask for their next time out are asked. A handle that waits for the second
   address of a name, or for a resolver, has nothing else to wake it. */
static void count_tick(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

TEST(lost_timers)
{
    static struct life life;
    struct done done = {0, 0};
    uv_timer_t timer;
    struct raw_server *server = raw_server_start(NULL);
    spy.version = 0x080a00;
    spy.on_timer = never_told;
    life_begin(&life, 1);
    life_open(&life, NULL);
    stook_batch *batch = life_batch(&life);
    add(batch, raw_url(server, "/delay?ms=450"));
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
    while (raw_seen(server, "/delay") == 0)
        uv_run(&life.loop, UV_RUN_NOWAIT);
    uv_timer_init(&life.loop, &timer);
    uv_timer_start(&timer, count_tick, 400, 0);
    unsigned before = spy.kicks;
    uv_run(&life.loop, UV_RUN_DEFAULT);
    CHECK_EQ_INT(done.calls, 1);
    test_note("%u kicks", spy.kicks - before);
    CHECK(spy.kicks - before >= 3); /* ten a second */
    stook_batch_free(batch);
    spy.version = 0;
    spy.on_timer = NULL;
    life_end(&life);
}

/* ------------------------------------------------------------- how many of what */

/* The requests of an origin fill one multi handle after another: the lists that libcurl walks stay short. */
TEST_BOTH(multi_handles)
{
    unsigned most = 0;
    struct raw_server *server = raw_server_start(NULL);
    memset(&spy, 0, sizeof spy);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 200; i++)
        add(batch, raw_url(server, "/after?path=/after&n=200"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    for (size_t i = 0; i < SPY_MULTIS; i++)
        most = spy.adds_of[i] > most ? spy.adds_of[i] : most;
    CHECK(spy.multis >= 4);
    CHECK(most <= 50);
    stook_batch_free(batch);
}

/* Easy handles are used again, except those of requests with secrets. */
TEST_BOTH(handles)
{
    static const char *const secret[] = {"Authorization: Bearer secret", NULL};
    static const char *const cookie[] = {"Cookie: a=b", NULL};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    ask_one(life, server);
    unsigned before = spy.easies; /* a multi may have one of its own */
    for (int i = 0; i < 50; i++)
        ask_one(life, server);
    CHECK_EQ_INT(spy.easies, before);
    for (int i = 0; i < 10; i++) {
        stook_batch *batch = life_batch(life);
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/echo"), .headers = i % 2 ? secret : cookie)), 0);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        stook_batch_free(batch);
    }
    CHECK_EQ_INT(spy.easies, before + 10);
    CHECK_EQ_INT(raw_connections(server), 1);
}

/* Its first field begins with a blank, as the rest of a field before it would. */
#define FOLDED "HTTP/1.1 200 OK\r\n X-Folded: a\r\nContent-Length: 2\r\n\r\nok"

static const struct raw_behaviour folding[] = {
    {"/first", FOLDED, .then = RAW_CLOSE},
    {"/tab", "HTTP/1.1 200 OK\r\n\tX-Folded: a\r\nContent-Length: 2\r\n\r\nok", .then = RAW_CLOSE},
    {"/interim", "HTTP/1.1 103 Early Hints\r\n\r\n" FOLDED, .then = RAW_CLOSE},
    {"/second", "HTTP/1.1 200 OK\r\nX-Field: a\r\n b\r\nContent-Length: 2\r\n\r\nok", .then = RAW_CLOSE},
    {NULL}};

/* What libcurl makes of the first is its business, but it has nothing to do with the answer before on
   the same handle: up to 8.0 that is where it would be written, into memory that is freed. */
TEST_BOTH(folded_fields)
{
    struct raw_server *server = raw_server_start(folding);
    int refused = curl_version_info(CURLVERSION_NOW)->version_num < 0x080100;
    life_open(life, NULL);
    for (int i = 0; i < 12; i++) {
        const struct raw_behaviour *row = &folding[i % 4];
        ask_one(life, server);
        unsigned before = spy.easies;
        stook_batch *batch = life_batch(life);
        add(batch, raw_url(server, "%s", row->path));
        life_gather(life, batch, NULL);
        const stook_result *result = stook_batch_result(batch, 0);
        test_note("%s: %s", row->path, stook_result_message(result));
        CHECK_EQ_INT(spy.easies, before);
        if (i % 4 == 3 || stook_result_error(result) == 0)
            CHECK_STR(stook_result_body(result, NULL), "ok");
        else
            CHECK_ERROR(stook_result_error(result), STOOK_EPROTOCOL);
        if (i % 4 != 3 && refused)
            CHECK_ERROR(stook_result_error(result), STOOK_EPROTOCOL);
        stook_batch_free(batch);
    }
}

/* Requests start in portions, whatever the limit: no turn blocks the loop for long. */
static unsigned adds_seen, most_adds;

static void look_at_adds(uv_prepare_t *prepare)
{
    (void)prepare;
    if (spy.adds - adds_seen > most_adds)
        most_adds = spy.adds - adds_seen;
    adds_seen = spy.adds;
}

TEST(portions)
{
    static struct life life;
    uv_prepare_t prepare;
    struct raw_server *servers[HOSTS];
    life_begin(&life, 1);
    life_open(&life, NULL);
    for (int i = 0; i < HOSTS; i++) {
        servers[i] = raw_server_start(NULL);
        ask_one(&life, servers[i]);
    }
    uv_prepare_init(&life.loop, &prepare);
    uv_prepare_start(&prepare, look_at_adds);
    uv_unref((uv_handle_t *)&prepare);
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < 1000; i++)
        add(batch, raw_url(servers[i % HOSTS], "/delay?ms=5"));
    CHECK_EQ_INT(life_gather(&life, batch, NULL), 0);
    stook_batch_free(batch);
    test_note("%u started in one turn", most_adds);
    CHECK(most_adds <= 128); /* 64 new ones, and 64 that waited for their gate */
    uv_close((uv_handle_t *)&prepare, NULL);
    life_end(&life);
}
