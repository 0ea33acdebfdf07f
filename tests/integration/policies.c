/* SPDX-License-Identifier: MIT */
/* Completion policies: when the other requests are ended, what their results say, and when a policy is satisfied. */
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

static int gather(struct life *life, stook_batch *batch, const struct stook_gather_options *options)
{
    CHECK_EQ_INT(stook_batch_satisfied(batch), 0);
    int failed = life_gather(life, batch, options);
    for (size_t i = 0; i < stook_batch_count(batch); i++)
        CHECK(stook_batch_result_by_index(batch, i) != NULL); /* exactly one each */
    return failed;
}

static const stook_result *of(stook_batch *batch, size_t index)
{
    return stook_batch_result_by_index(batch, index);
}

TEST_BOTH(all)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *good = life_batch(life), *bad = life_batch(life), *none = life_batch(life);
    for (int i = 0; i < 5; i++) {
        add(good, raw_url(server, "/ok"));
        add(bad, raw_url(server, i == 1 ? "/status?code=404" : "/ok"));
    }
    CHECK_EQ_INT(gather(life, good, NULL), 0);
    CHECK_EQ_INT(stook_batch_satisfied(good), 1);
    CHECK_EQ_INT(gather(life, bad, &STOOK_GATHER(.policy = STOOK_POLICY_ALL)), 1);
    CHECK_EQ_INT(stook_batch_satisfied(bad), 0);
    CHECK_EQ_INT(gather(life, none, NULL), 0);
    CHECK_EQ_INT(stook_batch_satisfied(none), 1);
    CHECK_EQ_INT(stook_batch_satisfied(NULL), 0);
    stook_batch_free(good);
    stook_batch_free(bad);
    stook_batch_free(none);
}

/* Requests in flight and in the queue; each message names the request that failed. */
TEST_BOTH(fail_fast)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(server, i == 3 ? "/status?code=503" : "/stall"));
    CHECK_EQ_INT(gather(life, batch, &STOOK_GATHER(.limit = 5, .policy = STOOK_POLICY_FAIL_FAST)), 20);
    CHECK_EQ_INT(stook_batch_satisfied(batch), 0);
    CHECK_STR(stook_result_message(of(batch, 3)), "HTTP 503");
    for (size_t i = 0; i < 20; i++)
        if (i != 3) {
            CHECK_ERROR(stook_result_error(of(batch, i)), STOOK_ECANCELLED);
            CHECK_STR(stook_result_message(of(batch, i)), "cancelled: request 3 failed: HTTP 503");
        }
    stook_batch_free(batch);
}

TEST_BOTH(fail_fast_without_a_failure)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 20; i++)
        add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(gather(life, batch, &STOOK_GATHER(.policy = STOOK_POLICY_FAIL_FAST)), 0);
    CHECK_EQ_INT(stook_batch_satisfied(batch), 1);
    stook_batch_free(batch);
}

/* A failure from before the await counts. */
TEST_BOTH(fail_fast_from_the_start)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        add(batch, raw_url(server, "/ok"));
    stook_batch_cancel_request(batch, 1);
    CHECK_EQ_INT(gather(life, batch, &STOOK_GATHER(.policy = STOOK_POLICY_FAIL_FAST)), 3);
    CHECK_STR(stook_result_message(of(batch, 2)), "cancelled: request 1 failed: cancelled");
    CHECK_EQ_INT(raw_seen(server, "/ok"), 0);
    stook_batch_free(batch);
}

/* What was in flight may finish: it waits for a signal that comes after the failure. */
struct stop {
    struct raw_server *server;
    unsigned seen;
};

static void signal_after_failure(stook_batch *batch, const stook_result *result, void *user)
{
    struct stop *stop = user;
    (void)batch;
    stop->seen |= 1u << stook_result_index(result);
    if (stook_result_status(result) == 500)
        raw_signal(stop->server, "/go");
    if (stook_result_index(result) == 2) {
        CHECK_ERROR(stook_result_error(result), STOOK_ECANCELLED);
        CHECK_STR(stook_result_message(result), "cancelled: request 1 failed: HTTP 500");
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST("http://127.0.0.1/")), STOOK_ESTATE);
    }
    if (stook_result_index(result) == 0)
        CHECK_EQ_INT(stook_result_ok(result), 1);
}

TEST_BOTH(stop)
{
    struct raw_server *server = raw_server_start(NULL);
    struct stop stop = {server, 0};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/after?path=/go&n=1"));
    add(batch, raw_url(server, "/status?code=500"));
    add(batch, raw_url(server, "/never"));
    struct stook_gather_options options = STOOK_GATHER(.limit = 2, .policy = STOOK_POLICY_STOP,
                                                       .on_result = signal_after_failure, .user = &stop);
    /* The failed one, the one that never started, and the add that was refused. */
    CHECK_EQ_INT(life_gather(life, batch, &options), 3);
    CHECK_EQ_INT(stop.seen, 7);
    CHECK_EQ_INT(raw_seen(server, "/never"), 0);
    stook_batch_free(batch);
}

/* What may finish does not outlive the deadline of the batch. */
TEST_BOTH(stop_and_deadline)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/stall"));
    add(batch, raw_url(server, "/status?code=500"));
    add(batch, raw_url(server, "/never"));
    CHECK_EQ_INT(gather(life, batch, &STOOK_GATHER(.limit = 2, .policy = STOOK_POLICY_STOP, .timeout_ms = 300)), 3);
    CHECK_ERROR(stook_result_error(of(batch, 0)), STOOK_ETIMEOUT_BATCH);
    CHECK_ERROR(stook_result_error(of(batch, 2)), STOOK_ECANCELLED);
    stook_batch_free(batch);
}

TEST_BOTH(stop_and_cancel)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/stall"));
    stook_batch_cancel_request(batch, 0);
    add(batch, raw_url(server, "/never"));
    CHECK_EQ_INT(gather(life, batch, &STOOK_GATHER(.policy = STOOK_POLICY_STOP)), 2);
    CHECK_EQ_INT(raw_seen(server, "/never"), 0);
    stook_batch_free(batch);
}

TEST_BOTH(first_ok)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life), *hopeless = life_batch(life);
    add(batch, raw_url(server, "/stall"));
    add(batch, raw_url(server, "/status?code=500"));
    add(batch, raw_url(server, "/delay?ms=20"));
    add(batch, raw_url(server, "/stall"));
    CHECK_EQ_INT(gather(life, batch, &STOOK_GATHER(.policy = STOOK_POLICY_FIRST_OK)), 3);
    CHECK_EQ_INT(stook_batch_satisfied(batch), 1);
    CHECK_EQ_INT(stook_result_ok(of(batch, 2)), 1);
    CHECK_STR(stook_result_message(of(batch, 0)), "cancelled: enough are ok, request 2 was the last");
    for (int i = 0; i < 3; i++)
        add(hopeless, raw_url(server, "/status?code=500"));
    CHECK_EQ_INT(gather(life, hopeless, &STOOK_GATHER(.policy = STOOK_POLICY_FIRST_OK)), 3);
    CHECK_EQ_INT(stook_batch_satisfied(hopeless), 0);
    stook_batch_free(batch);
    stook_batch_free(hopeless);
}

/* Satisfied before the end: the quorum is reached while others are in flight. */
static void met_with_the_third(stook_batch *batch, const stook_result *result, void *user)
{
    int *ok = user;
    *ok += stook_result_ok(result);
    if (*ok >= 3)
        CHECK_EQ_INT(stook_batch_satisfied(batch), 1);
    if (*ok == 3 && stook_result_ok(result))
        tell("met");
}

TEST_BOTH(quorum)
{
    struct raw_server *server = raw_server_start(NULL);
    int ok = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10; i++)
        add(batch, raw_url(server, i % 2 ? "/stall" : i == 4 ? "/status?code=500" : "/delay?ms=%d", i));
    struct stook_gather_options options =
        STOOK_GATHER(.policy = STOOK_POLICY_QUORUM, .quorum = 3, .on_result = met_with_the_third, .user = &ok);
    int failed = life_gather(life, batch, &options);
    CHECK_EQ_INT(stook_batch_satisfied(batch), 1);
    CHECK(ok >= 3);
    CHECK_EQ_INT(failed, 10 - ok);
    CHECK_STR(told(), "met");
    stook_batch_free(batch);
}

static void one_by_one(stook_batch *batch, const stook_result *result, void *user)
{
    int *ok = user;
    CHECK_EQ_INT(stook_batch_satisfied(batch), *ok >= 2 || (*ok == 1 && stook_result_ok(result)));
    *ok += stook_result_ok(result);
}

/* Satisfied with exactly the last one that is needed. The await continues for the result of the third. */
TEST_BOTH(satisfied_before_the_end)
{
    struct raw_server *server = raw_server_start(NULL);
    int ok = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    add(batch, raw_url(server, "/status?code=500"));
    add(batch, raw_url(server, "/ok"));
    add(batch, raw_url(server, "/ok"));
    struct stook_gather_options options =
        STOOK_GATHER(.limit = 1, .policy = STOOK_POLICY_QUORUM, .quorum = 2, .on_result = one_by_one, .user = &ok);
    CHECK_EQ_INT(life_gather(life, batch, &options), 2);
    CHECK_EQ_INT(ok, 2);
    CHECK_EQ_INT(raw_seen(server, "/ok"), 2);
    stook_batch_free(batch);
}

/* More than there are, as many as there are, and some of none. */
TEST_BOTH(quorum_of_too_few)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    for (int64_t quorum = 1; quorum <= 4; quorum++)
        for (int count = 0; count <= 3; count += 3) {
            stook_batch *batch = life_batch(life);
            for (int i = 0; i < count; i++)
                add(batch, raw_url(server, "/ok"));
            int failed = gather(life, batch, &STOOK_GATHER(.limit = 1, .policy = STOOK_POLICY_QUORUM, .quorum = quorum));
            CHECK_EQ_INT(failed, quorum < count ? count - (int)quorum : 0);
            CHECK_EQ_INT(stook_batch_satisfied(batch), quorum <= count);
            stook_batch_free(batch);
        }
}

static int more_for_ever(stook_batch *batch, void *user)
{
    add(batch, user);
    return 1;
}

/* Input without an end: the policy ends it. */
TEST_BOTH(enough_of_endless_input)
{
    struct raw_server *server = raw_server_start(NULL);
    char url[64];
    strcpy(url, raw_url(server, "/ok"));
    life_open(life, NULL);
    stook_batch *batch = life_batch(life), *failing = life_batch(life);
    struct stook_gather_options options = STOOK_GATHER(.limit = 3, .policy = STOOK_POLICY_QUORUM, .quorum = 7, .more = more_for_ever, .user = url);
    int failed = gather(life, batch, &options);
    CHECK_EQ_INT(stook_batch_satisfied(batch), 1);
    CHECK((size_t)failed <= stook_batch_count(batch) - 7 && stook_batch_count(batch) < 100);
    strcpy(url, raw_url(server, "/status?code=500"));
    options = STOOK_GATHER(.limit = 3, .policy = STOOK_POLICY_FAIL_FAST, .more = more_for_ever, .user = url);
    failed = gather(life, failing, &options);
    CHECK_EQ_SIZE((size_t)failed, stook_batch_count(failing));
    CHECK_EQ_INT(stook_batch_satisfied(failing), 0);
    stook_batch_free(batch);
    stook_batch_free(failing);
}

TEST_BOTH(what_does_not_go_together)
{
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(life_gather(life, batch, &STOOK_GATHER(.quorum = 1)), STOOK_EARG);
    CHECK_CONTAINS(stook_batch_message(batch), "quorum");
    CHECK_ERROR(life_gather(life, batch, &STOOK_GATHER(.policy = STOOK_POLICY_QUORUM)), STOOK_EARG);
    CHECK_ERROR(life_gather(life, batch, &STOOK_GATHER(.policy = STOOK_POLICY_QUORUM, .quorum = -1)), STOOK_EARG);
    CHECK_ERROR(life_gather(life, batch, &STOOK_GATHER(.policy = 5)), STOOK_EARG);
    CHECK_CONTAINS(stook_batch_message(batch), "policy");
    CHECK_ERROR(life_gather(life, batch, &STOOK_GATHER(.max_buffered_bytes = -2)), STOOK_EARG);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0); /* still to be awaited */
    stook_batch_free(batch);
}

static int fail_at_once(stook_batch *batch, void *user)
{
    (void)batch, (void)user;
    return -1;
}

/* Failures beside the requests count too. */
TEST_BOTH(more_that_fails)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/stall"));
    CHECK_EQ_INT(gather(life, batch, &STOOK_GATHER(.limit = 5, .more = fail_at_once, .policy = STOOK_POLICY_FAIL_FAST)), 2);
    CHECK_CONTAINS(stook_result_message(of(batch, 0)), "`more`");
    stook_batch_free(batch);
}
