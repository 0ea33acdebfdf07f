/* SPDX-License-Identifier: MIT */
/* Peers that are not HTTP servers, that cannot be reached, or that are reached by the last free port. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/network.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"
#include "regress/spy.h"

/* ------------------------------------------------------------ other protocols */

TEST_BOTH(other_protocols)
{
    static const struct raw_behaviour others[] = {
        {.path = "/ssh", .bytes = "SSH-2.0-OpenSSH_9.2p1\r\n", .then = RAW_CLOSE},
        {.path = "/smtp", .bytes = "220 mail.example ESMTP\r\n", .then = RAW_CLOSE},
        {.path = "/redis", .bytes = "-ERR unknown command 'GET'\r\n", .then = RAW_CLOSE},
        {.path = "/rtsp", .bytes = "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", .then = RAW_CLOSE},
        {.path = "/icy", .bytes = "ICY 200 OK\r\n\r\nmusic", .then = RAW_CLOSE},
        {.path = "/http09", .bytes = "<html>old</html>", .then = RAW_CLOSE},
        {.path = NULL}};
    struct raw_server *server = raw_server_start(others);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; others[i].path; i++)
        add(batch, raw_url(server, "%s", others[i].path));
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 6);
    for (size_t i = 0; i < 6; i++) {
        test_note("%s", others[i].path);
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), STOOK_EPROTOCOL);
    }
    stook_batch_free(batch);
}

/* ------------------------------------------------------------- half a response */

static void say_ok(CURLMsg *message)
{
    message->data.result = CURLE_OK;
}

static int take(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    (void)batch, (void)result, (void)data, (void)size, (void)user;
    return 0;
}

/* A libcurl that takes a body for complete when the connection ends inside it: its length says that it is not. */
TEST_BOTH(cut_and_said_to_be_complete)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/short"));
    ADD(batch, raw_url(server, "/short"), .on_body = take);
    add(batch, raw_url(server, "/short-chunks"));
    add(batch, raw_url(server, "/ok"));
    spy.on_message = say_ok;
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 3);
    spy.on_message = NULL;
    for (size_t i = 0; i < 3; i++) {
        test_note("request %zu", i);
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), STOOK_ETRUNCATED);
    }
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------ no connection */

/* The kernel forbids the connection: STOOK_ECONNECT with the kernel's reason. */
TEST_BOTH(no_way_there)
{
    life_open(life, &STOOK_CLIENT(.connect_timeout_ms = 2000));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        add(batch, "http://255.255.255.255/");
    CHECK_EQ_INT(life_gather(life, batch, NULL), 3);
    for (size_t i = 0; i < 3; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        test_note("%s", stook_result_message(result));
        CHECK_ERROR(stook_result_error(result), STOOK_ECONNECT);
        CHECK(stook_result_os_error(result) == EACCES || stook_result_os_error(result) == ENETUNREACH ||
              stook_result_os_error(result) == EHOSTUNREACH);
    }
    stook_batch_free(batch);
}

/* ------------------------------------------------------------- the last ports */

/* A request that finds no free port waits for one. */
TEST(few_ports)
{
    enum { ASKED = 100 };
    static struct life life;
    network_enter();
    struct raw_server *server = raw_server_start(NULL);
    network_ports(40000, 40019);
    life_begin(&life, 0);
    life_open(&life, NULL);
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < ASKED; i++)
        add(batch, raw_url(server, "/delay?ms=20"));
    CHECK_EQ_INT(life_gather(&life, batch, &STOOK_GATHER(.limit = STOOK_NONE)), 0);
    CHECK(raw_peak(server, "/delay") <= 20);
    stook_batch_free(batch);
    life_end(&life);
}
