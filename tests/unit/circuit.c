/* SPDX-License-Identifier: MIT */
/* The circuit breaker of an origin, in virtual time. */
#include "sched/circuit.h"
#include "sched/retry.h"
#include "support/harness.h"

enum { LIMIT = 5, NOTHING = -1, OK = 0, FAILED = 1 };
static const int64_t MS = 1000, SECOND = 1000000;

static uint64_t seed;

/* One attempt after another, which ends when it begins. */
static void attempt(struct stook__circuit *circuit, int64_t now, int how)
{
    CHECK(stook__circuit_admits(circuit, now));
    int probe = stook__circuit_started(circuit);
    CHECK_EQ_INT(probe, circuit->state == STOOK__CIRCUIT_PROBE);
    stook__circuit_ended(circuit, now, LIMIT, probe, how, &seed);
}

static void fail(struct stook__circuit *circuit, int64_t now)
{
    for (int i = 0; i < LIMIT; i++)
        attempt(circuit, now, FAILED);
    CHECK_EQ_INT(circuit->state, STOOK__CIRCUIT_OPEN);
}

TEST(failures_in_a_row_open_it)
{
    struct stook__circuit circuit = {0};
    for (int i = 0; i < 100; i++)
        attempt(&circuit, SECOND, i % LIMIT == 4 ? OK : FAILED);
    for (int i = 0; i < 4; i++) {
        attempt(&circuit, SECOND, FAILED);
        attempt(&circuit, SECOND, NOTHING);
    }
    CHECK_EQ_INT(circuit.state, STOOK__CIRCUIT_CLOSED);
    attempt(&circuit, SECOND, FAILED);
    CHECK_EQ_INT(circuit.state, STOOK__CIRCUIT_OPEN);
    CHECK(!stook__circuit_admits(&circuit, SECOND));
}

TEST(without_a_limit_it_stays_closed)
{
    struct stook__circuit circuit = {.failures = UINT32_MAX - 2};
    for (int i = 0; i < 5; i++) {
        CHECK(stook__circuit_admits(&circuit, SECOND));
        stook__circuit_ended(&circuit, SECOND, 0, stook__circuit_started(&circuit), FAILED, &seed);
    }
    CHECK(circuit.failures == UINT32_MAX);
}

TEST(open_times_double)
{
    static const int64_t expected[] = {5, 10, 20, 40, 80, 160, 300, 300, 300, 300};
    int longer = 0, at_the_limit = 0;
    for (int i = 0; i < 1000; i++) {
        struct stook__circuit circuit = {0};
        int64_t now = SECOND;
        fail(&circuit, now);
        for (int n = 0; n < 10; n++) {
            int64_t time = circuit.until - now, middle = expected[n] * SECOND;
            CHECK(time >= middle / 5 * 4 && time <= middle / 5 * 6 && time <= 300 * SECOND);
            longer += n == 0 && time > middle;
            at_the_limit += time > 300 * SECOND - MS;
            CHECK(!stook__circuit_admits(&circuit, circuit.until - 1));
            now = circuit.until;
            attempt(&circuit, now, FAILED);
        }
    }
    CHECK(longer > 400 && longer < 600);
    CHECK(at_the_limit < 10);
}

TEST(a_probe_that_is_ok_closes_it)
{
    struct stook__circuit circuit = {0};
    fail(&circuit, SECOND);
    for (int i = 0; i < 3; i++)
        attempt(&circuit, circuit.until, FAILED);
    attempt(&circuit, circuit.until, OK);
    CHECK_EQ_INT(circuit.state, STOOK__CIRCUIT_CLOSED);
    int64_t now = circuit.until;
    fail(&circuit, now); /* needs as many failures as the first time, and is not open longer */
    CHECK(circuit.until - now <= 6 * SECOND);
}

TEST(one_probe_at_a_time)
{
    struct stook__circuit circuit = {0};
    fail(&circuit, SECOND);
    int64_t now = circuit.until;
    for (int i = 0; i < 3; i++) {
        CHECK(stook__circuit_admits(&circuit, now));
        CHECK(stook__circuit_admits(&circuit, now)); /* it was asked, and nothing started */
        CHECK(stook__circuit_started(&circuit));
        CHECK(!stook__circuit_admits(&circuit, now + 1000 * SECOND));
        stook__circuit_ended(&circuit, now, LIMIT, 1, NOTHING, &seed);
    }
    attempt(&circuit, now, OK);
    CHECK_EQ_INT(circuit.state, STOOK__CIRCUIT_CLOSED);
}

TEST(attempts_from_before_change_nothing)
{
    struct stook__circuit circuit = {0};
    for (int i = 0; i < 10; i++)
        CHECK(!stook__circuit_started(&circuit));
    fail(&circuit, SECOND);
    int64_t until = circuit.until;
    for (int i = 0; i < 5; i++) {
        stook__circuit_ended(&circuit, 2 * SECOND, LIMIT, 0, FAILED, &seed);
        stook__circuit_ended(&circuit, 2 * SECOND, LIMIT, 0, OK, &seed);
    }
    CHECK_EQ_INT(circuit.until, until);
    CHECK_EQ_INT(circuit.state, STOOK__CIRCUIT_OPEN);
    CHECK(stook__circuit_admits(&circuit, until));
    for (int begun = 0; begun < 2; begun++) {
        for (int i = 0; i < 10; i++)
            stook__circuit_ended(&circuit, until, LIMIT, 0, i % 2, &seed);
        CHECK_EQ_INT(circuit.state, STOOK__CIRCUIT_PROBE);
        CHECK_EQ_INT(circuit.probing, begun);
        if (begun == 0)
            CHECK(stook__circuit_started(&circuit));
    }
}

TEST(attempts_from_before_it_closed)
{
    struct stook__circuit circuit = {0};
    CHECK(!stook__circuit_is_outdated(&circuit, 0));
    fail(&circuit, SECOND);
    int64_t now = circuit.until;
    attempt(&circuit, now, OK);
    CHECK(stook__circuit_is_outdated(&circuit, SECOND));
    CHECK(stook__circuit_is_outdated(&circuit, now - 1));
    CHECK(!stook__circuit_is_outdated(&circuit, now));
    fail(&circuit, now);
    CHECK(!stook__circuit_is_outdated(&circuit, SECOND)); /* it counts for nothing anyway */
}

/* Attempts overlap as they like. A model that knows only starts and ends decides what is allowed. */
enum { ATTEMPTS = 20 };

static void run_history(void)
{
    struct stook__circuit circuit = {0};
    struct {
        int runs, probe;
    } attempts[ATTEMPTS] = {0};
    int n_probes = 0;
    int64_t now = SECOND, closed_until = 0;
    for (int step = 0; step < 300; step++) {
        now += stook__random_below(&seed, 4) ? 0 : stook__random_below(&seed, 20 * SECOND);
        int i = (int)stook__random_below(&seed, ATTEMPTS), was = circuit.state;
        if (!attempts[i].runs) {
            int admits = stook__circuit_admits(&circuit, now);
            CHECK(!admits || now >= closed_until);
            CHECK(admits || n_probes == 1 || now < closed_until); /* it never refuses for good */
            if (!admits || !stook__random_below(&seed, 4))
                continue;
            attempts[i].runs = 1;
            attempts[i].probe = stook__circuit_started(&circuit);
            n_probes += attempts[i].probe;
            CHECK(n_probes <= 1);
            CHECK_EQ_INT(attempts[i].probe, circuit.state == STOOK__CIRCUIT_PROBE);
        } else {
            int how = (int)stook__random_below(&seed, 3) - 1;
            stook__circuit_ended(&circuit, now, LIMIT, attempts[i].probe, how, &seed);
            CHECK(circuit.state == was || attempts[i].probe || was == STOOK__CIRCUIT_CLOSED);
            if (circuit.state == STOOK__CIRCUIT_OPEN && was != STOOK__CIRCUIT_OPEN) {
                closed_until = circuit.until;
                CHECK(closed_until >= now + 4 * SECOND && closed_until <= now + 300 * SECOND);
            }
            CHECK(circuit.state != STOOK__CIRCUIT_OPEN || circuit.until == closed_until);
            attempts[i].runs = 0;
            n_probes -= attempts[i].probe;
        }
        CHECK_EQ_INT(circuit.probing, n_probes);
    }
}

TEST(random_histories)
{
    for (int i = 0; i < 20000; i++) {
        seed = (uint64_t)i;
        test_note("history %d", i);
        run_history();
    }
}
