/* SPDX-License-Identifier: MIT */
/*
 * The client and the batch: the structs that the files of this room work on. No file of api/ sees
 * them: it includes the headers that declare functions. Only the thread of the
 * client's loop reads and writes them, but for `cancelled` and `message` of a batch and `stats` of
 * a client.
 */
#ifndef STOOK_CORE_CLIENT_STATE_H
#define STOOK_CORE_CLIENT_STATE_H

#include "core/fork.h"
#include "core/mailbox.h"
#include "core/record.h"
#include "core/stats.h"
#include "curl/address_filter.h"
#include "deliver/callbacks.h"
#include "deliver/completion_policy.h"
#include "origin/origin.h"
#include "sched/queue.h"
#include "sched/rate.h"

struct stook__engine;
struct stook__defaults;

/* Requests that one turn ends early, by a clock, a cancel or a close. One that has an attempt costs
   more than one that waits: its connection is closed. */
enum { STOOK__ENDS_MAX = 256, STOOK__END_COST_ATTEMPTING = 4 };

/*
 * The state of a client. A turn may be on the stack in each of them.
 *
 *              drain            no await is left, drain_due, close
 *     RUNNING --------> DRAINING ---------------------------------> CLOSING
 *        |                                                           ^   |
 *        +-------------------------- close --------------------------+   | nothing of it is in use
 *                                                                        v
 *                                           CLOSED <------------- CLOSING_LOOP
 *                                              the last handle is closed
 */
enum stook__client_state {
    STOOK__CLIENT_RUNNING,
    STOOK__CLIENT_DRAINING,     /* no new adds and awaits; those there are run to their end */
    STOOK__CLIENT_CLOSING,      /* awaits end early; look-ups, files and messages complete */
    STOOK__CLIENT_CLOSING_LOOP, /* the engine is freed, and the loop closes its handles */
    STOOK__CLIENT_CLOSED        /* `closed` is called, and then the client is freed */
};

/*
 * The state of a batch: OPEN -> AWAITED -> DONE. It may be destroyed when it is OPEN or DONE, and
 * when its client is closed.
 */
enum stook__batch_state {
    STOOK__OPEN,    /* requests are added; none starts */
    STOOK__AWAITED, /* requests start and are added; `end` says whether they end early */
    STOOK__DONE     /* each request has its result, and `done` was called */
};

/* Which requests of a batch end early. */
enum stook__end_scope {
    STOOK__END_NONE,    /* none: the batch runs to its end */
    STOOK__END_WAITING, /* those that wait; those in flight may finish */
    STOOK__END_ALL      /* all that are not finished */
};

/* Whether `more` may be called. It waits after it has returned STOOK_AGAIN. */
enum stook__more_idle {
    STOOK__MORE_READY,
    STOOK__MORE_UNTIL_WAKE, /* for stook_batch_wake() */
    STOOK__MORE_UNTIL_LAST  /* for that, or until none of its requests waits or is in flight */
};

/* What ends a batch early: a cancel, its deadline, its policy, or the close of its client. The
   first counts; only END_WAITING can be followed by END_ALL. */
struct stook__batch_end {
    enum stook__end_scope scope;
    int error;   /* the error of the requests that it ends */
    char *cause; /* for their messages: why the policy ended them. NULL: the error says it all */
};

struct stook_batch {
    struct stook__link link;  /* in `batches` of the client */
    struct stook__link dirty; /* in `dirty_batches`: the next turn processes the batch */
    stook_client *client;     /* NULL: it is closed */
    struct stook__allocator *allocator;
    struct stook__mailbox *mailbox;
    struct stook__group group;
    struct stook__result_queue results;
    struct stook__callbacks callbacks;
    struct stook__completion_policy completion;
    struct stook__message message; /* from another thread: it cancelled or woke the batch */
    struct stook__link to_release; /* optional members, with bodies, of requests that are over */
    struct stook_result *pulled;   /* what stook_batch_next() returned last, until the next call */
    const char *refusal;           /* why the last add or await was refused */
    char origin[40];               /* of the last add, as written in its URL */
    size_t origin_size;            /* 0: there is none, or it is too long */
    enum stook__batch_state state;
    struct stook__batch_end end;
    atomic_int cancelled;   /* set by any thread; the turn copies it to `end` */
    int add_error;          /* of an add that failed before the await */
    int64_t bytes_received; /* of response bodies, by attempts that are over */
    size_t extra_failures;  /* failures of adds and of `more`, which have no request */
    size_t max_waiting;     /* `more` is not called while so many wait */
    size_t revealed;        /* adds that sched may start as far as the window goes */
    int window_follows;     /* the window is a multiple of the limit, which finds itself */
    int exhausted;          /* there is no `more`, or it has returned its last request */
    enum stook__more_idle more_idle;
    int pins;  /* blocking calls that read the batch when they return */
    int freed; /* by the program, in any state; destroyed when the state allows it, without pins */
};

/* A callback of a close or a drain. */
struct stook__closed_call {
    int asked; /* the close or drain was asked for; `call` may be NULL */
    void (*call)(void *user);
    void *user;
};

struct stook_client {
    struct stook__allocator *allocator;
    struct stook__loop *loop;
    struct stook__engine *engine;
    struct stook__defaults *defaults; /* what all attempts share */
    struct stook__origins origins;
    struct stook__sched sched;
    struct stook__rate rates[STOOK__RATES_MAX]; /* of the rules of `sched` */
    struct stook__link result_queues;           /* of batches that have a result to deliver */
    struct stook__mailbox *mailbox;
    struct stook__settings settings;
    struct stook__peer peer;
    struct stook__address_rules address_rules;
    int (*on_address)(const struct stook_address *address, void *user);
    void *on_address_user;
    int (*on_easy)(stook_client *client, void *easy, const char *url, void *user); /* or NULL */
    struct stook__stats stats;
    struct stook__map shares;      /* of requests with `coalesce`, by what makes them equal */
    struct stook__link shares_due; /* those whose sender has its result */
    struct stook__link batches, dirty_batches;
    struct stook__link newly_paused; /* flow control of batches where a body was paused this turn */
    size_t awaits;                   /* batches that are awaited and not done */
    size_t pulls;                    /* of these, batches whose results the program pulls */
    size_t ends;                     /* this turn has ended so many requests, see STOOK__ENDS_MAX */
    unsigned fork_generation;        /* of the process that made the client */
    int charges;                     /* a rate of cost: what attempts took is noted */
    int owned;                       /* the loop is the client's own, as long as it lives */
    int turning;                     /* a turn or the last callback is on the stack, in any state */
    int turn_again;                  /* another turn was due while `turning` */
    enum stook__client_state state;
    int64_t drain_due;                 /* when a drain becomes a close; 0: at no time */
    struct stook__closed_call drained; /* of a drain; asked for also when it became a close */
    struct stook__closed_call closed;  /* of a close */
};

static inline int stook__client_is_closing(const stook_client *client)
{
    return client->state >= STOOK__CLIENT_CLOSING;
}

/* 1: this process is a fork of the one that made the client, and must not use it. */
static inline int stook__client_is_forked(const stook_client *client)
{
    return stook__is_forked(client->fork_generation);
}

/* 0: the client closes, or is of a parent process. */
static inline int stook__client_is_usable(const stook_client *client)
{
    return !stook__client_is_forked(client) && !stook__client_is_closing(client);
}

/* The batch of a request that is not finished. */
static inline stook_batch *stook__record_batch(const struct stook_result *record)
{
    return STOOK__OF(stook_batch, group, record->job.queue->key.group);
}

#endif
