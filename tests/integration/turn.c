/* SPDX-License-Identifier: MIT */
/* An owned loop that the program runs turn by turn: one pass each, and what ends the wait of one. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

static struct life life;

static struct raw_server *begin(void)
{
    life_begin(&life, 0);
    life_open(&life, NULL);
    return raw_server_start(NULL);
}

static stook_batch *start_one(struct done *done, const char *url)
{
    stook_batch *batch = life_batch(&life);
    add(batch, url);
    memset(done, 0, sizeof *done);
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, done), 0);
    return batch;
}

/* ------------------------------------------------------------------ to turn until it is still */

static int is_readable(void)
{
    struct pollfd readable = {.fd = stook_client_fd(life.client), .events = POLLIN};
    return poll(&readable, 1, 0);
}

/* Turn until there is nothing to do now. */
static void settle(void)
{
    unsigned turns = 0;
    while (stook_client_timeout_ms(life.client) == 0 || is_readable()) {
        CHECK(stook_client_turn(life.client, 0) >= 0);
        CHECK(++turns < 100);
    }
}

/*
 * Turn until no clock runs. A libcurl that shuts connections down without waiting (8.14 does, 7.88 does
 * not) keeps a clock of 2 s for each; the requests of these tests have other times.
 */
static void wait_for_silence(void)
{
    unsigned turns = 0;
    for (;;) {
        settle();
        int64_t left = stook_client_timeout_ms(life.client);
        if (left == STOOK_NONE)
            return;
        CHECK(left > 100 && left <= 2000);
        CHECK_EQ_INT(stook_client_turn(life.client, left + 1), 0);
        CHECK(++turns < 20);
    }
}

/* ------------------------------------------------------------------ refused */

static void check_inside(stook_client *client, void *user)
{
    ++*(int *)user;
    CHECK_ERROR(stook_client_turn(client, 0), STOOK_ESTATE);
    CHECK_ERROR(stook_client_turn(client, STOOK_NONE), STOOK_ESTATE);
    CHECK(stook_client_fd(client) >= 0);
}

TEST(refused)
{
    int calls = 0;
    CHECK_ERROR(stook_client_turn(NULL, 0), STOOK_EARG);
    CHECK_ERROR(stook_client_fd(NULL), STOOK_EARG);
    CHECK_ERROR((int)stook_client_timeout_ms(NULL), STOOK_EARG);
    stook_client_wake(NULL);
    begin();
    CHECK_ERROR(stook_client_turn(life.client, -2), STOOK_EARG);
    CHECK_ERROR(stook_client_turn(life.client, INT64_MAX), STOOK_EARG);
    CHECK_ERROR(stook_client_post(life.client, check_inside, &calls), 0);
    CHECK_EQ_INT(stook_client_turn(life.client, STOOK_NONE), 0);
    CHECK_EQ_INT(calls, 1);
    life_end(&life);
}

/* A client with an owned loop has its descriptor. */
TEST(refused_on_a_borrowed_loop)
{
    life_begin(&life, 1);
    life_open(&life, NULL);
    CHECK_ERROR(stook_client_turn(life.client, 0), STOOK_ESTATE);
    CHECK_ERROR(stook_client_turn(life.client, STOOK_NONE), STOOK_ESTATE);
    CHECK_ERROR(stook_client_fd(life.client), STOOK_ESTATE);
    CHECK_ERROR((int)stook_client_timeout_ms(life.client), STOOK_ESTATE);
    stook_client_wake(life.client);
    uv_run(&life.loop, UV_RUN_NOWAIT);
    life_end(&life);
}

/* ---------------------------------------------------------------- how it waits */

/* If it waited, it would wait for ever: the response is released after it. */
TEST(zero_does_not_wait)
{
    struct raw_server *server = begin();
    struct done done;
    CHECK_EQ_INT(stook_client_turn(life.client, 0), 0);
    stook_batch *batch = start_one(&done, raw_url(server, "/after?path=/open"));
    for (int i = 0; i < 200; i++)
        CHECK_EQ_INT(stook_client_turn(life.client, 0), 1);
    raw_signal(server, "/open");
    while (stook_client_turn(life.client, STOOK_NONE) > 0)
        CHECK_EQ_INT(done.calls, 0);
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(done.failed, 0);
    stook_batch_free(batch);
    life_end(&life);
}

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

TEST(waits_so_long_and_no_longer)
{
    begin();
    stook_client_turn(life.client, 0);
    for (int i = 0; i < 3; i++) {
        int64_t before = now_us();
        CHECK_EQ_INT(stook_client_turn(life.client, 20), 0);
        CHECK(now_us() - before >= 19000); /* libuv's clock counts whole ms */
    }
    life_end(&life);
}

/* Clocks of finished requests end no wait. */
TEST(no_clock_is_left)
{
    struct raw_server *server = begin();
    stook_batch *batch = life_batch(&life);
    ADD(batch, raw_url(server, "/ok"), .timeout_ms = 1000, .attempt_timeout_ms = 1000, .stall_timeout_ms = 1000);
    CHECK_EQ_INT(stook_gather(batch, NULL), 0);
    wait_for_silence();
    int64_t before = now_us();
    CHECK_EQ_INT(stook_client_turn(life.client, 1250), 0);
    CHECK(now_us() - before >= 1249000);
    stook_batch_free(batch);
    life_end(&life);
}

/* A clock of an await ends the wait, and so does a clock that is nearer than that of the call. */
TEST(clocks_end_the_wait)
{
    struct raw_server *server = begin();
    struct done done = {0, 0};
    stook_batch *batch = life_batch(&life);
    unsigned turns = 0;
    ADD(batch, raw_url(server, "/stall"), .timeout_ms = 40);
    ADD(batch, raw_url(server, "/stall"), .timeout_ms = 80);
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
    for (; stook_client_turn(life.client, turns % 2 ? 1000000 : STOOK_NONE) > 0; turns++)
        CHECK(turns < 100);
    CHECK_EQ_INT(done.failed, 2);
    stook_batch_free(batch);
    life_end(&life);
}

TEST(counts_awaits)
{
    struct raw_server *server = begin();
    struct done done[3];
    stook_batch *batches[3];
    int left = 3;
    for (int i = 0; i < 3; i++)
        batches[i] = start_one(&done[i], raw_url(server, "/after?path=/open&n=%d", i + 1));
    for (int i = 0; i < 3; i++) {
        CHECK_EQ_INT(stook_client_turn(life.client, 0), left);
        raw_signal(server, "/open");
        while (left == 3 - i)
            left = stook_client_turn(life.client, STOOK_NONE);
        CHECK_EQ_INT(left, 2 - i);
        CHECK_EQ_INT(done[i].calls, 1);
    }
    for (int i = 0; i < 3; i++)
        stook_batch_free(batches[i]);
    life_end(&life);
}

/* What happened to an idle connection is seen before anything starts: a POST is not sent into it. */
TEST(looks_before_it_starts)
{
    struct raw_server *server = begin();
    struct done done;
    for (unsigned i = 0; i < 10; i++) {
        stook_batch *batch = life_batch(&life);
        ADD(batch, raw_url(server, "/close-after"), .body = "x", .body_size = 1);
        memset(&done, 0, sizeof done);
        CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
        while (stook_client_turn(life.client, STOOK_NONE) > 0)
            ;
        CHECK_EQ_INT(done.failed, 0);
        CHECK_EQ_INT(stook_result_reused(stook_batch_result(batch, 0)), 0);
        stook_batch_free(batch);
        raw_wait(server, "/gone", i + 1);
    }
    life_end(&life);
}

/* ------------------------------------------------------------------------ wake */

static void *wake_when_told(void *user)
{
    char byte;
    while (read(*(int *)user, &byte, 1) == 1)
        stook_client_wake(life.client);
    return NULL;
}

/* With nothing under way; from this thread before the wait, from another one during it or before it. */
TEST(woken)
{
    pthread_t thread;
    int pipes[2];
    begin();
    stook_client_wake(life.client);
    CHECK_EQ_INT(stook_client_turn(life.client, STOOK_NONE), 0);
    CHECK_EQ_INT(pipe(pipes), 0);
    CHECK_EQ_INT(pthread_create(&thread, NULL, wake_when_told, &pipes[0]), 0);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ_INT((int)write(pipes[1], "w", 1), 1);
        CHECK_EQ_INT(stook_client_turn(life.client, STOOK_NONE), 0);
    }
    close(pipes[1]);
    pthread_join(thread, NULL);
    close(pipes[0]);
    life_end(&life);
}

static int posted;

static void count_post(stook_client *client, void *user)
{
    (void)client, (void)user;
    posted++;
}

static void *post_when_told(void *user)
{
    char byte;
    while (read(*(int *)user, &byte, 1) == 1)
        CHECK_ERROR(stook_client_post(life.client, count_post, NULL), 0);
    return NULL;
}

TEST(posts_end_the_wait)
{
    pthread_t thread;
    int pipes[2];
    begin();
    CHECK_EQ_INT(pipe(pipes), 0);
    CHECK_EQ_INT(pthread_create(&thread, NULL, post_when_told, &pipes[0]), 0);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ_INT((int)write(pipes[1], "p", 1), 1);
        while (posted == i)
            CHECK_EQ_INT(stook_client_turn(life.client, STOOK_NONE), 0);
    }
    close(pipes[1]);
    pthread_join(thread, NULL);
    close(pipes[0]);
    life_end(&life);
}

static volatile sig_atomic_t alarms;

static void wake_in_handler(int number)
{
    int before = errno;
    (void)number;
    errno = ENOTTY;
    stook_client_wake(life.client);
    if (errno == ENOTTY)
        alarms++;
    errno = before;
}

static void *signal_when_told(void *user)
{
    char byte;
    pthread_t *loop = user;
    int *pipes = (int *)(loop + 1);
    while (read(*pipes, &byte, 1) == 1)
        pthread_kill(*loop, SIGUSR1);
    return NULL;
}

/* A signal alone does not end the wait, a wake in its handler does. */
TEST(woken_in_a_signal_handler)
{
    struct {
        pthread_t loop;
        int pipes[2];
    } told = {.loop = pthread_self()};
    pthread_t thread;
    struct sigaction action = {.sa_handler = wake_in_handler};
    begin();
    CHECK_EQ_INT(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQ_INT(pipe(told.pipes), 0);
    CHECK_EQ_INT(pthread_create(&thread, NULL, signal_when_told, &told), 0);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ_INT((int)write(told.pipes[1], "s", 1), 1);
        while (alarms == i)
            CHECK_EQ_INT(stook_client_turn(life.client, STOOK_NONE), 0);
    }
    close(told.pipes[1]);
    pthread_join(thread, NULL);
    close(told.pipes[0]);
    life_end(&life);
}

/* Wakes by the thousand, of handlers and of a thread, disturb no await; each is to its end. */
TEST(awaits_are_not_ended_by_it)
{
    struct raw_server *server = begin();
    struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = wake_in_handler, .sa_flags = SA_RESTART};
    struct done done = {0, 0};
    CHECK_EQ_INT(sigaction(SIGALRM, &action, NULL), 0);
    CHECK_EQ_INT(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (int i = 0; i < 2; i++) {
        stook_batch *batch = life_batch(&life);
        for (int k = 0; k < 50; k++)
            add(batch, raw_url(server, "/delay?ms=2"));
        if (i == 0) {
            CHECK_EQ_INT(stook_gather(batch, &STOOK_GATHER(.limit = 4)), 0);
        } else {
            CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 4), count_done, &done), 0);
            CHECK_ERROR(stook_client_run(life.client), 0);
            CHECK_EQ_INT(done.calls, 1);
        }
        stook_batch_free(batch);
    }
    CHECK_EQ_INT(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK(alarms > 0);
    life_end(&life);
}

static pthread_t wakers[4];
static atomic_int stop_waking;

static void *wake_on_and_on(void *user)
{
    (void)user;
    while (!atomic_load(&stop_waking))
        stook_client_wake(life.client);
    return NULL;
}

static void collect_wakers(void *user)
{
    (void)user;
    atomic_store(&stop_waking, 1);
    for (int i = 0; i < 4; i++)
        pthread_join(wakers[i], NULL);
    life.closed++;
}

/* Allowed until `closed`, which collects the threads: the loop goes away under their hands. */
static void wake_into_the_end(int borrowed)
{
    for (int round = 0; round < 20; round++) {
        life_begin(&life, borrowed);
        life_open(&life, NULL);
        atomic_store(&stop_waking, 0);
        for (int i = 0; i < 4; i++)
            CHECK_EQ_INT(pthread_create(&wakers[i], NULL, wake_on_and_on, NULL), 0);
        stook_client_close(life.client, collect_wakers, NULL);
        if (borrowed)
            uv_run(&life.loop, UV_RUN_DEFAULT);
        life.client = NULL;
        CHECK_EQ_INT(life.closed, 1);
        life_end(&life);
    }
}

TEST(woken_into_the_end)
{
    wake_into_the_end(0);
    wake_into_the_end(1);
}

/* -------------------------------------------------------------- what to wait for */

TEST(time_out_after_a_change)
{
    struct raw_server *server = begin();
    struct done done;
    int fd = stook_client_fd(life.client);
    CHECK(fd >= 0);
    CHECK_EQ_INT(stook_client_timeout_ms(life.client), 0); /* the mailbox is not yet watched */
    settle();
    CHECK_EQ_INT(stook_client_timeout_ms(life.client), STOOK_NONE);

    stook_batch *batch = start_one(&done, raw_url(server, "/after?path=/open"));
    CHECK_EQ_INT(stook_client_timeout_ms(life.client), 0);
    settle();
    CHECK(stook_client_timeout_ms(life.client) > 0);
    CHECK(stook_client_timeout_ms(life.client) <= 120000);
    CHECK_EQ_INT(stook_client_turn(life.client, 0), 1);

    add(batch, raw_url(server, "/stall"));
    CHECK_EQ_INT(stook_client_timeout_ms(life.client), 0);
    settle();
    stook_batch_cancel_request(batch, 1);
    CHECK_EQ_INT(stook_client_timeout_ms(life.client), 0);
    settle();
    CHECK_ERROR(stook_client_set_limit(life.client, 3), 0);
    CHECK_EQ_INT(stook_client_timeout_ms(life.client), 0);
    settle();
    CHECK_ERROR(stook_client_post(life.client, count_post, NULL), 0);
    CHECK_EQ_INT(stook_client_timeout_ms(life.client), 0);
    settle();
    CHECK_EQ_INT(posted, 1);
    stook_client_wake(life.client);
    CHECK(is_readable());
    settle();

    raw_signal(server, "/open");
    while (stook_client_turn(life.client, STOOK_NONE) > 0)
        ;
    CHECK_EQ_INT(done.calls, 1);
    wait_for_silence();
    CHECK_EQ_INT(stook_client_fd(life.client), fd);
    stook_batch_free(batch);
    life_end(&life);
}

/* Of a batch that is not awaited a clock runs too. It is waited for, not asked for again and again. */
TEST(time_out_of_the_queue)
{
    struct raw_server *server = begin();
    stook_batch *batch = life_batch(&life);
    unsigned turns = 0;
    settle();
    ADD(batch, raw_url(server, "/ok"), .queue_timeout_ms = 60);
    int64_t left = stook_client_timeout_ms(life.client);
    CHECK(left > 0 && left <= 61);
    for (; left != STOOK_NONE; left = stook_client_timeout_ms(life.client)) {
        poll(NULL, 0, (int)left);
        stook_client_turn(life.client, 0);
        CHECK(++turns < 20);
    }
    CHECK_EQ_INT(stook_gather(batch, NULL), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ETIMEOUT_QUEUE);
    stook_batch_free(batch);
    life_end(&life);
}

/* ---------------------------------------------------------------------- the end */

static void note_closed(void *user)
{
    (void)user;
    life.closed++;
    tell("closed");
    CHECK_ERROR(stook_client_turn(life.client, 0), STOOK_ESTATE);
}

static void close_in_done(stook_batch *batch, int failed, void *user)
{
    count_done(batch, failed, user);
    tell("done");
    stook_client_close(life.client, note_closed, NULL);
    CHECK_EQ_INT(life.closed, 0);
}

/* Closed in a callback, the next turns do the rest, and none says that there is nothing to do. */
TEST(closed_in_a_callback)
{
    for (int waits = 0; waits <= 1; waits++) {
        struct raw_server *server = begin();
        struct done done[2] = {{0, 0}, {0, 0}};
        stook_batch *batches[2];
        int left;
        for (int i = 0; i < 2; i++) {
            batches[i] = life_batch(&life);
            add(batches[i], raw_url(server, i ? "/stall" : "/ok"));
        }
        CHECK_ERROR(stook_gather_start(batches[0], NULL, close_in_done, &done[0]), 0);
        CHECK_ERROR(stook_gather_start(batches[1], NULL, count_done, &done[1]), 0);
        while ((left = stook_client_turn(life.client, waits ? STOOK_NONE : 0)) > 0)
            CHECK_EQ_INT(life.closed, 0);
        life.client = NULL;
        CHECK_ERROR(left, STOOK_ECLOSED);
        CHECK_STR(told(), "done closed");
        CHECK_EQ_INT(done[1].failed, 1);
        CHECK_ERROR(stook_result_error(stook_batch_result(batches[1], 0)), STOOK_ECLOSED);
        for (int i = 0; i < 2; i++)
            stook_batch_free(batches[i]);
        life_end(&life);
    }
}

static void never_closed(void *user)
{
    (void)user;
    FAIL("the second close is ignored, its callback never runs");
}

static int asked;

static void close_in_post(stook_client *client, void *user)
{
    (void)user;
    asked = 1;
    stook_client_close(client, note_closed, NULL);
}

/* A program that stops turning can still finish: by stook_client_run(), or by another close. */
static void finish_otherwise(int by_run)
{
    struct raw_server *server = begin();
    struct done done = {0, 0};
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < 100; i++) /* more than one turn ends */
        add(batch, raw_url(server, "/stall"));
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
    while (raw_seen(server, "/stall") < 100)
        stook_client_turn(life.client, 5);
    CHECK_ERROR(stook_client_post(life.client, close_in_post, NULL), 0);
    while (!asked)
        CHECK_EQ_INT(stook_client_turn(life.client, 0), 1);
    CHECK_EQ_INT(life.closed, 0);
    if (by_run)
        CHECK_ERROR(stook_client_run(life.client), 0);
    else
        stook_client_close(life.client, never_closed, NULL);
    life.client = NULL;
    CHECK_STR(told(), "closed");
    CHECK_EQ_INT(done.calls, 1);
    stook_batch_free(batch);
    life_end(&life);
}

TEST(closed_in_a_callback_and_run)
{
    finish_otherwise(1);
}

TEST(closed_in_a_callback_and_closed)
{
    finish_otherwise(0);
}
