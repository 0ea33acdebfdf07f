/* SPDX-License-Identifier: MIT */
/* Limits of client, origin and batch together, changed while requests run; and priorities. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/plain.h"
#include "support/raw_server.h"
#include "support/sockets.h"

static void add_some(stook_batch *batch, const struct plain *plain, int count, int delay_ms)
{
    for (int i = 0; i < count; i++)
        add(batch, plain_url(plain, "/todos/%d?delay_ms=%d", i + 1, delay_ms));
}

static void start(stook_batch *batch, const struct stook_gather_options *options)
{
    CHECK_ERROR(stook_gather_start(batch, options, NULL, NULL), 0);
}

/* Three together, whatever each batch allows. */
TEST_BOTH(of_the_client)
{
    struct plain *plain = plain_start();
    life_open(life, &STOOK_CLIENT(.limit = 3));
    stook_batch *batches[3];
    for (int i = 0; i < 3; i++) {
        batches[i] = life_batch(life);
        add_some(batches[i], plain, 20, 5);
        start(batches[i], &STOOK_GATHER(.limit = i == 2 ? 2 : 0));
    }
    life_run(life);
    CHECK_EQ_INT(plain_count(plain, "most_in_flight"), 3);
    CHECK_EQ_INT(plain_count(plain, "requests"), 60);
    for (int i = 0; i < 3; i++)
        stook_batch_free(batches[i]);
}

/* Two origins of one batch have two each; the batch could have ten. */
TEST_BOTH(of_each_origin)
{
    struct plain *one = plain_start(), *other = plain_start();
    life_open(life, &STOOK_CLIENT(.origin_limit = 2));
    stook_batch *batch = life_batch(life);
    add_some(batch, one, 30, 5);
    add_some(batch, other, 30, 5);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 10)), 0);
    CHECK_EQ_INT(plain_count(one, "most_in_flight"), 2);
    CHECK_EQ_INT(plain_count(other, "most_in_flight"), 2);
    stook_batch_free(batch);
}

/* The other spelling of an origin is the same origin. */
TEST_BOTH(however_it_is_written)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.origin_limit = 1));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10; i++) {
        char url[100];
        strcpy(url, raw_url(server, "/delay/same?ms=2"));
        if (i % 2)
            memcpy(url, "HTTP", 4);
        add(batch, url);
    }
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(raw_peak(server, "/delay/same"), 1);
    stook_batch_free(batch);
}

static void let_first_go(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch;
    CHECK_EQ_INT(stook_result_ok(result), 1);
    if (stook_result_index(result) > 0)
        raw_signal(user, "/go");
}

/* No memory for an origin's queue: the next add of that origin is counted there all the same, not where the last one
   was, whose only slot is taken until this one is answered. */
TEST_BOTH(behind_an_add_that_failed)
{
    for (size_t nth = 1, refused = 1; refused > 0; nth++) {
        struct raw_server *one = raw_server_start(NULL), *other = raw_server_start(NULL);
        life_open(life, &STOOK_CLIENT(.origin_limit = 1));
        stook_batch *batch = life_batch(life);
        CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.on_result = let_first_go, .user = one), NULL, NULL), 0);
        ADD(batch, raw_url(one, "/after?path=/go"), .attempt_timeout_ms = 5000);
        char *url = strdup(raw_url(other, "/ok"));
        size_t before = life->memory.refused;
        memory_fail(&life->memory, life->memory.calls + nth, 0);
        int error = stook_batch_add(batch, &STOOK_REQUEST(url));
        refused = life->memory.refused - before;
        memory_fail(&life->memory, 0, 0);
        CHECK_ERROR(error, refused > 0 ? STOOK_ENOMEM : 0);
        add(batch, url);
        life_run(life);
        CHECK_EQ_SIZE(stook_batch_count(batch), refused > 0 ? 2 : 3);
        stook_batch_free(batch);
        free(url);
        life_close(life);
    }
}

/* The same host by a socket of the file system is another peer, and each socket one of its own. */
TEST_BOTH(unix_sockets_apart)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.origin_limit = 1));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        add(batch, raw_url(server, "/stall"));
    for (int i = 0; i < 4; i++)
        ADD(batch, raw_url(server, "/ok"), .unix_socket = i % 2 ? "/nowhere/one.sock" : "/nowhere/two.sock");
    char longer[200];
    memset(longer, 'x', sizeof longer);
    longer[199] = '\0';
    ADD(batch, .url = raw_url(server, "/ok"), .priority = 7);
    ADD(batch, raw_url(server, "/ok"), .unix_socket = longer);
    stook_batch_cancel_request(batch, 1);
    stook_batch_cancel_request(batch, 2);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.timeout_ms = 500)), 8);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 0)), STOOK_ETIMEOUT_BATCH);
    for (size_t i = 3; i < 7; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, i)), STOOK_ECONNECT);
    CHECK_EQ_INT(stook_result_ok(stook_batch_result_by_index(batch, 7)), 1);
    CHECK_EQ_INT(stook_result_ok(stook_batch_result_by_index(batch, 7)), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 8)), STOOK_EARG);
    stook_batch_free(batch);
}

static void cancel_other(stook_batch *batch, int failed, void *user)
{
    (void)batch;
    CHECK_EQ_INT(failed, 0);
    tell("fine");
    stook_batch_cancel(user);
}

/* Requests that hang delay no others, though they were added first and are many. */
TEST_BOTH(others_continue)
{
    struct raw_server *dead = raw_server_start(NULL);
    struct plain *healthy = plain_start();
    life_open(life, &STOOK_CLIENT(.origin_limit = 4));
    stook_batch *batch = life_batch(life), *fine = life_batch(life);
    for (int i = 0; i < 1000; i++)
        add(batch, raw_url(dead, "/stall"));
    add_some(batch, healthy, 100, 0);
    add_some(fine, healthy, 100, 0);
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 8), NULL, NULL), 0);
    CHECK_ERROR(stook_gather_start(fine, NULL, cancel_other, batch), 0);
    life_run(life);
    CHECK_STR(told(), "fine");
    CHECK(raw_seen(dead, "/stall") <= 4);
    for (size_t i = 0; i < 1000; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, i)), STOOK_ECANCELLED);
    stook_batch_free(batch);
    stook_batch_free(fine);
}

enum { DEAD = 1000, HEALTHY = 500 };

static void healthy_first(stook_batch *batch, const stook_result *result, void *user)
{
    int *healthy = user;
    int of_the_dead = stook_result_index(result) < DEAD;
    CHECK_EQ_INT(stook_result_ok(result), !of_the_dead);
    if (of_the_dead)
        CHECK_EQ_INT(*healthy, HEALTHY);
    else if (++*healthy == HEALTHY)
        stook_batch_cancel(batch);
}

/* A peer that answers no SYN, and one that does: all of the second are done before one of the first, with
   the limits that there are unless said, and where each origin has its share. */
TEST_BOTH(dead_origin_before_a_healthy_one)
{
    static const struct {
        int64_t limit, origin_limit;
    } cases[] = {{0, 0}, {20, 6}, {7, 6}};
    char dead[64];
    snprintf(dead, sizeof dead, "http://127.0.0.1:%d/", silent_port());
    struct plain *plain = plain_start();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int healthy = 0;
        test_note("limit %d, of origins %d", (int)cases[i].limit, (int)cases[i].origin_limit);
        life_open(life, &STOOK_CLIENT(.origin_limit = cases[i].origin_limit));
        stook_batch *batch = life_batch(life);
        for (int k = 0; k < DEAD; k++)
            add(batch, dead);
        add_some(batch, plain, HEALTHY, 0);
        struct stook_gather_options options = STOOK_GATHER(.limit = cases[i].limit, .on_result = healthy_first, .user = &healthy);
        CHECK_EQ_INT(life_gather(life, batch, &options), DEAD);
        CHECK_EQ_INT(healthy, HEALTHY);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* ------------------------------------------------------------ changed on the way */

struct change {
    struct life *life;
    int64_t to;
    int (*set)(struct change *change, stook_batch *batch);
    int results;
};

static int set_client(struct change *change, stook_batch *batch)
{
    (void)batch;
    return stook_client_set_limit(change->life->client, change->to);
}

static int set_origin(struct change *change, stook_batch *batch)
{
    (void)batch;
    return stook_client_set_origin_limit(change->life->client, change->to);
}

static int set_batch(struct change *change, stook_batch *batch)
{
    return stook_batch_set_limit(batch, change->to);
}

static void change_at_ten(stook_batch *batch, const stook_result *result, void *user)
{
    struct change *change = user;
    CHECK_EQ_INT(stook_result_ok(result), 1);
    if (++change->results == 10)
        CHECK_ERROR(change->set(change, batch), 0);
}

/* With a limit of two the eleventh and later could not all be in flight together, as they wait to be. */
static void raise_it(struct life *life, const struct stook_client_options *options, int64_t limit,
                     int (*set)(struct change *, stook_batch *))
{
    struct raw_server *server = raw_server_start(NULL);
    struct change change = {life, STOOK_NONE, set, 0};
    life_open(life, options);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10; i++)
        add(batch, raw_url(server, "/ok"));
    for (int i = 0; i < 30; i++)
        add(batch, raw_url(server, "/after?path=/after&n=30"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = limit, .on_result = change_at_ten, .user = &change)), 0);
    CHECK_EQ_INT(raw_peak(server, "/after"), 30);
    stook_batch_free(batch);
}

TEST_BOTH(raised_for_the_client)
{
    raise_it(life, &STOOK_CLIENT(.limit = 2), 0, set_client);
}

TEST_BOTH(raised_for_origins)
{
    raise_it(life, &STOOK_CLIENT(.origin_limit = 2), 0, set_origin);
}

TEST_BOTH(raised_for_a_batch)
{
    raise_it(life, NULL, 2, set_batch);
}

/* Lowered before the first start: what is in flight above a new limit would be let finish. */
TEST_BOTH(lowered)
{
    struct plain *plain = plain_start();
    life_open(life, &STOOK_CLIENT(.limit = 50));
    stook_batch *batch = life_batch(life);
    add_some(batch, plain, 40, 2);
    CHECK_ERROR(stook_batch_set_limit(batch, 3), STOOK_ESTATE); /* not awaited */
    start(batch, NULL);
    CHECK_ERROR(stook_batch_set_limit(batch, 3), 0);
    life_run(life);
    CHECK_EQ_INT(plain_count(plain, "most_in_flight"), 3);
    CHECK_ERROR(stook_batch_set_limit(batch, 3), STOOK_ESTATE); /* done */
    stook_batch_free(batch);
    batch = life_batch(life);
    add_some(batch, plain, 40, 2);
    CHECK_ERROR(stook_client_set_limit(life->client, 2), 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(plain_count(plain, "most_in_flight"), 3);
    stook_batch_free(batch);
}

static void ignore(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result, (void)user;
}

/* The window of a limit that found itself stays as it is when that is fixed: no more may start behind a head
   that is late. */
TEST_BOTH(the_window_does_not_change)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/delay?ms=600"));
    for (int i = 0; i < 300; i++)
        add(batch, raw_url(server, "/ok"));
    CHECK_ERROR(stook_gather_ordered_start(batch, &STOOK_GATHER(.limit = STOOK_AUTO, .on_result = ignore), NULL, NULL), 0);
    CHECK_ERROR(stook_batch_set_limit(batch, 200), 0);
    stook_batch *other = life_batch(life);
    add(other, raw_url(server, "/delay?ms=300"));
    start(other, NULL);
    while (stook_batch_request_state(other, 0) != STOOK_STATE_DONE)
        if (life->borrowed)
            uv_run(&life->loop, UV_RUN_ONCE);
        else
            stook_client_turn(life->client, 10);
    test_note("%u", raw_seen(server, "/ok"));
    CHECK(raw_seen(server, "/ok") < 64);
    life_run(life);
    CHECK_EQ_INT(raw_seen(server, "/ok"), 300);
    stook_batch_free(batch);
    stook_batch_free(other);
}

TEST_BOTH(out_of_range)
{
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    static const int64_t bad[] = {STOOK_AUTO, -3, 1000001, INT64_MAX, INT64_MIN};
    start(batch, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_ERROR(stook_client_set_limit(life->client, bad[i]), STOOK_EARG);
        CHECK_ERROR(stook_client_set_origin_limit(life->client, bad[i]), STOOK_EARG);
        CHECK_ERROR(stook_batch_set_limit(batch, bad[i]), STOOK_EARG);
    }
    life_run(life);
    stook_batch_free(batch);
}

/* ----------------------------------------------------------------- priorities */

TEST_BOTH(highest_first)
{
    static const int64_t priorities[] = {0, 1, 7, 4, 5, 7, 1};
    static const size_t expected[] = {2, 5, 4, 0, 3, 1, 6};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < 7; i++)
        ADD(batch, .url = raw_url(server, "/ok"), .priority = priorities[i]);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    for (size_t i = 0; i < 7; i++)
        CHECK_EQ_SIZE(stook_result_index(stook_batch_result(batch, i)), expected[i]);
    stook_batch_free(batch);
}

/* While the second is in flight and the third waits for its place, there comes one of higher priority. */
static void add_higher(stook_batch *batch, const stook_result *result, void *user)
{
    static const char *const names[] = {"first", "second", "low", "high"};
    tell(names[stook_result_index(result)]);
    if (stook_result_index(result) == 0)
        ADD(batch, .url = user, .priority = 7);
}

TEST_BOTH(highest_first_at_a_full_origin)
{
    struct raw_server *server = raw_server_start(NULL);
    char url[64];
    strcpy(url, raw_url(server, "/ok"));
    life_open(life, &STOOK_CLIENT(.origin_limit = 1));
    stook_batch *batch = life_batch(life);
    ADD(batch, .url = url);
    ADD(batch, .url = url);
    ADD(batch, .url = url, .priority = 1);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.on_result = add_higher, .user = url)), 0);
    CHECK_STR(told(), "first second high low");
    stook_batch_free(batch);
}

static void in_order(stook_batch *batch, const stook_result *result, void *user)
{
    size_t *next = user;
    (void)batch;
    CHECK_EQ_SIZE(stook_result_index(result), (*next)++);
}

/* The last request starts first and the window is one: a place is kept for the head. */
TEST_BOTH(ordered_with_the_smallest_window)
{
    struct raw_server *server = raw_server_start(NULL);
    size_t next = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 7; i++)
        ADD(batch, .url = raw_url(server, "/ok"), .priority = i + 1);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.window = 1, .on_result = in_order, .user = &next)), 0);
    CHECK_EQ_SIZE(next, 7);
    stook_batch_free(batch);
}
