/* SPDX-License-Identifier: MIT */
/* Fair shares of origins inside a batch: a freed slot goes to the head of the order, then by priority, then to the
   origin that has the fewest in flight, then to the oldest. */
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/arrivals.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { ORIGINS = 10 };

static struct raw_door doors[ORIGINS];

/* Notes itself; held until /go was asked for. */
static enum raw_then hang(struct raw_call *call)
{
    arrivals_note(call);
    raw_wait(call->server, "/go", 1);
    return raw_answer(call, "ok", 2);
}

static enum raw_then note_it(struct raw_call *call)
{
    arrivals_note(call);
    return raw_answer(call, "ok", 2);
}

/* /pair?n=9 is answered when so many have come: it takes as many slots. */
static enum raw_then together(struct raw_call *call)
{
    unsigned n = (unsigned)raw_number(call, "n");
    arrivals_note(call);
    raw_wait(call->server, "/together", (call->seen + n - 1) / n * n);
    return raw_answer(call, "ok", 2);
}

static const struct raw_behaviour behaviours[] = {{"/hang", .answer = hang}, {"/note", .answer = note_it}, {"/together", .answer = together}, {NULL}};

/* One server at ten ports. */
static struct raw_server *begin(void)
{
    memset(doors, 0, sizeof doors);
    arrivals_begin();
    return raw_server_open(behaviours, doors, ORIGINS);
}

static const char *url_at(int origin, const char *path)
{
    return text("http://127.0.0.1:%d%s", doors[origin].port, path);
}

/* How many came to the dead one before the last nine of the others did. After those the others are too few for all
   slots, and what is sent at one time may come in any order. */
static size_t of_the_dead(void)
{
    size_t count = 0, healthy = 0, all = arrivals_count() - arrivals_of(doors[0].port);
    for (size_t i = 0; i < arrivals_count() && healthy + 9 < all; i++)
        if (arrivals_at(i).port == doors[0].port)
            count++;
        else
            healthy++;
    return count;
}

struct healthy {
    int left;
};

static void until_healthy(stook_batch *batch, const stook_result *result, void *user)
{
    struct healthy *healthy = user;
    if (stook_result_ok(result) && --healthy->left == 0)
        stook_batch_cancel(batch);
}

/* Ten slots, nine healthy origins, and one that hangs and was added first with a thousand requests. The healthy ones
   hold nine slots at any time: their requests are answered nine at a time only, and the dead one gets one slot. */
static void beside_a_dead_one(struct life *life, int dead, int limit_of_client)
{
    struct raw_server *server = begin();
    struct healthy healthy = {.left = 9 * 40};
    life_open(life, &STOOK_CLIENT(.limit = limit_of_client ? 10 : 0));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < dead; i++)
        add(batch, url_at(0, "/hang"));
    for (int i = 0; i < 9 * 40; i++)
        add(batch, url_at(1 + i % 9, "/together?n=9"));
    struct stook_gather_options options = STOOK_GATHER(.limit = limit_of_client ? 0 : 10, .on_result = until_healthy, .user = &healthy);
    CHECK_EQ_INT(life_gather(life, batch, &options), dead);
    CHECK_EQ_INT(healthy.left, 0);
    CHECK_EQ_SIZE(of_the_dead(), 1);
    CHECK_EQ_INT(raw_peak(server, "/together"), 9);
    for (int i = 1; i < ORIGINS; i++)
        CHECK_EQ_SIZE(arrivals_of(doors[i].port), 40);
    raw_signal(server, "/go");
    stook_batch_free(batch);
    life_close(life);
}

TEST_BOTH(dead_origin)
{
    beside_a_dead_one(life, 1, 0);
    beside_a_dead_one(life, 1000, 0);
    beside_a_dead_one(life, 1000, 1);
}

/* The dead one alone has all ten; as they end, each slot goes to one of the others, which are fewer in flight. */
TEST_BOTH(slots_come_back)
{
    struct raw_server *server = begin();
    struct healthy healthy = {.left = 9 * 20};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 1000; i++)
        add(batch, url_at(0, "/hang"));
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 10, .on_result = until_healthy, .user = &healthy), NULL, NULL), 0);
    while (arrivals_count() < 10)
        life_poke(life);
    for (int i = 0; i < 9 * 20; i++)
        add(batch, url_at(1 + i % 9, "/together?n=9"));
    for (size_t i = 0; i < 9; i++)
        stook_batch_cancel_request(batch, i);
    life_run(life);
    CHECK_EQ_INT(healthy.left, 0);
    CHECK_EQ_SIZE(of_the_dead(), 10);
    raw_signal(server, "/go");
    stook_batch_free(batch);
}

/* The origin with the fewest, then the oldest: with one slot in turn of the adds; with more, one of each first. */
TEST_BOTH(fewest_then_oldest)
{
    static const int with_one[] = {1, 2, 3, 4, 5, 6}, with_three[] = {1, 4, 6};
    begin();
    life_open(life, NULL);
    for (int limit = 1; limit <= 3; limit += 2) {
        stook_batch *batch = life_batch(life);
        arrivals_begin();
        for (int i = 1; i <= 6; i++)
            add(batch, url_at(i < 4 ? 0 : i < 6 ? 1 : 2, text("/%s?n=%d", limit == 1 ? "note" : "hang", i)));
        CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = limit), NULL, NULL), 0);
        size_t expected = limit == 1 ? 6 : 3;
        while (arrivals_count() < expected)
            life_poke(life);
        for (size_t i = 0; i < expected; i++) {
            size_t found = 0;
            for (size_t k = 0; k < expected; k++)
                found += arrivals_at(limit == 1 ? i : k).n == (limit == 1 ? with_one : with_three)[i];
            CHECK(found > 0);
        }
        stook_batch_cancel(batch);
        life_run(life);
        stook_batch_free(batch);
    }
}

/* Priorities come before that: the dead origin's, if they are higher, take all slots. */
TEST_BOTH(priority_first)
{
    struct raw_server *server = begin();
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 1; i < ORIGINS; i++)
        add(batch, url_at(i, "/note"));
    for (int i = 0; i < 4; i++)
        ADD(batch, url_at(0, "/hang"), .priority = 5);
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 4), NULL, NULL), 0);
    while (arrivals_count() < 4)
        life_poke(life);
    CHECK_EQ_SIZE(arrivals_of(doors[0].port), 4);
    CHECK_EQ_INT(stook_batch_request_state(batch, 0), STOOK_STATE_QUEUED_BATCH);
    raw_signal(server, "/go");
    life_run(life);
    CHECK_EQ_SIZE(arrivals_count(), 13);
    stook_batch_free(batch);
}

/* What an origin has in flight counts for all of its priorities. */
TEST_BOTH(shares_over_priorities)
{
    struct raw_server *server = begin();
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        ADD(batch, url_at(0, "/hang"), .priority = 7);
    for (int i = 0; i < 10; i++)
        add(batch, url_at(0, "/hang"));
    for (int i = 0; i < 3; i++)
        add(batch, url_at(1, "/hang"));
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 6), NULL, NULL), 0);
    while (arrivals_count() < 6)
        life_poke(life);
    CHECK_EQ_SIZE(arrivals_of(doors[0].port), 3);
    CHECK_EQ_SIZE(arrivals_of(doors[1].port), 3);
    raw_signal(server, "/go");
    life_run(life);
    stook_batch_free(batch);
}

struct order {
    struct raw_server *server;
    size_t next;
};

static void in_order(stook_batch *batch, const stook_result *result, void *user)
{
    struct order *order = user;
    (void)batch;
    CHECK_EQ_INT(stook_result_ok(result), 1);
    CHECK_EQ_SIZE(stook_result_index(result), order->next++);
}

/* The head of the order comes before all: it is of the origin that has the most in flight, and of the lowest priority. */
TEST_BOTH(head_first)
{
    struct raw_server *server = begin();
    struct order order = {.server = server};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 12; i++)
        ADD(batch, url_at(0, text("/note?n=%d", i)), .priority = 1);
    for (int i = 12; i < 40; i++)
        ADD(batch, url_at(1 + i % 9, text("/note?n=%d", i)), .priority = 7);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1, .on_result = in_order, .user = &order)), 0);
    for (size_t i = 0; i < 40; i++)
        CHECK_EQ_INT(arrivals_at(i).n, (long)i);
    stook_batch_free(batch);
}

/* An ordered await over ten origins, sorted by origin: the limit is used all the time. Nine at a time are answered. */
TEST_BOTH(sorted_by_origin)
{
    struct raw_server *server = begin();
    struct order order = {.server = server};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 900; i++)
        add(batch, url_at(i / 90, "/together?n=9"));
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 9, .on_result = in_order, .user = &order)), 0);
    CHECK_EQ_SIZE(order.next, 900);
    CHECK_EQ_INT(raw_peak(server, "/together"), 9);
    stook_batch_free(batch);
}

/* Many origins, all of them dead but for one, which was added last: it is served in its turn, before the second
   request of any of the dead ones. */
TEST_BOTH(the_last_of_many)
{
    begin();
    struct raw_server *dead[20];
    for (int i = 0; i < 20; i++)
        dead[i] = raw_server_start(behaviours);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 20; i++)
        for (int k = 0; k < 50; k++)
            add(batch, raw_url(dead[i], "/hang"));
    add(batch, url_at(0, "/note"));
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 21), NULL, NULL), 0);
    while (arrivals_of(doors[0].port) == 0 || arrivals_count() < 22)
        life_poke(life);
    CHECK_EQ_INT(stook_batch_request_state(batch, 1000), STOOK_STATE_DONE);
    stook_batch_cancel(batch);
    life_run(life);
    stook_batch_free(batch);
}
