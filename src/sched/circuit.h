/* SPDX-License-Identifier: MIT */
/*
 * The circuit breaker of an origin: stops requests to a server that fails, and asks it from time to
 * time with one request.
 *
 *     failure   an attempt that says the server is overloaded or lost
 *     probe     the one attempt that runs in PROBE; its end decides
 *
 * An open time is 5 s, and twice as long each time that a probe fails, up to 300 s. Each differs by
 * up to a fifth, so that clients do not probe together, and none is above 300 s.
 *
 * Times are microseconds of the monotonic clock.
 *
 * Invariants. Nothing starts while the circuit is open, and one attempt at most while it probes.
 * Only the probe moves a circuit out of PROBE, and only time moves it out of OPEN: attempts that
 * began before it opened change nothing until it is CLOSED again, and then nothing if the caller
 * asks stook__circuit_is_outdated().
 */
#ifndef STOOK_SCHED_CIRCUIT_H
#define STOOK_SCHED_CIRCUIT_H

#include <stdint.h>

/*
 * The states of a circuit. Only move_circuit() in circuit.c changes them.
 *
 *              `limit` failures in a row          its time is over
 *     CLOSED ----------------------------> OPEN ------------------> PROBE
 *        ^                                  ^                        | |
 *        |                                  +------------------------+ |
 *        |                                        the probe fails      |
 *        +-------------------------------------------------------------+
 *                                the probe is ok
 */
enum stook__circuit_state {
    STOOK__CIRCUIT_CLOSED, /* requests start; a zeroed circuit is CLOSED */
    STOOK__CIRCUIT_OPEN,   /* nothing starts before `until` */
    STOOK__CIRCUIT_PROBE   /* one request may start if `probing` is 0 */
};

struct stook__circuit {
    uint32_t failures; /* CLOSED: in a row */
    uint32_t opened;   /* times since it was last CLOSED */
    int64_t until;     /* OPEN: when it may be probed */
    int64_t closed_at; /* when it was last closed by a probe; 0: never */
    uint8_t state;     /* enum stook__circuit_state */
    uint8_t probing;   /* PROBE: the probe runs */
};

/* Whether an attempt may start. An OPEN circuit whose time is over becomes PROBE. */
int stook__circuit_admits(struct stook__circuit *circuit, int64_t now);
/* Notes that an attempt begins, which was admitted. Returns whether it is the probe; the caller
   keeps that until the attempt ends. */
int stook__circuit_started(struct stook__circuit *circuit);
/* Notes that an attempt ended. `limit`: failures in a row that open a CLOSED circuit; below 1: none
   do. `failed`: 1 or 0; -1: it says nothing, so the next attempt may be the probe in its place.
   `random`: see stook__random(). */
void stook__circuit_ended(struct stook__circuit *circuit, int64_t now, int64_t limit, int was_probe,
                          int failed, uint64_t *random);

/* Whether an attempt that is not the probe began before the circuit was closed by one. It says
   nothing of the server as it is now, so its end is passed as -1: many requests that began before a
   failure and time out long after it would open the circuit again. */
static inline int stook__circuit_is_outdated(const struct stook__circuit *circuit, int64_t began_at)
{
    return circuit->state == STOOK__CIRCUIT_CLOSED && began_at < circuit->closed_at;
}

#endif
