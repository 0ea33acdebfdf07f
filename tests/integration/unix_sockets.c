/* SPDX-License-Identifier: MIT */
/* Unix sockets have neither ports nor addresses; their connections must be told apart all the same. */
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { SIZE = 8000000 };

static const char *sockets[2];

/* /pour-until-close: 8,000,000 bytes, and their end is that of the connection. */
static enum raw_then pour_until_close(struct raw_call *call)
{
    static char piece[100000];
    memset(piece, 'x', sizeof piece);
    raw_say(call, "HTTP/1.1 200 OK\r\n\r\n");
    for (size_t sent = 0; sent < SIZE; sent += sizeof piece)
        if (!raw_send(call, piece, sizeof piece))
            break;
    return RAW_CLOSE;
}

static enum raw_then once(struct raw_call *call)
{
    raw_answer(call, "ok", 2);
    return RAW_CLOSE;
}

static const struct raw_behaviour own[] = {
    {.path = "/pour-until-close", .answer = pour_until_close}, {.path = "/once", .answer = once}, {.path = NULL}};

static struct raw_server *begin(struct life *life, const struct stook_client_options *options)
{
    const char *directory = temporary_directory();
    static struct raw_door doors[2];
    for (int i = 0; i < 2; i++) {
        sockets[i] = strdup(text("%s/%d.sock", directory, i));
        doors[i].unix_path = sockets[i];
    }
    life_open(life, options);
    return raw_server_open(own, doors, 2);
}

static void end(void)
{
    for (int i = 0; i < 2; i++)
        free((char *)sockets[i]);
}

/* ------------------------------------------------------------------------ pauses */

struct taker {
    struct life *life;
    size_t bytes, pauses;
};

static void resume(stook_client *client, void *user)
{
    (void)client;
    stook_batch_resume_request(user, 0);
}

static int pause_often(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct taker *taker = user;
    (void)result, (void)data;
    taker->bytes += size;
    if (taker->pauses-- == 0)
        return taker->pauses = 0, 0;
    /* Some turns later: its connection is not read from meanwhile, and more comes. */
    CHECK_ERROR(stook_client_post(taker->life->client, resume, batch), 0);
    return STOOK_PAUSE;
}

TEST_BOTH(paused_bodies_are_whole)
{
    static const char *const paths[] = {"/pour?n=8000000&kb=64", "/pour-until-close"};
    begin(life, NULL);
    for (int reused = 0; reused < 2; reused++)
        for (size_t i = 0; i < 2; i++) {
            struct taker taker = {.life = life, .pauses = 5};
            stook_batch *batch = life_batch(life);
            ADD(batch, text("http://x%s", paths[i]), .unix_socket = sockets[0], .on_body = pause_often, .user = &taker);
            life_gather(life, batch, NULL);
            test_note("%s, round %d: %zu bytes", paths[i], reused, taker.bytes);
            CHECK_STR(stook_result_message(stook_batch_result(batch, 0)), "OK");
            CHECK_EQ_SIZE(taker.bytes, SIZE);
            stook_batch_free(batch);
        }
    end();
}

static void let_head_go(stook_client *client, void *user)
{
    (void)client;
    raw_signal(user, "/go");
}

static void whole(stook_batch *batch, const stook_result *result, void *user)
{
    size_t size;
    (void)batch;
    CHECK_STR(stook_result_message(result), "OK");
    stook_result_body(result, &size);
    *(size_t *)user += size;
}

/* The head is late, and what is behind it waits in its sockets. */
TEST_BOTH(bodies_that_wait_for_room_are_whole)
{
    enum { COUNT = 6 };
    size_t bytes = 0;
    struct done done = {0};
    struct raw_server *server = begin(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, "http://x/after?path=/go&n=1&ms=200", .unix_socket = sockets[1]);
    for (int i = 0; i < COUNT; i++)
        ADD(batch, "http://x/pour?n=8000000&kb=64", .unix_socket = sockets[0]);
    CHECK_ERROR(stook_gather_ordered_start(batch, &STOOK_GATHER(.max_buffered_bytes = 1 << 20, .on_result = whole, .user = &bytes),
                                           count_done, &done), 0);
    CHECK_ERROR(stook_client_post(life->client, let_head_go, server), 0);
    life_run(life);
    CHECK_EQ_INT(done.failed, 0);
    stook_batch_free(batch);
    CHECK_EQ_SIZE(bytes, (size_t)COUNT * SIZE + 2);
    end();
}

/* -------------------------------------------------------------------------- ends */

/* A connection that ended while idle does not make another one look dead, of the same socket or not. */
TEST_BOTH(dead_ones_are_not_mistaken)
{
    struct raw_server *server = begin(life, NULL);
    unsigned gone = 0;
    for (int round = 0; round < 5; round++) {
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 4; i++)
            ADD(batch, i % 2 ? "http://h/once" : "http://h/ok", .unix_socket = sockets[i / 2]);
        CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 4)), 0);
        stook_batch_free(batch);
        raw_wait(server, "/gone", gone += 2);
        batch = life_batch(life);
        for (int i = 0; i < 8; i++)
            ADD(batch, text("http://h%d/ok", i % 2), .unix_socket = sockets[i / 4], .method = i % 3 == 0 ? "POST" : NULL);
        CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 3)), 0);
        stook_batch_free(batch);
    }
    end();
}
