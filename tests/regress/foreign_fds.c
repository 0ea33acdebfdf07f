/* SPDX-License-Identifier: MIT */
/*
 * No descriptor that is not ours is closed, watched or taken out of epoll. libcurl up to 8.1 closes a
 * socket that never connected without a callback, and then anybody may get its number.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"

enum { OWN = 8, ROUNDS = 10000 };

static uv_loop_t loop;

/* A socket pair of the program. The loop watches one end. */
struct own {
    int ends[2];
    uv_poll_t poll;
    unsigned sent, heard;
    int open;
};

static void hear(uv_poll_t *poll, int status, int events)
{
    struct own *own = poll->data;
    char byte;
    CHECK_EQ_INT(status, 0);
    CHECK(events & UV_READABLE);
    while (recv(own->ends[0], &byte, 1, MSG_DONTWAIT) == 1)
        own->heard++;
    CHECK(errno == EAGAIN); /* nobody else has closed or shut it */
}

static void own_open(struct own *own)
{
    CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, own->ends), 0);
    own->sent = own->heard = 0;
    own->open = 1;
    own->poll.data = own;
    /* UV_EEXIST, if somebody still watches the number. */
    CHECK_EQ_INT(uv_poll_init(&loop, &own->poll, own->ends[0]), 0);
    CHECK_EQ_INT(uv_poll_start(&own->poll, UV_READABLE, hear), 0);
}

static void own_say(struct own *own)
{
    CHECK_EQ_INT(send(own->ends[1], "x", 1, MSG_NOSIGNAL), 1);
    own->sent++;
}

static void on_closed(uv_handle_t *handle)
{
    ((struct own *)handle->data)->open = 0;
}

static void own_close(struct own *own)
{
    uv_close((uv_handle_t *)&own->poll, on_closed);
    close(own->ends[0]);
    close(own->ends[1]);
    while (own->open)
        uv_run(&loop, UV_RUN_NOWAIT);
}

/* The bytes that were written are seen, and soon: they are there already. */
static void own_check(struct own *own)
{
    own_say(own);
    for (int pass = 0; own->heard < own->sent && pass < 100; pass++)
        uv_run(&loop, UV_RUN_NOWAIT);
    test_note("descriptor %d", own->ends[0]);
    CHECK_EQ_INT(own->heard, own->sent);
}

/* ------------------------------------------------------------------------------ clients */

struct user {
    stook_client *client;
    int closed, awaits;
};

static void on_client_closed(void *user)
{
    ((struct user *)user)->closed = 1;
}

static void on_done(stook_batch *batch, int failed, void *user)
{
    (void)failed;
    ((struct user *)user)->awaits--;
    stook_batch_free(batch);
}

static void user_open(struct user *user)
{
    memset(user, 0, sizeof *user);
    CHECK_ERROR(stook_client_new(&loop, &STOOK_CLIENT(.attempt_timeout_ms = 2000), &user->client), 0);
}

static void user_close(struct user *user)
{
    stook_client_close(user->client, on_client_closed, user);
    while (!user->closed)
        uv_run(&loop, UV_RUN_ONCE);
}

static stook_batch *user_ask(struct user *user, const struct stook_request *request)
{
    stook_batch *batch;
    CHECK_ERROR(stook_batch_new(user->client, &batch), 0);
    CHECK_ERROR(stook_batch_add(batch, request), 0);
    CHECK_ERROR(stook_gather_start(batch, NULL, on_done, user), 0);
    user->awaits++;
    return batch;
}

static void user_finish(struct user *user)
{
    while (user->awaits > 0)
        uv_run(&loop, UV_RUN_ONCE);
}

/* ------------------------------------------------------------------------------- tests */

/* A clock ends a hanging connection; the program gets its descriptor number next. */
TEST(number_of_one_that_hung)
{
    struct user user;
    struct own own;
    uv_loop_init(&loop);
    user_open(&user);
    user_ask(&user, &STOOK_REQUEST(.url = text("http://127.0.0.1:%d/", silent_port()), .attempt_timeout_ms = 20));
    user_finish(&user);
    own_open(&own);
    own_check(&own);
    user_close(&user);
    own_check(&own);
    own_close(&own);
    CHECK_EQ_INT(uv_loop_close(&loop), 0);
}

/* The same, and a connection of another client gets the number. */
TEST(number_of_another_client)
{
    struct user users[2];
    struct raw_server *server = raw_server_start(NULL);
    uv_loop_init(&loop);
    user_open(&users[0]);
    user_open(&users[1]);
    user_ask(&users[0], &STOOK_REQUEST(.url = text("http://127.0.0.1:%d/", silent_port()), .attempt_timeout_ms = 20));
    user_finish(&users[0]);
    user_ask(&users[1], &STOOK_REQUEST(.url = raw_url(server, "/after?path=/go&n=1"), .attempt_timeout_ms = 30000));
    for (unsigned seen = 0; seen == 0; seen = raw_seen(server, "/after"))
        uv_run(&loop, UV_RUN_NOWAIT);
    user_close(&users[0]);
    raw_signal(server, "/go");
    user_finish(&users[1]); /* a watch that was lost ends at the test's own limit */
    user_close(&users[1]);
    CHECK_EQ_INT(uv_loop_close(&loop), 0);
}

/* Every reason to close, keep or watch a number, in any order; the seed is in the note. */
TEST(anybodys_numbers, slow)
{
    struct raw_server *server = raw_server_start(NULL);
    int silent = silent_port(), refusing = refusing_port();
    struct own own[OWN] = {{{0}, .open = 0}};
    struct user users[2];
    unsigned seed = (unsigned)getpid();
    const char *said = getenv("SEED");
    if (said != NULL)
        seed = (unsigned)strtoul(said, NULL, 10);
    uv_loop_init(&loop);
    user_open(&users[0]);
    user_open(&users[1]);
    for (int round = 0; round < ROUNDS; round++) {
        struct user *user = &users[rand_r(&seed) % 2];
        struct own *one = &own[rand_r(&seed) % OWN];
        test_note("SEED=%u before round %d", seed, round);
        switch (rand_r(&seed) % 12) {
        case 0:
            if (one->open)
                own_close(one);
            else
                own_open(one);
            break;
        case 1:
            if (one->open)
                own_check(one);
            break;
        case 2: /* hangs, and is ended by its clock */
            user_ask(user, &STOOK_REQUEST(.url = text("http://127.0.0.1:%d/", silent), .attempt_timeout_ms = 1 + rand_r(&seed) % 5));
            break;
        case 3: /* hangs, and is cancelled */
            stook_batch_cancel(user_ask(user, &STOOK_REQUEST(.url = text("http://127.0.0.1:%d/", silent))));
            break;
        case 4:
            user_ask(user, &STOOK_REQUEST(.url = text("http://127.0.0.1:%d/", refusing)));
            break;
        case 5: /* kept alive */
            user_ask(user, &STOOK_REQUEST(.url = raw_url(server, "/ok")));
            break;
        case 6: /* closed by the peer, before and behind an answer */
            user_ask(user, &STOOK_REQUEST(.url = raw_url(server, rand_r(&seed) % 2 ? "/rst" : "/short")));
            break;
        case 7: /* several addresses, of which one refuses */
            user_ask(user, &STOOK_REQUEST(.url = text("http://localhost:%d/ok", raw_port(server))));
            break;
        case 8:
            stook_batch_cancel(user_ask(user, &STOOK_REQUEST(.url = raw_url(server, "/stall"))));
            break;
        case 9:
            if (rand_r(&seed) % 50 == 0) {
                user_close(user);
                user_finish(user);
                user_open(user);
            }
            break;
        default:
            uv_run(&loop, UV_RUN_NOWAIT);
        }
        if (users[0].awaits + users[1].awaits > 20)
            uv_run(&loop, UV_RUN_ONCE);
    }
    for (int i = 0; i < 2; i++) {
        user_finish(&users[i]);
        user_close(&users[i]);
    }
    for (int i = 0; i < OWN; i++)
        if (own[i].open) {
            own_check(&own[i]);
            own_close(&own[i]);
        }
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_EQ_INT(uv_loop_close(&loop), 0);
}
