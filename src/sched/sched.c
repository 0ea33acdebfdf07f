/* SPDX-License-Identifier: MIT */
/* Queue, limit and fairness; see sched.h. The clocks of a job are in timeouts.c. */
#include "sched/sched.h"

#include "sched/timeouts.h"

void stook__sched_init(struct stook__sched *sched)
{
    stook__list_init(&sched->ring);
    sched->jobs.root = sched->deadlines.root = NULL;
    sched->n_running = 0;
    sched->starved = 0;
}

void stook__group_init(struct stook__group *group)
{
    stook__list_init(&group->ring);
    stook__list_init(&group->waiting);
    stook__list_init(&group->running);
}

/* A group stands in the ring exactly while it may start something. A newcomer goes to the end. */
static void place(struct stook__sched *sched, struct stook__group *group)
{
    int may_start = group->open && !group->held && group->n_waiting > 0 && group->n_running < group->limit;
    if (!may_start)
        stook__list_remove(&group->ring);
    else if (stook__list_empty(&group->ring))
        stook__list_append(&sched->ring, &group->ring);
}

void stook__group_open(struct stook__sched *sched, struct stook__group *group, size_t limit, int64_t deadline)
{
    group->open = 1;
    group->limit = limit;
    if (deadline != 0)
        stook__clock_set(&sched->deadlines, &group->deadline, deadline);
    place(sched, group);
}

void stook__group_shut(struct stook__sched *sched, struct stook__group *group)
{
    group->open = 0;
    stook__clock_clear(&sched->deadlines, &group->deadline);
    place(sched, group);
}

void stook__group_hold(struct stook__sched *sched, struct stook__group *group, int held)
{
    if (group->held == held)
        return;
    group->held = held;
    place(sched, group);
}

struct stook__job *stook__group_any(struct stook__group *group)
{
    struct stook__link *from = stook__list_empty(&group->running) ? &group->waiting : &group->running;
    return stook__list_empty(from) ? NULL : STOOK__OF(struct stook__job, link, from->next);
}

void stook__sched_add(struct stook__sched *sched, struct stook__group *group, struct stook__job *job,
                      const struct stook__policy *policy, int64_t now)
{
    job->group = group;
    job->policy = policy;
    job->added_at = now;
    job->state = STOOK__WAITING;
    stook__list_append(&group->waiting, &job->link);
    group->n_waiting++;
    stook__timeouts_arm(sched, job);
    place(sched, group);
}

struct stook__job *stook__sched_next(struct stook__sched *sched, int64_t now)
{
    struct stook__link *first = sched->starved ? NULL : stook__list_pop(&sched->ring);
    if (first == NULL)
        return NULL;
    struct stook__group *group = STOOK__OF(struct stook__group, ring, first);
    struct stook__job *job = STOOK__OF(struct stook__job, link, group->waiting.next);
    stook__list_remove(&job->link);
    stook__list_append(&group->running, &job->link);
    group->n_waiting--;
    group->n_running++;
    sched->n_running++;
    job->state = STOOK__RUNNING;
    if (job->first_at == 0)
        job->first_at = now;
    stook__sched_repeat(sched, job, now);
    place(sched, group);
    return job;
}

void stook__sched_repeat(struct stook__sched *sched, struct stook__job *job, int64_t now)
{
    job->attempts++;
    job->attempt_at = job->moved_at = now;
    job->connected = 0;
    stook__timeouts_arm(sched, job);
}

static void stopped(struct stook__sched *sched, struct stook__group *group)
{
    group->n_running--;
    sched->n_running--;
}

int stook__sched_put_back(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__group *group = job->group;
    if (sched->n_running <= 1)
        return 0;
    stook__list_remove(&job->link);
    stook__list_append(group->waiting.next, &job->link); /* in front of the first */
    stopped(sched, group);
    group->n_waiting++;
    job->state = STOOK__WAITING;
    job->attempts--;
    sched->starved = 1;
    stook__timeouts_arm(sched, job);
    place(sched, group);
    return 1;
}

void stook__sched_finish(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__group *group = job->group;
    stook__list_remove(&job->link);
    if (job->state == STOOK__RUNNING)
        stopped(sched, group);
    else
        group->n_waiting--;
    sched->starved = 0;
    job->state = STOOK__FINISHED;
    stook__clock_clear(&sched->jobs, &job->timer);
    place(sched, group);
}

int stook__sched_again(const struct stook__job *job, const struct stook__ending *ending)
{
    return ending->error != 0 && ending->lost && ending->idempotent && job->attempts < 2;
}
