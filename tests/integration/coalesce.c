/* SPDX-License-Identifier: MIT */
/* One response for many equal requests: which are equal, who joins whom, what each result is, and what ends whom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/fail_nth.h"
#include "support/life.h"
#include "support/raw_server.h"

/* ------------------------------------------------------------------- the peer */

/* The number of the request, when /go was signalled. */
static enum raw_then numbered(struct raw_call *call)
{
    char body[20];
    raw_wait(call->server, "/go", 1);
    return raw_answer(call, body, (size_t)snprintf(body, sizeof body, "%u", call->seen));
}

static enum raw_then at_once(struct raw_call *call)
{
    char body[20];
    return raw_answer(call, body, (size_t)snprintf(body, sizeof body, "%u", call->seen));
}

static enum raw_then lengthy(struct raw_call *call)
{
    static char body[1 << 20];
    memset(body, 'x', sizeof body);
    raw_wait(call->server, "/go", 1);
    return raw_answer(call, body, sizeof body);
}

static enum raw_then broken(struct raw_call *call)
{
    raw_wait(call->server, "/go", 1);
    return RAW_RESET;
}

static const struct raw_behaviour behaviours[] = {{"/numbered", .answer = numbered},
                                                  {"/at-once", .answer = at_once},
                                                  {"/broken", .answer = broken},
                                                  {"/long", .answer = lengthy},
                                                  {"/lead", "HTTP/1.1 302 Found\r\nLocation: /at-once\r\nContent-Length: 0\r\n\r\n", .then = RAW_KEEP},
                                                  {NULL}};

static struct raw_server *server;

static void open_with(struct life *life, const struct stook_client_options *options)
{
    server = raw_server_start(behaviours);
    life_open(life, options);
}

/* Runs the loop until a path was requested so often. */
static void until(struct life *life, const char *path, unsigned seen)
{
    while (raw_seen(server, path) < seen)
        life_turn(life, 10);
}

static const stook_result *of(const stook_batch *batch, size_t index)
{
    return stook_batch_result_by_index(batch, index);
}

static int is_shared(const stook_result *result)
{
    return (stook_result_flags(result) & STOOK_FLAG_SHARED) != 0;
}

/* ------------------------------------------------------------------------- one for many */

TEST_BOTH(one_is_sent)
{
    open_with(life, NULL);
    stook_batch *batch = life_batch(life);
    int marks[200];
    for (int i = 0; i < 200; i++)
        ADD(batch, raw_url(server, "/at-once"), .coalesce = 1, .user = &marks[i]);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(raw_seen(server, "/at-once"), 1);
    int n_shared = 0;
    for (size_t i = 0; i < 200; i++) {
        const stook_result *result = of(batch, i);
        CHECK_EQ_INT(stook_result_ok(result), 1);
        CHECK_STR(stook_result_body(result, NULL), "1");
        CHECK_STR(stook_result_message(result), "OK");
        CHECK(stook_result_user(result) == &marks[i]);
        CHECK_EQ_SIZE(stook_result_index(result), i);
        CHECK_STR(stook_result_header(result, "content-length"), "1");
        CHECK_EQ_INT(stook_result_attempts(result), 1);
        CHECK_STR(stook_result_protocol(result), "HTTP/1.1");
        n_shared += is_shared(result);
    }
    CHECK_EQ_INT(n_shared, 199);
    CHECK(!is_shared(of(batch, 0)));
    stook_batch_free(batch);
}

/* However many have it, a body is there once, and as long as one of them has it. */
TEST_BOTH(the_body_is_there_once)
{
    enum { COUNT = 300, SIZE = 1 << 20 };
    open_with(life, NULL);
    stook_batch *first = life_batch(life), *others = life_batch(life);
    ADD(first, raw_url(server, "/long"), .coalesce = 1);
    CHECK_ERROR(stook_gather_start(first, NULL, NULL, NULL), 0);
    while (raw_seen(server, "/long") < 1)
        life_turn(life, 10);
    for (int i = 0; i < COUNT; i++)
        ADD(others, raw_url(server, "/long"), .coalesce = 1);
    CHECK_ERROR(stook_gather_start(others, NULL, NULL, NULL), 0);
    raw_signal(server, "/go");
    life_run(life);
    CHECK(life->memory.peak < 8 * (size_t)SIZE);
    const void *bytes = stook_result_body(of(first, 0), NULL);
    CHECK(bytes != NULL);
    stook_batch_free(first);
    const stook_result *kept = stook_result_ref(of(others, 7));
    for (size_t i = 0; i < COUNT; i++) {
        size_t size;
        CHECK(stook_result_body(of(others, i), &size) == bytes);
        CHECK_EQ_SIZE(size, SIZE);
        CHECK(is_shared(of(others, i)));
    }
    stook_batch_free(others);
    CHECK_EQ_INT(((const char *)stook_result_body(kept, NULL))[SIZE - 1], 'x');
    stook_result_unref(kept);
}

/* In the order of the adds too, and delivered once each. */
static void count(stook_batch *batch, const stook_result *result, void *user)
{
    size_t *next = user;
    (void)batch;
    CHECK_EQ_SIZE(stook_result_index(result), (*next)++);
    CHECK_EQ_INT(stook_result_ok(result), 1);
}

TEST_BOTH(in_order)
{
    size_t next = 0;
    open_with(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 300; i++)
        ADD(batch, raw_url(server, "/at-once/%d", i % 3), .coalesce = 1);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 2, .on_result = count, .user = &next)), 0);
    CHECK_EQ_SIZE(next, 300);
    stook_batch_free(batch);
}

/* Off unless it is asked for, by each. */
TEST_BOTH(off)
{
    open_with(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/at-once"));
    add(batch, raw_url(server, "/at-once"));
    ADD(batch, raw_url(server, "/at-once"), .coalesce = 1);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(raw_seen(server, "/at-once"), 3);
    stook_batch_free(batch);
}

/* Nothing is kept: what was answered is asked for anew. */
TEST_BOTH(nothing_is_kept)
{
    open_with(life, NULL);
    for (unsigned i = 1; i <= 3; i++) {
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "/at-once"), .coalesce = 1);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        CHECK_EQ_INT(raw_seen(server, "/at-once"), i);
        stook_batch_free(batch);
    }
}

/* ------------------------------------------------------------------------ what is equal */

TEST_BOTH(what_is_equal)
{
    static const char *const one[] = {"X-A: 1", NULL}, *const other[] = {"X-A: 2", NULL};
    open_with(life, NULL);
    const char *url = raw_url(server, "/at-once");
    const struct stook_request differ[] = {
        STOOK_REQUEST(url, .coalesce = 1),
        STOOK_REQUEST(url, .coalesce = 1, .method = "HEAD"),
        STOOK_REQUEST(url, .coalesce = 1, .headers = one),
        STOOK_REQUEST(url, .coalesce = 1, .headers = other),
        STOOK_REQUEST(url, .coalesce = 1, .bearer = "a"),
        STOOK_REQUEST(url, .coalesce = 1, .username = "a"),
        STOOK_REQUEST(url, .coalesce = 1, .username = "a", .password = "b"),
        STOOK_REQUEST(url, .coalesce = 1, .username = "a", .password = "b", .auth = STOOK_AUTH_DIGEST),
        STOOK_REQUEST(url, .coalesce = 1, .max_body_bytes = 100),
        STOOK_REQUEST(url, .coalesce = 1, .timeout_ms = 5000),
        STOOK_REQUEST(url, .coalesce = 1, .rate_key = "k"),
        STOOK_REQUEST(url, .coalesce = 1, .decompress = 1),
        STOOK_REQUEST(url, .coalesce = 1, .pinned_key = "sha256//aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa="),
        STOOK_REQUEST(url, .coalesce = 1, .max_redirects = 3),
        STOOK_REQUEST(url, .coalesce = 1, .cost = 7),
    };
    enum { N = sizeof differ / sizeof *differ };
    stook_batch *batch = life_batch(life);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < N; i++)
            CHECK_ERROR(stook_batch_add(batch, &differ[i]), 0);
    ADD(batch, url, .coalesce = 1, .priority = 7, .method = "GET"); /* equal to the first */
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(raw_seen(server, "/at-once"), N);
    for (size_t i = 0; i < 3 * N + 1; i++)
        CHECK_EQ_INT(is_shared(of(batch, i)), i >= N);
    stook_batch_free(batch);
}

/* No text of one member passes for that of another, whatever its bytes. */
TEST_BOTH(odd_texts)
{
    open_with(life, NULL);
    const char *url = raw_url(server, "/at-once");
    const struct stook_request differ[] = {
        STOOK_REQUEST(url, .coalesce = 1, .rate_key = "s", .auth = STOOK_AUTH_DIGEST, .username = "\xffz"),
        STOOK_REQUEST(url, .coalesce = 1, .unix_socket = "\xffs", .auth = STOOK_AUTH_DIGEST, .username = "z"),
    };
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < 2; i++)
        CHECK_ERROR(stook_batch_add(batch, &differ[i]), 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_EQ_INT(stook_result_ok(of(batch, 0)), 1);
    CHECK_EQ_INT(stook_result_ok(of(batch, 1)), 0);
    stook_batch_free(batch);
}

TEST_BOTH(what_is_not_shared)
{
    open_with(life, NULL);
    const char *url = raw_url(server, "/at-once");
    static const char *const mirrors[] = {"http://127.0.0.1:1/", NULL};
    const struct stook_request bad[] = {
        STOOK_REQUEST(url, .coalesce = 1, .method = "POST"),
        STOOK_REQUEST(url, .coalesce = 1, .method = "GET", .body = "x", .body_size = 1),
        STOOK_REQUEST(url, .coalesce = 1, .method = "get"),
        STOOK_REQUEST(url, .coalesce = 1, .output_file = "x"),
        STOOK_REQUEST(url, .coalesce = 1, .mirrors = mirrors),
        STOOK_REQUEST(url, .coalesce = 1, .hedge_after_ms = 5),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        stook_batch *batch = life_batch(life);
        test_note("%zu", i);
        CHECK_ERROR(stook_batch_add(batch, &bad[i]), 0);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
        CHECK_ERROR(stook_result_error(of(batch, 0)), STOOK_EARG);
        CHECK_CONTAINS(stook_result_message(of(batch, 0)), "coalesce");
        stook_batch_free(batch);
    }
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(url, .coalesce = 2)), STOOK_EARG);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(url, .coalesce = STOOK_AUTO)), STOOK_EARG);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------------ who joins whom */

static void start(stook_batch *batch, int64_t limit)
{
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = limit), NULL, NULL), 0);
}

/* A request of another batch joins what is in flight, at its add or when it starts. */
TEST_BOTH(joins_what_is_in_flight)
{
    open_with(life, NULL);
    stook_batch *first = life_batch(life), *early = life_batch(life), *late = life_batch(life);
    ADD(first, raw_url(server, "/numbered"), .coalesce = 1);
    ADD(early, raw_url(server, "/numbered"), .coalesce = 1); /* before the first has started */
    ADD(early, raw_url(server, "/numbered"), .coalesce = 1);
    start(first, 0);
    until(life, "/numbered", 1);
    ADD(late, raw_url(server, "/numbered"), .coalesce = 1);
    start(early, 0);
    start(late, 0);
    for (int i = 0; i < 5; i++)
        stook_client_wake(life->client), life_turn(life, 10);
    CHECK_EQ_INT(stook_batch_request_state(late, 0), STOOK_STATE_SHARING);
    CHECK_EQ_INT(stook_batch_request_state(early, 0), STOOK_STATE_SHARING);
    raw_signal(server, "/go");
    life_run(life);
    CHECK_EQ_INT(raw_seen(server, "/numbered"), 1);
    CHECK(is_shared(of(early, 0)) && is_shared(of(early, 1)) && is_shared(of(late, 0)));
    CHECK_STR(stook_result_body(of(late, 0), NULL), "1");
    stook_batch_free(first);
    stook_batch_free(early);
    stook_batch_free(late);
}

/* Nothing has a result before its await, so what is in flight is joined only then. */
TEST_BOTH(no_result_before_the_await)
{
    struct stook_batch_stats stats = STOOK_BATCH_STATS();
    open_with(life, NULL);
    stook_batch *first = life_batch(life), *open = life_batch(life);
    ADD(first, raw_url(server, "/numbered"), .coalesce = 1);
    start(first, 0);
    until(life, "/numbered", 1);
    ADD(open, raw_url(server, "/numbered"), .coalesce = 1);
    raw_signal(server, "/go");
    life_run(life);
    CHECK_ERROR(stook_batch_stats(open, &stats), 0);
    CHECK_EQ_INT(stats.finished, 0);
    CHECK_EQ_INT(life_gather(life, open, NULL), 0);
    CHECK_STR(stook_result_body(of(open, 0), NULL), "2");
    stook_batch_free(first);
    stook_batch_free(open);
}

/* The attempts of a shared response are those of the request that was sent. */
TEST_BOTH(attempts_of_followers)
{
    open_with(life, &STOOK_CLIENT(.max_redirects = 3));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        ADD(batch, raw_url(server, "/lead"), .coalesce = 1);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        struct stook_attempt hop = STOOK_ATTEMPT(), last = STOOK_ATTEMPT(), none = STOOK_ATTEMPT();
        CHECK_EQ_INT(stook_result_attempts(of(batch, i)), 2);
        CHECK_ERROR(stook_result_attempt_at(of(batch, i), 0, &hop), 0);
        CHECK_ERROR(stook_result_attempt_at(of(batch, i), 1, &last), 0);
        CHECK_ERROR(stook_result_attempt_at(of(batch, i), 2, &none), STOOK_ESTATE);
        CHECK_EQ_INT(hop.status, 302);
        CHECK_EQ_INT(hop.again, STOOK_AGAIN_REDIRECT);
        CHECK_EQ_INT(last.status, 200);
    }
    stook_batch_free(batch);
}

/* It does not join the queue of another batch, which may never be awaited. */
TEST_BOTH(joins_no_other_queue)
{
    open_with(life, NULL);
    stook_batch *asleep = life_batch(life), *awake = life_batch(life);
    ADD(asleep, raw_url(server, "/at-once"), .coalesce = 1);
    ADD(awake, raw_url(server, "/at-once"), .coalesce = 1);
    CHECK_EQ_INT(life_gather(life, awake, NULL), 0);
    CHECK(!is_shared(of(awake, 0)));
    stook_batch_free(asleep);
    stook_batch_free(awake);
}

/* ------------------------------------------------------------------------- what ends whom */

/* Of a request that is sent, a cancel ends no other: another one is sent. */
TEST_BOTH(the_sender_is_cancelled)
{
    open_with(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 5; i++)
        ADD(batch, raw_url(server, "/numbered"), .coalesce = 1);
    start(batch, 0);
    until(life, "/numbered", 1);
    stook_batch_cancel_request(batch, 0);
    until(life, "/numbered", 2);
    raw_signal(server, "/go");
    life_run(life);
    CHECK_ERROR(stook_result_error(of(batch, 0)), STOOK_ECANCELLED);
    CHECK_EQ_INT(raw_seen(server, "/numbered"), 2);
    for (size_t i = 1; i < 5; i++)
        CHECK_STR(stook_result_body(of(batch, i), NULL), "2");
    stook_batch_free(batch);
}

TEST_BOTH(a_follower_is_cancelled)
{
    open_with(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 5; i++)
        ADD(batch, raw_url(server, "/numbered"), .coalesce = 1);
    start(batch, 0);
    until(life, "/numbered", 1);
    stook_batch_cancel_request(batch, 2);
    raw_signal(server, "/go");
    life_run(life);
    for (size_t i = 0; i < 5; i++)
        CHECK_ERROR(stook_result_error(of(batch, i)), i == 2 ? STOOK_ECANCELLED : 0);
    CHECK_EQ_INT(raw_seen(server, "/numbered"), 1);
    stook_batch_free(batch);
}

/* A batch that is cancelled, or past its deadline, takes nothing from another one. */
TEST_BOTH(the_batch_of_the_sender_is_cancelled)
{
    open_with(life, NULL);
    stook_batch *first = life_batch(life), *other = life_batch(life);
    ADD(first, raw_url(server, "/numbered"), .coalesce = 1);
    start(first, 0);
    until(life, "/numbered", 1);
    for (int i = 0; i < 3; i++)
        ADD(other, raw_url(server, "/numbered"), .coalesce = 1);
    start(other, 0);
    stook_batch_cancel(first);
    until(life, "/numbered", 2);
    raw_signal(server, "/go");
    life_run(life);
    for (size_t i = 0; i < 3; i++)
        CHECK_STR(stook_result_body(of(other, i), NULL), "2");
    stook_batch_free(first);
    stook_batch_free(other);
}

static int is_over(const stook_batch *batch, size_t index)
{
    return stook_batch_request_state(batch, index) == STOOK_STATE_DONE;
}

static void pass_often(struct life *life, int times)
{
    for (; times > 0; times--)
        stook_client_wake(life->client), life_turn(life, 10);
}

/* Those that waited for a request which was never sent have waited in the queue. */
TEST_BOTH(the_queue_clock_of_followers)
{
    open_with(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/numbered/slot"));
    for (int i = 0; i < 4; i++)
        ADD(batch, raw_url(server, "/numbered"), .coalesce = 1, .queue_timeout_ms = 50);
    ADD(batch, raw_url(server, "/delay/x?ms=400"), .priority = 7);
    start(batch, 1);
    until(life, "/delay/x", 1);
    while (!is_over(batch, 5))
        life_turn(life, 10);
    pass_often(life, 5);
    for (size_t i = 1; i < 5; i++) {
        test_note("%zu", i);
        CHECK_ERROR(stook_result_error(of(batch, i)), STOOK_ETIMEOUT_QUEUE);
    }
    raw_signal(server, "/go");
    life_run(life);
    CHECK_EQ_INT(raw_seen(server, "/numbered"), 0);
    stook_batch_free(batch);
}

/* But for one in flight they do not wait in the queue: a cancel of that one ends no other. */
TEST_BOTH(the_queue_clock_stands_still)
{
    open_with(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        ADD(batch, raw_url(server, "/numbered"), .coalesce = 1, .queue_timeout_ms = 50);
    ADD(batch, raw_url(server, "/delay/x?ms=200"));
    start(batch, 0);
    until(life, "/numbered", 1);
    while (!is_over(batch, 3))
        life_turn(life, 10);
    stook_batch_cancel_request(batch, 0);
    until(life, "/numbered", 2);
    raw_signal(server, "/go");
    life_run(life);
    CHECK_STR(stook_result_body(of(batch, 1), NULL), "2");
    CHECK_STR(stook_result_body(of(batch, 2), NULL), "2");
    stook_batch_free(batch);
}

/* A delay is not cut short by the end of the one that was to be sent. */
TEST_BOTH(the_delay_of_followers)
{
    open_with(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        ADD(batch, raw_url(server, "/at-once"), .coalesce = 1, .delay_ms = 400);
    start(batch, 0);
    pass_often(life, 2);
    stook_batch_cancel_request(batch, 0);
    pass_often(life, 5);
    CHECK_EQ_INT(stook_batch_request_state(batch, 1), STOOK_STATE_QUEUED_DELAY);
    CHECK_EQ_INT(raw_seen(server, "/at-once"), 0);
    life_run(life);
    CHECK_EQ_INT(raw_seen(server, "/at-once"), 1);
    CHECK_EQ_INT(stook_result_ok(of(batch, 1)), 1);
    CHECK(is_shared(of(batch, 2)) && stook_result_ok(of(batch, 2)));
    stook_batch_free(batch);
}

/* An error is shared. */
TEST_BOTH(errors)
{
    open_with(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 5; i++)
        ADD(batch, raw_url(server, "/broken"), .coalesce = 1);
    raw_signal(server, "/go");
    CHECK_EQ_INT(life_gather(life, batch, NULL), 5);
    for (size_t i = 0; i < 5; i++) {
        CHECK_ERROR(stook_result_error(of(batch, i)), STOOK_ERESET);
        CHECK_STR(stook_result_message(of(batch, i)), stook_result_message(of(batch, 0)));
        CHECK_EQ_INT(stook_result_may_have_been_sent(of(batch, i)), 1);
    }
    CHECK_EQ_INT(raw_seen(server, "/broken"), 1);
    stook_batch_free(batch);
}

/* With redirects the whole way is shared. */
TEST_BOTH(redirects)
{
    open_with(life, &STOOK_CLIENT(.max_redirects = 3));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 5; i++)
        ADD(batch, raw_url(server, "/lead"), .coalesce = 1);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    for (size_t i = 0; i < 5; i++) {
        CHECK_EQ_SIZE(stook_result_hop_count(of(batch, i)), 1);
        CHECK_STR(stook_result_final_url(of(batch, i)), raw_url(server, "/at-once"));
        CHECK_STR(stook_result_url(of(batch, i)), raw_url(server, "/lead"));
    }
    CHECK_EQ_INT(raw_seen(server, "/lead"), 1);
    stook_batch_free(batch);
}

/* A close while some wait for others. */
TEST_BOTH(closed)
{
    open_with(life, NULL);
    stook_batch *batch = life_batch(life), *never = life_batch(life);
    for (int i = 0; i < 5; i++) {
        ADD(batch, raw_url(server, "/numbered"), .coalesce = 1);
        ADD(never, raw_url(server, "/numbered/x"), .coalesce = 1);
    }
    start(batch, 0);
    until(life, "/numbered", 1);
    life_close(life);
    for (size_t i = 0; i < 5; i++)
        CHECK_ERROR(stook_result_error(of(batch, i)), STOOK_ECLOSED);
    raw_signal(server, "/go");
    stook_batch_free(batch);
    stook_batch_free(never);
}

/* Freed batches, awaited or not, while others share. */
TEST_BOTH(freed)
{
    open_with(life, NULL);
    stook_batch *one = life_batch(life), *other = life_batch(life), *never = life_batch(life);
    for (int i = 0; i < 5; i++) {
        ADD(one, raw_url(server, "/numbered"), .coalesce = 1);
        ADD(never, raw_url(server, "/numbered"), .coalesce = 1);
    }
    start(one, 0);
    until(life, "/numbered", 1);
    for (int i = 0; i < 5; i++)
        ADD(other, raw_url(server, "/numbered"), .coalesce = 1);
    start(other, 0);
    stook_batch_free(never);
    stook_batch_free(one);
    raw_signal(server, "/go");
    life_run(life);
    for (size_t i = 0; i < 5; i++)
        CHECK_EQ_INT(stook_result_ok(of(other, i)), 1);
    stook_batch_free(other);
}

/* Whichever allocation fails, each request has one result. */
static void flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    for (int i = 0; story.batch != NULL && i < 6; i++)
        story_add_request(&story, &STOOK_REQUEST(raw_url(server, i % 2 ? "/at-once" : "/lead"), .coalesce = 1, .max_redirects = 1));
    story_start(&story, 0, NULL);
    story_end(&story);
}

TEST(nomem, slow)
{
    server = raw_server_start(behaviours);
    fail_nth(flow);
}
