/* SPDX-License-Identifier: MIT */
/*
 * Runs one of the measured programs and counts what it does. What is counted does not depend on
 * how busy the machine is; how long it takes does.
 */
#ifndef STOOK_COST_COUNT_H
#define STOOK_COST_COUNT_H

#include <stddef.h>

#include "peer.h"

enum program { BASELINE, STOOK };

struct run {
    enum program program;
    enum peer_answers answers;
    int tls;
    int ordered;
    int bursts; /* PEER_HELD answers all at once, when nothing more comes */
    size_t origins; /* 0: one */
    size_t in_flight;
    size_t warm;    /* answers before it is counted; 0: until every connection is there */
    size_t counted; /* answers that are counted */
};

/* Instructions for each answer, by callgrind, in the middle of one run. With STOOK_BENCH_KEEP set to
   a directory the profile is left there for callgrind_annotate. */
double count_instructions(const struct peer *peer, const struct run *run);

/* Instructions of another program, where it has them counted; `argv` ends with NULL. */
double count_instructions_of(const char *const argv[]);

/* System calls for each answer, by strace: the difference of two runs. */
double count_system_calls(const struct peer *peer, const struct run *run);

/* What is resident, in kB. */
struct memory_use {
    long early, late, most; /* after 10 %, after 90 %, at any moment */
};
struct memory_use count_memory(const struct peer *peer, const struct run *run);

/* Milliseconds, which do depend on how busy the machine is: the least of so many runs. */
struct took {
    double all, warm; /* from the first request, from answer run->warm on, to the last answer */
    double computed;  /* by the processor */
    double longest;   /* computed between two polls; 0 unless on_a_loop */
};
struct took count_time(const char *url, const char *ca, const struct run *run, int on_a_loop);

/* Sorts the values; 50 percent is the middle one. */
double count_percentile(double *values, size_t count, size_t percent);

/* Print a figure beside its target; the test fails when all of it has been printed. */
void count_judge(double figure, double target, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void count_finish(void);

#endif
