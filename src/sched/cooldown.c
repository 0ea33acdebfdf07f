/* SPDX-License-Identifier: MIT */
/* Cool-downs of targets; see cooldown.h. */
#include "sched/cooldown.h"

#include <assert.h>

#include "origin/origin.h"
#include "sched/gate.h"
#include "sched/retry.h"
#include "util/trace.h"

/* A target that has let so many run at once after a cool-down lets any number run. */
enum { WINDOW_MAX = 64 };
static const int64_t SPREAD_MAX_US = 1000000;

static void move_target(struct stook__target *target, enum stook__target_state to)
{
    enum {
        OPEN = 1u << STOOK__TARGET_OPEN,
        COOLING = 1u << STOOK__TARGET_COOLING,
        PROBING = 1u << STOOK__TARGET_PROBING
    };
    static const unsigned char allowed[] = {
        [STOOK__TARGET_OPEN] = COOLING,
        [STOOK__TARGET_COOLING] = PROBING,
        [STOOK__TARGET_PROBING] = COOLING | OPEN,
    };
    static const char *const names[] = {"OPEN", "COOLING", "PROBING"};
    const struct stook__origin *origin = target->origin;
    assert(allowed[target->state] & 1u << to);
    STOOK__TRACE("sched", "target %p of %.*s: %s -> %s", (void *)target, (int)origin->node.key_size,
                 origin->node.key, names[target->state], names[to]);
    (void)allowed, (void)names, (void)origin; /* in release builds */
    target->state = to;
}

void stook__cooldown_begin(struct stook__sched *sched, struct stook__target *target,
                           int64_t attempt_at, int64_t wait_ms, int status)
{
    int64_t max_ms = sched->rules.max_cooldown_ms;
    if (max_ms < 0 || wait_ms < 0)
        return;
    int64_t wait = (wait_ms < max_ms ? wait_ms : max_ms) * 1000,
            spread = wait / 10 < SPREAD_MAX_US ? wait / 10 : SPREAD_MAX_US,
            until = sched->now + wait + stook__random_below(&sched->random, spread + 1);
    if (until > sched->now + max_ms * 1000)
        until = sched->now + max_ms * 1000;
    if (target->state == STOOK__TARGET_COOLING) {
        target->cool_until = until > target->cool_until ? until : target->cool_until;
    } else if (target->state == STOOK__TARGET_OPEN || attempt_at >= target->cool_until) {
        move_target(target, STOOK__TARGET_COOLING);
        target->cool_until = until;
        target->window = 1;
        target->status = status;
    }
    /* Otherwise it began before the last cool-down: that has been waited for already. */
    stook__gate_wake(sched, &target->gate);
}

int stook__cooldown_started(struct stook__target *target, int64_t now)
{
    if (target->state == STOOK__TARGET_OPEN)
        return 0;
    if (target->state == STOOK__TARGET_COOLING && target->cool_until <= now)
        move_target(target, STOOK__TARGET_PROBING);
    target->n_probing++;
    return 1;
}

void stook__cooldown_ended(struct stook__sched *sched, struct stook__target *target)
{
    if (target->state != STOOK__TARGET_PROBING)
        return;
    if (++target->window > WINDOW_MAX)
        move_target(target, STOOK__TARGET_OPEN);
    stook__gate_wake(sched, &target->gate);
}
