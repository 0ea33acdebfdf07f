/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: the engine, its multi handles, its easy handles.
 *
 * A multi handle is one CURLM with its timer. When it breaks, only its own transfers fail, and it is made anew.
 */
#ifndef STOOK_CURL_MULTI_H
#define STOOK_CURL_MULTI_H

#include <stdint.h>

#include "curl/easy.h"
#include "util/list.h"
#include "util/map.h"
#include "util/timer_heap.h"

enum { MULTIS_MAX = 512 };

struct stook__sockets {
    struct stook__socket **by_fd;
    size_t capacity;
    size_t n_dead;  /* idle connections that have ended and that libcurl still holds */
    size_t n_ended; /* connections that have ended, ever */
};

struct stook__engine {
    struct stook__allocator *allocator;
    struct stook__loop *loop;
    struct stook__link multis;       /* all */
    struct stook__link active;       /* multi handles that may have messages */
    struct stook__link kicked;       /* multi handles whose CURLM wants to be told at once */
    struct stook__timer_heap alarms; /* of multi handles */
    struct stook__sockets sockets;
    struct stook__link finished;     /* easy handles with news */
    struct stook__link ready_owners; /* owners that want a turn; see engine.h */
    size_t orphaned;                 /* easy handles whose look-up cannot be interrupted */
    struct stook__map trusts;
    struct stook__link unused_trusts, unused,
        resting; /* the last two: origins, easy handles; the oldest first */
    size_t n_unused_trusts, n_unused, n_resting;
    /* connect_gate.c */
    struct stook__timer_heap caps;
    struct stook__link ready, waiting_for_lookup; /* origins */
    struct stook__link lookups; /* easy handles, by start; those that hang are not among them */
    size_t n_lookups, n_hung;
    size_t
        n_probing; /* probes let go since libcurl last ran: it has yet to say which of them look their name up */
    struct stook__link next_addresses;          /* next_address.c: easy handles */
    struct stook__timer_heap timeout_extension; /* timeout_extension.c: of easy handles */
    unsigned quirks;                            /* of the libcurl that runs */
    size_t n_running;                           /* easy handles in a CURLM */
    int64_t now;                                /* while libcurl runs */
    int64_t asked_at;     /* when multi handles that lose timers were last asked */
    int64_t tls_close_at; /* when to look at connections that only say goodbye; 0: not */
    int64_t pruned_at;    /* when libcurl last threw old names away */
};

struct stook__multi {
    struct stook__engine *engine;
    CURLM *curlm;              /* NULL: to be made */
    struct stook__link all;    /* among the engine's */
    struct stook__link easies; /* all that are in `multi` */
    struct stook__link active; /* among the engine's that may have messages */
    struct stook__link kicked; /* among the engine's that want to be told at once */
    struct stook__timer alarm; /* when libcurl wants to be told */
    CURLMcode broken;
    size_t n_handles; /* in `multi`; those that have ended are not among `easy handles` any more */
    size_t n_paused;  /* easy handles whose body waits in libcurl */
};

/* Of a head that comes in: whether a field may be folded into the one before; obs_fold.c. */
enum stook__obs_fold_state { STOOK__STATUS_IS_NEXT, STOOK__FIELD_IS_NEXT, STOOK__OBS_FOLD_SAFE };

struct stook__easy {
    struct stook__link
        link; /* in its multi handle, gated, among the news, or at rest in its origin */
    struct stook__link rest;               /* among all at rest */
    struct stook__link lookup;             /* among the look-ups under way */
    struct stook__link next_address;       /* next_address.c */
    struct stook__timer timeout_extension; /* timeout_extension.c */
    struct stook__engine *engine;
    struct stook__trust *trust;
    struct stook__curl_origin *origin;
    struct stook__multi *multi; /* while in its CURLM */
    unsigned nth;               /* which of its origin's multi handles */
    CURL *curl;
    const struct stook__attempt_events *events;
    void *owner; /* NULL: parked, nobody listens any more */
    struct stook__easy_settings settings;
    CURLcode code;
    CURLMcode broken;
    int os_error;
    int may_rest, rested, ended, orphaned;
    uint8_t connect;   /* enum stook__connect_state; only connect_gate.c changes it */
    int64_t lookup_at; /* when this start began to look its name up; 0: it has not */
    /* dns.c. They are independent: the first is a decision about the next start of this attempt, the
       second a fact about the present one, the third a count over all. */
    int sets_address;   /* it adds the origin's address to libcurl's cache when it starts again */
    int uses_address;   /* an address that was added may be what it connects to */
    int address_failed; /* how often such an address failed in this attempt */
    struct curl_slist *resolve_list; /* libcurl keeps the pointer */
    int paused;                      /* its body waits in libcurl */
    int program_paused;              /* and its connection is known to the table as such */
    int carrier;                     /* the descriptor that it was */
    int no_descriptors; /* when its last socket was closed, unconnected, no descriptors were left */
    int dead;           /* it got a connection that had ended, and declined */
    int sends;          /* how often libcurl was about to send the request */
    long h2_error;      /* why it wanted to send it again; -1: not known */
    int dns_age;        /* seconds, as set on the handle */
    enum stook__obs_fold_state obs_fold;
    int traced;                /* obs_fold.c */
    size_t n_ended;            /* of sockets, when it went to rest */
    struct stook__link opened; /* sockets made for this attempt that are still there */
    int n_opened;              /* all that were made for it */
    char error[CURL_ERROR_SIZE];
};

/* NULL: no memory. */
struct stook__multi *stook__multi_new(struct stook__engine *engine);
/* 0, STOOK_ENOMEM, STOOK_ENOFD, STOOK_ERESET. */
int stook__multi_add(struct stook__multi *multi, struct stook__easy *easy);
/* The connections of easy handles that are paused are not idle, though libcurl does not watch them. */
void stook__multi_program_paused(struct stook__multi *multi);
/* Out of its CURLM; its place in a list stays. */
void stook__multi_remove(struct stook__easy *easy);
/* Tell libcurl about a socket. */
void stook__multi_action(struct stook__multi *multi, int fd, int events);
/* Have the next kick tell libcurl that its time has come. */
void stook__multi_kick(struct stook__multi *multi);
/* The kick. 1: not content after 4 rounds, or broken. */
int stook__multi_work(struct stook__multi *multi);
/* Move all ended easy handles to the engine's news. They stay in the CURLM until they are taken: removing a
   handle walks the messages that are left, and invalidates them. */
void stook__multi_drain(struct stook__multi *multi);
/* A CURLM in which nothing is under way goes, and its idle connections with it. 1: it did. */
int stook__multi_clear(struct stook__multi *multi);
void stook__multi_free(struct stook__multi *multi);

/* easy.c: as if it had not been started. */
void stook__easy_renew(struct stook__easy *easy);
/* easy.c: it is not paused any more, as far as we are concerned. */
void stook__easy_unpause(struct stook__easy *easy);
/* easy.c: what libcurl keeps of a body that is paused goes. */
void stook__easy_discard(struct stook__easy *easy);
/* easy.c: started behind the gate; a failure is its news. */
void stook__easy_launch(struct stook__easy *easy);
/* An ended easy handle that nobody waits for, or one at rest, goes. */
void stook__easy_destroy(struct stook__easy *easy);

#endif
