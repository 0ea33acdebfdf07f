/* SPDX-License-Identifier: MIT */
/*
 * Sites and queues. A queue holds the waiting jobs of one group, site and priority that were looked
 * at and passed over. It stands in one of three places:
 *
 *     nowhere: it has no such jobs
 *     READY    in its group: its site may have room, it is the group's turn that is waited for
 *     PARKED   at its site, which was found full
 *
 * A queue moves to its site when its group looks at it in vain, and back when the site has room and
 * its turn there has come. So neither a start nor a finish ever walks over what cannot start.
 */
#ifndef STOOK_SCHED_QUEUE_H
#define STOOK_SCHED_QUEUE_H

#include "sched/sched.h"

struct stook__site {
    struct stook__node node;
    struct stook__link parked; /* queues */
    struct stook__link offer;  /* among the sites that may have room for what is parked */
    size_t n_running, n_queues;
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
    struct stook__link link;    /* ready in its group, or parked at its site */
    struct stook__link sibling; /* among all of its group */
    struct stook__link jobs;    /* the oldest first */
    size_t n_waiting;           /* in `jobs` */
    size_t n_jobs;              /* all that are not finished */
    int parked;
};

int stook__site_has_room(const struct stook__sched *sched, const struct stook__site *site);
/* To its site; the group finds it no more. */
void stook__queue_park(struct stook__queue *queue);
/* Back to its group. */
void stook__queue_unpark(struct stook__queue *queue);
/* One more job that was looked at: behind the others, or before them. */
void stook__queue_push(struct stook__queue *queue, struct stook__job *job, int first);
/* A waiting job leaves, wherever it is. */
void stook__queue_remove(struct stook__queue *queue, struct stook__job *job);
/* One job less; the queue, and its site, go with the last. */
void stook__queue_let_go(struct stook__sched *sched, struct stook__queue *queue);

#endif
