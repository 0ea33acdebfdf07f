/* SPDX-License-Identifier: MIT */
/* The default clocks, as they are armed: a request ends although the program sets none. */
#include "request/settings.h"
#include "sched/clocks.h"
#include "sched/group.h"
#include "sched/queue.h"
#include "support/harness.h"
#include "support/queue_at.h"

TEST(clocks)
{
    struct stook_client_options options = STOOK_CLIENT();
    struct stook__settings policy;
    CHECK_EQ_INT(stook__settings_from(&options, &policy), 0);
    CHECK_EQ_INT(policy.queue_ms, -1);
    CHECK_EQ_INT(policy.connect_ms, 10000);
    CHECK_EQ_INT(policy.attempt_ms, 30000);
    CHECK_EQ_INT(policy.stall_ms, 30000);
    CHECK_EQ_INT(policy.total_ms, 120000);
    struct stook__allocator *allocator = stook__allocator_new(NULL);
    struct stook__origins origins;
    struct stook__sched sched;
    struct stook__group group = {0};
    struct stook__job job = {0};
    stook__origins_init(&origins, allocator);
    stook__sched_init(&sched, allocator);
    stook__group_init(&group);
    stook__group_open(&sched, &group, 1, 0);
    stook__sched_add(&sched, queue_at(&sched, &origins, &group, "", 0, 3), &job, &policy, 1);
    CHECK_EQ_INT(stook__sched_alarm(&sched), 0); /* no queue clock */
    CHECK(stook__sched_next(&sched, 5000000) == &job);
    CHECK_EQ_INT(stook__sched_alarm(&sched), 15000000); /* started at 5 s, and 10 s to connect */
    job.connected = 1;
    CHECK_EQ_INT(stook__sched_expired(&sched, &job, 15000000), 0);
    CHECK_EQ_INT(stook__sched_alarm(&sched), 35000000);
    stook__sched_finish(&sched, &job);
    stook__group_end(&sched, &group);
    stook__sched_free(&sched);
    CHECK_EQ_SIZE(origins.map.count, 0);
    stook__origins_free(&origins);
    stook__allocator_unref(allocator);
}
