/* SPDX-License-Identifier: MIT */
#include "life.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "../support/process.h"

static char story[4096];

void tell(const char *word)
{
    size_t size = strlen(story);
    CHECK(size + strlen(word) + 2 < sizeof story);
    snprintf(story + size, sizeof story - size, "%s%s", size ? " " : "", word);
}

const char *told(void)
{
    return story;
}

void life_begin(struct life *life, int borrowed)
{
    story[0] = '\0';
    memset(life, 0, sizeof *life);
    life->borrowed = borrowed;
    memory_begin(&life->memory);
    if (borrowed)
        CHECK_EQ_INT(uv_loop_init(&life->loop), 0);
}

int life_libcurl_only;

int life_is_direct(void)
{
    return !life_libcurl_only && getenv("STOOK_TEST_LIBCURL") == NULL;
}

int life_try_open(struct life *life, const struct stook_client_options *options)
{
    struct stook_client_options own = options ? *options : STOOK_CLIENT();
    own.allocator = &life->memory.allocator;
    /* A whole run may go libcurl's way; a test that sets the option keeps what it sets. */
    if (own.direct == 0 && !life_is_direct())
        own.direct = STOOK_NONE;
    return stook_client_new(life->borrowed ? &life->loop : NULL, &own, &life->client);
}

void life_open(struct life *life, const struct stook_client_options *options)
{
    CHECK_ERROR(life_try_open(life, options), 0);
    CHECK(life->client != NULL);
}

static void note_closed(void *user)
{
    struct life *life = user;
    life->closed++;
}

void life_close(struct life *life)
{
    int closed = life->closed;
    stook_client_close(life->client, note_closed, life);
    life->client = NULL;
    if (life->borrowed) {
        CHECK_EQ_INT(life->closed, closed); /* never from inside the call */
        uv_run(&life->loop, UV_RUN_DEFAULT);
    }
    CHECK_EQ_INT(life->closed, closed + 1);
}

void life_end(struct life *life)
{
    if (life->client)
        life_close(life);
    if (life->borrowed) {
        CHECK_EQ_INT(uv_run(&life->loop, UV_RUN_DEFAULT), 0);
        CHECK_EQ_INT(uv_loop_close(&life->loop), 0);
    }
    memory_check_empty(&life->memory);
}

void life_both(void (*body)(struct life *life))
{
    static struct life life;
    for (int borrowed = 0; borrowed <= 1; borrowed++) {
        test_note("%s loop", borrowed ? "borrowed" : "owned");
        life_begin(&life, borrowed);
        body(&life);
        life_end(&life);
    }
}

stook_batch *life_batch(struct life *life)
{
    stook_batch *batch = NULL;
    CHECK_ERROR(stook_batch_new(life->client, &batch), 0);
    CHECK(batch != NULL);
    return batch;
}

void count_done(stook_batch *batch, int failed, void *user)
{
    struct done *done = user;
    (void)batch;
    done->calls++;
    done->failed = failed;
}

typedef int start_fn(stook_batch *, const struct stook_gather_options *,
                     void (*)(stook_batch *, int, void *), void *);

/* The loop ends by itself when the await is over: only an await keeps it alive. */
static int await_on_loop(struct life *life, start_fn *start, stook_batch *batch,
                         const struct stook_gather_options *options)
{
    struct done done = {0, 0};
    int error = start(batch, options, count_done, &done);
    CHECK_EQ_INT(done.calls, 0);
    if (error)
        return error;
    uv_run(&life->loop, UV_RUN_DEFAULT);
    CHECK_EQ_INT(done.calls, 1);
    return done.failed;
}

int life_gather(struct life *life, stook_batch *batch, const struct stook_gather_options *options)
{
    if (life->borrowed)
        return await_on_loop(life, stook_gather_start, batch, options);
    return stook_gather(batch, options);
}

int life_gather_ordered(struct life *life, stook_batch *batch,
                        const struct stook_gather_options *options)
{
    if (life->borrowed)
        return await_on_loop(life, stook_gather_ordered_start, batch, options);
    return stook_gather_ordered(batch, options);
}

void life_run(struct life *life)
{
    if (life->borrowed)
        uv_run(&life->loop, UV_RUN_DEFAULT);
    else
        CHECK_ERROR(stook_client_run(life->client), 0);
}

struct stook_origin life_origin(struct life *life, int port)
{
    struct stook_origin origin = STOOK_ORIGIN();
    for (size_t i = 0; stook_client_origin_at(life->client, i, &origin) == 0; i++)
        if (strcmp(origin.name, text("http://127.0.0.1:%d", port)) == 0)
            return origin;
    return STOOK_ORIGIN();
}

void life_turn(struct life *life, int64_t ms)
{
    if (life->borrowed)
        uv_run(&life->loop, UV_RUN_ONCE);
    else
        stook_client_turn(life->client, ms);
}

void life_poke(struct life *life)
{
    stook_client_wake(life->client);
    life_turn(life, 0);
}

void add(stook_batch *batch, const char *url)
{
    ADD(batch, url);
}
