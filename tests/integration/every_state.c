/* SPDX-License-Identifier: MIT */
/* Every state of a request, with a cancel, a cancel of its batch, and a close of its client: one result each. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/descriptors.h"
#include "support/raw_server.h"
#include "support/sockets.h"

enum { BODY = 8 << 20 };

static int pause_it(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    (void)batch, (void)result, (void)data, (void)size, (void)user;
    return STOOK_PAUSE;
}

/* What is asked for, and the state it is to be found in; the path of a server, or a port of its own. */
struct stage {
    const char *path;
    int state, deaf, silent, tls, sends, pauses;
    int twice, holds, starves; /* behind one of its kind; delivery is paused; there are no descriptors */
    int64_t limit; /* of the batch, behind one that hangs */
    int64_t max_buffered_bytes, window, of_origins, of_client;
};

static const struct stage stages[] = {
    {.path = "/stall", .state = STOOK_STATE_QUEUED_BATCH, .limit = 1},
    {.path = "/stall", .state = STOOK_STATE_QUEUED_ORIGIN, .of_origins = 1},
    {.path = "/stall", .state = STOOK_STATE_QUEUED_CLIENT, .of_client = 1},
    {.path = "/stall", .state = STOOK_STATE_QUEUED_WINDOW, .window = 1},
    {.path = "/stall", .state = STOOK_STATE_QUEUED_PAUSED, .window = 1, .holds = 1},
    {.path = "/stall", .state = STOOK_STATE_QUEUED_DESCRIPTORS, .starves = 1},
    {.path = "/ok", .state = STOOK_STATE_FINISHED},
    {.deaf = 1, .tls = 1, .twice = 1, .state = STOOK_STATE_GATE},
    {.silent = 1, .state = STOOK_STATE_CONNECTING},
    {.deaf = 1, .tls = 1, .state = STOOK_STATE_TLS},
    {.deaf = 1, .sends = 1, .state = STOOK_STATE_SENDING},
    {.path = "/stall", .state = STOOK_STATE_WAITING},
    {.path = "/stall-head", .state = STOOK_STATE_RECEIVING},
    {.path = "/stall-body", .state = STOOK_STATE_RECEIVING},
    {.path = "/pour?n=10000000", .pauses = 1, .state = STOOK_STATE_PAUSED},
    {.path = "/big?n=100000", .max_buffered_bytes = 1, .state = STOOK_STATE_PAUSED_BUFFER},
};

static int errors[3];
static size_t shown, count, last;

static void note(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    CHECK(stook_result_index(result) < count);
    CHECK_EQ_INT(errors[stook_result_index(result)], 0);
    errors[stook_result_index(result)] = stook_result_error(result);
    shown++;
}

static void add_stage(stook_batch *batch, const struct raw_server *server, const struct stage *stage, int port)
{
    static char body[BODY];
    char url[128];
    if (stage->path != NULL)
        snprintf(url, sizeof url, "%s", raw_url(server, "%s", stage->path));
    else
        snprintf(url, sizeof url, "%s://127.0.0.1:%d/", stage->tls ? "https" : "http", port);
    ADD(batch, url, .body = stage->sends ? body : NULL, .body_size = stage->sends ? BODY : 0,
        .on_body = stage->pauses ? pause_it : NULL);
}

enum how { ONE, ALL, CLOSE, POSTED, THREAD };

static void cancel_second(stook_client *client, void *user)
{
    (void)client;
    for (size_t i = count; i-- > 0;)
        stook_batch_cancel_request(user, i);
}

static void *cancel_it(void *user)
{
    stook_batch_cancel(user);
    return NULL;
}

/* Whatever the way, all requests end. */
static void end_by(struct life *life, stook_batch *batch, enum how how)
{
    pthread_t thread;
    switch (how) {
    case ONE:
        stook_batch_cancel_request(batch, last);
        stook_batch_cancel_request(batch, last);
        CHECK_EQ_INT(stook_batch_request_state(batch, last), STOOK_STATE_FINISHED);
        for (size_t i = 0; i < last; i++)
            stook_batch_cancel_request(batch, i);
        break;
    case ALL:
        stook_batch_cancel(batch);
        stook_batch_cancel(batch);
        break;
    case CLOSE:
        life_close(life);
        return;
    case POSTED: /* from inside a callback */
        CHECK_ERROR(stook_client_post(life->client, cancel_second, batch), 0);
        break;
    case THREAD:
        CHECK_EQ_INT(pthread_create(&thread, NULL, cancel_it, batch), 0);
        CHECK_EQ_INT(pthread_join(thread, NULL), 0);
        break;
    }
    while (stook_batch_request_state(batch, last) != STOOK_STATE_NONE && stook_batch_request_state(batch, last) != STOOK_STATE_FINISHED)
        uv_run(&life->loop, UV_RUN_ONCE);
    stook_batch_resume_delivery(batch);
    uv_run(&life->loop, UV_RUN_DEFAULT);
}

static void end_in(const struct stage *stage, enum how how)
{
    static struct life life;
    struct raw_server *server = raw_server_start(NULL);
    int port = 0, fd = stage->deaf ? listen_somewhere(8, &port) : -1;
    struct done done = {0};
    test_note("%s, way %d", stook_state_text(stage->state), (int)how);
    memset(errors, 0, sizeof errors);
    shown = 0;
    count = stage->twice ? 3 : 2;
    last = count - 1;
    if (stage->silent)
        port = silent_port();
    life_begin(&life, 1);
    life_open(&life, &STOOK_CLIENT(.limit = stage->of_client, .origin_limit = stage->of_origins,
                                   .http_version = stage->twice ? STOOK_HTTP_2 : 0)); /* whose gates are shut for longer */
    stook_batch *batch = life_batch(&life);
    add(batch, raw_url(server, "/stall"));
    struct rlimit descriptors;
    CHECK_EQ_INT(getrlimit(RLIMIT_NOFILE, &descriptors), 0);
    int later = stage->starves || stage->twice;
    for (size_t i = 1; i < count && !later; i++)
        add_stage(batch, server, stage, port);
    struct stook_gather_options options =
        STOOK_GATHER(.limit = stage->limit, .max_buffered_bytes = stage->max_buffered_bytes, .window = stage->window, .on_result = note);
    CHECK_ERROR(stook_gather_ordered_start(batch, &options, count_done, &done), 0);
    if (later || stage->holds) {
        while (stook_batch_request_state(batch, 0) != STOOK_STATE_WAITING)
            uv_run(&life.loop, UV_RUN_ONCE);
        if (stage->holds)
            stook_batch_pause_delivery(batch);
        if (stage->starves)
            descriptors = descriptors_squeeze(0);
        for (size_t i = 1; i < count && later; i++)
            add_stage(batch, server, stage, port);
    }
    while (stook_batch_request_state(batch, last) != stage->state || stook_batch_request_state(batch, 0) != STOOK_STATE_WAITING)
        uv_run(&life.loop, UV_RUN_ONCE);
    end_by(&life, batch, how);
    descriptors_widen(&descriptors);
    CHECK_EQ_SIZE(shown, count);
    int finished = stage->state == STOOK_STATE_FINISHED; /* that comes too late */
    for (int i = 0; i < (int)count - finished; i++)
        CHECK_ERROR(errors[i], how == CLOSE ? STOOK_ECLOSED : STOOK_ECANCELLED);
    CHECK_EQ_INT(errors[1] == 0, finished);
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(done.failed, (int)count - finished);
    stook_batch_free(batch);
    life_end(&life);
    if (fd >= 0)
        close(fd);
}

static void end_in_all(enum how how)
{
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        end_in(&stages[i], how);
}

TEST(cancelled)
{
    end_in_all(ONE);
}

TEST(batch_cancelled)
{
    end_in_all(ALL);
}

TEST(cancelled_in_a_callback)
{
    end_in_all(POSTED);
}

TEST(cancelled_by_a_thread)
{
    end_in_all(THREAD);
}

TEST(client_closed)
{
    end_in_all(CLOSE);
}

/* ------------------------------------------------------------------- by a clock */

static void time_out(const struct stage *stage, const struct stook_request *clocks, int error)
{
    static struct life life;
    int port = 0, fd = stage->deaf ? listen_somewhere(8, &port) : -1;
    char url[64];
    static char body[BODY];
    test_note("%s", stook_err_name(error));
    life_begin(&life, 1);
    life_open(&life, NULL);
    stook_batch *batch = life_batch(&life);
    struct stook_request request = *clocks;
    snprintf(url, sizeof url, "%s://127.0.0.1:%d/", stage->tls ? "https" : "http", stage->silent ? silent_port() : port);
    request.url = url;
    request.body = stage->sends ? body : NULL;
    request.body_size = stage->sends ? BODY : 0;
    CHECK_ERROR(stook_batch_add(batch, &request), 0);
    CHECK_EQ_INT(life_gather(&life, batch, NULL), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 0)), error);
    CHECK_CONTAINS(stook_result_message(stook_batch_result_by_index(batch, 0)), " ms"); /* it names the clock */
    stook_batch_free(batch);
    life_end(&life);
    if (fd >= 0)
        close(fd);
}

TEST(clocks_of_the_ways_there)
{
    static const struct stage connecting = {.silent = 1}, tls = {.deaf = 1, .tls = 1}, sending = {.deaf = 1, .sends = 1},
                              waiting = {.deaf = 1};
    time_out(&connecting, &STOOK_REQUEST(.connect_timeout_ms = 60), STOOK_ETIMEOUT_ATTEMPT);
    time_out(&tls, &STOOK_REQUEST(.connect_timeout_ms = 60), STOOK_ETIMEOUT_ATTEMPT);
    time_out(&sending, &STOOK_REQUEST(.stall_timeout_ms = 200), STOOK_ETIMEOUT_STALL);
    time_out(&sending, &STOOK_REQUEST(.timeout_ms = 100), STOOK_ETIMEOUT_TOTAL);
    time_out(&waiting, &STOOK_REQUEST(.attempt_timeout_ms = 60), STOOK_ETIMEOUT_ATTEMPT);
    time_out(&waiting, &STOOK_REQUEST(.attempt_timeout_ms = 1), STOOK_ETIMEOUT_ATTEMPT);
    time_out(&waiting, &STOOK_REQUEST(.timeout_ms = 1), STOOK_ETIMEOUT_TOTAL);
}

static void block(stook_client *client, void *user)
{
    (void)client;
    for (uint64_t until = *(uint64_t *)user + UINT64_C(150000000); uv_hrtime() < until;)
        ;
}

/* The program blocks in the middle of a turn, so that libcurl's own clock may ring first: the same is said. */
TEST(connect_clock_behind_a_posted_call)
{
    static struct life life;
    char url[64];
    int port = 0, fd = listen_somewhere(8, &port);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", port);
    for (int i = 0; i < 8; i++) {
        life_begin(&life, 1);
        life_open(&life, NULL);
        stook_batch *batch = life_batch(&life);
        uint64_t from = uv_hrtime();
        ADD(batch, url, .connect_timeout_ms = 100);
        CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
        while (stook_batch_request_state(batch, 0) != STOOK_STATE_TLS)
            uv_run(&life.loop, UV_RUN_ONCE);
        CHECK_ERROR(stook_client_post(life.client, block, &from), 0);
        uv_run(&life.loop, UV_RUN_DEFAULT);
        CHECK_STR(stook_result_message(stook_batch_result_by_index(batch, 0)),
                  "one attempt took too long: not connected within 100 ms");
        stook_batch_free(batch);
        life_end(&life);
    }
    close(fd);
}
