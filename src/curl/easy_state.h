/* SPDX-License-Identifier: MIT */
/*
 * An easy handle as the engine sees it: its state, and what is known of its transfer.
 * easy_transfer.h has its way from the start to the end.
 */
#ifndef STOOK_CURL_EASY_STATE_H
#define STOOK_CURL_EASY_STATE_H

#include <curl/curl.h>
#include <stdint.h>

#include "curl/easy_settings.h"
#include "http1/connection.h"
#include "util/list.h"
#include "util/timer_heap.h"

struct stook__attempt_events;
struct stook__curl_origin;
struct stook__engine;
struct stook__multi;
struct stook__trust;

/*
 * The states of an easy handle. stook__easy_move moves it.
 *
 *   NEW ------> STARTED ------> COMPLETED ------> POOLED
 *    ^             \                                |
 *    |              \---> ORPHANED                  |
 *    \----------------------------------------------/
 *
 * Its owner may give it back in the first three. Then it is destroyed, unless it moves to POOLED or
 * ORPHANED. A pooled handle is destroyed if there are too many, an orphaned one when its transfer
 * ends.
 */
enum stook__easy_state {
    STOOK__EASY_NEW,       /* its owner sets its options */
    STOOK__EASY_STARTED,   /* it waits at the connect gate, or is in a CURLM */
    STOOK__EASY_COMPLETED, /* its transfer has a result; it is in its CURLM until given back */
    STOOK__EASY_ORPHANED,  /* no owner, its look-up runs; it opens no socket and sends nothing */
    STOOK__EASY_POOLED,    /* it has no owner and is in the pool of its origin */
};

struct stook__easy {
    /* In the multi handle's `easies`, the origin's `gated`, `waiting_for_dns` or `pool`, or the
       engine's `completed`. */
    struct stook__link link;
    struct stook__link pooled; /* in the engine's `pooled` */
    struct stook__engine *engine;
    struct stook__trust *trust;
    struct stook__curl_origin *origin;
    struct stook__multi *multi; /* while in its CURLM, else NULL */
    unsigned multi_index;       /* which of its origin's multi handles that is */
    CURL *curl;
    const struct stook__attempt_events *events;
    void *owner; /* the attempt; NULL: pooled, orphaned, or its callbacks must not run */
    struct stook__easy_settings settings;
    enum stook__easy_state state; /* only stook__easy_move changes it */
    int may_pool; /* the request allows the pool; known before the start: no part of the state */
    size_t n_ended_before; /* connections that had ended when it was pooled; SIZE_MAX: it is new */
    int dns_age;           /* CURLOPT_DNS_CACHE_TIMEOUT as set, in seconds */

    /* The result of the transfer, and what is known of it before it completes. */
    CURLcode code;
    CURLMcode broken;
    int os_error;       /* as in struct stook__easy_info */
    int no_descriptors; /* as in struct stook__easy_info */
    char *refusal;      /* as in struct stook__easy_info; owned */
    int dead;           /* as in struct stook__easy_info */
    int taken;          /* as in struct stook__easy_info */
    int sends;          /* how many times libcurl was about to send the request */
    long h2_error;      /* the HTTP/2 error before a second sending was refused; -1: not known */
    char error[CURL_ERROR_SIZE];

    /* The connection attempt; connect_gate.c maintains it. */
    struct stook__link lookup; /* in the engine's `lookups` */
    uint8_t connect;           /* enum stook__connect_state; only connect_gate.c changes it */
    int64_t lookup_at;         /* when this start began to look its name up; 0: it has not */
    /* quirks/dropped_lookups.c. They are independent: the first is a decision about the next start
       of this attempt, the second a fact about the present one, the third a count over all. */
    int sets_address;   /* it adds the origin's address to libcurl's cache when it starts again */
    int uses_address;   /* an address that was added may be what it connects to */
    int address_failed; /* how often such an address failed in this attempt */
    struct curl_slist *resolve_list; /* libcurl keeps the pointer */
    struct stook__link opened;       /* its open sockets; see struct stook__socket */
    int n_opened;                    /* all sockets opened for this attempt */

    /* The response body. Each flag may be set without the other: libcurl holds a body back because
       a buffer is full, and the program may pause one of which nothing has arrived. */
    int paused;         /* libcurl holds it back */
    int program_paused; /* the table of sockets counts it as paused by the program */
    int last_fd;        /* the descriptor that its connection was last found at */

    /* direct.c: the connection of a handle that only connects, idle while the handle is POOLED */
    struct stook__http1_connection http1;
    struct stook__link connected; /* in the multi handle's `connected` */
    int direct_fd;                /* the descriptor of that connection */
    int watches_sent;             /* its owner wants events.sent */
    int64_t connected_at, idle_since;
    int64_t started_at, first_at, over_at; /* of the exchange, by the clock; 0: not yet */

    /* quirks/ */
    struct stook__link next_address;       /* in the engine's `next_addresses` */
    struct stook__timer timeout_extension; /* in the engine's `timeout_extension` */
    uint8_t obs_fold;                      /* enum stook__obs_fold_state */
    int traced;                            /* CURLOPT_VERBOSE is set, for obs_fold.c */
};

/* Tells whether the handle has a connection of its own, on which we speak HTTP/1.1. */
static inline int stook__easy_has_connection(const struct stook__easy *easy)
{
    return easy->http1.state != STOOK__HTTP1_NONE;
}

/* Tells whether libcurl has the transfer and has not completed it. */
static inline int stook__easy_is_running(const struct stook__easy *easy)
{
    return easy->multi != NULL && easy->state == STOOK__EASY_STARTED;
}

/* Moves a handle to another state. `why` appears in a trace. */
void stook__easy_move(struct stook__easy *easy, enum stook__easy_state to, const char *why);
/* Completes the transfer of a started handle and appends it to engine->completed. An orphaned
   handle keeps its state and is destroyed when it is taken from there. */
void stook__easy_complete(struct stook__easy *easy, CURLcode code, const char *why);
/* Clears the result of the transfer, so that it can start again. */
void stook__easy_renew(struct stook__easy *easy);
/* Frees a handle that is in no CURLM. */
void stook__easy_free(struct stook__easy *easy);

#endif
