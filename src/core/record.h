/* SPDX-License-Identifier: MIT */
/*
 * A request record: one added request and all that is known of it, until its result is dropped. It
 * is the `stook_result` of the public header. The record is one block that exists from the add on,
 * so that each request has exactly one result, also without memory later.
 */
#ifndef STOOK_CORE_RECORD_H
#define STOOK_CORE_RECORD_H

#include <stdatomic.h>

#include "deliver/result_queue.h"
#include "request/exchange.h"
#include "sched/sched.h"

struct stook__attempt;

/*
 * IDLE -> TRYING -> OVER, and from TRYING back to IDLE when the request is repeated or put back.
 *
 * SNAPSHOT is another kind of record. Callbacks of a request under way get a copy of its head that
 * nothing changes any more, so that any thread may read it.
 */
enum stook__stage { STOOK__IDLE, STOOK__TRYING, STOOK__OVER, STOOK__SNAPSHOT };

struct stook_result {
    union {
        struct stook__job job;       /* before it is OVER */
        struct stook__answer answer; /* when it is OVER, and of a SNAPSHOT */
    };
    struct stook__result_entry entry;
    struct stook__spec spec;
    struct stook__allocator *allocator;
    void *user;
    union {
        struct stook__attempt *attempt; /* while TRYING */
        const char *message;            /* otherwise; NULL: of the error or the status */
    };
    atomic_uint refs;
    int16_t
        error; /* of the result; before it is OVER: what the add found, so that it never starts */
    uint8_t stage;
    uint8_t message_owned : 1;
    uint8_t sent : 1; /* an attempt had a connection: the request may have been sent */
};

_Static_assert(sizeof(struct stook__answer) <= sizeof(struct stook__job),
               "a finished record is no larger");

static inline struct stook_result *stook__record_of_job(struct stook__job *job)
{
    return STOOK__OF(struct stook_result, job, job);
}

static inline struct stook_result *stook__record_of_entry(struct stook__result_entry *entry)
{
    return STOOK__OF(struct stook_result, entry, entry);
}

/* Makes the record of a request, checked and copied; see request/copy.h for the errors. The
   caller has its one reference. */
int stook__record_new(struct stook__allocator *allocator, const struct stook__settings *client,
                      const struct stook_request *request, struct stook_result **ret_record,
                      const char **ret_why);
void stook__record_ref(struct stook_result *record);
/* Drops a reference; the last one frees the record. NULL: nothing happens. */
void stook__record_drop(struct stook_result *record);

/* Bytes of the response body that the result holds. */
size_t stook__record_bytes(const struct stook_result *record);
/* Whether the exchange is complete and the status is 2xx. */
int stook__record_ok(const struct stook_result *record);
/* The response; an empty one if the record is neither OVER nor a SNAPSHOT. */
const struct stook__answer *stook__record_answer(const struct stook_result *record);
/* The header fields of the response, the last *ret_trailers bytes of them from the trailer section.
   NULL: there are none. */
const char *stook__record_fields(const struct stook_result *record, size_t *ret_size,
                                 size_t *ret_trailers);
/* The snapshot for callbacks of a TRYING record, made anew when the header section has arrived.
   NULL: no memory. */
struct stook_result *stook__record_snapshot(struct stook_result *record);

/* Starts an attempt of a request that sched has started. A request that cannot start has its
   result, or waits in its queue again until a descriptor is free. `fresh`: not on a reused
   connection. */
void stook__record_start(stook_client *client, struct stook_result *record, int fresh);
/* Handles an attempt that has completed: its request has its result, starts another attempt or
   waits again. */
void stook__record_conclude(stook_client *client, struct stook_result *record, int64_t now);
/* Ends a request that is not OVER with `error`, whatever it does. */
void stook__record_end(stook_client *client, struct stook_result *record, int error);

#endif
