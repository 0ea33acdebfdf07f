/* SPDX-License-Identifier: MIT */
/* What the end of an attempt means; see ending.h. */
#include "sched/ending.h"

#include "sched/clocks.h"
#include "sched/cooldown.h"
#include "sched/gate.h"
#include "sched/group.h"
#include "sched/queue.h"
#include "sched/refusal.h"
#include "sched/sched.h"
#include "sched/target.h"

/* ---------------------------------------------------------------- what it says of the server */

static int is_slow_down(const struct stook__ending *ending)
{
    return ending->error == 0 && (ending->status == 429 || ending->status == 503);
}

static int is_transport_error(int error)
{
    switch (error) {
    case STOOK_ECONNECT:
    case STOOK_ERESET:
    case STOOK_ETRUNCATED:
    case STOOK_ETIMEOUT_ATTEMPT:
    case STOOK_ETIMEOUT_STALL:
        return 1;
    default:
        return 0;
    }
}

int stook__ending_is_free(const struct stook__job *job, const struct stook__ending *ending)
{
    return ending->error != 0 && ending->lost && !job->repeated &&
           !(ending->refused && job->settings->max_retries > 0);
}

/* For the limit that finds itself. A quick 404 and a bug of the server say nothing of its load. */
static enum stook__health health_of(const struct stook__job *job,
                                    const struct stook__ending *ending)
{
    if (stook__ending_is_free(job, ending))
        return STOOK__HEALTH_NONE; /* an idle connection was closed: that is no load */
    if (ending->error != 0)
        return is_transport_error(ending->error) ? STOOK__HEALTH_DROP : STOOK__HEALTH_NONE;
    switch (ending->status) {
    case 429:
    case 502:
    case 503:
    case 504:
        return STOOK__HEALTH_DROP;
    default:
        return ending->status < 400 ? STOOK__HEALTH_OK : STOOK__HEALTH_NONE;
    }
}

/* For the circuit: 1: a failure, 0: none, -1: it says nothing. */
static int circuit_result(const struct stook__job *job, const struct stook__ending *ending)
{
    if (stook__ending_is_free(job, ending))
        return -1;
    if (ending->error != 0)
        return is_transport_error(ending->error) || ending->error == STOOK_ETIMEOUT_TOTAL ? 1 : -1;
    if (ending->status < 500)
        return 0;
    return ending->wait_ms >= 0 ? -1 : 1;
}

static void note_target(struct stook__sched *sched, struct stook__job *job,
                        const struct stook__ending *ending)
{
    struct stook__target *target = job->queue->key.target;
    if (is_slow_down(ending) && ending->wait_ms >= 0)
        stook__cooldown_begin(sched, target, job->attempt_at, ending->wait_ms, ending->status);
    else if (job->probes_target && ending->error == 0 && !is_slow_down(ending))
        stook__cooldown_ended(sched, target);
}

static void note_circuit(struct stook__sched *sched, struct stook__job *job,
                         struct stook__origin_flow *flow, const struct stook__ending *ending)
{
    if (sched->rules.circuit_failures <= 0)
        return;
    int failed = circuit_result(job, ending), was_open = flow->circuit.state == STOOK__CIRCUIT_OPEN;
    if (!job->probes_circuit && stook__circuit_is_outdated(&flow->circuit, job->attempt_at))
        failed = -1;
    stook__circuit_ended(&flow->circuit, sched->now, sched->rules.circuit_failures,
                         job->probes_circuit, failed, &sched->random);
    job->probes_circuit = 0;
    if (flow->circuit.state == STOOK__CIRCUIT_OPEN && !was_open)
        stook__refusal_circuit_opened(sched, stook__job_origin(job));
    stook__gate_wake(sched, &stook__job_origin(job)->sched.gate);
}

void stook__ending_note(struct stook__sched *sched, struct stook__job *job,
                        const struct stook__ending *ending, int64_t now)
{
    struct stook__group *group = job->queue->key.group;
    struct stook__origin *origin = stook__job_origin(job);
    struct stook__origin_flow *flow = origin->sched.flow;
    sched->now = now > sched->now ? now : sched->now;
    if (is_slow_down(ending) || job->probes_target)
        note_target(sched, job, ending);
    if (flow == NULL && group->adaptive == NULL)
        return; /* the usual case */
    enum stook__health health = health_of(job, ending);
    if (group->adaptive != NULL) {
        stook__adaptive_ended(group->adaptive, now, group->n_running, job->attempt_at,
                              ending->first_byte_us, health);
        stook__group_update_limit(sched, group);
    }
    if (flow == NULL)
        return;
    note_circuit(sched, job, flow, ending);
    if (health == STOOK__HEALTH_OK && ending->first_byte_us > 0)
        stook__latency_add(&flow->latency, ending->first_byte_us);
    if (flow->adaptive != NULL) {
        stook__adaptive_ended(flow->adaptive, now, origin->sched.n_running, job->attempt_at,
                              ending->first_byte_us, health);
        stook__gate_wake(sched, &origin->sched.gate);
    }
}

/* ----------------------------------------------------------------- whether it is sent again */

static int is_retried_status(const struct stook__sched *sched, int status)
{
    return status > 0 && status < 960 &&
           (sched->rules.retry_statuses[status / 64] >> status % 64 & 1);
}

/* Whether another attempt may have another end. */
static int may_help(const struct stook__sched *sched, const struct stook__ending *ending)
{
    if (ending->error == 0)
        return is_retried_status(sched, ending->status);
    return is_transport_error(ending->error) || ending->error == STOOK_EDNS ||
           ending->error == STOOK_ETLS || ending->error == STOOK_EPROXY;
}

/* Whether the request may be sent again, whatever it came to. */
static int is_allowed(const struct stook__ending *ending)
{
    return !ending->final && !ending->shown && ending->replayable &&
           (ending->idempotent || !ending->sent);
}

/* Whether nothing but its own end keeps a request from being sent again in its slot. */
static int may_keep_place(const struct stook__sched *sched, const struct stook__job *job)
{
    const struct stook__target *target = job->queue->key.target;
    const struct stook__origin_flow *flow = target->origin->sched.flow;
    return sched->rules.rates == NULL && target->state == STOOK__TARGET_OPEN &&
           (flow == NULL || flow->circuit.state == STOOK__CIRCUIT_CLOSED);
}

/* Returns how long to wait, in microseconds, before the next attempt; -1: too long. */
static int64_t wait_of(struct stook__sched *sched, const struct stook__job *job,
                       const struct stook__ending *ending, enum stook__no_retry *why)
{
    const struct stook__target *target = job->queue->key.target;
    const struct stook__origin_flow *flow = target->origin->sched.flow;
    int64_t max_ms = sched->rules.max_cooldown_ms;
    int64_t wait =
        stook__ending_is_free(job, ending)
            ? 0
            : stook__retry_backoff_us(&sched->random, job->retries, sched->rules.retry_delay_ms,
                                      sched->rules.retry_max_delay_ms);
    if (ending->wait_ms >= 0 && max_ms >= 0 && ending->wait_ms > max_ms) {
        *why = STOOK__NO_RETRY_TOO_LONG;
        return -1;
    }
    if (max_ms >= 0 && ending->wait_ms >= 0 && wait < ending->wait_ms * 1000)
        wait = ending->wait_ms * 1000;
    /* A cool-down is longer than the response says, by a random part. */
    if (target->state == STOOK__TARGET_COOLING && wait < target->cool_until - sched->now)
        wait = target->cool_until - sched->now;
    if (flow != NULL && flow->circuit.state == STOOK__CIRCUIT_OPEN &&
        wait < flow->circuit.until - sched->now)
        wait = flow->circuit.until - sched->now;
    if (sched->now + wait >= stook__clocks_after(job->first_at, job->settings->total_ms)) {
        *why = STOOK__NO_RETRY_TOO_LATE;
        return -1;
    }
    return wait;
}

/* Whether the budget of the origin allows one more. */
static int take_budget(struct stook__sched *sched, struct stook__job *job)
{
    if (sched->rules.retry_budget < 0)
        return 1;
    struct stook__origin_flow *flow = stook__target_flow(sched, stook__job_origin(job));
    return flow != NULL && stook__budget_take(&flow->budget, sched->now, sched->rules.retry_budget);
}

enum stook__decision stook__ending_decide(struct stook__sched *sched, struct stook__job *job,
                                          const struct stook__ending *ending, int64_t now,
                                          int64_t *ret_at, enum stook__no_retry *ret_why)
{
    int64_t max_retries = job->settings->max_retries;
    int is_free = stook__ending_is_free(job, ending) && (ending->idempotent || !ending->sent);
    sched->now = now > sched->now ? now : sched->now;
    *ret_why = STOOK__NO_RETRY_NONE;
    *ret_at = now;
    if (ending->final || max_retries < 0)
        return STOOK__DELIVER;
    if (max_retries == 0 && !is_free)
        return STOOK__DELIVER;
    if (max_retries > 0 && (job->retries >= max_retries || !is_allowed(ending) ||
                            !(is_free || may_help(sched, ending))))
        return STOOK__DELIVER;
    job->fresh = ending->error != 0;
    if (!is_free || (max_retries > 0 && !may_keep_place(sched, job))) {
        int64_t wait = wait_of(sched, job, ending, ret_why);
        if (wait < 0)
            return STOOK__DELIVER;
        if (!is_free && !take_budget(sched, job)) {
            *ret_why = STOOK__NO_RETRY_BUDGET;
            return STOOK__DELIVER;
        }
        *ret_at = now + wait;
    }
    /* Without a wait it is sent again in its slot, or when its gates let it pass. */
    enum stook__decision decision =
        is_free && may_keep_place(sched, job) ? STOOK__REPEAT : STOOK__RETRY;
    job->repeated |= is_free;
    return decision;
}
