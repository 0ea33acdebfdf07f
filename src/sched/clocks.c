/* SPDX-License-Identifier: MIT */
/* The clocks of a job and the deadlines of groups; see clocks.h. */
#include "sched/clocks.h"

#include "sched/queue.h"
#include "sched/target.h"

/* The due time of a clock that is off, and of one that is too long to be added to a time. */
static const int64_t NEVER = INT64_MAX;

static int64_t after(int64_t from, int64_t ms)
{
    if (ms < 0 || ms > (NEVER - from) / 1000)
        return NEVER;
    return from + ms * 1000;
}

int64_t stook__clocks_after(int64_t from, int64_t ms)
{
    return after(from, ms);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The clock of a waiting job. One that has started before waits for its next hop or attempt, and
   its whole clock goes on. The queue clock of another begins when its delay is over. */
static int64_t clock_of_waiting(const struct stook__job *job)
{
    if (job->first_at != 0)
        return after(job->first_at, job->settings->total_ms);
    return job->state == STOOK__JOB_DELAYED
               ? NEVER
               : after(job->not_before > job->added_at ? job->not_before : job->added_at,
                       job->settings->queue_ms);
}

static int64_t due_of_waiting(const struct stook__job *job)
{
    int64_t due = clock_of_waiting(job);
    return job->state == STOOK__JOB_DELAYED ? earlier(due, job->not_before) : due;
}

/* When a second attempt is due beside the one that runs. */
static int64_t hedge_due(const struct stook__job *job)
{
    const struct stook__origin_flow *flow = job->queue->key.target->origin->sched.flow;
    int64_t ms = job->settings->hedge_after_ms;
    if (ms != STOOK_AUTO)
        return after(job->attempt_at, ms);
    int64_t us = flow != NULL ? stook__latency_quantile(&flow->latency, 95) : 0;
    return us > 0 ? job->attempt_at + us : NEVER;
}

static int64_t due_of_running(const struct stook__job *job)
{
    const struct stook__settings *settings = job->settings;
    int64_t due = earlier(after(job->attempt_at, settings->attempt_ms),
                          after(job->first_at, settings->total_ms));
    due = earlier(due, after(job->moved_at, settings->stall_ms));
    if (settings->hedge_after_ms != 0 && !job->hedged)
        due = earlier(due, hedge_due(job));
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

/* 0 stands for no time. */
static int64_t first_of(int64_t one, int64_t other)
{
    return one == 0 || (other != 0 && other < one) ? other : one;
}

int64_t stook__sched_alarm(const struct stook__sched *sched)
{
    return first_of(
        stook__timer_heap_due(&sched->gates),
        first_of(stook__timer_heap_due(&sched->jobs), stook__timer_heap_due(&sched->deadlines)));
}

int stook__sched_is_late(const struct stook__sched *sched, int64_t now)
{
    int64_t due =
        first_of(stook__timer_heap_due(&sched->jobs), stook__timer_heap_due(&sched->deadlines));
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

static int expired_waiting(struct stook__sched *sched, struct stook__job *job, int64_t now)
{
    if (now >= clock_of_waiting(job))
        return job->first_at == 0 ? STOOK_ETIMEOUT_QUEUE : STOOK_ETIMEOUT_TOTAL;
    if (job->state == STOOK__JOB_DELAYED && now >= job->not_before)
        return STOOK__DELAY_IS_OVER;
    stook__clocks_arm(sched, job);
    return 0;
}

int stook__sched_expired(struct stook__sched *sched, struct stook__job *job, int64_t now)
{
    const struct stook__settings *settings = job->settings;
    if (stook__job_waits(job))
        return expired_waiting(sched, job, now);
    if (now >= after(job->first_at, settings->total_ms))
        return STOOK_ETIMEOUT_TOTAL;
    if (now >= after(job->attempt_at, settings->attempt_ms))
        return STOOK_ETIMEOUT_ATTEMPT;
    if (!job->connected && now >= after(job->attempt_at, settings->connect_ms))
        return STOOK_ETIMEOUT_ATTEMPT;
    if (now >= after(job->moved_at, settings->stall_ms))
        return STOOK_ETIMEOUT_STALL;
    int hedge = settings->hedge_after_ms != 0 && !job->hedged && now >= hedge_due(job);
    if (hedge)
        job->hedged = 1;
    stook__clocks_arm(sched, job);
    return hedge ? STOOK__HEDGE_IS_DUE : 0;
}
