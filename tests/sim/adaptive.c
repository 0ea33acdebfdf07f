/* SPDX-License-Identifier: MIT */
/*
 * The limit that finds itself (sched/adaptive.h) against simulated servers with a knee, in virtual time.
 * A server has slots. Each takes one request at a time, and what a request beyond them meets is the kind
 * of the server: a queue, a 503, silence until the attempt times out, or all become slower. A client
 * always has work and starts as much as its limit allows.
 *
 * What is best is found by a sweep of fixed limits: of those with fewer than 1 % failures the one with the
 * highest throughput, and of those within half a per cent of that the smallest, whose latency is the
 * lowest. A seed is compared with it from its first microsecond on.
 *
 * A test prints a line for each scenario. Median and worst over the seeds: throughput, per cent failed,
 * latency, share of the client that has less; then how many seeds missed a target.
 *
 *     ADAPTIVE_SEEDS=100 test_sim_adaptive silent_server    more seeds, of which the first are checked
 *     ADAPTIVE_CURVE='rejecting 40, 50 ms' test_sim_adaptive curve    prints time, limit and knee
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/adaptive.h"
#include "support/harness.h"

enum { CLIENTS = 2, MAX_ATTEMPTS = 20000, BINS = 1200, MAX_SEEDS = 100 };
#define MS INT64_C(1000)
#define SECOND INT64_C(1000000)

enum kind {
    QUEUEING,  /* beyond the slots: first come, first served */
    REJECTING, /* a 503 at once */
    SILENT,    /* nothing, until the client gives the attempt up */
    SLOWING    /* all that are served become slower, as much as there are too many */
};

struct scenario {
    const char *name;
    enum kind kind;
    int slots;
    int64_t service_us;  /* mean */
    double jitter;       /* of the mean, uniform; 0: 0.4; 1: exponential */
    double thrash;       /* SLOWING: throughput falls as the overload to this power */
    int mixed;           /* bodies of very different size; the first byte is quick */
    int64_t network_us;  /* there and back */
    double lost;         /* share of attempts that fail whatever the limit */
    int64_t timeout_us;  /* SILENT; 0: 1 s */
    int clients;         /* 0: one */
    int64_t second_at;   /* when the second client begins */
    int moves_to;        /* slots in the second half; judged from 35 s after the move; 0: the same */
    int64_t length;
    int seeds;
    double least, most_latency, least_share; /* what each seed reaches; 0: the target */
};

struct attempt {
    int64_t started_at, first_byte_us, ends_at;
    int client, next; /* in the queue of the server, or the free list */
    unsigned char occupies, ok;
};

struct event {
    int64_t at;
    int attempt, what; /* what: 0 the client sees the end, 1 it reaches the server, 2 its slot is free */
};

struct client {
    struct stook__adaptive adaptive;
    size_t fixed; /* 0: adaptive */
    size_t in_flight, started, ended;
    size_t ok, failed, late_ended, late_failed; /* late: started after the first second */
    size_t judged_ok;
    unsigned latency[BINS];
};

static struct simulation {
    const struct scenario *scenario;
    uint64_t random;
    int64_t now, until, judged_from;
    int slots, busy, head, tail, free;
    struct attempt attempts[MAX_ATTEMPTS];
    struct event heap[2 * MAX_ATTEMPTS];
    size_t n_events, n_clients, work; /* work: requests there are, SIZE_MAX: no end */
    struct client clients[CLIENTS];
    int trace;
} sim;

/* ---------------------------------------------------------------- chance and time */

static uint64_t random_bits(void)
{
    uint64_t z = sim.random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static double chance(void)
{
    return (double)(random_bits() >> 11) / 9007199254740992.0;
}

static void schedule(int64_t at, int attempt, int what)
{
    size_t i = sim.n_events++;
    CHECK(i < 2 * MAX_ATTEMPTS);
    while (i > 0 && sim.heap[(i - 1) / 4].at > at) {
        sim.heap[i] = sim.heap[(i - 1) / 4];
        i = (i - 1) / 4;
    }
    sim.heap[i] = (struct event){at, attempt, what};
}

static struct event next_event(void)
{
    struct event first = sim.heap[0], last = sim.heap[--sim.n_events];
    size_t i = 0;
    for (;;) {
        size_t least = i * 4 + 1, end = least + 4 < sim.n_events ? least + 4 : sim.n_events;
        if (least >= sim.n_events)
            break;
        for (size_t child = least + 1; child < end; child++)
            if (sim.heap[child].at < sim.heap[least].at)
                least = child;
        if (sim.heap[least].at >= last.at)
            break;
        sim.heap[i] = sim.heap[least];
        i = least;
    }
    sim.heap[i] = last;
    return first;
}

static int64_t jittered(int64_t mean)
{
    double jitter = sim.scenario->jitter > 0 ? sim.scenario->jitter : 0.4;
    if (jitter >= 1)
        return 1 + (int64_t)(-log(1 - chance()) * (double)mean);
    return (int64_t)((double)mean * (1 + jitter * (2 * chance() - 1)));
}

/* ---------------------------------------------------------------- the server */

/* Three of four bodies are short, one is long, one in forty very long. Their mean is the service time. */
static int64_t body_us(int64_t service_us)
{
    double u = chance();
    return (int64_t)((double)service_us * (u < 0.75 ? 0.3 : u < 0.975 ? 1.5 : 12) * (0.5 + chance()));
}

static void serve(int index)
{
    struct attempt *attempt = &sim.attempts[index];
    const struct scenario *scenario = sim.scenario;
    sim.busy++;
    attempt->occupies = attempt->ok = 1;
    int64_t first = jittered(scenario->service_us), body = 0;
    if (scenario->mixed) {
        body = body_us(scenario->service_us);
        first /= 10;
    }
    if (scenario->kind == SLOWING && sim.busy > sim.slots) {
        double slower = pow((double)sim.busy / sim.slots, 1 + scenario->thrash);
        first = (int64_t)((double)first * slower);
        body = (int64_t)((double)body * slower);
    }
    attempt->first_byte_us = sim.now - attempt->started_at + first + scenario->network_us / 2;
    if (scenario->network_us > 0)
        schedule(sim.now + first + body, index, 2);
    schedule(sim.now + first + body + scenario->network_us / 2, index, 0);
}

static void fail(int index, int64_t after, int64_t first_byte_us)
{
    sim.attempts[index].ok = 0;
    sim.attempts[index].first_byte_us = first_byte_us;
    schedule(sim.now + after, index, 0);
}

static void arrive(int index)
{
    const struct scenario *scenario = sim.scenario;
    struct attempt *attempt = &sim.attempts[index];
    int64_t at_once = 500 + scenario->network_us / 2;
    if (scenario->lost > 0 && chance() < scenario->lost)
        fail(index, at_once, sim.now - attempt->started_at + at_once);
    else if (sim.busy < sim.slots || scenario->kind == SLOWING)
        serve(index);
    else if (scenario->kind == REJECTING)
        fail(index, at_once, sim.now - attempt->started_at + at_once);
    else if (scenario->kind == SILENT)
        fail(index, scenario->timeout_us ? scenario->timeout_us : SECOND, 0);
    else {
        attempt->next = -1;
        *(sim.head < 0 ? &sim.head : &sim.attempts[sim.tail].next) = index;
        sim.tail = index;
    }
}

static void free_slot(int index)
{
    sim.attempts[index].occupies = 0;
    sim.busy--;
    while (sim.head >= 0 && sim.busy < sim.slots) {
        int first = sim.head;
        sim.head = sim.attempts[first].next;
        serve(first);
    }
}

static size_t limit_of(const struct client *client)
{
    return client->fixed ? client->fixed : stook__adaptive_limit(&client->adaptive);
}

static void move_knee(void)
{
    const struct scenario *scenario = sim.scenario;
    if (scenario->moves_to == 0 || sim.slots == scenario->moves_to || sim.now < scenario->length / 2)
        return;
    sim.slots = scenario->moves_to;
    if (sim.trace)
        printf("%.4f,%zu,%d\n", (double)sim.now / (double)SECOND, limit_of(&sim.clients[0]), sim.slots);
    sim.judged_from = sim.now + 35 * SECOND;
    for (size_t i = 0; i < sim.n_clients; i++) {
        sim.clients[i].judged_ok = sim.clients[i].late_ended = sim.clients[i].late_failed = 0;
        memset(sim.clients[i].latency, 0, sizeof sim.clients[i].latency);
    }
}

/* ---------------------------------------------------------------- the client */

static int bin_of(int64_t us)
{
    int bin = (int)(log((double)us) * 60); /* 1.7 % */
    return bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin;
}

static void start(int which)
{
    struct client *client = &sim.clients[which];
    int index = sim.free;
    CHECK(index >= 0);
    sim.free = sim.attempts[index].next;
    sim.attempts[index] = (struct attempt){.started_at = sim.now, .client = which};
    client->in_flight++;
    client->started++;
    if (!client->fixed)
        stook__adaptive_started(&client->adaptive, sim.now, client->in_flight);
    if (sim.scenario->network_us > 0)
        schedule(sim.now + sim.scenario->network_us / 2, index, 1);
    else
        arrive(index);
}

static void start_all(void)
{
    for (int which = 0; which < (int)sim.n_clients; which++) {
        struct client *client = &sim.clients[which];
        if (which == 1 && sim.now < sim.scenario->second_at)
            continue;
        size_t limit = limit_of(client);
        if (limit > MAX_ATTEMPTS / 2 - 100)
            limit = MAX_ATTEMPTS / 2 - 100;
        while (client->in_flight < limit && client->started - client->failed < sim.work)
            start(which);
    }
}

static void count(struct client *client, const struct attempt *attempt)
{
    int late = attempt->started_at >= SECOND && attempt->started_at >= sim.judged_from;
    client->ended++;
    client->late_ended += (size_t)late;
    if (attempt->ok) {
        client->ok++;
        if (sim.now >= sim.judged_from) {
            client->judged_ok++;
            client->latency[bin_of(sim.now - attempt->started_at)]++;
        }
    } else {
        client->failed++;
        client->late_failed += (size_t)late;
    }
}

static void end(int index)
{
    struct attempt *attempt = &sim.attempts[index];
    struct client *client = &sim.clients[attempt->client];
    if (attempt->occupies)
        free_slot(index);
    count(client, attempt);
    if (!client->fixed) {
        size_t before = limit_of(client);
        stook__adaptive_ended(&client->adaptive, sim.now, client->in_flight, attempt->started_at,
                              attempt->first_byte_us, attempt->ok ? STOOK__HEALTH_OK : STOOK__HEALTH_DROP);
        size_t after = limit_of(client);
        CHECK(after >= 1 && after <= 1000000);
        if (after > before && client->in_flight * 2 < before)
            FAIL("grows from %zu to %zu with %zu in flight", before, after, client->in_flight);
        if (sim.trace && after != before && attempt->client == 0)
            printf("%.4f,%zu,%d\n", (double)sim.now / (double)SECOND, after, sim.slots);
    }
    client->in_flight--;
    attempt->next = sim.free;
    sim.free = index;
}

static void simulate(const struct scenario *scenario, size_t fixed, uint64_t seed, int64_t length)
{
    int trace = sim.trace;
    size_t work = sim.work;
    memset(&sim, 0, offsetof(struct simulation, attempts));
    memset(sim.clients, 0, sizeof sim.clients);
    sim.n_events = 0;
    sim.trace = trace, sim.work = work;
    sim.scenario = scenario;
    sim.random = seed * 7919;
    sim.slots = scenario->slots;
    sim.head = -1;
    for (int i = 0; i < MAX_ATTEMPTS; i++)
        sim.attempts[i].next = i + 1 < MAX_ATTEMPTS ? i + 1 : -1;
    sim.n_clients = fixed == 0 && scenario->clients ? (size_t)scenario->clients : 1;
    for (size_t i = 0; i < sim.n_clients; i++) {
        sim.clients[i].fixed = fixed;
        stook__adaptive_init(&sim.clients[i].adaptive, seed * 31 + i);
    }
    start_all();
    while (sim.n_events > 0) {
        struct event event = next_event();
        if (event.at > length)
            break;
        sim.now = event.at;
        move_knee();
        if (event.what == 1)
            arrive(event.attempt);
        else if (event.what == 2)
            free_slot(event.attempt);
        else
            end(event.attempt);
        start_all();
        if (fixed && sim.clients[0].failed > 2000 && sim.clients[0].failed * 20 > sim.clients[0].ok)
            break; /* not the best */
    }
    if (sim.now < length && sim.work == SIZE_MAX)
        sim.now = length;
}

/* ---------------------------------------------------------------- what is best */

struct best {
    size_t limit;
    double rate; /* each second */
    double latency;
};

static double median(const unsigned *bins)
{
    size_t n = 0, seen = 0;
    for (int i = 0; i < BINS; i++)
        n += bins[i];
    for (int i = 0; i < BINS; i++)
        if ((seen += bins[i]) * 2 >= n)
            return exp((i + 0.5) / 60);
    return 0;
}

static struct best sweep(const struct scenario *original, int slots)
{
    static const double heights[] = {0.5, 0.75, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.5, 3, 4, 6, 9, 14};
    struct scenario scenario = *original;
    scenario.slots = slots;
    scenario.moves_to = 0;
    struct best all[sizeof heights / sizeof *heights], best = {0};
    double highest = 0;
    double rate = (double)slots * 1e6 / (double)scenario.service_us;
    int64_t length = (int64_t)(40000 / rate * 1e6);
    if (length < 3 * SECOND)
        length = 3 * SECOND;
    size_t n = 0;
    for (size_t i = 0; i < sizeof heights / sizeof *heights; i++) {
        if (heights[i] > 4 && scenario.network_us <= scenario.service_us)
            break;
        size_t limit = (size_t)(heights[i] * slots + 0.5);
        simulate(&scenario, limit, 1, length);
        const struct client *client = &sim.clients[0];
        if ((double)client->late_failed > 0.01 * (double)client->late_ended + (double)client->late_ended * scenario.lost)
            continue;
        all[n] = (struct best){limit, (double)client->ok / (double)length * 1e6, median(client->latency)};
        if (all[n].rate > highest)
            highest = all[n].rate;
        n++;
    }
    for (size_t i = n; i-- > 0;)
        if (all[i].rate >= 0.995 * highest)
            best = all[i];
    return best;
}

/* ---------------------------------------------------------------- many seeds */

/* The targets, of the best fixed limit. */
static const double LEAST = 0.95, MOST_FAILED = 0.01, MOST_LATENCY = 2, LEAST_SHARE = 0.25;

struct outcome {
    double throughput, failed, latency, share;
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct outcome judge(const struct scenario *scenario, const struct best *best)
{
    struct outcome outcome = {0};
    double ok = 0, ended = 0, failed = 0;
    unsigned latency[BINS] = {0};
    for (size_t i = 0; i < sim.n_clients; i++) {
        ok += (double)sim.clients[i].judged_ok;
        ended += (double)sim.clients[i].late_ended;
        failed += (double)sim.clients[i].late_failed;
        for (int bin = 0; bin < BINS; bin++)
            latency[bin] += sim.clients[i].latency[bin];
    }
    outcome.throughput = ok / ((double)(scenario->length - sim.judged_from) / 1e6) / best->rate;
    outcome.failed = failed / ended;
    outcome.latency = median(latency) / best->latency;
    outcome.share = ok > 0 ? (double)sim.clients[1].judged_ok / ok : 0;
    if (outcome.share > 0.5)
        outcome.share = 1 - outcome.share;
    return outcome;
}

static int misses(const struct scenario *scenario, const struct outcome *outcome)
{
    return outcome->throughput < LEAST || outcome->failed >= MOST_FAILED + scenario->lost ||
           outcome->latency > MOST_LATENCY || (scenario->clients == 2 && outcome->share < LEAST_SHARE);
}

/* Median and worst of each. */
static void print(const struct scenario *scenario, const struct best *best, const struct outcome *outcomes,
                  size_t n)
{
    double values[4][MAX_SEEDS];
    int missed = 0;
    for (size_t i = 0; i < n; i++) {
        values[0][i] = outcomes[i].throughput;
        values[1][i] = outcomes[i].failed * 100;
        values[2][i] = outcomes[i].latency;
        values[3][i] = outcomes[i].share;
        missed += misses(scenario, &outcomes[i]);
    }
    for (int i = 0; i < 4; i++)
        qsort(values[i], n, sizeof(double), by_value);
    printf("| %-26s | %4zu | %8.1f | %5.3f %5.3f | %5.3f %5.3f | %4.2f %4.2f |", scenario->name, best->limit,
           best->rate, values[0][n / 2], values[0][0], values[1][n / 2], values[1][n - 1], values[2][n / 2],
           values[2][n - 1]);
    if (scenario->clients == 2)
        printf(" %.2f %.2f |", values[3][n / 2], values[3][0]);
    else
        printf("           |");
    printf(" %d of %zu |\n", missed, n);
    fflush(stdout);
}

static double or_target(double bound, double target)
{
    return bound > 0 ? bound : target;
}

static void check(const struct scenario *scenario, const struct outcome *outcome)
{
    if (outcome->throughput < or_target(scenario->least, LEAST))
        FAIL("throughput %.3f of the best", outcome->throughput);
    if (outcome->failed >= MOST_FAILED + scenario->lost)
        FAIL("%.2f %% failed", outcome->failed * 100);
    if (outcome->latency > or_target(scenario->most_latency, MOST_LATENCY))
        FAIL("median latency %.2f of the best", outcome->latency);
    if (scenario->clients == 2 && outcome->share < or_target(scenario->least_share, LEAST_SHARE))
        FAIL("one client has %.2f of the server", outcome->share);
}

static void try_seeds(const struct scenario *scenario, int first_seed)
{
    const char *given = getenv("ADAPTIVE_SEEDS");
    int seeds = given ? atoi(given) : scenario->seeds;
    CHECK(seeds > 0 && seeds <= MAX_SEEDS);
    struct outcome outcomes[MAX_SEEDS];
    sim.work = SIZE_MAX;
    struct best best = sweep(scenario, scenario->moves_to ? scenario->moves_to : scenario->slots);
    for (int i = 0; i < seeds; i++) {
        test_note("%s, seed %d", scenario->name, first_seed + i);
        simulate(scenario, 0, (uint64_t)(first_seed + i), scenario->length);
        outcomes[i] = judge(scenario, &best);
        if (getenv("ADAPTIVE_EACH"))
            printf("%d: %.3f %.3f%% %.2f %.2f\n", first_seed + i, outcomes[i].throughput, outcomes[i].failed * 100, outcomes[i].latency, outcomes[i].share);
    }
    print(scenario, &best, outcomes, (size_t)seeds);
    for (int i = 0; i < seeds && i < scenario->seeds; i++) {
        test_note("%s, seed %d", scenario->name, first_seed + i);
        check(scenario, &outcomes[i]);
    }
}

/* Each seed reaches the targets, unless a line has another: see docs/internals/adaptive.md, "What it misses". */
static const struct scenario queueing[] = {
    {"queueing 10, 5 ms", QUEUEING, 10, 5 * MS, .length = 60 * SECOND, .seeds = 20},
    {"queueing 10, 200 ms", QUEUEING, 10, 200 * MS, .length = 120 * SECOND, .seeds = 50},
    {"queueing 40, 50 ms", QUEUEING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 50},
    {"queueing 40, exponential", QUEUEING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 50, .jitter = 1, .least = 0.93},
    {"queueing 200, 5 ms", QUEUEING, 200, 5 * MS, .length = 30 * SECOND, .seeds = 4},
    {"queueing 200, 200 ms", QUEUEING, 200, 200 * MS, .length = 120 * SECOND, .seeds = 40},
    {"queueing 10, bodies", QUEUEING, 10, 50 * MS, .length = 120 * SECOND, .seeds = 50, .mixed = 1, .least = 0.94},
    {"queueing 40, bodies", QUEUEING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 50, .mixed = 1, .least = 0.94},
};

static const struct scenario rejecting[] = {
    {"rejecting 10, 5 ms", REJECTING, 10, 5 * MS, .length = 60 * SECOND, .seeds = 20},
    {"rejecting 10, 200 ms", REJECTING, 10, 200 * MS, .length = 120 * SECOND, .seeds = 50},
    {"rejecting 40, 50 ms", REJECTING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 50},
    {"rejecting 40, exponential", REJECTING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 50, .jitter = 1},
    {"rejecting 200, 5 ms", REJECTING, 200, 5 * MS, .length = 30 * SECOND, .seeds = 4},
    {"rejecting 200, 200 ms", REJECTING, 200, 200 * MS, .length = 120 * SECOND, .seeds = 40},
    {"rejecting 40, bodies", REJECTING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 50, .mixed = 1},
};

static const struct scenario silent[] = {
    {"silent 10, 5 ms", SILENT, 10, 5 * MS, .length = 60 * SECOND, .seeds = 20},
    {"silent 10, 200 ms", SILENT, 10, 200 * MS, .length = 120 * SECOND, .seeds = 50, .timeout_us = 2 * SECOND},
    {"silent 40, 50 ms", SILENT, 40, 50 * MS, .length = 120 * SECOND, .seeds = 50, .least = 0.92},
    {"silent 200, 200 ms", SILENT, 200, 200 * MS, .length = 120 * SECOND, .seeds = 20, .timeout_us = 2 * SECOND, .least = 0.92},
};

static const struct scenario slowing[] = {
    {"slowing 10, 5 ms", SLOWING, 10, 5 * MS, .length = 60 * SECOND, .seeds = 20},
    {"slowing 40, 50 ms", SLOWING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 50},
    {"slowing 200, 200 ms", SLOWING, 200, 200 * MS, .length = 120 * SECOND, .seeds = 20},
    {"slowing 40, thrashing", SLOWING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 30, .thrash = 0.5},
};

static const struct scenario networks[] = {
    {"lossy 40, 0.2 %", QUEUEING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 10, .lost = 0.002},
    {"near rejecting 40", REJECTING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 10, .network_us = 2 * MS},
    {"distant queueing 40", QUEUEING, 40, 20 * MS, .length = 120 * SECOND, .seeds = 10, .network_us = 80 * MS},
    {"distant rejecting 40", REJECTING, 40, 20 * MS, .length = 120 * SECOND, .seeds = 10, .network_us = 80 * MS, .least = 0.9},
};

static const struct scenario moving[] = {
    {"queueing 40 to 10", QUEUEING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 8, .moves_to = 10},
    {"queueing 10 to 40", QUEUEING, 10, 50 * MS, .length = 120 * SECOND, .seeds = 8, .moves_to = 40},
    {"queueing 200 to 40, 200 ms", QUEUEING, 200, 200 * MS, .length = 120 * SECOND, .seeds = 8, .moves_to = 40},
    {"queueing 10 to 40, 200 ms", QUEUEING, 10, 200 * MS, .length = 120 * SECOND, .seeds = 8, .moves_to = 40},
    {"rejecting 40 to 10", REJECTING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 8, .moves_to = 10},
    {"rejecting 10 to 40", REJECTING, 10, 50 * MS, .length = 120 * SECOND, .seeds = 8, .moves_to = 40},
    {"silent 40 to 10", SILENT, 40, 50 * MS, .length = 120 * SECOND, .seeds = 8, .moves_to = 10},
    {"silent 10 to 40", SILENT, 10, 50 * MS, .length = 120 * SECOND, .seeds = 8, .moves_to = 40},
    {"slowing 40 to 10", SLOWING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 8, .moves_to = 10},
    {"slowing 10 to 40", SLOWING, 10, 50 * MS, .length = 120 * SECOND, .seeds = 8, .moves_to = 40},
};

static const struct scenario shared[] = {
    {"two: queueing 40", QUEUEING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 7, .clients = 2},
    {"two: queueing 40, later", QUEUEING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 7, .clients = 2, .second_at = 10 * SECOND},
    {"two: rejecting 40", REJECTING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 7, .clients = 2, .network_us = MS},
    {"two: rejecting 40, later", REJECTING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 7, .clients = 2, .second_at = 10 * SECOND, .network_us = MS},
    {"two: silent 40", SILENT, 40, 50 * MS, .length = 120 * SECOND, .seeds = 7, .clients = 2, .network_us = MS},
    {"two: slowing 40", SLOWING, 40, 50 * MS, .length = 120 * SECOND, .seeds = 7, .clients = 2},
};

#define EACH(table)                                                                                \
    for (size_t i = 0; i < sizeof(table) / sizeof *(table); i++)                                    \
        try_seeds(&(table)[i], 1 + (int)i * 1000)

TEST(queueing_server)
{
    EACH(queueing);
}

TEST(rejecting_server)
{
    EACH(rejecting);
}

TEST(silent_server)
{
    EACH(silent);
}

TEST(slowing_server)
{
    EACH(slowing);
}

TEST(networks_between)
{
    EACH(networks);
}

TEST(moving_knee)
{
    EACH(moving);
}

TEST(two_clients)
{
    EACH(shared);
}

/* A batch of 100 requests, in the time that the best fixed limit takes. From 8 in flight it cannot reach
   200 in time, so that server is only printed. */
TEST(short_batch)
{
    static const struct scenario servers[] = {
        {"queueing 10", QUEUEING, 10, 50 * MS, .length = 100 * SECOND},
        {"rejecting 10", REJECTING, 10, 50 * MS, .length = 100 * SECOND},
        {"slowing 10", SLOWING, 10, 50 * MS, .length = 100 * SECOND},
        {"queueing 40", QUEUEING, 40, 50 * MS, .length = 100 * SECOND},
        {"rejecting 40", REJECTING, 40, 50 * MS, .length = 100 * SECOND},
        {"queueing 200", QUEUEING, 200, 50 * MS, .length = 100 * SECOND},
    };
    sim.work = 100;
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        double sum[2] = {0};
        for (uint64_t seed = 1; seed <= 50; seed++)
            for (int adaptive = 0; adaptive < 2; adaptive++) {
                simulate(&servers[i], adaptive ? 0 : (size_t)servers[i].slots, seed, servers[i].length);
                CHECK_EQ_SIZE(sim.clients[0].ok, 100);
                sum[adaptive] += (double)sim.now;
            }
        printf("%-26s 100 requests in %.2f of the time\n", servers[i].name, sum[1] / sum[0]);
        fflush(stdout);
        if (servers[i].slots == 10)
            CHECK(sum[1] <= 1.3 * sum[0]);
    }
}

TEST(curve)
{
    const char *name = getenv("ADAPTIVE_CURVE");
    const char *seed = getenv("ADAPTIVE_SEED");
    if (name == NULL)
        return;
    sim.trace = 1;
    sim.work = SIZE_MAX;
    static const struct { const struct scenario *table; size_t n; } tables[] = {
        {queueing, sizeof queueing / sizeof *queueing}, {rejecting, sizeof rejecting / sizeof *rejecting}, {silent, sizeof silent / sizeof *silent}, {slowing, sizeof slowing / sizeof *slowing}, {networks, sizeof networks / sizeof *networks}, {moving, sizeof moving / sizeof *moving}, {shared, sizeof shared / sizeof *shared}};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (size_t i = 0; i < tables[t].n; i++)
            if (strcmp(tables[t].table[i].name, name) == 0)
                simulate(&tables[t].table[i], 0, seed ? (uint64_t)atoi(seed) : 1, tables[t].table[i].length);
}
