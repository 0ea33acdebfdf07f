/* SPDX-License-Identifier: MIT */
/*
 * Every flow while each of its allocations fails in turn, once alone and once with all later ones.
 * support/fail_nth.h says what is checked. Flows are small, because each runs a few hundred times.
 */
#include <stdio.h>

#include <stook.h>

#include "support/fail_nth.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { NINE = 9 };

static struct raw_server *server;

static void add_nine(struct story *story)
{
    for (int i = 0; i < NINE; i++)
        story_add(story, raw_url(server, i % 3 == 2 ? "/status?code=404" : "/ok"));
}

/* ------------------------------------------------------------------ the verbs */

static void gather_flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    add_nine(&story);
    story_start(&story, 0, NULL);
    story_end(&story);
}

TEST(gather, slow)
{
    server = raw_server_start(NULL);
    fail_nth(gather_flow);
}

static void ordered_flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    add_nine(&story);
    story_start(&story, 1, &STOOK_GATHER(.limit = 2));
    story_end(&story);
}

TEST(ordered, slow)
{
    server = raw_server_start(NULL);
    fail_nth(ordered_flow);
}

static void streamed_flow(struct life *life)
{
    for (int ordered = 0; ordered <= 1; ordered++) {
        struct story story;
        story_begin(&story, life);
        add_nine(&story);
        story_start(&story, ordered, &STOOK_GATHER(.limit = 3, .on_result = story_result, .user = &story));
        story_end(&story);
    }
}

TEST(on_result, slow)
{
    server = raw_server_start(NULL);
    fail_nth(streamed_flow);
}

/* The blocking verb: what it returns is an error, or the count of what is not ok. */
static void blocking_flow(struct life *life)
{
    struct story story;
    size_t failed = 0;
    story_begin(&story, life);
    if (!story.batch)
        return;
    add_nine(&story);
    int answer = life_gather(life, story.batch, &STOOK_GATHER(.limit = 4));
    story.awaited = story.done.calls = answer >= 0;
    if (answer < 0)
        CHECK_ERROR(answer, STOOK_ENOMEM);
    story_read(&story);
    story_check(&story);
    for (size_t i = 0; story.awaited && i < story.accepted; i++)
        failed += !stook_result_ok(stook_batch_result(story.batch, i));
    if (story.awaited)
        CHECK_EQ_INT(answer, (long long)failed);
    stook_batch_free(story.batch);
}

TEST(blocking, slow)
{
    server = raw_server_start(NULL);
    fail_nth(blocking_flow);
}

/* Requests that succeed in spite of it are correct; the others say that memory ran out. */
static void honest_flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    for (int i = 0; i < 3; i++)
        story_add(&story, raw_url(server, "/big?n=100000"));
    story_start(&story, 1, NULL);
    if (story.awaited)
        life_run(life);
    for (size_t i = 0; story.awaited && i < story.accepted; i++) {
        size_t size;
        const stook_result *result = stook_batch_result(story.batch, i);
        const char *body = stook_result_body(result, &size);
        CHECK(stook_result_message(result)[0] != '\0');
        CHECK_CONTAINS(stook_result_url(result), "/big");
        if (stook_result_error(result) == 0) {
            CHECK_EQ_SIZE(size, 100000);
            CHECK(body[0] == '0' && body[99999] == '9' && body[100000] == '\0');
            CHECK_STR(stook_result_header(result, "content-length"), "100000");
        } else {
            CHECK_ERROR(stook_result_error(result), STOOK_ENOMEM);
        }
    }
    story_end(&story);
}

TEST(honest, slow)
{
    server = raw_server_start(NULL);
    fail_nth(honest_flow);
}

/* ------------------------------------------------------------------ callbacks */

static int add_more(stook_batch *batch, void *user)
{
    struct story *story = user;
    CHECK(batch == story->batch);
    story_add(story, raw_url(server, "/ok"));
    return story->accepted < NINE;
}

static void more_flow(struct life *life)
{
    for (int ordered = 0; ordered <= 1; ordered++) {
        struct story story;
        story_begin(&story, life);
        story_start(&story, ordered, &STOOK_GATHER(.limit = 2, .more = add_more, .on_result = story_result,
                                                   .user = &story));
        story_end(&story);
    }
}

TEST(more, slow)
{
    server = raw_server_start(NULL);
    fail_nth(more_flow);
}

static void add_in_result(stook_batch *batch, const stook_result *result, void *user)
{
    struct story *story = user;
    story_result(batch, result, user);
    if (story->accepted < NINE)
        story_add(story, raw_url(server, "/ok"));
}

static void add_flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    for (int i = 0; i < 3; i++)
        story_add(&story, raw_url(server, "/ok"));
    story_start(&story, 0, &STOOK_GATHER(.on_result = add_in_result, .user = &story));
    story_end(&story);
}

TEST(add_in_callback, slow)
{
    server = raw_server_start(NULL);
    fail_nth(add_flow);
}

static void cancel_in_result(stook_batch *batch, const stook_result *result, void *user)
{
    story_result(batch, result, user);
    stook_batch_cancel(batch);
}

static void cancel_flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    story_add(&story, raw_url(server, "/ok"));
    for (int i = 1; i < NINE; i++)
        story_add(&story, raw_url(server, "/stall"));
    if (story.accepted < NINE && story.batch)
        stook_batch_cancel(story.batch); /* the one that answers may not be there */
    story_start(&story, 0, &STOOK_GATHER(.limit = 4, .on_result = cancel_in_result, .user = &story));
    story_end(&story);
}

TEST(cancel, slow)
{
    server = raw_server_start(NULL);
    fail_nth(cancel_flow);
}

/* ------------------------------------------------------------------------ ends */

static void close_in_result(stook_batch *batch, const stook_result *result, void *user)
{
    struct story *story = user;
    struct life *life = story->life;
    story_result(batch, result, user);
    stook_client_close(life->client, NULL, NULL);
    life->client = NULL;
}

/* Closed in its first callback: a second call of it finds no client to close. */
static void close_once(stook_batch *batch, const stook_result *result, void *user)
{
    struct story *story = user;
    if (story->life->client)
        close_in_result(batch, result, user);
    else
        story_result(batch, result, user);
}

static void close_flow(struct life *life)
{
    struct story story;
    stook_client *client = life->client;
    story_begin(&story, life);
    add_nine(&story);
    story_start(&story, 1, &STOOK_GATHER(.limit = 2, .on_result = close_once, .user = &story));
    if (life->borrowed)
        uv_run(&life->loop, UV_RUN_DEFAULT);
    else
        CHECK_ERROR(stook_client_run(client), 0);
    story_check(&story);
    stook_batch_free(story.batch);
}

TEST(close, slow)
{
    server = raw_server_start(NULL);
    fail_nth(close_flow);
}

/* Closed while the await has not begun to turn. */
static void close_early_flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    add_nine(&story);
    story_start(&story, 0, NULL);
    life_close(life);
    story_read(&story);
    story_check(&story);
    stook_batch_free(story.batch);
}

TEST(close_early, slow)
{
    server = raw_server_start(NULL);
    fail_nth(close_early_flow);
}

/* Drained while it runs: that needs no memory, and what has some comes to its own end. */
static unsigned ends;

static void note_end(void *user)
{
    (void)user;
    ends++;
}

static void drain_flow(struct life *life)
{
    struct story story;
    ends = 0;
    story_begin(&story, life);
    add_nine(&story);
    story_start(&story, 1, &STOOK_GATHER(.limit = 2));
    CHECK_ERROR(stook_client_drain(life->client, STOOK_NONE, note_end, NULL), 0);
    life_run(life);
    life->client = NULL;
    CHECK_EQ_INT(ends, 1);
    story_read(&story);
    story_check(&story);
    stook_batch_free(story.batch);
}

TEST(drain, slow)
{
    server = raw_server_start(NULL);
    fail_nth(drain_flow);
}

/* Turned by the program, and looked at meanwhile. */
static void turn_flow(struct life *life)
{
    struct story story;
    struct stook_batch_stats stats = STOOK_BATCH_STATS();
    int left = 0;
    story_begin(&story, life);
    add_nine(&story);
    story_start(&story, 0, &STOOK_GATHER(.limit = 3));
    do {
        if (!life->borrowed) {
            left = stook_client_turn(life->client, stook_client_timeout_ms(life->client));
            CHECK_EQ_INT(left, story.awaited && story.done.calls == 0);
        }
        if (story.batch)
            CHECK_ERROR(stook_batch_stats(story.batch, &stats), 0);
        CHECK_EQ_INT(stats.added, stats.waiting + stats.in_flight + stats.finished);
    } while (left > 0);
    story_end(&story);
}

TEST(turn, slow)
{
    server = raw_server_start(NULL);
    fail_nth(turn_flow);
}

/* ------------------------------------------------------------------------ post */

static unsigned calls;

static void count_call(stook_client *client, void *user)
{
    struct story *story = user;
    CHECK(client == story->life->client);
    calls++;
    story_add(story, raw_url(server, "/ok"));
}

static void post_flow(struct life *life)
{
    struct story story;
    unsigned accepted = 0;
    calls = 0;
    story_begin(&story, life);
    story_add(&story, raw_url(server, "/delay?ms=5"));
    story_start(&story, 0, NULL);
    for (int i = 0; story.awaited && i < 3; i++) {
        int error = stook_client_post(life->client, count_call, &story);
        if (error)
            CHECK_ERROR(error, STOOK_ENOMEM);
        accepted += error == 0;
    }
    story_end(&story);
    CHECK_EQ_INT(calls, accepted);
}

TEST(post, slow)
{
    server = raw_server_start(NULL);
    fail_nth(post_flow);
}

/* Results that are referenced, and released when everything else is gone. */
static const stook_result *kept[NINE];

static void keep_result(stook_batch *batch, const stook_result *result, void *user)
{
    story_result(batch, result, user);
    kept[stook_result_index(result)] = stook_result_ref(result);
}

static void keep_flow(struct life *life)
{
    struct story story;
    for (int i = 0; i < NINE; i++)
        kept[i] = NULL;
    story_begin(&story, life);
    add_nine(&story);
    story_start(&story, 0, &STOOK_GATHER(.on_result = keep_result, .user = &story));
    story_end(&story);
    life_close(life);
    for (int i = 0; i < NINE; i++) {
        CHECK(!kept[i] || stook_result_message(kept[i])[0] != '\0');
        stook_result_unref(kept[i]);
    }
}

TEST(ref, slow)
{
    server = raw_server_start(NULL);
    fail_nth(keep_flow);
}

/* Cookies: loaded, more of them set than may be kept, and saved. */
static enum raw_then thirty(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 30; i++)
        raw_say(call, "Set-Cookie: n%u-%d=v; Path=/\r\n", call->seen, i);
    raw_say(call, "Content-Length: 0\r\n\r\n");
    return RAW_KEEP;
}

static const char *jar;

static void cookies_flow(struct life *life)
{
    int error = stook_client_cookies_load(life->client, jar);
    CHECK(error == 0 || error == STOOK_ENOMEM);
    for (int i = 0; i < 3; i++) {
        struct story story;
        story_begin(&story, life);
        story_add_request(&story, &STOOK_REQUEST(raw_url(server, "/thirty"), .cookies = 1));
        story_start(&story, 0, NULL);
        story_end(&story);
    }
    error = stook_client_cookies_save(life->client, text("%s.saved", jar));
    CHECK(error == 0 || error == STOOK_ENOMEM);
}

TEST(cookies, slow)
{
    static const struct raw_behaviour more[] = {{"/thirty", .answer = thirty}, {NULL}};
    static char path[256];
    server = raw_server_start(more);
    snprintf(path, sizeof path, "%s/jar", temporary_directory());
    write_file(path, "127.0.0.1\tFALSE\t/\tFALSE\t0\ta\t1\n.example.com\tTRUE\t/\tFALSE\t0\tb\t2\n");
    jar = path;
    fail_nth(cookies_flow);
}
