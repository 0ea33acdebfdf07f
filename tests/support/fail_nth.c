/* SPDX-License-Identifier: MIT */
#include "fail_nth.h"

#include <string.h>

enum { ALLOCATIONS_MAX = 5000 }; /* of a flow of at most nine requests: more means no end */

void story_begin(struct story *story, struct life *life)
{
    memset(story, 0, sizeof *story);
    story->life = life;
    int error = stook_batch_new(life->client, &story->batch);
    if (error) {
        CHECK_ERROR(error, STOOK_ENOMEM);
        CHECK(story->batch == NULL);
    }
}

void story_add_request(struct story *story, const struct stook_request *request)
{
    if (!story->batch)
        return;
    int error = stook_batch_add(story->batch, request);
    if (error)
        CHECK_ERROR(error, STOOK_ENOMEM);
    else
        story->accepted++;
    CHECK_EQ_SIZE(stook_batch_count(story->batch), story->accepted);
}

void story_add(struct story *story, const char *url)
{
    story_add_request(story, &STOOK_REQUEST(url));
}

void story_result(stook_batch *batch, const stook_result *result, void *user)
{
    struct story *story = user;
    CHECK(batch == story->batch);
    CHECK(stook_result_index(result) < STORY_MAX);
    story->results[stook_result_index(result)]++;
}

void story_start(struct story *story, int ordered, const struct stook_gather_options *options)
{
    if (!story->batch)
        return;
    story->streamed = options && options->on_result;
    int error = (ordered ? stook_gather_ordered_start : stook_gather_start)(
        story->batch, options, count_done, &story->done);
    CHECK_EQ_INT(story->done.calls, 0);
    if (error) {
        CHECK_ERROR(error, STOOK_ENOMEM);
        CHECK(stook_batch_message(story->batch)[0] != '\0');
    }
    story->awaited = error == 0;
}

void story_read(struct story *story)
{
    if (!story->batch || story->streamed)
        return;
    for (size_t i = 0; i < story->accepted; i++) {
        const stook_result *result = stook_batch_result(story->batch, i);
        if (result)
            story->results[stook_result_index(result)]++;
        CHECK((stook_batch_result_by_index(story->batch, i) != NULL) == story->awaited);
    }
}

void story_check(const struct story *story)
{
    CHECK_EQ_INT(story->done.calls, story->awaited);
    for (size_t i = 0; i < STORY_MAX; i++)
        CHECK_EQ_INT(story->results[i], story->awaited && i < story->accepted);
}

void story_end(struct story *story)
{
    life_run(story->life);
    story_read(story);
    story_check(story);
    stook_batch_free(story->batch);
}

/* One run; true while an allocation had to fail in it. */
static int run(void (*flow)(struct life *life), int borrowed, size_t nth, int from_there_on)
{
    static struct life life;
    life_begin(&life, borrowed);
    memory_fail(&life.memory, nth, from_there_on);
    int error = life_try_open(&life, &STOOK_CLIENT(.user_agent = "fail_nth", .retry_delay_ms = 1));
    if (error) {
        CHECK_ERROR(error, STOOK_ENOMEM);
        CHECK(life.client == NULL);
    } else {
        flow(&life);
    }
    life_end(&life);
    return life.memory.refused > 0;
}

void fail_nth(void (*flow)(struct life *life))
{
    for (int variant = 0; variant < 4; variant++) {
        int borrowed = variant & 1, from_there_on = variant >> 1;
        size_t nth = 0;
        do {
            nth++;
            CHECK(nth < ALLOCATIONS_MAX);
            test_note("%s loop, allocation %zu fails %s", borrowed ? "borrowed" : "owned", nth,
                      from_there_on ? "and all after it" : "once");
        } while (run(flow, borrowed, nth, from_there_on));
        CHECK(nth > 1);
    }
}
