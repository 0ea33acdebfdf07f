/* SPDX-License-Identifier: MIT */
/*
 * The results of one batch, on their way to the program: in which order, and how many may be held.
 *
 * `lent`: each result is shown once and let go. Otherwise all are kept.
 * `ordered`: in the order of the adds; otherwise in the order of arrival.
 * `pulled`: the program comes for them, one by one; otherwise it is called.
 */
#ifndef STOOK_DELIVER_TRAY_H
#define STOOK_DELIVER_TRAY_H

#include "base/gauge.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/pages.h"

/* The part of a request that this room owns. */
struct stook__parcel {
    struct stook__link link;
    uint64_t index : 62, arrived : 1, started : 1;
};

/* How a batch is awaited, as far as this room goes. SIZE_MAX: no such bound. */
struct stook__terms {
    size_t window;   /* started and not delivered, at most, while results wait for something */
    size_t held_max; /* bytes arrived and not delivered: nothing starts above that */
    int ordered, lent, pulled; /* pulled ones are lent */
};

/* All trays of a client that have something to show stand in its ring and take turns. */
struct stook__tray {
    struct stook__link ring;
    struct stook__pages parcels;  /* by index; lent ones leave when delivered */
    struct stook__link waiting;   /* arrived: before the await, or lent and unordered */
    struct stook__parcel **order; /* kept, unordered: as they arrived */
    size_t order_capacity;
    size_t count, delivered, failed; /* added; shown or kept; of these not ok */
    size_t out;                      /* started and not delivered */
    size_t held;                     /* bytes arrived and not delivered */
    size_t arrived;                  /* all with a result */
    struct stook__gauge gauge;       /* of bodies under way */
    struct stook__terms terms;
    int open, paused;
    int showing; /* the program looks at one: back in the ring when that is let go */
};

void stook__tray_init(struct stook__tray *tray);
void stook__tray_free(struct stook__tray *tray, struct stook__heap *heap);

/* Gives the parcel its index. 0 or STOOK_ENOMEM. */
int stook__tray_add(struct stook__tray *tray, struct stook__heap *heap, struct stook__parcel *parcel);
/* The await begins. 0 or STOOK_ENOMEM; then nothing has changed. */
int stook__tray_open(struct stook__tray *tray, struct stook__heap *heap, struct stook__link *ring,
                     const struct stook__terms *terms);
void stook__tray_started(struct stook__tray *tray, struct stook__parcel *parcel);
void stook__tray_stopped(struct stook__tray *tray, struct stook__parcel *parcel);
void stook__tray_arrived(struct stook__tray *tray, struct stook__link *ring, struct stook__parcel *parcel, size_t bytes,
                         int ok);
/* Whether one more may start; a place is kept for the head while it has not. */
int stook__tray_has_room(const struct stook__tray *tray);
/* The head, if it has not started: it may start though there is no room. NULL: it has, or there is none. */
struct stook__parcel *stook__tray_head(const struct stook__tray *tray);

/* Every result is where it belongs: delivered, or, if the program comes for them, there for it. */
int stook__tray_over(const struct stook__tray *tray);
/* Shows nothing for a while; or goes on. */
void stook__tray_pause(struct stook__tray *tray, struct stook__link *ring, int paused);

/* The next to be shown of the tray whose turn it is; NULL: none. It has to be let go after. */
struct stook__parcel *stook__tray_next(struct stook__link *ring, struct stook__tray **ret_tray);
void stook__tray_let_go(struct stook__tray *tray, struct stook__heap *heap, struct stook__link *ring,
                        struct stook__parcel *parcel, size_t bytes);

/* The next of a tray that is pulled; NULL: none (yet). It has to be let go after. */
struct stook__parcel *stook__tray_pull(struct stook__tray *tray);
int stook__tray_has_next(const struct stook__tray *tray);

/* The i-th in the order of the verb, of those kept; NULL: none. */
struct stook__parcel *stook__tray_at(const struct stook__tray *tray, size_t i);
/* The same by index. */
struct stook__parcel *stook__tray_of(const struct stook__tray *tray, size_t index);

#endif
