/* SPDX-License-Identifier: MIT */
/* The clocks of a job and the deadlines of groups; see clocks.h. */
#include "sched/clocks.h"

/* The due time of a clock that is off, and of one that is too long to be added to a time. */
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

static int64_t due_of_waiting(const struct stook__job *job)
{
    /* A job that was put back has started once: the whole clock goes on while it waits. */
    return job->first_at == 0 ? after(job->added_at, job->settings->queue_ms)
                              : after(job->first_at, job->settings->total_ms);
}

static int64_t due_of_running(const struct stook__job *job)
{
    const struct stook__settings *settings = job->settings;
    int64_t due = earlier(after(job->attempt_at, settings->attempt_ms),
                          after(job->first_at, settings->total_ms));
    due = earlier(due, after(job->moved_at, settings->stall_ms));
    if (!job->connected)
        due = earlier(due, after(job->attempt_at, settings->connect_ms));
    return due;
}

void stook__clocks_arm(struct stook__sched *sched, struct stook__job *job)
{
    int64_t due = stook__job_waits(job) ? due_of_waiting(job) : due_of_running(job);
    if (due == NEVER)
        stook__timer_heap_clear(&sched->jobs, &job->timer);
    else
        stook__timer_heap_set(&sched->jobs, &job->timer, due);
}

void stook__sched_pause(struct stook__sched *sched, struct stook__job *job)
{
    stook__timer_heap_clear(&sched->jobs, &job->timer);
}

void stook__sched_resume(struct stook__sched *sched, struct stook__job *job, int64_t paused)
{
    /* The add moves too: the time that the job has waited in the queue is reported, and stays. */
    job->added_at += paused;
    job->first_at += paused;
    job->attempt_at += paused;
    job->moved_at += paused;
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

static struct stook__timer *pop_due(struct stook__timer_heap *timers, int64_t now)
{
    struct stook__timer *first = stook__timer_heap_first(timers);
    if (first == NULL || first->due > now)
        return NULL;
    stook__timer_heap_clear(timers, first);
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
    const struct stook__settings *settings = job->settings;
    if (stook__job_waits(job))
        return job->first_at == 0 ? STOOK_ETIMEOUT_QUEUE : STOOK_ETIMEOUT_TOTAL;
    if (now >= after(job->first_at, settings->total_ms))
        return STOOK_ETIMEOUT_TOTAL;
    if (now >= after(job->attempt_at, settings->attempt_ms))
        return STOOK_ETIMEOUT_ATTEMPT;
    if (!job->connected && now >= after(job->attempt_at, settings->connect_ms))
        return STOOK_ETIMEOUT_ATTEMPT;
    if (now >= after(job->moved_at, settings->stall_ms))
        return STOOK_ETIMEOUT_STALL;
    stook__clocks_arm(sched, job);
    return 0;
}
