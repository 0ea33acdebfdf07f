/* SPDX-License-Identifier: MIT */
/* Jobs that end because a circuit is open; see refusal.h. */
#include "sched/refusal.h"

#include "sched/clocks.h"

/* One call of stook__refusal_next() looks at no more jobs and queues. */
enum { STEPS = 256 };

/* A retry that was granted and is still to come counts as left. */
static int has_retries(const struct stook__job *job)
{
    int granted = job->retries_since != 0;
    return (int64_t)job->retries - granted < job->settings->max_retries;
}

/* Whether the whole clock of the job, which for one that never started would begin now, ends before
   the circuit may be probed. If such jobs waited, each probe of a dead server would end one. */
static int is_too_late(const struct stook__sched *sched, const struct stook__job *job,
                       const struct stook__circuit *circuit)
{
    int64_t since = job->first_at != 0 ? job->first_at : sched->now;
    return circuit->until >= stook__clocks_after(since, job->settings->total_ms);
}

static int is_refused(const struct stook__sched *sched, const struct stook__job *job)
{
    const struct stook__origin_flow *flow = stook__job_origin(job)->sched.flow;
    return flow != NULL && flow->circuit.state == STOOK__CIRCUIT_OPEN &&
           flow->circuit.until > sched->now &&
           (!has_retries(job) || is_too_late(sched, job, &flow->circuit));
}

static void look_from(struct stook__sched *sched, struct stook__queue *queue,
                      struct stook__job *job)
{
    queue->suspect = job;
    stook__list_remove(&queue->refusing); /* it may be the head of a blocked group */
    stook__list_append(&sched->refusing, &queue->refusing);
}

/* The first of a queue that is not empty, in the order in which they start. */
static struct stook__job *first_of(const struct stook__queue *queue)
{
    return STOOK__OF(struct stook__job, link, queue->jobs.next);
}

void stook__refusal_circuit_opened(struct stook__sched *sched, struct stook__origin *origin)
{
    struct stook__link *queues = &origin->sched.queues, *link;
    for (link = queues->next; link != queues; link = link->next) {
        struct stook__queue *queue = STOOK__OF(struct stook__queue, of_origin, link);
        if (queue->n_waiting > 0)
            look_from(sched, queue, first_of(queue));
    }
}

void stook__refusal_look_at(struct stook__sched *sched, struct stook__job *job)
{
    struct stook__queue *queue = job->queue;
    if (!is_refused(sched, job))
        return;
    /* If others have not been looked at yet, it may stand before them. */
    look_from(sched, queue, queue->suspect == NULL ? job : first_of(queue));
}

/* Returns a job of a queue that is refused, and may end now. NULL: there is none, or no steps are
   left. */
static struct stook__job *find(const struct stook__sched *sched, struct stook__queue *queue,
                               int *steps)
{
    while (queue->suspect != NULL && *steps > 0) {
        struct stook__job *job = queue->suspect;
        if (!stook__job_is_revealed(queue->key.group, job)) {
            queue->suspect = NULL; /* nor are those behind it; each is noted when it is */
            return NULL;
        }
        stook__queue_pass_suspect(queue);
        if (is_refused(sched, job))
            return job;
        --*steps;
    }
    return NULL;
}

struct stook__job *stook__refusal_next(struct stook__sched *sched, int64_t now)
{
    sched->now = now > sched->now ? now : sched->now;
    for (int steps = STEPS; steps > 0 && !stook__list_empty(&sched->refusing); steps--) {
        struct stook__queue *queue = STOOK__OF(struct stook__queue, refusing, sched->refusing.next);
        struct stook__group *group = queue->key.group;
        struct stook__job *head = group->head, *job = NULL;
        if (group->open && !group->blocked)
            job = find(sched, queue, &steps);
        else if (group->open && head != NULL && head->queue == queue &&
                 head->state == STOOK__JOB_QUEUED && is_refused(sched, head))
            job = head;
        if (job != NULL)
            return job;
        if (queue->suspect != NULL && steps == 0)
            return NULL;
        stook__list_remove(&queue->refusing);
        if (queue->suspect != NULL)
            stook__list_append(&group->refusing, &queue->refusing);
    }
    return NULL;
}
