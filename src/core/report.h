/* SPDX-License-Identifier: MIT */
/* What a client and its batches are doing, for people: states of requests, statistics, a dump, a
   request as a curl command. Nothing here changes anything. */
#ifndef STOOK_CORE_REPORT_H
#define STOOK_CORE_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include <stook.h>

struct stook__job;

/* The state of a request, STOOK_STATE_..., also of one that waits, and the text of a state. */
int stook__report_state(const stook_batch *batch, size_t index);
int stook__report_waiting(const stook_batch *batch, const struct stook__job *job);
const char *stook__report_text(int state);
/* The counters of a client. Any thread. */
void stook__report_client(const stook_client *client, struct stook_stats *ret_stats);
/* The counters of a batch. 0, or STOOK_ESTATE: its client is of a parent process. */
int stook__report_batch(const stook_batch *batch, struct stook_batch_stats *ret_stats);
/* Prints the requests of a client that are not finished. 0, or STOOK_ESTATE as above. */
int stook__report_dump(const stook_client *client, FILE *to);
/* Writes the command of a request as its add would find it. How many bytes it has, or an error. */
int64_t stook__report_curl(const stook_client *client, const struct stook_request *request,
                           int secrets, char *buffer, size_t size);

/* Describes the i-th origin; see stook_client_origin_at(). 0 or STOOK_ESTATE. */
int stook__report_origin(const stook_client *client, size_t i, struct stook_origin *ret_origin);

#endif
