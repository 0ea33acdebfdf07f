/* SPDX-License-Identifier: MIT */
/* How many requests and bytes one batch may have, and which bodies are paused meanwhile. */
#include <string.h>

#include "deliver/flow_control.h"
#include "support/harness.h"

static struct stook__flow_control flow;
static struct stook__body_flow bodies[3];
static struct stook__link newly_paused;

static void begin(size_t window, size_t max_buffered_bytes, int counts_bodies)
{
    memset(&flow, 0, sizeof flow);
    memset(bodies, 0, sizeof bodies);
    stook__list_init(&newly_paused);
    stook__flow_init(&flow);
    stook__flow_open(&flow, window, max_buffered_bytes, counts_bodies);
    flow.newly_paused = &newly_paused;
    for (size_t i = 0; flow.counts_bodies && i < 3; i++)
        stook__body_flow_enter(&bodies[i], &flow);
    stook__flow_update(&flow);
}

static void receive(size_t i, size_t bytes)
{
    CHECK(stook__body_flow_may_take(&bodies[i], bytes - bodies[i].bytes, 1));
    stook__body_flow_count(&bodies[i], bytes);
}

TEST(window_and_bytes_bound_what_starts)
{
    begin(2, 100, 0);
    stook__flow_started(&flow);
    CHECK(stook__flow_has_room(&flow, 1, 0));
    CHECK(!stook__flow_has_room(&flow, 1, 1)); /* the last place is reserved */
    stook__flow_started(&flow);
    CHECK(!stook__flow_has_room(&flow, 1, 0));
    CHECK(stook__flow_has_room(&flow, 0, 0)); /* nothing waits */
    stook__flow_arrived(&flow, 100);
    CHECK(!stook__flow_has_room(&flow, 0, 0));
    stook__flow_delivered(&flow, 100, 1);
    CHECK(stook__flow_has_room(&flow, 1, 0));
}

TEST(without_a_bound_no_body_counts)
{
    begin(SIZE_MAX, SIZE_MAX, 1);
    CHECK(!flow.counts_bodies);
    CHECK(stook__body_flow_may_take(&bodies[0], SIZE_MAX, 1));
    CHECK_EQ_SIZE(stook__body_flow_room(&bodies[0]), SIZE_MAX);
    stook__body_flow_count(&bodies[0], 1);
    stook__body_flow_leave(&bodies[0]);
    CHECK_EQ_SIZE(flow.body_bytes, 0);
}

TEST(paused_until_results_are_delivered)
{
    begin(SIZE_MAX, 100, 1);
    stook__flow_arrived(&flow, 60);
    stook__flow_update(&flow);
    receive(0, 30);
    CHECK(!stook__body_flow_may_take(&bodies[1], 20, 7));
    CHECK(!stook__body_flow_may_take(&bodies[1], 20, 8)); /* the first time counts */
    CHECK_EQ_INT(bodies[1].paused, STOOK__PAUSE_BUFFER);
    CHECK(stook__flow_next_paused(&newly_paused) == &flow);
    CHECK(stook__flow_next_paused(&newly_paused) == NULL);

    size_t left = stook__flow_update(&flow);
    CHECK_EQ_SIZE(left, 10);
    CHECK(stook__flow_next_resumable(&flow, NULL, 0, &left) == NULL);
    stook__flow_delivered(&flow, 60, 1);
    left = stook__flow_update(&flow);
    CHECK(stook__flow_next_resumable(&flow, NULL, 0, &left) == &bodies[1]);
    CHECK_EQ_SIZE(left, 50);
    CHECK_EQ_INT(stook__body_flow_resume(&bodies[1], STOOK__PAUSE_BUFFER, 12), 5);
    CHECK(stook__flow_next_resumable(&flow, NULL, 0, &left) == NULL);
    stook__body_flow_leave(&bodies[0]);
    CHECK_EQ_SIZE(flow.body_bytes, 0);
}

TEST(head_is_exempt)
{
    begin(SIZE_MAX, 10, 1);
    CHECK(!stook__body_flow_may_take(&bodies[2], 20, 1));
    size_t left = stook__flow_update(&flow);
    CHECK(stook__flow_next_resumable(&flow, &bodies[2], 0, &left) == &bodies[2]);
    stook__body_flow_resume(&bodies[2], STOOK__PAUSE_BUFFER, 1);
    receive(2, 1000);
    CHECK(!stook__body_flow_may_take(&bodies[0], 1, 1)); /* the head has all the room */
    stook__body_flow_leave(&bodies[2]);
    CHECK_EQ_SIZE(flow.n_exempt, 0);
}

/* Requests that are paused may hold the slot that the head waits for. */
TEST(one_at_a_time_for_a_blocked_head)
{
    begin(SIZE_MAX, 10, 1);
    stook__flow_arrived(&flow, 10);
    size_t left = stook__flow_update(&flow);
    for (size_t i = 0; i < 3; i++)
        CHECK(!stook__body_flow_may_take(&bodies[i], 1, 1));
    CHECK(stook__flow_next_resumable(&flow, NULL, 0, &left) == NULL);
    CHECK(stook__flow_next_resumable(&flow, NULL, 1, &left) == &bodies[0]);
    stook__body_flow_resume(&bodies[0], STOOK__PAUSE_BUFFER, 1);
    CHECK(stook__flow_next_resumable(&flow, NULL, 1, &left) == NULL);
    stook__body_flow_leave(&bodies[0]);
    CHECK(stook__flow_next_resumable(&flow, NULL, 1, &left) == &bodies[1]);
}

TEST(reasons_are_independent)
{
    begin(SIZE_MAX, SIZE_MAX, 0);
    stook__body_flow_pause(&bodies[0], STOOK__PAUSE_SINK, 3);
    stook__body_flow_pause(&bodies[0], STOOK__PAUSE_PROGRAM, 5);
    CHECK_EQ_INT(stook__body_flow_resume(&bodies[0], STOOK__PAUSE_SINK, 9), 0);
    CHECK_EQ_INT(bodies[0].paused, STOOK__PAUSE_PROGRAM);
    CHECK_EQ_INT(stook__body_flow_resume(&bodies[0], STOOK__PAUSE_PROGRAM, 9), 4);
    CHECK_EQ_INT(bodies[0].paused, 0);
}
