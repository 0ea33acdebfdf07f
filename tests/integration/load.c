/* SPDX-License-Identifier: MIT */
/* Large numbers: limits of all sizes, a late head, cancels, adds from callbacks, clients, and an exit. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/plain.h"
#include "support/raw_server.h"

/* The server counts: never above the limit, and at it, for the first are answered when all of them are there. */
TEST_BOTH(limits_of_all_sizes, slow)
{
    static const struct {
        int limit, count, delay_ms;
    } cases[] = {{1, 500, 0}, {2, 1000, 1}, {50, 5000, 3}, {500, 4000, 3}};
    for (size_t i = 0; i < 4; i++) {
        struct raw_server *server = raw_server_start(NULL);
        test_note("limit %d", cases[i].limit);
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        for (int k = 0; k < cases[i].count; k++)
            add(batch, k < cases[i].limit ? raw_url(server, "/after?path=/after&n=%d", cases[i].limit)
                                          : raw_url(server, "/delay?ms=%d", cases[i].delay_ms));
        CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = cases[i].limit)), 0);
        CHECK_EQ_INT(raw_peak_of_all(server), cases[i].limit);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* ----------------------------------------------------------------- the late head */

static size_t next_delivered;

static void in_order(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    CHECK_EQ_INT(stook_result_ok(result), 1);
    CHECK_EQ_SIZE(stook_result_index(result), next_delivered++);
}

static void *release_head(void *user)
{
    raw_wait(user, "/ok", 399); /* the window: 4 x 100, with the head */
    raw_signal(user, "/go");
    return NULL;
}

/* One late and 9,999 fast: order exact, no more started than the window holds, memory with it. */
TEST_BOTH(late_head, slow)
{
    struct raw_server *server = raw_server_start(NULL);
    pthread_t thread;
    next_delivered = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/after?path=/go&n=1"));
    for (int i = 1; i < 10000; i++)
        add(batch, raw_url(server, "/ok"));
    size_t queued = life->memory.bytes;
    CHECK_EQ_INT(pthread_create(&thread, NULL, release_head, server), 0);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 100, .on_result = in_order)), 0);
    CHECK_EQ_INT(pthread_join(thread, NULL), 0);
    CHECK_EQ_SIZE(next_delivered, 10000);
    test_note("%zu bytes queued, %zu at most", queued, life->memory.peak);
    CHECK(life->memory.peak < queued + 4000000);
    stook_batch_free(batch);
}

/* ----------------------------------------------------------------------- cancels */

TEST_BOTH(ten_thousand_cancels, slow)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10000; i++)
        add(batch, raw_url(server, "/stall"));
    for (size_t i = 0; i < 5000; i++)
        stook_batch_cancel_request(batch, 2 * i);
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 50), NULL, NULL), 0);
    stook_batch_cancel(batch);
    life_run(life);
    for (size_t i = 0; i < 10000; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, i)), STOOK_ECANCELLED);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------- a turn's share */

/* Runs the loop to its end. Returns the most requests that ended in one iteration. */
static int64_t most_a_round(struct life *life)
{
    struct stook_stats before = STOOK_STATS(), now = STOOK_STATS();
    int64_t most = 0;
    for (int alive = 1; alive; before = now) {
        CHECK_ERROR(stook_client_stats(life->client, &before), 0);
        alive = uv_run(&life->loop, UV_RUN_ONCE);
        CHECK_ERROR(stook_client_stats(life->client, &now), 0);
        most = now.finished - before.finished > most ? now.finished - before.finished : most;
    }
    return most;
}

static struct life alone;

/* The program comes back late, and two thousand clocks have run out: the loop goes round between them, and
   what has waited too long does not start in the place of the first. */
TEST(clocks_take_turns)
{
    struct raw_server *server = raw_server_start(NULL);
    life_begin(&alone, 1);
    life_open(&alone, NULL);
    stook_batch *batch = life_batch(&alone);
    ADD(batch, raw_url(server, "/stall"), .attempt_timeout_ms = 40);
    for (int i = 1; i < 2000; i++)
        ADD(batch, raw_url(server, "/stall"), .queue_timeout_ms = 60);
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 1), NULL, NULL), 0);
    for (int i = 0; i < 3; i++)
        uv_run(&alone.loop, UV_RUN_NOWAIT);
    for (uint64_t from = uv_hrtime(); uv_hrtime() - from < UINT64_C(100000000);)
        ;
    CHECK(most_a_round(&alone) <= 256);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 0)), STOOK_ETIMEOUT_ATTEMPT);
    for (size_t i = 1; i < 2000; i++) {
        CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, i)), STOOK_ETIMEOUT_QUEUE);
        CHECK_EQ_INT(stook_result_attempts(stook_batch_result_by_index(batch, i)), 0);
    }
    stook_batch_free(batch);
    life_end(&alone);
}

/* A cancel of a hundred batches ends no more requests a turn than that of one; of those in flight a quarter. */
TEST(cancels_take_turns)
{
    struct raw_server *server = raw_server_start(NULL);
    stook_batch *batches[100];
    life_begin(&alone, 1);
    life_open(&alone, NULL);
    batches[0] = life_batch(&alone);
    for (int i = 0; i < 200; i++)
        add(batches[0], raw_url(server, "/stall"));
    CHECK_ERROR(stook_gather_start(batches[0], NULL, NULL, NULL), 0);
    while (raw_seen(server, "/stall") < 200)
        uv_run(&alone.loop, UV_RUN_NOWAIT);
    stook_batch_cancel(batches[0]);
    CHECK(most_a_round(&alone) <= 64);
    stook_batch_free(batches[0]);
    life_end(&alone);
    life_begin(&alone, 1);
    life_open(&alone, &STOOK_CLIENT(.limit = 1));
    for (size_t i = 0; i < 100; i++) {
        batches[i] = life_batch(&alone);
        for (int k = 0; k < 20; k++)
            add(batches[i], raw_url(server, "/stall"));
        CHECK_ERROR(stook_gather_start(batches[i], NULL, NULL, NULL), 0);
        stook_batch_cancel(batches[i]);
    }
    CHECK(most_a_round(&alone) <= 256);
    for (size_t i = 0; i < 100; i++) {
        CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batches[i], 19)), STOOK_ECANCELLED);
        stook_batch_free(batches[i]);
    }
    life_end(&alone);
}

/* -------------------------------------------------------------- adds in callbacks */

struct chain {
    const char *url;
    char *deepest, *first;
    int results;
};

static void add_more(stook_batch *batch, const stook_result *result, void *user)
{
    struct chain *chain = user;
    char here;
    CHECK_EQ_INT(stook_result_ok(result), 1);
    if (chain->first == NULL)
        chain->first = chain->deepest = &here;
    if (&here < chain->deepest)
        chain->deepest = &here;
    if (chain->results++ == 0)
        for (int i = 0; i < 1000; i++)
            add(batch, chain->url);
    if (chain->results < 3000)
        add(batch, chain->url);
}

/* A thousand at once, and one more from each: no recursion, the stack is where it was. */
TEST_BOTH(adds_in_callbacks)
{
    struct plain *plain = plain_start();
    struct chain chain = {.url = plain_url(plain, "/todos/1")};
    char url[128];
    snprintf(url, sizeof url, "%s", chain.url);
    chain.url = url;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, url);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 50, .on_result = add_more, .user = &chain)), 0);
    CHECK_EQ_INT(chain.results, 4000);
    CHECK(chain.first - chain.deepest < 4096);
    stook_batch_free(batch);
}

/* -------------------------------------------------------------------------- lives */

/* One client in a hundred has a request. */
static void live(struct life *life, const char *url, int i)
{
    life_open(life, NULL);
    if (i % 100 == 0) {
        stook_batch *batch = life_batch(life);
        add(batch, url);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        stook_batch_free(batch);
    }
    life_close(life);
    CHECK_EQ_SIZE(life->memory.blocks, 0);
}

/* 50,000 on each loop, and nothing grows. */
TEST_BOTH(a_hundred_thousand_lives, slow)
{
    enum { LIVES = 50000, EARLY = LIVES / 10 };
    struct raw_server *server = raw_server_start(NULL);
    char url[64];
    size_t fds = 0, threads = 0, early = 0;
    snprintf(url, sizeof url, "%s", raw_url(server, "/ok"));
    for (int i = 0; i < LIVES; i++) {
        live(life, url, i);
        if (i == EARLY) {
            fds = test_count_fds();
            threads = test_count_threads();
            early = test_resident();
        }
    }
    CHECK_EQ_SIZE(test_count_fds(), fds);
    CHECK_EQ_SIZE(test_count_threads(), threads);
    test_note("%zu KiB resident after %d lives, %zu after all", early / 1024, EARLY, test_resident() / 1024);
    if (!TEST_SANITIZED)
        CHECK(test_resident() < early + (256 << 10));
}

/* Returning from main with requests in flight: no crash, no wait for them. */
TEST(exit_in_flight)
{
    struct raw_server *server = raw_server_start(NULL);
    const char *url = raw_url(server, "/stall");
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        stook_client *client = NULL;
        stook_batch *batch = NULL;
        uv_loop_t loop;
        uv_loop_init(&loop);
        if (stook_client_new(&loop, NULL, &client) != 0 || stook_batch_new(client, &batch) != 0)
            _exit(3);
        for (int i = 0; i < 20; i++)
            stook_batch_add(batch, &STOOK_REQUEST(url));
        stook_gather_start(batch, NULL, NULL, NULL);
        while (stook_batch_request_state(batch, 0) != STOOK_STATE_WAITING)
            uv_run(&loop, UV_RUN_ONCE);
        exit(42);
    }
    int status = 0;
    CHECK_EQ_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ_INT(WEXITSTATUS(status), 42);
}
