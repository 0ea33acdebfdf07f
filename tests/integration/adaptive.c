/* SPDX-License-Identifier: MIT */
/* Limits that find themselves, of an origin and of a batch, against a server that works on ten requests at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/fail_nth.h"
#include "support/life.h"
#include "support/plain.h"
#include "support/raw_server.h"

enum { COUNT = 1000, SLOTS = 10 };

static struct plain *plain;

static void add_some(stook_batch *batch, int count, const char *overload)
{
    for (int i = 0; i < count; i++)
        add(batch, plain_url(plain, "/todos/%d?delay_ms=5&slots=%d&overload=%s", i + 1, SLOTS, overload));
}

static int64_t repeats(struct life *life)
{
    struct stook_stats stats = STOOK_STATS();
    CHECK_ERROR(stook_client_stats(life->client, &stats), 0);
    return stats.repeated;
}

/* What is refused is sent again, so the number of repeats is that of refusals. The search costs some in its first
   round trips, and hardly any later. */
static void check_found(struct life *life)
{
    int64_t refused = repeats(life);
    long most = plain_count(plain, "most_in_flight");
    test_note("%lld refused, %ld in flight at most", (long long)refused, most);
    CHECK(refused <= COUNT / 20);
    CHECK(most >= SLOTS - 2 && most <= 2 * SLOTS + 1);
}

TEST_BOTH(of_an_origin)
{
    plain = plain_start();
    life_open(life, &STOOK_CLIENT(.origin_limit = STOOK_AUTO, .max_retries = 10, .retry_delay_ms = 5));
    stook_batch *batch = life_batch(life);
    add_some(batch, COUNT, "503");
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    check_found(life);
    struct stook_origin origin = STOOK_ORIGIN(); /* what was found is kept for the next batch */
    CHECK_ERROR(stook_client_origin_at(life->client, 0, &origin), 0);
    test_note("limit %lld at the end", (long long)origin.limit); /* less than before on a machine that is busy */
    CHECK(origin.limit >= SLOTS / 2 && origin.limit <= 2 * SLOTS);
    stook_batch_free(batch);
}

static void count(stook_batch *batch, const stook_result *result, void *user)
{
    size_t *next = user;
    (void)batch;
    CHECK_EQ_SIZE(stook_result_index(result), (*next)++);
    CHECK_EQ_INT(stook_result_ok(result), 1);
}

TEST_BOTH(of_a_batch)
{
    plain = plain_start();
    life_open(life, &STOOK_CLIENT(.max_retries = 10, .retry_delay_ms = 5));
    for (int ordered = 0; ordered < 2; ordered++) {
        size_t next = 0;
        stook_batch *batch = life_batch(life);
        add_some(batch, COUNT / 2, "503");
        const struct stook_gather_options options =
            STOOK_GATHER(.limit = STOOK_AUTO, .on_result = ordered ? count : NULL, .user = &next);
        CHECK_EQ_INT(ordered ? life_gather_ordered(life, batch, &options) : life_gather(life, batch, &options), 0);
        if (ordered)
            CHECK_EQ_SIZE(next, COUNT / 2);
        stook_batch_free(batch);
    }
    check_found(life);
}

/* More is made as the limit grows, and the program may end the search. */
static int make(stook_batch *batch, void *user)
{
    int *made = user;
    if (*made == COUNT)
        return 0;
    add(batch, plain_url(plain, "/todos/%d?delay_ms=1", ++*made));
    return 1;
}

TEST_BOTH(set_by_the_program)
{
    int made = 0;
    plain = plain_start();
    life_open(life, &STOOK_CLIENT(.origin_limit = STOOK_AUTO));
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = STOOK_AUTO, .more = make, .user = &made), NULL, NULL), 0);
    CHECK_ERROR(stook_batch_set_limit(batch, 3), 0);
    CHECK_ERROR(stook_client_set_origin_limit(life->client, 5), 0);
    life_run(life);
    CHECK_EQ_SIZE(stook_batch_count(batch), COUNT);
    CHECK_EQ_INT(plain_count(plain, "most_in_flight"), 3);
    stook_batch_free(batch);
}

/* Whichever allocation fails, each request has one result. */
static struct raw_server *server;

static void flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    for (int i = 0; story.batch != NULL && i < 3; i++)
        story_add(&story, raw_url(server, "/ok"));
    story_start(&story, 1, &STOOK_GATHER(.limit = STOOK_AUTO));
    story_end(&story);
}

TEST(nomem, slow)
{
    server = raw_server_start(NULL);
    fail_nth(flow);
}
