/* SPDX-License-Identifier: MIT */
/* `more`: adds requests when there is room for them. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/plain.h"
#include "support/raw_server.h"

struct source {
    struct life *life;
    const char *url;
    size_t made, of; /* requests */
    size_t at_once;  /* added in one call */
    size_t results;
    size_t most_waiting;
    unsigned asked;
    unsigned char seen[10000];
};

static struct source source;

static struct source *begin(struct life *life, const char *url, size_t of)
{
    memset(&source, 0, sizeof source);
    source.life = life;
    source.url = url;
    source.of = of;
    source.at_once = 1;
    life_open(life, NULL);
    return &source;
}

static int make_some(stook_batch *batch, void *user)
{
    struct source *from = user;
    from->asked++;
    if (from->made - from->results > from->most_waiting)
        from->most_waiting = from->made - from->results;
    for (size_t i = 0; i < from->at_once && from->made < from->of; i++, from->made++)
        add(batch, from->url);
    return from->made < from->of;
}

static void count_each(stook_batch *batch, const stook_result *result, void *user)
{
    struct source *from = user;
    (void)batch;
    CHECK(stook_result_index(result) < from->of);
    CHECK_EQ_INT(from->seen[stook_result_index(result)]++, 0);
    from->results++;
}

static void gather_from(struct source *from, int ordered, int limit)
{
    stook_batch *batch = life_batch(from->life);
    struct stook_gather_options options =
        STOOK_GATHER(.limit = limit, .more = make_some, .on_result = count_each, .user = from);
    CHECK_EQ_INT((ordered ? life_gather_ordered : life_gather)(from->life, batch, &options), 0);
    CHECK_EQ_SIZE(from->results, from->of);
    CHECK_EQ_SIZE(stook_batch_count(batch), from->of);
    stook_batch_free(batch);
}

/* The peak of the client's memory while that many requests pass. */
static size_t peak_of(struct life *life, const struct plain *plain, size_t of, int ordered)
{
    life->memory.peak = life->memory.bytes;
    struct source *from = begin(life, plain_url(plain, "/todos/1"), of);
    gather_from(from, ordered, 20);
    CHECK(from->most_waiting <= 20 + 128 + 20); /* waiting, finished and not delivered, in flight */
    life_close(life);
    return life->memory.peak;
}

/* Ten times as many requests need no more memory. */
TEST_BOTH(flat, slow)
{
    struct plain *plain = plain_start();
    size_t few = peak_of(life, plain, 1000, life->borrowed);
    size_t many = peak_of(life, plain, 10000, life->borrowed);
    test_note("%zu and %zu bytes", few, many);
    CHECK(many <= few + few / 4);
    CHECK_EQ_INT(plain_count(plain, "requests"), 11000);
    CHECK(plain_count(plain, "most_in_flight") <= 20);
}

/* Several a call; without a limit; kept by the batch. */
TEST_BOTH(several_a_call)
{
    struct plain *plain = plain_start();
    struct source *from = begin(life, plain_url(plain, "/todos/1"), 500);
    from->at_once = 7;
    gather_from(from, 0, 0);
    CHECK(from->asked >= 500 / 7);
    from->at_once = 1000;
    from->made = from->results = from->asked = 0;
    memset(from->seen, 0, sizeof from->seen);
    gather_from(from, 1, 5);
    CHECK_EQ_INT(from->asked, 1);
}

TEST_BOTH(kept_by_the_batch)
{
    struct plain *plain = plain_start();
    struct source *from = begin(life, plain_url(plain, "/todos/1"), 100);
    stook_batch *batch = life_batch(life);
    add(batch, from->url); /* beside those that were there before */
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 3, .more = make_some, .user = from)), 0);
    CHECK_EQ_SIZE(stook_batch_count(batch), 101);
    for (size_t i = 0; i < 101; i++)
        CHECK_EQ_INT(stook_result_ok(stook_batch_result(batch, i)), 1);
    stook_batch_free(batch);
}

/* -------------------------------------------------------------- how it ends */

static int answer_once(stook_batch *batch, void *user)
{
    (void)batch;
    tell("asked");
    return *(int *)user;
}

/* 0 at once: nothing happens. Anything else without an add: the end, and one more not ok. */
TEST_BOTH(without_an_add)
{
    static const struct {
        int answer, failed;
    } cases[] = {{0, 0}, {1, 1}, {3, 1}, {-1, 1}, {STOOK_ENOMEM, 1}};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int answer = cases[i].answer;
        stook_batch *batch = life_batch(life), *with_one = life_batch(life);
        test_note("more returned %d", answer);
        CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.more = answer_once, .user = &answer)),
                     cases[i].failed);
        add(with_one, raw_url(server, "/ok"));
        CHECK_EQ_INT(life_gather_ordered(life, with_one, &STOOK_GATHER(.more = answer_once, .user = &answer)),
                     cases[i].failed);
        CHECK_EQ_INT(stook_result_ok(stook_batch_result(with_one, 0)), 1);
        stook_batch_free(batch);
        stook_batch_free(with_one);
    }
    CHECK_STR(told(), "asked asked asked asked asked asked asked asked asked asked");
}

static int add_and_fail(stook_batch *batch, void *user)
{
    add(batch, user);
    tell("asked");
    return -1;
}

/* What it added before it failed is still awaited. */
TEST_BOTH(adds_and_fails)
{
    struct raw_server *server = raw_server_start(NULL);
    char url[64];
    life_open(life, NULL);
    strcpy(url, raw_url(server, "/ok"));
    stook_batch *batch = life_batch(life);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.more = add_and_fail, .user = url)), 1);
    CHECK_EQ_SIZE(stook_batch_count(batch), 1);
    CHECK_EQ_INT(stook_result_ok(stook_batch_result(batch, 0)), 1);
    CHECK_STR(told(), "asked");
    stook_batch_free(batch);
}

static int cancel_at_ten(stook_batch *batch, void *user)
{
    struct source *from = user;
    from->asked++;
    add(batch, from->url);
    if (++from->made == 10)
        stook_batch_cancel(batch);
    return 1; /* would go on for ever */
}

TEST_BOTH(cancelled_in_more)
{
    struct raw_server *server = raw_server_start(NULL);
    struct source *from = begin(life, raw_url(server, "/ok"), 10);
    stook_batch *batch = life_batch(life);
    int failed = life_gather(life, batch, &STOOK_GATHER(.more = cancel_at_ten, .user = from));
    CHECK(failed >= 1 && failed <= 10);
    CHECK_EQ_INT(from->asked, 10);
    CHECK_EQ_SIZE(stook_batch_count(batch), 10);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 9)), STOOK_ECANCELLED);
    stook_batch_free(batch);
}

static int never_more(stook_batch *batch, void *user)
{
    (void)batch, (void)user;
    FAIL("asked although the batch was cancelled");
}

TEST_BOTH(cancelled_before)
{
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    stook_batch_cancel(batch);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.more = never_more)), 0);
    stook_batch_free(batch);
}

static int add_wrongly(stook_batch *batch, void *user)
{
    (void)user;
    CHECK_ERROR(stook_batch_add(batch, NULL), STOOK_EARG);
    return 0;
}

TEST_BOTH(failed_add_in_more)
{
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.more = add_wrongly)), 1);
    CHECK_EQ_SIZE(stook_batch_count(batch), 0);
    stook_batch_free(batch);
}

/* -------------------------------------------------------------- nothing now */

struct supply {
    struct life *life;
    const char *url;
    pthread_t thread;
    stook_batch *batch;
    atomic_int ready; /* requests that may be made */
    int made, of, results;
};

static int make_what_is_ready(stook_batch *batch, void *user)
{
    struct supply *supply = user;
    while (supply->made < atomic_load(&supply->ready)) {
        add(batch, supply->url);
        supply->made++;
    }
    return supply->made < supply->of ? STOOK_AGAIN : 0;
}

static void *supply_one_by_one(void *user)
{
    struct supply *supply = user;
    for (int i = 0; i < supply->of; i++) {
        atomic_fetch_add(&supply->ready, 1);
        stook_batch_wake(supply->batch);
        if (i % 16 == 0)
            sched_yield();
    }
    return NULL;
}

static void count_supplied(stook_batch *batch, const stook_result *result, void *user)
{
    struct supply *supply = user;
    (void)batch;
    CHECK_EQ_INT(stook_result_ok(result), 1);
    supply->results++;
}

/* Another thread has them, one by one; no wake-up is lost, however they coalesce. */
TEST_BOTH(woken_from_a_thread)
{
    struct raw_server *server = raw_server_start(NULL);
    struct supply supply = {.life = life, .of = 2000};
    char url[64];
    strcpy(url, raw_url(server, "/ok"));
    supply.url = url;
    life_open(life, NULL);
    supply.batch = life_batch(life);
    CHECK_EQ_INT(pthread_create(&supply.thread, NULL, supply_one_by_one, &supply), 0);
    struct stook_gather_options options =
        STOOK_GATHER(.limit = 50, .more = make_what_is_ready, .on_result = count_supplied, .user = &supply);
    CHECK_EQ_INT(life_gather(life, supply.batch, &options), 0);
    CHECK_EQ_INT(pthread_join(supply.thread, NULL), 0);
    CHECK_EQ_INT(supply.results, 2000);
    stook_batch_free(supply.batch);
}

static int later_for_ever(stook_batch *batch, void *user)
{
    (void)batch, (void)user;
    tell("later");
    return STOOK_AGAIN;
}

/* `more` is called once, not repeatedly. A cancel ends the await. */
static void cancel_it(stook_client *client, void *user)
{
    (void)client;
    stook_batch_cancel(user);
}

TEST_BOTH(again_and_cancelled)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(server, "/ok"));
    CHECK_ERROR(stook_client_post(life->client, cancel_it, batch), 0);
    life_gather(life, batch, &STOOK_GATHER(.limit = 2, .more = later_for_ever));
    CHECK(strcmp(told(), "later") == 0 || told()[0] == '\0');
    stook_batch_free(batch);
}

/* No more input comes: the deadline ends the await, and so does a close. */
TEST_BOTH(again_and_timed_out)
{
    struct done done = {0};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life), *closed = life_batch(life);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.timeout_ms = 60, .more = later_for_ever)), 0);
    CHECK_STR(told(), "later");
    CHECK_ERROR(stook_gather_start(closed, &STOOK_GATHER(.more = later_for_ever), count_done, &done), 0);
    life_close(life);
    CHECK_EQ_INT(done.calls, 1);
    stook_batch_wake(closed);
    stook_batch_free(batch);
    stook_batch_free(closed);
}

static int one_then_later(stook_batch *batch, void *user)
{
    struct source *from = user;
    if (++from->asked == 1)
        add(batch, from->url);
    return from->asked == 1 ? 1 : from->asked == 2 ? STOOK_AGAIN : 0;
}

/* A program that waits for results before it makes more requests needs no wake: `more` is called again when nothing
   of the batch waits or is in flight any more. */
TEST_BOTH(again_until_the_last)
{
    struct plain *plain = plain_start();
    struct source *from = begin(life, plain_url(plain, "/todos/1?delay_ms=20"), 1);
    from->asked = 0;
    stook_batch *batch = life_batch(life);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 4, .more = one_then_later, .user = from)), 0);
    CHECK_EQ_INT(from->asked, 3);
    CHECK_EQ_SIZE(stook_batch_count(batch), 1);
    stook_batch_free(batch);
}

static int later_once(stook_batch *batch, void *user)
{
    int *asked = user;
    if (++*asked == 1)
        stook_batch_wake(batch); /* before it is known that nothing is there */
    return *asked == 1 ? STOOK_AGAIN : 0;
}

/* A wake-up from inside `more` leads to another call of it. */
TEST_BOTH(woken_from_inside)
{
    int asked = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.more = later_once, .user = &asked)), 0);
    CHECK_EQ_INT(asked, 2);
    stook_batch_wake(batch); /* done: nothing */
    stook_batch_wake(NULL);
    stook_batch_free(batch);
}

/* ---------------------------------------------------------------- what could start */

static enum raw_then cool(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n");
    return RAW_KEEP;
}

/* So many for an origin that holds them back, then one for another. */
struct mixed {
    char held[64], other[64];
    int made, of, asked;
    size_t most_waiting;
    int64_t delay_ms;
    const char *rate_key;
};

static int make_mixed(stook_batch *batch, void *user)
{
    struct mixed *mixed = user;
    struct stook_batch_stats stats = STOOK_BATCH_STATS();
    CHECK_ERROR(stook_batch_stats(batch, &stats), 0);
    if ((size_t)stats.waiting > mixed->most_waiting)
        mixed->most_waiting = (size_t)stats.waiting;
    mixed->asked++;
    if (mixed->made++ < mixed->of) {
        ADD(batch, mixed->held, .delay_ms = mixed->delay_ms);
        return 1;
    }
    ADD(batch, mixed->other);
    return 0;
}

static void cancel_at_other(stook_batch *batch, const stook_result *result, void *user)
{
    struct mixed *mixed = user;
    if (!stook_result_ok(result))
        return;
    tell(strcmp(stook_result_url(result), mixed->other) == 0 ? "other" : "held");
    stook_batch_cancel(batch);
}

/* Requests that something but a slot holds back do not count: `more` is called on, until one comes that may start.
   Each of these would wait for seconds or for ever otherwise. */
TEST_BOTH(what_could_not_start)
{
    static const struct raw_behaviour behaviours[] = {{"/cool", .answer = cool}, {NULL}};
    static const char *const names[] = {"a cool-down", "a rate", "a delay", "the limit of the origin", "a circuit"};
    struct stook_rate rate = STOOK_RATE(.count = 1, .per_ms = INT64_C(2678400000));
    for (int how = 0; how < 5; how++)
        for (int64_t limit = 0; limit <= 4; limit += 4) {
            struct raw_server *server = raw_server_start(behaviours), *other = raw_server_start(NULL);
            struct mixed mixed = {.of = 100};
            test_note("%s, limit %d, %s loop", names[how], (int)limit, life->borrowed ? "borrowed" : "owned");
            strcpy(mixed.held, raw_url(server, "/stall"));
            strcpy(mixed.other, raw_url(other, "/ok"));
            life_open(life, &STOOK_CLIENT(.rates = how == 1 ? (const struct stook_rate *const[]){&rate, NULL} : NULL,
                                          .origin_limit = how == 3 ? 1 : 0, .circuit_failures = how == 4 ? 1 : 0, .max_retries = how == 4 ? 1 : 0,
                                          .retry_statuses = (const int64_t[]){599, 0}));
            stook_batch *first = life_batch(life), *batch = life_batch(life);
            if (how == 0 || how == 1 || how == 4) {
                ADD(first, raw_url(server, how == 0 ? "/cool" : how == 1 ? "/ok" : "/status?code=500"));
                life_gather(life, first, NULL);
            }
            mixed.delay_ms = how == 2 ? 86400000 : 0;
            tell(names[how]);
            life_gather(life, batch, &STOOK_GATHER(.limit = limit, .more = make_mixed, .on_result = cancel_at_other, .user = &mixed));
            size_t size = strlen(told());
            CHECK(size > 6 && strcmp(told() + size - 6, " other") == 0);
            CHECK(raw_seen(server, "/stall") <= (how == 3 ? 1 : 0)); /* the cancel may overtake it */
            CHECK_EQ_INT(mixed.asked, 101);
            stook_batch_free(first);
            stook_batch_free(batch);
            life_close(life);
        }
}

/* But no more than max_waiting wait: none is asked for until fewer do. */
TEST_BOTH(max_waiting)
{
    static const int64_t cases[] = {1, 3, 50, 0};
    struct raw_server *server = raw_server_start(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t most = cases[i] > 0 ? (size_t)cases[i] : 10000;
        struct mixed mixed = {.of = 20000, .delay_ms = 86400000};
        test_note("max_waiting %d", (int)cases[i]);
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        strcpy(mixed.held, raw_url(server, "/ok"));
        CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.max_waiting = cases[i], .more = make_mixed, .user = &mixed), NULL, NULL), 0);
        while ((size_t)mixed.asked < most)
            if (life->borrowed)
                uv_run(&life->loop, UV_RUN_ONCE);
            else
                stook_client_turn(life->client, 1000);
        for (int k = 0; k < 3; k++) {
            stook_client_wake(life->client);
            if (life->borrowed)
                uv_run(&life->loop, UV_RUN_NOWAIT);
            else
                stook_client_turn(life->client, 0);
        }
        CHECK_EQ_INT(mixed.asked, (int)most);
        CHECK_EQ_SIZE(stook_batch_count(batch), most);
        stook_batch_cancel_request(batch, 0);
        while ((size_t)mixed.asked == most)
            if (life->borrowed)
                uv_run(&life->loop, UV_RUN_ONCE);
            else
                stook_client_turn(life->client, 1000);
        CHECK_EQ_INT(mixed.asked, (int)most + 1);
        CHECK_EQ_SIZE(mixed.most_waiting, most - 1); /* when it is called, the last of them is still to come */
        stook_batch_cancel(batch);
        life_run(life);
        stook_batch_free(batch);
        life_close(life);
    }
}

TEST(max_waiting_out_of_range)
{
    static const int64_t bad[] = {STOOK_NONE, STOOK_AUTO, INT64_C(1000000001), INT64_MAX, INT64_MIN};
    stook_client *client;
    stook_batch *batch;
    CHECK_ERROR(stook_client_new(NULL, NULL, &client), 0);
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERROR(stook_gather(batch, &STOOK_GATHER(.max_waiting = bad[i])), STOOK_EARG);
        CHECK_CONTAINS(stook_batch_message(batch), "max_waiting");
    }
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
}
