/* SPDX-License-Identifier: MIT */
/*
 * A record: one added request and all that is known of it, until its result is dropped. It is the
 * `stook_result` of the header. One block that exists from the add on, so that there is exactly
 * one result whatever runs out of memory later.
 */
#ifndef STOOK_TURN_RECORD_H
#define STOOK_TURN_RECORD_H

#include <stdatomic.h>

#include "base/exchange.h"
#include "deliver/tray.h"
#include "sched/sched.h"

struct stook__attempt;
struct stook__outcome;

struct stook_result {
    struct stook__job job;
    struct stook__parcel parcel;
    struct stook__spec spec;
    struct stook__heap *heap;
    stook_batch *batch; /* while it is not finished */
    void *user;
    struct stook__attempt *attempt; /* while one is under way */
    struct stook__answer *answer;   /* NULL: it never got as far */
    const char *message;
    atomic_uint refs;
    int error; /* before it is finished: what it will end with, whatever happens */
    int message_owned;
};

static inline struct stook_result *stook__record_of_job(struct stook__job *job)
{
    return STOOK__OF(struct stook_result, job, job);
}

static inline struct stook_result *stook__record_of_parcel(struct stook__parcel *parcel)
{
    return STOOK__OF(struct stook_result, parcel, parcel);
}

/* Bytes of body that it holds. */
size_t stook__record_bytes(const struct stook_result *record);
int stook__record_ok(const struct stook_result *record);
void stook__record_drop(struct stook_result *record);
/* The request's own bytes are not needed any more. */
void stook__record_settle(struct stook_result *record, const struct stook__outcome *outcome);

#endif
