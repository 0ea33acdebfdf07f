/* SPDX-License-Identifier: MIT */
/*
 * The structs that the files of this room share: jobs, groups and the scheduler. sched.h has the
 * vocabulary. core/ has a job in each request record and a group in each batch; it reads counts and
 * times in them, and changes nothing.
 */
#ifndef STOOK_SCHED_STATE_H
#define STOOK_SCHED_STATE_H

#include <stddef.h>

#include "request/exchange.h"
#include "util/list.h"
#include "util/map.h"
#include "util/timer_heap.h"

/*
 * The states of a job. Only move_job() in sched.c changes them.
 *
 *          add               start             end
 *     NEW -----> QUEUED ----------> RUNNING -----> FINISHED
 *      |          ^  ^                |  |             ^
 *      |          |  | put back, hop  |  |             |
 *      |          |  +----------------+  | retry       |
 *      |   delay  |  | waits for another|             |
 *      +-----> DELAYED <-----------------+             |
 *                 |   cancelled, past a clock, closed  |
 *                 +------------- (and QUEUED) ---------+
 */
enum stook__job_state {
    STOOK__JOB_NEW,     /* not added; a zeroed job is NEW */
    STOOK__JOB_QUEUED,  /* in its queue, behind the older jobs of the same target */
    STOOK__JOB_DELAYED, /* not before `not_before`: its delay_ms, its back-off, another's result */
    STOOK__JOB_RUNNING, /* counts against the limits of group, client and origin */
    STOOK__JOB_FINISHED /* in no list; its queue pointer is NULL */
};

enum { STOOK__PRIORITIES = 7, STOOK__RATES_MAX = 16, STOOK__RETRIES_MAX = 50 };

/* `not_before` of a job that waits for another one. */
#define STOOK__FOREVER INT64_MAX

struct stook__adaptive;
struct stook__gate;
struct stook__origin;
struct stook__queue;
struct stook__rate;
struct stook__rate_bucket;
struct stook__target;

struct stook__job {
    struct stook__link link;    /* by state: queue's `jobs`, group's `delayed`, group's `running` */
    struct stook__timer timer;  /* the earliest of the clocks that run in this state; clocks.h */
    struct stook__queue *queue; /* NULL: NEW or FINISHED */
    const struct stook__settings *settings;
    int64_t added_at;
    int64_t first_at; /* start of the first attempt, from which the whole clock counts; 0: none */
    union {
        int64_t attempt_at; /* RUNNING: start of the current attempt */
        int64_t not_before; /* DELAYED; 0 if QUEUED and without a delay */
    };
    union {
        int64_t moved_at;      /* RUNNING: last byte of the current attempt */
        int64_t retries_since; /* waiting: since when it waits for a retry; 0: it does not */
    };
    uint32_t seq;      /* the number of its add in its group */
    uint16_t attempts; /* that have begun */
    uint8_t state : 3; /* enum stook__job_state, in few bits: a queued request is to stay small */
    uint8_t connected : 1;      /* RUNNING: there is a connection, so the connect clock is off */
    uint8_t hedged : 1;         /* RUNNING: it is past the time for a hedge */
    uint8_t repeated : 1;       /* this hop was repeated once because its connection was lost */
    uint8_t probes_target : 1;  /* RUNNING: it started while its target was PROBING */
    uint8_t probes_circuit : 1; /* RUNNING: it is the probe of its origin's circuit */
    uint8_t retries : 6;        /* that were begun, of max_retries */
    uint8_t fresh : 1;          /* the next attempt must not reuse a connection */
};

struct stook__group {
    struct stook__link ring;    /* in the ring of groups that may start something */
    struct stook__link running; /* jobs */
    struct stook__link delayed; /* jobs */
    /* Per priority: levels of queues that may start something, the fewest in flight first. */
    struct stook__link levels[STOOK__PRIORITIES];
    struct stook__link reserved; /* queues that are RESERVED */
    struct stook__link spare_levels;
    struct stook__link queues;   /* all queues of the group, by `sibling` */
    struct stook__link held;     /* in `held` of the scheduler */
    struct stook__link refusing; /* queues, while no job of them may end; see refusal.h */
    unsigned priorities;         /* a bit for each priority that was ever used */
    struct stook__queue *last;   /* queue of the last add; the next is likely to use it too */
    struct stook__job *head;     /* of the order, if it waits: it starts before all others, also
                                  while the group is blocked. NULL: there is none */
    size_t n_waiting;            /* QUEUED and DELAYED jobs */
    size_t n_running;
    size_t n_delayed;  /* DELAYED jobs */
    size_t n_parked;   /* QUEUED jobs whose queue is PARKED */
    size_t n_beyond;   /* QUEUED jobs whose queue is BEYOND */
    size_t n_reserved; /* queues that are RESERVED */
    size_t limit;
    struct stook__adaptive *adaptive; /* sets `limit`; NULL: the program does */
    uint32_t n_added;
    uint32_t horizon; /* with has_horizon: jobs of this number and later ones do not start */
    struct stook__timer deadline;
    /* Two flags, because an await may block and unblock while it is open, in any order. */
    int has_horizon;
    int open;    /* the batch is awaited, and may start jobs */
    int blocked; /* the window of results is full: only `head` may start */
};

/* How the requests of a client are held back and repeated. */
struct stook__flow_rules {
    const struct stook__rate *rates; /* those by origin first, then by client, then by key */
    size_t n_by_origin, n_by_client, n_by_key;
    int64_t max_cooldown_ms; /* -1: responses do not hold their origin back */
    int64_t retry_delay_ms, retry_max_delay_ms;
    int64_t retry_budget;        /* percent of an origin's requests; -1: no bound */
    int64_t circuit_failures;    /* -1: no circuit */
    uint64_t retry_statuses[15]; /* a bit for each status from 0 on */
    int adaptive;                /* the limit of each origin finds itself */
    int keeps_origins; /* any of these needs a struct stook__origin_flow for each origin */
};

struct stook__sched {
    struct stook__allocator *allocator;
    struct stook__flow_rules rules;
    struct stook__link ring;            /* groups that may start something */
    struct stook__timer_heap jobs;      /* timers of jobs */
    struct stook__timer_heap deadlines; /* deadlines of groups */
    struct stook__timer_heap gates;     /* timers of gates */
    struct stook__link origins;         /* of which there is a queue */
    struct stook__link kept_origins;    /* of which there is none, for what is known of them */
    struct stook__link kept_keys, kept_targets; /* the same */
    size_t n_kept;                              /* kept_origins */
    struct stook__map queues, targets, keys;    /* by their keys */
    struct stook__link to_wake;                 /* gates that may let a parked queue pass */
    struct stook__link held;     /* groups of which a queue was parked since they were asked for */
    struct stook__link refusing; /* queues in which a circuit may end jobs; see refusal.h */
    struct stook__rate_bucket *buckets; /* of the rates by client */
    size_t limit, origin_limit;         /* SIZE_MAX: none */
    size_t n_running, n_waiting;        /* of all groups */
    size_t n_retrying;                  /* jobs that wait for a retry */
    int64_t now;                        /* the latest time that was passed */
    uint64_t random;                    /* of jitter */
    int starved; /* descriptors or local ports have run out: nothing starts until a job finishes */
};

/* Whether the job is added and not started. */
static inline int stook__job_waits(const struct stook__job *job)
{
    return job->state == STOOK__JOB_QUEUED || job->state == STOOK__JOB_DELAYED;
}

#endif
