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
 * The state of a request. It includes the state of its job, which sched moves first.
 *
 *            add            sched starts it        the attempt begins
 *      NEW ------> QUEUED ------------------> ADMITTED ------------------> ATTEMPTING
 *                    | ^                        |  |  ^                        |
 *                    | |  no descriptor is free |  |  |     the attempt ends   |
 *                    | +------------------------+  |  +------------------------+
 *                    | a clock, a cancel, a close  | no further attempt
 *                    +----------> FINISHED <-------+
 *
 * Limits and statistics count a request as in flight while it is ADMITTED or ATTEMPTING. One that
 * is ended while ATTEMPTING passes ADMITTED on its way. A record is dropped in the states NEW (the
 * add was refused), QUEUED (the batch was never awaited) and FINISHED.
 */
enum stook__record_state {
    STOOK__REQUEST_NEW,        /* made, not added yet */
    STOOK__REQUEST_QUEUED,     /* it waits in sched; its job is INCOMING or QUEUED there */
    STOOK__REQUEST_ADMITTED,   /* it has a slot and no attempt: before the first, or between two */
    STOOK__REQUEST_ATTEMPTING, /* it has an attempt */
    STOOK__REQUEST_FINISHED,   /* it has its result */
    /* Another kind of record, which never moves: a copy of the head of a response for callbacks
       of a request in flight. Nothing changes it, so that any thread may read it. */
    STOOK__REQUEST_SNAPSHOT
};

struct stook_result {
    union {
        struct stook__job job;       /* before it is FINISHED */
        struct stook__answer answer; /* when it is FINISHED, and of a SNAPSHOT */
    };
    struct stook__result_entry entry;
    struct stook__spec spec;
    struct stook__allocator *allocator;
    void *user;
    union {
        struct stook__attempt *attempt; /* while ATTEMPTING */
        const char *message;            /* otherwise; NULL: of the error or the status */
    };
    atomic_uint refs;
    int16_t error; /* of the result; before that, what the add found wrong: it has no attempt */
    uint16_t state : 3; /* enum stook__record_state */
    uint16_t message_owned : 1;
    uint16_t sent : 1;          /* an attempt had a connection: the request may have been sent */
    uint16_t path_is_plain : 1; /* stook__url_is_plain() of what follows the origin in the URL */
    uint16_t origin_size : 10;  /* bytes of the URL up to the end of its origin; 0: it has none */
};

/* The capacity of a body that belongs to another record, which `spec.snapshot` keeps. */
enum { STOOK__BODY_OF_SENDER = 0 };

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

/* Asserts that the move is allowed, and traces it. */
#if defined(STOOK_TRACE) || !defined(NDEBUG)
void stook__record_check_move(const stook_batch *batch, const struct stook_result *record,
                              enum stook__record_state to, const char *why, int error);
#else
#define stook__record_check_move(batch, record, to, why, error) ((void)0)
#endif

/* The only way to change the state of a record. `why` and `error`, or 0, are for the trace. */
static inline void stook__record_move(const stook_batch *batch, struct stook_result *record,
                                      enum stook__record_state to, const char *why, int error)
{
    stook__record_check_move(batch, record, to, why, error);
    (void)batch, (void)why, (void)error; /* only the check reads them */
    record->state = to & 7;
}

/* Makes the record of a request, checked and copied; see request/copy.h for the errors. The
   caller has its one reference. */
int stook__record_new(struct stook__allocator *allocator, const struct stook__settings *client,
                      const struct stook_request *request, struct stook_result **ret_record,
                      const char **ret_why);
void stook__record_ref(struct stook_result *record);
/* Drops a reference; the last one frees the record. NULL: nothing happens. */
void stook__record_drop(struct stook_result *record);

/* Frees the members that only a request under way needs. A borrowed body is released here only if
   the request was never awaited; else stook__batch_keep_body() has taken it. */
void stook__record_free_request(struct stook_result *record);

/* Bytes of the response body that the result holds. */
size_t stook__record_bytes(const struct stook_result *record);
/* Whether the exchange is complete and the status is 2xx. */
int stook__record_ok(const struct stook_result *record);
/* The snapshot for callbacks of a request that is ATTEMPTING, made anew when the header section has
   arrived. NULL: no memory. */
struct stook_result *stook__record_snapshot(struct stook_result *record);

/* Makes the record remember what its last attempt took of rates. 0 or STOOK_ENOMEM. */
int stook__record_keep_history(struct stook_result *record);
/* Notes what the last attempt came to, which is over, and why another one follows (STOOK_AGAIN_).
   0 or STOOK_ENOMEM. */
int stook__record_note_attempt(struct stook_result *record, int error, int status, int again,
                               int64_t now);

#endif
