/* SPDX-License-Identifier: MIT */
/*
 * A record: one added request and all that is known of it, until its result is dropped. It is the
 * `stook_result` of the header. One block that exists from the add on, so that there is exactly
 * one result whatever runs out of memory later.
 */
#ifndef STOOK_CORE_RECORD_H
#define STOOK_CORE_RECORD_H

#include <stdatomic.h>

#include "deliver/result_queue.h"
#include "request/exchange.h"
#include "sched/sched.h"

struct stook__attempt;
struct stook__outcome;

/*
 * IDLE -> TRYING -> OVER, and back from TRYING where it is tried again. SHOWN: what callbacks see of a
 * request under way is a record of its own, which nothing changes any more, so that any thread may read it.
 */
enum stook__stage { STOOK__IDLE, STOOK__TRYING, STOOK__OVER, STOOK__SNAPSHOT };

struct stook_result {
    union {
        struct stook__job job;       /* until it is OVER */
        struct stook__answer answer; /* from then on, and of one that is SHOWN */
    };
    struct stook__result_entry entry;
    struct stook__spec spec;
    struct stook__allocator *allocator;
    void *user;
    union {
        struct stook__attempt *attempt; /* while TRYING */
        const char *message;
    };
    atomic_uint refs;
    int16_t error; /* before it is finished: what it will end with, whatever happens */
    uint8_t stage;
    uint8_t message_owned : 1;
    uint8_t
        sent : 1; /* a connection was there for it, in any attempt that is over: it may have gone out */
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

/* Of a request, checked and copied; see request/copy.h for the errors. It has one reference, the caller's. */
int stook__record_new(struct stook__allocator *allocator, const struct stook__settings *client,
                      const struct stook_request *request, struct stook_result **ret_record,
                      const char **ret_why);
/* Bytes of body that it holds. */
size_t stook__record_bytes(const struct stook_result *record);
int stook__record_ok(const struct stook_result *record);
void stook__record_drop(struct stook_result *record);
/* What callbacks are shown of one that is TRYING, made anew when its head is there. NULL: no memory. */
struct stook_result *stook__record_snapshot(struct stook_result *record);
/* What came; nothing of one that is not OVER or SHOWN. */
const struct stook__answer *stook__record_answer(const struct stook_result *record);
/* The fields of its head, the last *ret_trailers bytes of them of trailers; NULL: none came. */
const char *stook__record_fields(const struct stook_result *record, size_t *ret_size,
                                 size_t *ret_trailers);
/* It runs no longer. What came is the caller's to free; with an outcome, the attempt is judged. */
void stook__record_stop(struct stook_result *record, struct stook__answer *ret_answer,
                        struct stook__outcome *ret_outcome);
/* Sched is through with it: the answer takes the place of its job, and with it whatever `answer` holds.
   Its own bytes are not needed any more. `kept`: for long. */
void stook__record_settle(struct stook_result *record, struct stook__answer *answer,
                          const struct stook__outcome *outcome, int kept);

#endif
