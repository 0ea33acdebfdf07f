/* SPDX-License-Identifier: MIT */
/* The loop: it wastes no millisecond, starves nobody, and does not use a time that is stale. */
#include <dlfcn.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "regress/spy.h"

static unsigned waits, short_waits; /* of them, for a millisecond or two, which nothing ended before */

static int note_wait(int timeout, int n_events)
{
    waits++;
    short_waits += n_events == 0 && (timeout == 1 || timeout == 2);
    return n_events;
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
    SPY_REAL(epoll_wait);
    return note_wait(timeout, real(epoll, events, count, timeout));
}

int epoll_pwait(int epoll, struct epoll_event *events, int count, int timeout, const sigset_t *mask)
{
    SPY_REAL(epoll_pwait);
    return note_wait(timeout, real(epoll, events, count, timeout, mask));
}

static void pause_for(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static int64_t now_ms(void)
{
    return (int64_t)(uv_hrtime() / 1000000);
}

/* -------------------------------------------------------------------- kicks */

/* A timeout of 0 from libcurl is handled at once, not in a millisecond. */
TEST_BOTH(kicks_do_not_wait)
{
    enum { ASKED = 300 };
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    waits = short_waits = 0;
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < ASKED; i++)
        add(batch, raw_url(server, "/until-close")); /* a new connection each */
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    test_note("%u of %u waits were for a millisecond or two", short_waits, waits);
    CHECK(short_waits < ASKED / 5);
    stook_batch_free(batch);
}

static int kick_on;

/* A libcurl that asks for a timeout of 0 without end. */
static CURLMcode kick_again(CURLM *multi, curl_socket_t fd, CURLMcode code)
{
    if (fd == CURL_SOCKET_TIMEOUT && kick_on)
        CHECK_EQ_INT(spy.timer(multi, 0, spy_socket_user(multi)), 0);
    return code;
}

static int ticks;

static void tick(uv_timer_t *timer)
{
    if (++ticks < 20)
        return;
    kick_on = 0;
    uv_close((uv_handle_t *)timer, NULL);
}

/* The program's timers and sockets are served between the kicks. */
TEST(endless_kicks_starve_nobody)
{
    static struct life life;
    struct done done = {0, 0};
    uv_timer_t timer;
    struct raw_server *server = raw_server_start(NULL);
    life_begin(&life, 1);
    life_open(&life, NULL);
    kick_on = 1;
    spy.after_action = kick_again;
    uv_timer_init(&life.loop, &timer);
    uv_timer_start(&timer, tick, 1, 1);
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < 10; i++)
        add(batch, raw_url(server, "/ok"));
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
    while (done.calls == 0 || ticks < 20)
        uv_run(&life.loop, UV_RUN_ONCE);
    CHECK_EQ_INT(done.failed, 0);
    stook_batch_free(batch);
    spy.after_action = NULL;
    life_end(&life);
}

/* -------------------------------------------------------- loops of others */

/* A program that has the loop inside another: it asks how long it may wait. */
static void turn_inside_another(struct life *life)
{
    struct pollfd backend = {.fd = uv_backend_fd(&life->loop), .events = POLLIN};
    int timeout = uv_backend_timeout(&life->loop);
    if (timeout < 0 || timeout > 5000)
        timeout = 5000;
    if (poll(&backend, 1, timeout) == 0 && timeout == 5000)
        FAIL("told to wait although there is work");
    uv_run(&life->loop, UV_RUN_NOWAIT);
}

TEST(inside_another_loop)
{
    static struct life life;
    struct done done = {0, 0};
    struct raw_server *server = raw_server_start(NULL);
    life_begin(&life, 1);
    life_open(&life, NULL);
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(server, i % 2 ? "/until-close" : "/delay?ms=3"));
    uv_run(&life.loop, UV_RUN_NOWAIT);
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 3), count_done, &done), 0);
    while (done.calls == 0)
        turn_inside_another(&life);
    CHECK_EQ_INT(done.failed, 0);
    stook_batch_free(batch);
    /* What the program asks for while nothing else would happen. */
    batch = life_batch(&life);
    add(batch, raw_url(server, "/stall"));
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
    while (raw_seen(server, "/stall") == 0)
        uv_run(&life.loop, UV_RUN_NOWAIT);
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(uv_backend_timeout(&life.loop), 0);
    while (raw_seen(server, "/ok") == 0)
        turn_inside_another(&life);
    stook_batch_cancel(batch);
    while (done.calls == 1)
        turn_inside_another(&life);
    stook_batch_free(batch);
    life_end(&life);
}

/* --------------------------------------------------------------- stale time */

struct late {
    struct life *life;
    stook_batch *batch;
    struct done done;
    int64_t began;
};

static void begin_late(uv_timer_t *timer)
{
    struct late *late = timer->data;
    uv_close((uv_handle_t *)timer, NULL);
    pause_for(300); /* the loop does not know */
    late->began = now_ms();
    CHECK_ERROR(stook_gather_start(late->batch, &STOOK_GATHER(.timeout_ms = 200), count_done, &late->done), 0);
}

/* Behind a long callback the loop's time is old. Clocks count from what is now. */
TEST(clocks_behind_a_long_callback)
{
    static struct life life;
    struct late late = {.life = &life};
    uv_timer_t timer;
    struct raw_server *server = raw_server_start(NULL);
    life_begin(&life, 1);
    life_open(&life, NULL);
    for (int i = 0; i < 2; i++) { /* the batch's clock, then an attempt's */
        late.done.calls = 0;
        late.batch = life_batch(&life);
        CHECK_ERROR(stook_batch_add(late.batch, &STOOK_REQUEST(raw_url(server, "/stall"),
                                                               .attempt_timeout_ms = i == 0 ? 0 : 190)), 0);
        uv_timer_init(&life.loop, &timer);
        timer.data = &late;
        uv_timer_start(&timer, begin_late, 1, 0);
        uv_run(&life.loop, UV_RUN_DEFAULT);
        CHECK_EQ_INT(late.done.calls, 1);
        test_note("after %d ms", (int)(now_ms() - late.began));
        CHECK(now_ms() - late.began >= 190);
        stook_batch_free(late.batch);
    }
    life_end(&life);
}

/* Time that the program spends in a posted call, or in `more`, is not that of the requests which start
   behind it in the same turn. */
struct posted {
    struct raw_server *server;
    stook_batch *batch;
    struct done done;
};

static void start_late(stook_client *client, void *user)
{
    struct posted *posted = user;
    (void)client;
    CHECK_ERROR(stook_gather_start(posted->batch, NULL, count_done, &posted->done), 0);
    pause_for(300);
}

TEST_BOTH(started_behind_a_long_posted_call)
{
    struct posted posted = {.server = raw_server_start(NULL)};
    struct done done = {0, 0};
    life_open(life, NULL);
    stook_batch *work = life_batch(life); /* keeps the loop alive */
    add(work, raw_url(posted.server, "/delay?ms=50"));
    CHECK_ERROR(stook_gather_start(work, NULL, count_done, &done), 0);
    posted.batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(posted.batch, &STOOK_REQUEST(raw_url(posted.server, "/delay?ms=50"), .attempt_timeout_ms = 200)), 0);
    CHECK_ERROR(stook_client_post(life->client, start_late, &posted), 0);
    life_run(life);
    CHECK_EQ_INT(posted.done.calls, 1);
    CHECK_ERROR(stook_result_error(stook_batch_result(posted.batch, 0)), 0);
    stook_batch_free(posted.batch);
    stook_batch_free(work);
}

static int one_slowly(stook_batch *batch, void *user)
{
    if (stook_batch_count(batch) > 0)
        return 0;
    pause_for(300);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(user, "/delay?ms=50"), .attempt_timeout_ms = 200)), 0);
    return 1;
}

TEST_BOTH(started_behind_a_long_more)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.more = one_slowly, .user = server, .limit = 1)), 0);
    stook_batch_free(batch);
}

/* An answer that came in time counts, however late the program lets us look at it: also after the
   process was stopped and went on. */
TEST(answers_before_clocks)
{
    static struct life life;
    struct raw_server *server = raw_server_start(NULL);
    life_begin(&life, 1);
    life_open(&life, NULL);
    for (int i = 0; i < 3; i++) {
        struct done done = {0, 0};
        stook_batch *batch = life_batch(&life);
        struct stook_request request = STOOK_REQUEST(raw_url(server, "/ok/warm"));
        CHECK_ERROR(stook_batch_add(batch, &request), 0);
        CHECK_EQ_INT(life_gather(&life, batch, NULL), 0);
        stook_batch_free(batch);
        batch = life_batch(&life);
        request.url = raw_url(server, "/delay/late?ms=30");
        request.attempt_timeout_ms = i == 0 ? 200 : 0;
        request.timeout_ms = i == 1 ? 200 : 0;
        request.stall_timeout_ms = i == 2 ? 200 : 0;
        CHECK_ERROR(stook_batch_add(batch, &request), 0);
        CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
        while (raw_seen(server, "/delay/late") <= (unsigned)i)
            uv_run(&life.loop, UV_RUN_NOWAIT);
        pause_for(300);
        uv_run(&life.loop, UV_RUN_DEFAULT);
        CHECK_EQ_INT(done.calls, 1);
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), 0);
        stook_batch_free(batch);
    }
    life_end(&life);
}
