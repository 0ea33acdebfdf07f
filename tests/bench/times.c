/* SPDX-License-Identifier: MIT */
/*
 * What takes time. Other work on the machine disturbs all of it, so these are no tests: both programs
 * take turns, and the middle of all ratios is shown.
 */
#include <stdio.h>

#include "count.h"
#include "support/harness.h"
#include "support/plain.h"
#include "support/process.h"

enum { TURNS = 9, TODOS = 199, DELAY = 50 };

/* A program of its own for each run, so everything is cold but what `warm` leaves out. */
static struct took todos(struct plain *plain, enum program program, size_t in_flight, size_t warm)
{
    struct run run = {.program = program, .in_flight = in_flight, .warm = warm, .counted = warm + TODOS};
    return count_time(plain_url(plain, "/todos/1?delay_ms=%d", DELAY), NULL, &run, 0);
}

TEST(ten_at_a_time)
{
    double ratios[TURNS], ideal = (TODOS + 9) / 10 * DELAY;
    struct plain *plain = plain_start();
    for (int i = 0; i < TURNS; i++)
        ratios[i] = todos(plain, STOOK, 10, 0).all / ideal;
    double ratio = count_percentile(ratios, TURNS, 50);
    count_judge(ratio, 1.02, "%.3f of the ideal, %d requests of %d ms at limit 10", ratio, TODOS, DELAY);
    count_finish();
}

TEST(all_at_once_cold)
{
    double ratios[TURNS];
    struct plain *plain = plain_start();
    for (int i = 0; i < TURNS; i++) {
        double baseline = todos(plain, BASELINE, TODOS, 0).all;
        ratios[i] = todos(plain, STOOK, TODOS, 0).all / baseline;
    }
    double ratio = count_percentile(ratios, TURNS, 50);
    count_judge(ratio, 1.05, "%.3f of the baseline, %d requests of %d ms without a limit, nothing connected", ratio,
                TODOS, DELAY);
    count_finish();
}

TEST(all_at_once_warm)
{
    double ratios[TURNS];
    struct plain *plain = plain_start();
    for (int i = 0; i < TURNS; i++)
        ratios[i] = todos(plain, STOOK, TODOS, TODOS).warm / DELAY;
    double ratio = count_percentile(ratios, TURNS, 50);
    count_judge(ratio, 1.35, "%.3f of %d ms, %d requests without a limit, all connected", ratio, DELAY, TODOS);
    count_finish();
}

/* No call of ours, nor all of one turn, keeps the loop from the program's other work. */
TEST(loop_held)
{
    double longest[TURNS];
    struct peer *peer = peer_start();
    struct run run = {.program = STOOK, .in_flight = 5000, .counted = 40000};
    for (int i = 0; i < TURNS; i++)
        longest[i] = count_time(peer_url(peer, 0, PEER_AT_ONCE), NULL, &run, 1).longest;
    double ms = count_percentile(longest, TURNS, 50);
    count_judge(ms, 10, "%.2f ms computed in one turn of the loop at the most, 5,000 in flight", ms);
    count_finish();
}

static void make_store(const struct peer *peer, const char *path)
{
    static const char system[] = "/etc/ssl/certs/ca-certificates.crt";
    const char *argv[] = {"sh", "-c", "cat \"$1\" \"$2\" >\"$3\"", "sh", system, peer_ca(peer), path, NULL};
    process_run(argv, text("%s.log", path));
}

/* Connections that carry one request each, with a store of all the authorities of the system. */
TEST(handshakes)
{
    enum { FEW = 100, MANY = 300 };
    struct peer *peer = peer_start();
    char url[64], ca[256];
    double each[2][TURNS];
    snprintf(url, sizeof url, "%s", peer_url_once(peer));
    snprintf(ca, sizeof ca, "%s/store.pem", temporary_directory());
    make_store(peer, ca);
    for (int i = 0; i < TURNS; i++)
        for (int program = BASELINE; program <= STOOK; program++) {
            struct run run = {.program = (enum program)program, .in_flight = 10, .counted = FEW};
            double few = count_time(url, ca, &run, 0).computed;
            run.counted = MANY;
            each[program][i] = (count_time(url, ca, &run, 0).computed - few) / (MANY - FEW);
        }
    double stook = count_percentile(each[STOOK], TURNS, 50);
    printf("baseline: %.2f ms\n", count_percentile(each[BASELINE], TURNS, 50));
    count_judge(stook, 2, "%.2f ms of the processor for a new TLS connection and its request", stook);
    count_finish();
}
