/* SPDX-License-Identifier: MIT */
/* Why a job waits; see reason.h. */
#include "sched/reason.h"

#include "sched/queue.h"

/* Which gate holds a waiting job up, in the order of enum stook__reason. */
static enum stook__reason reason_of_gates(struct stook__sched *sched, const struct stook__job *job,
                                          int64_t *until)
{
    const struct stook__queue *queue = job->queue;
    struct stook__target *target = queue->key.target;
    struct stook__gate *gate = &target->origin->sched.gate;
    const struct stook__origin_flow *flow = target->origin->sched.flow;
    int64_t at = stook__gate_opens_at(sched, gate, job, 0);
    int waits_here = queue->place == STOOK__QUEUE_PARKED && queue->gate == gate;
    if (at > sched->now && flow != NULL && flow->circuit.state != STOOK__CIRCUIT_CLOSED) {
        *until = at == STOOK__GATE_NEVER ? 0 : at;
        return STOOK__BY_CIRCUIT;
    }
    if (target->state == STOOK__TARGET_COOLING && target->cool_until > sched->now) {
        *until = target->cool_until;
        return STOOK__BY_COOLDOWN;
    }
    if (stook__gate_opens_at(sched, &target->gate, job, 0) > sched->now ||
        (queue->place == STOOK__QUEUE_PARKED && queue->gate == &target->gate))
        return STOOK__BY_PROBE;
    *until = stook__gates_rate_until(sched, job, NULL);
    if (*until != 0)
        return STOOK__BY_RATE;
    return at > sched->now || waits_here || !stook__list_empty(&gate->parked) ? STOOK__BY_ORIGIN
                                                                              : STOOK__BY_NOTHING;
}

enum stook__reason stook__sched_reason(struct stook__sched *sched, const struct stook__job *job,
                                       int64_t now, int64_t *ret_until)
{
    const struct stook__group *group = job->queue->key.group;
    int64_t unused, *until = ret_until != NULL ? ret_until : &unused;
    sched->now = now > sched->now ? now : sched->now;
    *until = 0;
    if (!group->open)
        return STOOK__BY_AWAIT;
    if ((group->blocked && group->head != job) || !stook__job_is_revealed(group, job))
        return STOOK__BY_WINDOW;
    if (job->state == STOOK__JOB_DELAYED && job->not_before == STOOK__FOREVER)
        return STOOK__BY_SENDER;
    if (job->state == STOOK__JOB_DELAYED) {
        *until = job->not_before;
        return job->first_at == 0 ? STOOK__BY_DELAY : STOOK__BY_BACKOFF;
    }
    if (group->n_running >= group->limit)
        return STOOK__BY_BATCH;
    enum stook__reason reason = reason_of_gates(sched, job, until);
    if (reason != STOOK__BY_NOTHING)
        return reason;
    if (sched->n_running >= sched->limit)
        return STOOK__BY_CLIENT;
    return sched->starved ? STOOK__BY_DESCRIPTORS : STOOK__BY_NOTHING;
}
