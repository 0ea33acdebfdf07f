/* SPDX-License-Identifier: MIT */
/*
 * Sites and queues. A queue holds the waiting jobs of one group, site and priority that were looked
 * at and passed over. It stands in one of three places:
 *
 *     nowhere: it has no such jobs
 *     READY    in its group: its site may have room, it is the group's turn that is waited for
 *     PARKED   at its site, which was found full, or with others parked before it
 *
 * A queue moves to its site when its group looks at it in vain, and back when the site has room and
 * its turn there has come. Then it is CALLED: that room is kept for it, until it starts something or
 * its group turns out not to be able to. So neither a start nor a finish ever walks over what cannot
 * start, and a newcomer does not take the room of those that were there before.
 */
#ifndef STOOK_SCHED_QUEUE_H
#define STOOK_SCHED_QUEUE_H

#include "sched/sched.h"

struct stook__site {
    struct stook__node node;
    struct stook__link parked; /* queues */
    struct stook__link offer;  /* among the sites that may have room for what is parked */
    size_t n_running, n_called, n_queues;
    char key[];
};

struct stook__queue_key { /* no padding: it is hashed as it lies */
    struct stook__group *group;
    struct stook__site *site;
    size_t priority;
};

struct stook__queue {
    struct stook__node node;    /* by its key */
    struct stook__queue_key key;
    struct stook__link link;    /* ready in its group, called ones first, or parked at its site */
    struct stook__link sibling; /* among all of its group */
    struct stook__link jobs;    /* the oldest first */
    size_t n_waiting;           /* in `jobs` */
    size_t n_jobs;              /* all that are not finished */
    int parked, called;
};

/* Whether the site can have one more, of whom it has called or not. */
int stook__site_has_room(const struct stook__sched *sched, const struct stook__site *site);
/* Whether one of the queue, which is not parked, may start as far as its site goes. */
int stook__queue_may_start(const struct stook__sched *sched, const struct stook__queue *queue);
/* Has what is parked at the site called, if it has room. */
void stook__site_offer(struct stook__sched *sched, struct stook__site *site);
/* To its site; the group finds it no more. */
void stook__queue_park(struct stook__sched *sched, struct stook__queue *queue);
/* Which of those parked there is to be called: it is the turn of the first one's group, and its highest
   priority takes it. There is one. */
struct stook__queue *stook__site_first(struct stook__sched *sched, struct stook__site *site);
/* Back to its group, called. */
void stook__queue_call(struct stook__queue *queue);
/* The room that is kept at its site for a lower one of its group is for this now. 0: there is none. */
int stook__queue_take_over(struct stook__sched *sched, struct stook__queue *queue);
/* It stays in its group, but the room is another's. */
void stook__queue_uncall(struct stook__sched *sched, struct stook__queue *queue);
/* One more job that was looked at: behind the others, or before them. */
void stook__queue_push(struct stook__queue *queue, struct stook__job *job, int first);
/* A job leaves, wherever it is. */
void stook__queue_remove(struct stook__sched *sched, struct stook__queue *queue, struct stook__job *job);
/* One job less; the queue, and its site, go with the last. */
void stook__queue_let_go(struct stook__sched *sched, struct stook__queue *queue);

#endif
