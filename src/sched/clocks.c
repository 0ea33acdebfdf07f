/* SPDX-License-Identifier: MIT */
/* The clocks of a job; see clocks.h. */
#include "sched/clocks.h"

/* A clock that is off is due at NEVER; so is one so long that it cannot be added. */
static const int64_t NEVER = INT64_MAX;

static int64_t after(int64_t from, int64_t ms)
{
    if (ms < 0 || ms > (NEVER - from) / 1000)
        return NEVER;
    return from + ms * 1000;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t due_of(const struct stook__job *job)
{
    const struct stook__settings *policy = job->policy;
    /* The queue clock ends with the first start; from then on the whole counts, waits included. */
    if (job->state == STOOK__WAITING)
        return job->first_at == 0 ? after(job->added_at, policy->queue_ms)
                                  : after(job->first_at, policy->total_ms);
    int64_t due =
        earlier(after(job->attempt_at, policy->attempt_ms), after(job->first_at, policy->total_ms));
    due = earlier(due, after(job->moved_at, policy->stall_ms));
    if (!job->connected)
        due = earlier(due, after(job->attempt_at, policy->connect_ms));
    return due;
}

void stook__clocks_arm(struct stook__sched *sched, struct stook__job *job)
{
    int64_t due = due_of(job);
    if (due == NEVER)
        stook__timer_heap_clear(&sched->jobs, &job->timer);
    else
        stook__timer_heap_set(&sched->jobs, &job->timer, due);
}

void stook__sched_pause(struct stook__sched *sched, struct stook__job *job)
{
    stook__timer_heap_clear(&sched->jobs, &job->timer);
}

void stook__sched_resume(struct stook__sched *sched, struct stook__job *job, int64_t blocked)
{
    /* As if all had begun later, the wait in the queue included: that stays as long as it was. */
    job->added_at += blocked;
    job->first_at += blocked;
    job->attempt_at += blocked;
    job->moved_at += blocked;
    stook__clocks_arm(sched, job);
}

int64_t stook__sched_alarm(const struct stook__sched *sched)
{
    int64_t job = stook__timer_heap_due(&sched->jobs),
            group = stook__timer_heap_due(&sched->deadlines);
    return job == 0 || (group != 0 && group < job) ? group : job;
}

int stook__sched_is_late(const struct stook__sched *sched, int64_t now)
{
    int64_t due = stook__sched_alarm(sched);
    return due != 0 && due <= now;
}

static struct stook__timer *pop_due(struct stook__timer_heap *clock, int64_t now)
{
    struct stook__timer *first = stook__timer_heap_first(clock);
    if (first == NULL || first->due > now)
        return NULL;
    stook__timer_heap_clear(clock, first);
    return first;
}

struct stook__group *stook__sched_late_group(struct stook__sched *sched, int64_t now)
{
    struct stook__timer *timer = pop_due(&sched->deadlines, now);
    return timer != NULL ? STOOK__OF(struct stook__group, deadline, timer) : NULL;
}

struct stook__job *stook__sched_late_job(struct stook__sched *sched, int64_t now)
{
    struct stook__timer *timer = pop_due(&sched->jobs, now);
    return timer != NULL ? STOOK__OF(struct stook__job, timer, timer) : NULL;
}

int stook__sched_expired(struct stook__sched *sched, struct stook__job *job, int64_t now)
{
    const struct stook__settings *policy = job->policy;
    if (job->state == STOOK__WAITING)
        return job->first_at == 0 ? STOOK_ETIMEOUT_QUEUE : STOOK_ETIMEOUT_TOTAL;
    if (now >= after(job->first_at, policy->total_ms))
        return STOOK_ETIMEOUT_TOTAL;
    if (now >= after(job->attempt_at, policy->attempt_ms))
        return STOOK_ETIMEOUT_ATTEMPT;
    if (!job->connected && now >= after(job->attempt_at, policy->connect_ms))
        return STOOK_ETIMEOUT_ATTEMPT;
    if (now >= after(job->moved_at, policy->stall_ms))
        return STOOK_ETIMEOUT_STALL;
    stook__clocks_arm(sched, job);
    return 0;
}
