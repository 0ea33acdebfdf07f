/* SPDX-License-Identifier: MIT */
/* The client and the batch: what a turn works on. */
#ifndef STOOK_CORE_CLIENT_H
#define STOOK_CORE_CLIENT_H

#include "core/mailbox.h"
#include "core/record.h"
#include "core/stats.h"
#include "deliver/callbacks.h"
#include "deliver/policy.h"
#include "sched/queue.h"

struct stook__engine;
struct stook__defaults;

/* Before their time, a turn, at most; one in flight counts for several, it has a connection to lose. */
enum { STOOK__ENDINGS = 256, STOOK__ENDING_IN_FLIGHT = 4 };

enum stook__batch_state { STOOK__OPEN, STOOK__AWAITED, STOOK__DONE };

struct stook_batch {
    struct stook__link link;  /* among the client's */
    struct stook__link dirty; /* among those that the turn has to look at */
    stook_client *client;     /* NULL: it is closed */
    struct stook__allocator *allocator;
    struct stook__mailbox *mailbox;
    struct stook__group group;
    struct stook__result_queue results;
    struct stook__callbacks callbacks;
    struct stook__completion_policy completion;
    struct stook__message message; /* that it was cancelled, or woken */
    struct stook__link borrowed;   /* extras whose body goes back to the program */
    struct stook_result *pulled;   /* that the program looks at, of stook_batch_next() */
    char *cause;                   /* why its policy has ended the rest, or NULL */
    const char *refusal;           /* why the last add or await was refused */
    char origin[40];               /* of the last add, as it was written */
    size_t origin_size;            /* 0: none, or too long */
    enum stook__batch_state state;
    atomic_int cancelled;   /* by any thread: nothing is added any more */
    int add_error;          /* of an add that failed before the await */
    int64_t bytes_received; /* of response bodies, by attempts that are over */
    size_t extra_failures;  /* what failed without being a request: adds, `more` */
    int end_error;          /* 0, or what all that is not finished ends with */
    int drains;             /* the verdict is for what waits: what runs may finish */
    int exhausted;          /* `more` has said its last word, or was never there */
    int later;              /* `more` has nothing until it is woken */
    int pins;               /* blocking awaits that will still look at it */
    int freed;              /* by the program: goes as soon as nothing needs it */
};

/* What the program hears of the end. */
struct stook__closed_call {
    int asked; /* there is one, though `call` may be NULL */
    void (*call)(void *user);
    void *user;
};

struct stook_client {
    struct stook__allocator *allocator;
    struct stook__loop *loop;
    struct stook__engine *engine;
    struct stook__defaults *defaults; /* what its attempts have in common */
    struct stook__sched sched;
    struct stook__link result_queues; /* with results to show */
    struct stook__mailbox *mailbox;
    struct stook__settings policy;
    struct stook__peer peer;
    struct stook__stats stats;
    struct stook__link batches, dirty_batches;
    struct stook__link
        newly_paused;         /* flow control of batches where a body was paused in this turn */
    size_t awaits;            /* under way */
    size_t pulls;             /* of these, whose results the program pulls */
    size_t endings;           /* that this turn has had, as STOOK__ENDINGS counts them */
    unsigned fork_generation; /* of processes: another number in a forked child */
    int owned;                /* the loop is its own */
    int turning;              /* a turn is on the stack */
    int again;                /* another was due meanwhile */
    int draining;             /* takes nothing new, and closes when no await is under way */
    int64_t drain_due;        /* when it closes all the same; 0: no such time */
    int closing;              /* asked for; 2: handles are being closed; 3: all over */
    struct stook__closed_call drained, closed; /* of the drain, of the close */
};

extern const struct stook__loop_events stook__turn_events;

/* When there is work for a turn: a time that may be past; 0: no clock runs. */
int64_t stook__turn_due(const stook_client *client);
/* Have a turn when that is, also if it came nearer since the last one. */
void stook__turn_ask(stook_client *client);

/* Whose it is, until it is OVER. */
static inline stook_batch *stook__record_batch(const struct stook_result *record)
{
    return STOOK__OF(stook_batch, group, record->job.queue->key.group);
}

/* The await begins, and is after that. */
void stook__batch_set_policy(stook_batch *batch, int64_t policy, size_t quorum);
/* A request of it has its result: what that means for the others. */
void stook__batch_note_result(stook_batch *batch, const struct stook_result *record);
/* Something failed beside the requests: an add, `more`. */
void stook__batch_add_failure(stook_batch *batch);
/* Another thread has cancelled or woken it. */
void stook__batch_handle_message(stook_batch *batch);
/* Have the next turn look at the batch. */
void stook__batch_mark_dirty(stook_batch *batch);
/* End one that is not finished, in whatever state. */
void stook__record_end(stook_client *client, struct stook_result *record, int error);
/* End all that is not finished, over the next turns; the first verdict counts. */
void stook__batch_terminate(stook_batch *batch, int end_error);
/* What all that is not finished ends with, a cancel that another thread asked for included; 0: nothing. */
int stook__batch_end_error(stook_batch *batch);
/* Free it now: not awaited, or the client is closed. */
void stook__batch_destroy(stook_batch *batch);
/* Not ok, of the requests and beside them; INT_MAX at most. */
int stook__batch_failed(const stook_batch *batch);

#endif
