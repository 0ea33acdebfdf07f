/* SPDX-License-Identifier: MIT */
/* The circuit breaker of an origin; see circuit.h. */
#include "sched/circuit.h"

#include <assert.h>

#include "sched/retry.h"
#include "util/trace.h"

static const int64_t FIRST_US = 5000000, LONGEST_US = 300000000;

/* All moves of a circuit pass here. Inlined, so that the compiler knows what `to` is. */
static inline void move_circuit(struct stook__circuit *circuit, enum stook__circuit_state to)
{
    enum {
        CLOSED = 1u << STOOK__CIRCUIT_CLOSED,
        OPEN = 1u << STOOK__CIRCUIT_OPEN,
        PROBE = 1u << STOOK__CIRCUIT_PROBE
    };
    static const unsigned char allowed[] = {
        [STOOK__CIRCUIT_CLOSED] = OPEN,
        [STOOK__CIRCUIT_OPEN] = PROBE,
        [STOOK__CIRCUIT_PROBE] = CLOSED | OPEN,
    };
    static const char *const names[] = {"CLOSED", "OPEN", "PROBE"};
    assert(allowed[circuit->state] & 1u << to);
    assert(!circuit->probing);
    STOOK__TRACE("sched", "circuit %p: %s -> %s, %u failures, opened %u times", (void *)circuit,
                 names[circuit->state], names[to], (unsigned)circuit->failures,
                 (unsigned)circuit->opened);
    (void)allowed, (void)names; /* in release builds */
    circuit->state = (uint8_t)to;
}

/* How long a circuit is open that was opened `opened` times before without being closed. */
static int64_t open_time(uint32_t opened, uint64_t *random)
{
    int64_t time = FIRST_US;
    for (; opened > 0 && time < LONGEST_US; opened--)
        time *= 2;
    if (time > LONGEST_US)
        time = LONGEST_US;
    /* The longest is shorter by up to a fifth and never longer. It is drawn from that range: if it
       were cut off, half of all clients would wait equally long. */
    int64_t least = time - time / 5, most = time + time / 5;
    if (most > LONGEST_US)
        most = LONGEST_US;
    return least + stook__random_below(random, most - least + 1);
}

static void open_circuit(struct stook__circuit *circuit, int64_t now, uint64_t *random)
{
    circuit->until = now + open_time(circuit->opened, random);
    circuit->opened += circuit->opened < UINT32_MAX;
    move_circuit(circuit, STOOK__CIRCUIT_OPEN);
}

int stook__circuit_admits(struct stook__circuit *circuit, int64_t now)
{
    if (circuit->state == STOOK__CIRCUIT_OPEN && now >= circuit->until)
        move_circuit(circuit, STOOK__CIRCUIT_PROBE);
    return circuit->state == STOOK__CIRCUIT_CLOSED ||
           (circuit->state == STOOK__CIRCUIT_PROBE && !circuit->probing);
}

int stook__circuit_started(struct stook__circuit *circuit)
{
    assert(circuit->state != STOOK__CIRCUIT_OPEN);
    assert(!circuit->probing);
    circuit->probing = circuit->state == STOOK__CIRCUIT_PROBE;
    return circuit->probing;
}

static void probe_ended(struct stook__circuit *circuit, int64_t now, int failed, uint64_t *random)
{
    assert(circuit->state == STOOK__CIRCUIT_PROBE && circuit->probing);
    circuit->probing = 0;
    if (failed > 0)
        open_circuit(circuit, now, random);
    if (failed != 0)
        return;
    circuit->failures = circuit->opened = 0;
    circuit->closed_at = now;
    move_circuit(circuit, STOOK__CIRCUIT_CLOSED);
}

void stook__circuit_ended(struct stook__circuit *circuit, int64_t now, int64_t limit, int was_probe,
                          int failed, uint64_t *random)
{
    if (was_probe) {
        probe_ended(circuit, now, failed, random);
        return;
    }
    if (circuit->state != STOOK__CIRCUIT_CLOSED || failed < 0)
        return;
    circuit->failures = failed ? circuit->failures + (circuit->failures < UINT32_MAX) : 0;
    if (limit > 0 && circuit->failures >= limit)
        open_circuit(circuit, now, random);
}
