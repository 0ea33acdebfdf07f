/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: the engine, its lanes, its slots.
 *
 * A lane is one CURLM with its timer. When it breaks, only its own transfers fail, and it is made anew.
 */
#ifndef STOOK_ENGINE_LANE_H
#define STOOK_ENGINE_LANE_H

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "engine/slot.h"

enum { LANES_MAX = 512 };

struct stook__sockets {
    struct stook__socket **by_fd;
    size_t capacity;
    size_t n_dead; /* idle connections that have ended and that libcurl still holds */
    size_t n_ended; /* connections that have ended, ever */
};

struct stook__engine {
    struct stook__heap *heap;
    struct stook__loop *loop;
    struct stook__link lanes; /* all */
    struct stook__link active;  /* lanes that may have messages */
    struct stook__link kicked;  /* lanes whose CURLM wants to be told at once */
    struct stook__clock alarms; /* of lanes */
    struct stook__sockets sockets;
    struct stook__link finished; /* slots with news */
    struct stook__link stirred;  /* owners that want a turn; see engine.h */
    size_t parked;               /* slots whose look-up cannot be interrupted */
    struct stook__map trusts;
    struct stook__link unused_trusts, unused, resting; /* the last two: origins, slots; the oldest first */
    size_t n_unused_trusts, n_unused, n_resting;
    /* gate.c */
    struct stook__clock caps;
    struct stook__link ready, thirsty; /* origins */
    struct stook__link lookups;        /* slots, by start; those that hang are not among them */
    size_t n_lookups, n_hung;
    size_t n_led; /* leaders let go since libcurl last ran: it has yet to say which of them look their name up */
    struct stook__link nudges; /* nudge.c: slots */
    struct stook__clock patience; /* patience.c: of slots */
    unsigned quirks;   /* of the libcurl that runs */
    size_t n_running;  /* slots in a CURLM */
    int64_t now;       /* while libcurl runs */
    int64_t asked_at;  /* when lanes that lose timers were last asked */
    int64_t goodbyes_at; /* when to look at connections that only say goodbye; 0: not */
    int64_t pruned_at; /* when libcurl last threw old names away */
};

struct stook__lane {
    struct stook__engine *engine;
    CURLM *multi;               /* NULL: to be made */
    struct stook__link all;     /* among the engine's */
    struct stook__link slots;   /* all that are in `multi` */
    struct stook__link active;  /* among the engine's that may have messages */
    struct stook__link kicked;  /* among the engine's that want to be told at once */
    struct stook__timer alarm;  /* when libcurl wants to be told */
    CURLMcode broken;
    size_t n_handles;           /* in `multi`; those that have ended are not among `slots` any more */
    size_t n_paused;            /* slots whose body waits in libcurl */
};

/* Of a head that comes in: whether a field may be folded into the one before; fold.c. */
enum stook__folds { STOOK__STATUS_IS_NEXT, STOOK__FIELD_IS_NEXT, STOOK__FOLDS_ARE_GOOD };

struct stook__slot {
    struct stook__link link; /* in its lane, gated, among the news, or at rest in its origin */
    struct stook__link rest;   /* among all at rest */
    struct stook__link lookup; /* among the look-ups under way */
    struct stook__link nudge;  /* nudge.c */
    struct stook__timer patience; /* patience.c */
    struct stook__engine *engine;
    struct stook__trust *trust;
    struct stook__origin *origin;
    struct stook__lane *lane; /* while in its CURLM */
    unsigned nth;             /* which of its origin's lanes */
    CURL *easy;
    const struct stook__attempt_events *events;
    void *owner; /* NULL: parked, nobody listens any more */
    struct stook__slot_kit kit;
    CURLcode code;
    CURLMcode broken;
    int os_error;
    int may_rest, rested, ended, parked;
    int resolving, hung; /* a look-up is under way that removing the handle would wait for */
    int64_t lookup_at;
    int connecting; /* counted as such by its origin */
    int sent_back;  /* from the look-up: somebody else's is under way; see gate.h */
    int asked;      /* it has looked its name up */
    int tells, relies, doubts; /* names.c: it is to tell what libcurl forgot; it used it; that failed */
    struct curl_slist *told;   /* libcurl keeps the pointer */
    int paused;     /* its body waits in libcurl */
    int held;       /* and its connection is known to the table as such */
    int carrier;    /* the descriptor that it was */
    int starved;    /* when its last socket was closed, unconnected, no descriptors were left */
    int dead;       /* it got a connection that had ended, and declined */
    int sends;      /* how often libcurl was about to send the request */
    long h2_error;  /* why it wanted to send it again; -1: not known */
    int dns_age;    /* seconds, as set on the handle */
    enum stook__folds folds;
    int traced;     /* fold.c */
    size_t n_ended; /* of sockets, when it went to rest */
    struct stook__link opened; /* sockets made for this attempt that are still there */
    int n_opened; /* all that were made for it */
    char error[CURL_ERROR_SIZE];
};

/* NULL: no memory. */
struct stook__lane *stook__lane_new(struct stook__engine *engine);
/* 0, STOOK_ENOMEM, STOOK_ENOFD, STOOK_ERESET. */
int stook__lane_add(struct stook__lane *lane, struct stook__slot *slot);
/* The connections of slots that are paused are not idle, though libcurl does not watch them. */
void stook__lane_hold(struct stook__lane *lane);
/* Out of its CURLM; its place in a list stays. */
void stook__lane_remove(struct stook__slot *slot);
/* Tell libcurl about a socket. */
void stook__lane_action(struct stook__lane *lane, int fd, int events);
/* Have the next kick tell libcurl that its time has come. */
void stook__lane_kick(struct stook__lane *lane);
/* The kick. 1: not content after 4 rounds, or broken. */
int stook__lane_work(struct stook__lane *lane);
/* Move all ended slots to the engine's news. They stay in the CURLM until they are taken: removing a
   handle walks the messages that are left, and invalidates them. */
void stook__lane_drain(struct stook__lane *lane);
/* A CURLM in which nothing is under way goes, and its idle connections with it. 1: it did. */
int stook__lane_clear(struct stook__lane *lane);
void stook__lane_free(struct stook__lane *lane);

/* slot.c: as if it had not been started. */
void stook__slot_renew(struct stook__slot *slot);
/* slot.c: it is not paused any more, as far as we are concerned. */
void stook__slot_unpause(struct stook__slot *slot);
/* slot.c: what libcurl keeps of a body that is paused goes. */
void stook__slot_discard(struct stook__slot *slot);
/* slot.c: started behind the gate; a failure is its news. */
void stook__slot_launch(struct stook__slot *slot);
/* An ended slot that nobody waits for, or one at rest, goes. */
void stook__slot_destroy(struct stook__slot *slot);

#endif
