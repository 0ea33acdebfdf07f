/* SPDX-License-Identifier: MIT */
/*
 * The limit of requests in flight that finds itself, of one origin or one batch. The caller
 * tells it when attempts start and end. It answers with the number that may be in flight. It
 * reads no clock and allocates nothing. docs/internals/adaptive.md has the reasons and the
 * figures.
 *
 *     drop       an attempt that says: too much, or lost (STOOK__HEALTH_DROP)
 *     sample     what was measured at one limit: how many attempts were completed each second, and
 *                how long their first byte took
 *     trial      another limit for a short time, whose sample is compared with that before
 *     refused    the limit above the present one at which a trial failed
 *
 * Invariants: a trial above keeps its limit only if more was completed. Nothing grows while
 * fewer than half of the limit is in flight. Drops of one round trip decrease the limit once.
 */
#ifndef STOOK_SCHED_ADAPTIVE_H
#define STOOK_SCHED_ADAPTIVE_H

#include <stddef.h>
#include <stdint.h>

#include "sched/health.h"
#include "sched/sample.h"

/*
 * Only move_phase() in adaptive.c changes the phase.
 *
 *               a drop, or no more                the time has come
 *     STARTUP ----------------------> HOLD ---------------------------> UP
 *        ^     is completed          | |  ^                             |
 *        |                           | |  +-----------------------------+
 *        +---------------------------+ |  |    kept, refused, a drop, not used
 *           drops down to 1            |  |
 *                                      v  |
 *                                     DOWN   the first byte has become later, or may always have
 *                                            been late; kept or not
 */
enum stook__adaptive_phase {
    STOOK__ADAPTIVE_STARTUP, /* each completed attempt adds one: doubles in a round trip */
    STOOK__ADAPTIVE_HOLD,    /* measures at this limit */
    STOOK__ADAPTIVE_UP,      /* a trial above `base_limit` */
    STOOK__ADAPTIVE_DOWN     /* a trial below `base_limit` */
};

struct stook__adaptive {
    uint64_t random;
    size_t limit;
    size_t base_limit; /* STARTUP: at the start of the compared round; UP, DOWN: before the trial */
    size_t refused;    /* 0: none */
    size_t step;       /* of the next trial above; doubles with each that is kept */
    size_t raised_from; /* the limit before the last trial above; 0: none to return to */
    size_t in_flight;   /* as told last */
    size_t used;        /* before the first end of this `now` */
    size_t old;         /* of them, those that started before the limit changed */
    size_t excused;     /* drops to come that the last decrease has answered already */
    int64_t raised_at, ended_at;
    int64_t changed_at, decreased_at;
    int64_t startup_ended_at;
    int64_t next_up_at, next_down_at;
    int64_t review_at;                  /* when `calm` is reviewed; 0: not since STARTUP */
    int64_t lost_at;                    /* the last drop that changed something */
    int64_t up_interval, down_interval; /* until the next trial, if the next one fails too */
    double step_share;                  /* the smallest step that shows above the noise */
    double calm;                        /* first byte without congestion; see set_calm() */
    double credit;                      /* drops that may pass; see pay() */
    double next_look;                   /* size of the sample at which a trial is judged again */
    struct stook__sample sample;        /* at the present limit */
    struct stook__sample base;          /* what a trial, or a round of STARTUP, is compared with */
    unsigned drops;                     /* at the present limit */
    uint8_t phase;                      /* enum stook__adaptive_phase */
    uint8_t is_open;                    /* `sample` counts */
    uint8_t is_round;                   /* ... and an attempt that started since has ended */
    uint8_t by_loss;                    /* `refused` met drops */
    uint8_t again;                      /* UP: tries what was refused before */
    uint8_t alarmed;  /* HOLD: the first byte was late, and a new sample is to confirm it */
    uint8_t reviewed; /* `calm` is 0, or a trial below is made, because of `review_at` */
    uint8_t retried;  /* a refusal that may have been chance was tried once more */
};

void stook__adaptive_init(struct stook__adaptive *adaptive, uint64_t seed);

/* At least 1, at most 1,000,000. */
static inline size_t stook__adaptive_limit(const struct stook__adaptive *adaptive)
{
    return adaptive->limit;
}

/* An attempt starts. `in_flight` counts it. Times are in microseconds. */
void stook__adaptive_started(struct stook__adaptive *adaptive, int64_t now, size_t in_flight);
/* An attempt has ended. `in_flight` still counts it. `started_at` is the `now` of its start.
   `first_byte_us` is the time from its start to the first byte of its response; 0: none came. */
void stook__adaptive_ended(struct stook__adaptive *adaptive, int64_t now, size_t in_flight,
                           int64_t started_at, int64_t first_byte_us, enum stook__health health);

#endif
