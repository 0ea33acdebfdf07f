/* SPDX-License-Identifier: MIT */
/* Why a request waits: the program sees every state, the dump shows it too, and the numbers add up. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/plain.h"
#include "support/raw_server.h"
#include "support/sockets.h"

/* Turn the loop until a request is in that state. */
static void until(struct life *life, stook_batch *batch, size_t index, int state)
{
    for (int i = 0; stook_batch_request_state(batch, index) != state; i++) {
        test_note("it is %s, not %s", stook_state_text(stook_batch_request_state(batch, index)), stook_state_text(state));
        CHECK(i < 100000);
        uv_run(&life->loop, UV_RUN_ONCE);
    }
}

static void begin(struct life *life, const struct stook_client_options *options)
{
    life_begin(life, 1);
    life_open(life, options);
}

static void start(stook_batch *batch, const struct stook_gather_options *options)
{
    CHECK_ERROR(stook_gather_start(batch, options, NULL, NULL), 0);
}

static void end(struct life *life, stook_batch *batch)
{
    stook_batch_cancel(batch);
    life_run(life);
    stook_batch_free(batch);
    life_end(life);
}

static struct life alone;

TEST(in_flight)
{
    struct raw_server *server = raw_server_start(NULL);
    static char body[8 << 20];
    char url[64];
    int port;
    begin(&alone, NULL);
    stook_batch *batch = life_batch(&alone);
    add(batch, raw_url(server, "/stall"));
    add(batch, raw_url(server, "/stall-body"));
    int fd = listen_somewhere(8, &port); /* it is never read from */
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    ADD(batch, .url = url, .method = "PUT", .body = body, .body_size = sizeof body);
    CHECK_EQ_INT(stook_batch_request_state(batch, 0), STOOK_STATE_QUEUED_AWAIT);
    CHECK_EQ_INT(stook_batch_request_state(batch, 3), STOOK_STATE_NONE);
    start(batch, NULL);
    until(&alone, batch, 0, STOOK_STATE_WAITING);
    until(&alone, batch, 1, STOOK_STATE_RECEIVING);
    until(&alone, batch, 2, STOOK_STATE_SENDING);
    close(fd);
    end(&alone, batch);
}

/* A port with a full queue does not respond to SYN; a listener that does not accept does not speak TLS. */
TEST(connecting_and_tls)
{
    int port;
    char url[64];
    int fd = listen_somewhere(8, &port);
    begin(&alone, NULL);
    stook_batch *batch = life_batch(&alone);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", port);
    add(batch, url);
    add(batch, url);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", silent_port());
    add(batch, url);
    start(batch, NULL);
    until(&alone, batch, 0, STOOK_STATE_TLS);
    until(&alone, batch, 2, STOOK_STATE_CONNECTING);
    close(fd);
    CHECK_EQ_INT(stook_batch_request_state(batch, 1), STOOK_STATE_GATE); /* until the first is connected */
    end(&alone, batch);
}

TEST(queued)
{
    struct raw_server *server = raw_server_start(NULL), *other = raw_server_start(NULL);
    begin(&alone, &STOOK_CLIENT(.origin_limit = 2, .limit = 3));
    stook_batch *batch = life_batch(&alone), *small = life_batch(&alone);
    for (int i = 0; i < 3; i++)
        add(batch, raw_url(server, "/stall"));
    for (int i = 0; i < 2; i++)
        add(batch, raw_url(other, "/stall"));
    add(small, raw_url(other, "/stall"));
    add(small, raw_url(other, "/stall"));
    start(batch, NULL);
    until(&alone, batch, 0, STOOK_STATE_WAITING);
    CHECK_EQ_INT(stook_batch_request_state(batch, 2), STOOK_STATE_QUEUED_ORIGIN);
    CHECK_EQ_INT(stook_batch_request_state(batch, 4), STOOK_STATE_QUEUED_CLIENT);
    CHECK_ERROR(stook_client_set_limit(alone.client, STOOK_NONE), 0);
    start(small, &STOOK_GATHER(.limit = 1));
    CHECK_ERROR(stook_client_set_origin_limit(alone.client, 3), 0);
    until(&alone, small, 0, STOOK_STATE_WAITING);
    CHECK_EQ_INT(stook_batch_request_state(small, 1), STOOK_STATE_QUEUED_BATCH);
    stook_batch_cancel(small);
    stook_batch_free(small);
    end(&alone, batch);
}

static void never_delivered(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    CHECK_ERROR(stook_result_error(result), STOOK_ECANCELLED);
}

TEST(paused_by_the_buffer)
{
    struct raw_server *server = raw_server_start(NULL);
    begin(&alone, NULL);
    stook_batch *batch = life_batch(&alone);
    for (int i = 0; i < 3; i++)
        add(batch, raw_url(server, "/stall"));
    CHECK_ERROR(stook_gather_ordered_start(batch, &STOOK_GATHER(.window = 2, .on_result = never_delivered), NULL, NULL), 0);
    until(&alone, batch, 1, STOOK_STATE_WAITING);
    CHECK_EQ_INT(stook_batch_request_state(batch, 2), STOOK_STATE_QUEUED_WINDOW);
    stook_batch_pause_delivery(batch);
    CHECK_EQ_INT(stook_batch_request_state(batch, 2), STOOK_STATE_QUEUED_PAUSED);
    end(&alone, batch);
}

TEST(over)
{
    struct raw_server *server = raw_server_start(NULL);
    const stook_result *result = NULL;
    begin(&alone, NULL);
    stook_batch *batch = life_batch(&alone), *pulled = life_batch(&alone);
    add(batch, raw_url(server, "/ok"));
    add(pulled, raw_url(server, "/ok"));
    start(batch, NULL);
    start(pulled, &STOOK_GATHER(.pull = 1));
    life_run(&alone);
    CHECK_EQ_INT(stook_batch_request_state(batch, 0), STOOK_STATE_DONE);
    CHECK_EQ_INT(stook_batch_request_state(pulled, 0), STOOK_STATE_FINISHED);
    CHECK_EQ_INT(stook_batch_next(pulled, &result), 1);
    CHECK_EQ_INT(stook_batch_next(pulled, &result), 0);
    CHECK_EQ_INT(stook_batch_request_state(pulled, 0), STOOK_STATE_NONE);
    CHECK_EQ_INT(stook_batch_request_state(NULL, 0), STOOK_STATE_NONE);
    life_close(&alone);
    CHECK_EQ_INT(stook_batch_request_state(batch, 0), STOOK_STATE_NONE);
    stook_batch_free(batch);
    stook_batch_free(pulled);
    life_end(&alone);
}

static int pause_it(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    (void)batch, (void)result, (void)data, (void)size, (void)user;
    return STOOK_PAUSE;
}

TEST(paused_by_the_program)
{
    struct raw_server *server = raw_server_start(NULL);
    begin(&alone, NULL);
    stook_batch *batch = life_batch(&alone);
    ADD(batch, raw_url(server, "/pour?n=10000000"), .on_body = pause_it);
    start(batch, NULL);
    until(&alone, batch, 0, STOOK_STATE_PAUSED);
    end(&alone, batch);
}

TEST(texts)
{
    CHECK_STR(stook_state_text(STOOK_STATE_QUEUED_ORIGIN), "queued by the limit of its origin");
    CHECK_STR(stook_state_text(-1), "unknown state");
    CHECK_STR(stook_state_text(STOOK_STATE_LAST_PLUS_ONE), "unknown state");
    for (int i = 0; i < STOOK_STATE_LAST_PLUS_ONE; i++)
        CHECK(strcmp(stook_state_text(i), "unknown state") != 0);
}

/* ---------------------------------------------------------------------- the dump */

static char *dump_of(const stook_client *client)
{
    static char text[65536];
    memset(text, 0, sizeof text);
    FILE *to = fmemopen(text, sizeof text - 1, "w");
    CHECK(to != NULL);
    CHECK_ERROR(stook_client_dump(client, to), 0);
    CHECK_EQ_INT(fclose(to), 0);
    return text;
}

TEST(dump)
{
    struct raw_server *server = raw_server_start(NULL);
    begin(&alone, &STOOK_CLIENT(.origin_limit = 2, .limit = 30));
    CHECK_CONTAINS(dump_of(alone.client), "0 in flight, 0 waiting, limit 30, limit of each origin 2");
    stook_batch *batch = life_batch(&alone);
    for (int i = 0; i < 50; i++)
        add(batch, raw_url(server, "/stall?secret=%d", i));
    CHECK_CONTAINS(dump_of(alone.client), "not awaited yet, 50 added, 0 in flight, 50 waiting");
    start(batch, &STOOK_GATHER(.limit = 7));
    until(&alone, batch, 1, STOOK_STATE_WAITING);
    const char *text = dump_of(alone.client);
    CHECK_CONTAINS(text, "awaited, 50 added, 2 in flight, 48 waiting, limit 7, 0 kept");
    CHECK_CONTAINS(text, "    0: waiting for the response for ");
    CHECK_CONTAINS(text, "    2: queued by the limit of its origin for ");
    CHECK_CONTAINS(text, "and 28 more waiting");
    CHECK_CONTAINS(text, "/stall...");
    CHECK(strstr(text, "secret") == NULL);
    CHECK_ERROR(stook_client_dump(NULL, stderr), STOOK_EARG);
    CHECK_ERROR(stook_client_dump(alone.client, NULL), STOOK_EARG);
    end(&alone, batch);
}

/* URLs may hold anything: a dump shows no secret and no control byte. */
TEST(dump_of_bad_urls)
{
    begin(&alone, NULL);
    stook_batch *batch = life_batch(&alone);
    add(batch, "http://user:secret@127.0.0.1/a");
    add(batch, "http://:secret@127.0.0.1:1/b@c");
    add(batch, "http://127.0.0.1/\033[31mred\n    9: waiting \x9b");
    add(batch, "secret@");
    const char *text = dump_of(alone.client);
    CHECK(strstr(text, "secret") == NULL);
    CHECK(strpbrk(text, "\033\x9b") == NULL);
    CHECK_CONTAINS(text, " http://...@127.0.0.1/a\n");
    CHECK_CONTAINS(text, " http://...@127.0.0.1:1/b@c\n");
    CHECK_CONTAINS(text, " http://127.0.0.1/?[31mred?    9: waiting ?\n");
    CHECK_CONTAINS(text, " ...@\n");
    start(batch, NULL);
    life_run(&alone);
    CHECK_CONTAINS(dump_of(alone.client), ": done, 4 added, 0 in flight, 0 waiting, 4 kept\n");
    end(&alone, batch);
}

/* ------------------------------------------------------------------ the counters */

static stook_client *watched;
static atomic_int over;

static void *watch(void *user)
{
    struct stook_stats before = STOOK_STATS(), now = STOOK_STATS();
    (void)user;
    while (!atomic_load(&over)) {
        CHECK_ERROR(stook_client_stats(watched, &now), 0);
        CHECK(now.added >= before.added && now.started >= before.started && now.finished >= before.finished);
        CHECK(now.finished <= now.added && now.failed <= now.finished);
        before = now;
    }
    return NULL;
}

TEST_BOTH(counters)
{
    struct raw_server *server = raw_server_start(NULL);
    struct stook_stats counters = STOOK_STATS();
    pthread_t thread;
    life_open(life, NULL);
    watched = life->client;
    atomic_store(&over, 0);
    CHECK_EQ_INT(pthread_create(&thread, NULL, watch, NULL), 0);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 200; i++)
        add(batch, raw_url(server, i % 4 ? "/ok" : "/status?code=500"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 5)), 50);
    atomic_store(&over, 1);
    CHECK_EQ_INT(pthread_join(thread, NULL), 0);
    CHECK_ERROR(stook_client_stats(life->client, &counters), 0);
    CHECK_EQ_INT(counters.added, 200);
    CHECK_EQ_INT(counters.started, 200);
    CHECK_EQ_INT(counters.finished, 200);
    CHECK_EQ_INT(counters.failed, 50);
    CHECK_EQ_INT(counters.repeated, 0);
    counters.size = 0;
    CHECK_ERROR(stook_client_stats(life->client, &counters), STOOK_EARG);
    CHECK_ERROR(stook_client_stats(NULL, &counters), STOOK_EARG);
    CHECK_ERROR(stook_client_stats(life->client, NULL), STOOK_EARG);
    stook_batch_free(batch);
}
