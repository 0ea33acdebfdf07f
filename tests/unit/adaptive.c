/* SPDX-License-Identifier: MIT */
/* The rules of the limit that finds itself, one by one, in virtual time. tests/sim/adaptive.c has the servers. */
#include "sched/adaptive.h"
#include "support/harness.h"

enum { MAX = 4096 };
static const int64_t MS = 1000, SECOND = 1000000;

static struct stook__adaptive adaptive;
static int64_t now, starts[MAX];
static size_t first, in_flight;

static void begin(void)
{
    stook__adaptive_init(&adaptive, 1);
    now = SECOND;
    first = in_flight = 0;
}

static size_t limit(void)
{
    return stook__adaptive_limit(&adaptive);
}

static void start(void)
{
    CHECK(in_flight < MAX);
    starts[(first + in_flight++) % MAX] = now;
    stook__adaptive_started(&adaptive, now, in_flight);
}

static void fill(size_t most)
{
    while (in_flight < limit() && in_flight < most)
        start();
}

/* Ends the oldest attempt. */
static void end(enum stook__health health, int64_t first_byte_us)
{
    stook__adaptive_ended(&adaptive, now, in_flight--, starts[first], first_byte_us, health);
    first = (first + 1) % MAX;
}

/* A server that takes 100 ms and has no knee: everything in flight ends, and as much starts. */
static void round_trip(size_t most)
{
    fill(most);
    now += 100 * MS;
    for (size_t n = in_flight; n > 0; n--)
        end(STOOK__HEALTH_OK, 100 * MS);
}

/* A server of `knee` places that rejects what is beyond, every 10 ms. Returns the greatest limit it saw. */
static size_t run_rejecting(size_t knee, int64_t until)
{
    size_t greatest = 0;
    while (now < until) {
        fill(MAX);
        greatest = limit() > greatest ? limit() : greatest;
        now += 10 * MS;
        for (size_t n = in_flight, i = 0; i < n; i++)
            end(i < knee ? STOOK__HEALTH_OK : STOOK__HEALTH_DROP, 10 * MS);
    }
    return greatest;
}

TEST(it_is_small)
{
    CHECK(sizeof(struct stook__adaptive) <= 400);
}

TEST(startup_doubles_in_a_round_trip)
{
    begin();
    size_t before = limit();
    for (int i = 0; i < 5; i++, before = limit()) {
        round_trip(MAX);
        CHECK_EQ_SIZE(limit(), 2 * before);
    }
}

TEST(nothing_grows_that_is_not_used)
{
    begin();
    size_t before = limit();
    for (int i = 0; i < 1000; i++)
        round_trip(before / 2 - 1);
    CHECK_EQ_SIZE(limit(), before);
}

TEST(no_more_than_a_million)
{
    begin();
    adaptive.limit = 999999;
    for (int i = 0; i < 10; i++) {
        now += MS;
        stook__adaptive_started(&adaptive, now, 900000);
        stook__adaptive_ended(&adaptive, now + 100 * MS, 900000, now, MS, STOOK__HEALTH_OK);
    }
    CHECK_EQ_SIZE(limit(), 1000000);
}

TEST(what_says_nothing_changes_nothing)
{
    begin();
    round_trip(MAX);
    size_t before = limit();
    for (int i = 0; i < 1000; i++) {
        fill(MAX);
        now += MS;
        end(STOOK__HEALTH_NONE, MS);
        CHECK_EQ_SIZE(limit(), before);
    }
}

TEST(the_first_drop_ends_startup)
{
    begin();
    for (int i = 0; i < 3; i++)
        round_trip(MAX);
    size_t before = limit();
    fill(MAX);
    now += 100 * MS;
    end(STOOK__HEALTH_DROP, 0);
    CHECK(limit() < before && limit() >= before / 2);
    CHECK_EQ_INT(adaptive.phase, STOOK__ADAPTIVE_HOLD);
}

/* Whether STARTUP ends with them, or a limit that has been good. */
TEST(drops_of_one_round_trip_decrease_once)
{
    begin();
    for (int i = 0; i < 3; i++)
        round_trip(MAX);
    fill(MAX);
    CHECK(in_flight >= 50);
    now += 100 * MS;
    end(STOOK__HEALTH_DROP, 0);
    size_t after = limit();
    for (int i = 0; i < 49; i++) {
        now += MS;
        end(STOOK__HEALTH_DROP, 0);
        CHECK_EQ_SIZE(limit(), after);
    }

    begin();
    run_rejecting(100, 20 * SECOND);
    size_t before = limit();
    CHECK(before > 90 && before <= 100);
    fill(MAX);
    now += 10 * MS;
    for (int i = 0; i < 50; i++)
        end(STOOK__HEALTH_DROP, 0);
    CHECK(limit() < before);
    CHECK(limit() >= before * 7 / 10);
    after = limit();
    while (in_flight > 0)
        end(STOOK__HEALTH_DROP, 0);
    CHECK_EQ_SIZE(limit(), after);
}

TEST(never_below_one)
{
    begin();
    for (int i = 0; i < 1000; i++) {
        fill(MAX);
        now += 100 * MS;
        while (in_flight > 0)
            end(STOOK__HEALTH_DROP, 0);
        CHECK(limit() >= 1);
    }
    CHECK_EQ_SIZE(limit(), 1);
}

/* The refused height is tried after 1, 2, 4, ... 30 seconds, of which 15 % is left to chance. */
TEST(a_refused_height_is_tried_more_and_more_rarely)
{
    static const int64_t seconds[] = {1, 2, 4, 8, 16, 30, 30, 30};
    begin();
    run_rejecting(100, 1300 * MS); /* STARTUP, and what its drops answered */
    int64_t last = adaptive.changed_at;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        while (run_rejecting(100, now + 10 * MS) <= 100)
            CHECK(now < last + seconds[i] * SECOND + 200 * MS);
        CHECK(now > last + seconds[i] * SECOND * 84 / 100);
        size_t greatest = run_rejecting(100, now + 500 * MS); /* the first search is between the two */
        CHECK(i == 0 ? greatest <= 128 : greatest <= 101);
        last = adaptive.changed_at;
    }
}

/* One drop in 500 is no reason to do less. */
TEST(few_drops_pass)
{
    begin();
    run_rejecting(100, 20 * SECOND);
    size_t before = limit();
    for (int i = 0; i < 20000; i++) {
        fill(before);
        now += 100;
        end(i % 500 == 499 ? STOOK__HEALTH_DROP : STOOK__HEALTH_OK, 10 * MS);
    }
    CHECK(limit() >= before);
}

/* After an outage that brought it down to 1 it begins again, and does not creep up. */
TEST(begins_again_after_an_outage)
{
    begin();
    run_rejecting(100, 40 * SECOND);
    int64_t until = now + 20 * SECOND;
    while (now < until) {
        fill(MAX);
        now += 100 * MS;
        while (in_flight > 0)
            end(STOOK__HEALTH_DROP, 0);
    }
    CHECK_EQ_SIZE(limit(), 1);
    CHECK_EQ_INT(adaptive.phase, STOOK__ADAPTIVE_STARTUP);
    run_rejecting(100, now + SECOND);
    CHECK(limit() > 40);
}
