/* SPDX-License-Identifier: MIT */
/* fork() without exec: the child cannot use the client of its parent, and may make its own. */
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

static void never_call(stook_client *client, void *user)
{
    (void)client, (void)user;
    FAIL("called in the child, on the parent's client");
}

static void never_done(stook_batch *batch, int failed, void *user)
{
    (void)batch, (void)failed, (void)user;
    FAIL("called in the child, for the parent's await");
}

static void never_closed(void *user)
{
    (void)user;
    FAIL("called in the child, for the parent's client");
}

static void check_parents(stook_client *client, stook_batch *open, stook_batch *done)
{
    stook_batch *batch = NULL;
    CHECK_ERROR(stook_client_run(client), STOOK_ESTATE);
    CHECK_ERROR(stook_client_turn(client, 0), STOOK_ESTATE);
    CHECK_ERROR(stook_client_fd(client), STOOK_ESTATE);
    CHECK_ERROR((int)stook_client_timeout_ms(client), STOOK_ESTATE);
    stook_client_wake(client);
    CHECK_ERROR(stook_client_drain(client, 0, never_closed, NULL), STOOK_ESTATE);
    CHECK_ERROR(stook_client_post(client, never_call, NULL), STOOK_ESTATE);
    CHECK_ERROR(stook_batch_new(client, &batch), STOOK_ESTATE);
    CHECK(batch == NULL);
    CHECK_ERROR(stook_batch_add(open, &STOOK_REQUEST("http://127.0.0.1/")), STOOK_ESTATE);
    CHECK_ERROR(stook_gather(open, NULL), STOOK_ESTATE);
    CHECK_ERROR(stook_gather_ordered(open, NULL), STOOK_ESTATE);
    CHECK_ERROR(stook_gather_start(open, NULL, never_done, NULL), STOOK_ESTATE);
    CHECK_ERROR(stook_gather_ordered_start(open, NULL, never_done, NULL), STOOK_ESTATE);
    CHECK(stook_batch_message(open)[0] != '\0');
    stook_batch_cancel(open);
    stook_batch_cancel_request(open, 0);
    CHECK_ERROR(stook_batch_stats(open, &STOOK_BATCH_STATS()), STOOK_ESTATE);
    CHECK_EQ_INT(stook_result_ok(stook_batch_result(done, 0)), 1); /* reading is harmless */
    stook_client_close(client, never_closed, NULL);
}

static void live_own_life(struct raw_server *server)
{
    stook_client *client;
    stook_batch *batch;
    CHECK_ERROR(stook_client_new(NULL, NULL, &client), 0);
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
    for (int i = 0; i < 5; i++)
        add(batch, raw_url(server, "/ok/child"));
    CHECK_EQ_INT(stook_gather(batch, NULL), 0);
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
}

/* With an await of the parent under way, a connection in its pool, a call in its mailbox. */
TEST_BOTH(a_child)
{
    struct raw_server *server = raw_server_start(NULL);
    struct done done = {0, 0};
    int status = 0;
    life_open(life, NULL);
    stook_batch *over = life_batch(life), *open = life_batch(life), *running = life_batch(life);
    add(over, raw_url(server, "/ok"));
    add(open, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, over, NULL), 0);
    for (int i = 0; i < 3; i++)
        add(running, raw_url(server, "/ok"));
    CHECK_ERROR(stook_gather_start(running, NULL, count_done, &done), 0);

    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        check_parents(life->client, open, over);
        live_own_life(server);
        check_parents(life->client, open, over);
        test_exit_child();
    }
    CHECK_EQ_INT(waitpid(child, &status, 0), child);
    CHECK_EQ_INT(status, 0);
    CHECK_EQ_INT(raw_seen(server, "/ok/child"), 5);

    life_run(life);
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(done.failed, 0);
    CHECK_EQ_INT(life_gather(life, open, NULL), 0);
    stook_batch_free(over);
    stook_batch_free(open);
    stook_batch_free(running);
}

/* The wake-up of an owned loop is a descriptor that a child shares. */
TEST(a_child_wakes_nobody)
{
    stook_client *client;
    stook_batch *batch;
    int status = 0;
    CHECK_ERROR(stook_client_new(NULL, NULL, &client), 0);
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
    while (stook_client_timeout_ms(client) == 0)
        CHECK_EQ_INT(stook_client_turn(client, 0), 0);

    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        stook_batch_wake(batch);
        stook_batch_cancel(batch);
        stook_client_wake(client);
        test_exit_child();
    }
    CHECK_EQ_INT(waitpid(child, &status, 0), child);
    CHECK_EQ_INT(status, 0);
    struct pollfd readable = {.fd = stook_client_fd(client), .events = POLLIN};
    CHECK_EQ_INT(poll(&readable, 1, 0), 0);
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
}

/* From a callback, in the middle of the parent's turn. */
static void fork_here(stook_batch *batch, const stook_result *result, void *user)
{
    struct life *life = user;
    int status = 0;
    (void)result;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        stook_batch *other = NULL;
        CHECK_ERROR(stook_batch_new(life->client, &other), STOOK_ESTATE);
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST("http://127.0.0.1/")), STOOK_ESTATE);
        stook_batch_free(batch);
        stook_client_close(life->client, never_closed, NULL);
        test_exit_child();
    }
    CHECK_EQ_INT(waitpid(child, &status, 0), child);
    CHECK_EQ_INT(status, 0);
}

TEST_BOTH(a_child_of_a_callback)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.on_result = fork_here, .user = life)), 0);
    stook_batch_free(batch);
}
