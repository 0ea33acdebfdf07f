/* SPDX-License-Identifier: MIT */
/*
 * What the measured programs have in common: the work they are told to do. Both take
 *
 *     [-c CA_FILE] [-o ORIGINS] [-w WARM] [-O] [-m] [-t] [-l] [-r] URL REQUESTS IN_FLIGHT
 *
 *   -c  PEM file of the trusted authority
 *   -o  so many origins in turn: the URL's 127.0.0.1, then 127.0.0.2 ...
 *   -w  under callgrind, count nothing before so many answers, nor the last IN_FLIGHT
 *   -O  results in the order of the adds (stook alone)
 *   -m  say how much memory is resident after 10 %, after 90 % and at the most
 *   -t  say how long it took, from the first request to the last answer, and from answer WARM on
 *   -r  follow a redirect (stook alone)
 *   -l  on a loop of the program's own, and say how long one turn of it computed at the most (stook alone)
 */
#ifndef STOOK_COST_WORK_H
#define STOOK_COST_WORK_H

#include <stddef.h>

struct work {
    char **urls; /* one an origin */
    size_t origins;
    size_t requests, in_flight, warm;
    size_t answers;
    const char *ca_file;
    int redirects; /* that are followed */
    int ordered, says_memory, says_time, on_a_loop;
    double began, warm_at, ended; /* ms */
};

/* Ends the program if the arguments make no sense. */
void work_read(struct work *work, int argc, char **argv);
const char *work_url(struct work *work, size_t index);
/* After each answer, in either program at the same place: the body was received. */
void work_answered(struct work *work, int status, size_t body_size);
/* The exit status: 0 if every request was answered as it should be. */
int work_end(struct work *work);

#endif
