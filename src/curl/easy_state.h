/* SPDX-License-Identifier: MIT */
/*
 * An easy handle as the engine sees it: what it knows of the transfer, and its way from the start
 * to the end.
 *
 * Removing a handle while its name is looked up would wait for getaddrinfo(), and the loop with it.
 * Such a handle is orphaned when its owner gives it back: it opens no socket, sends nothing, and is
 * destroyed when its lookup has ended.
 */
#ifndef STOOK_CURL_EASY_STATE_H
#define STOOK_CURL_EASY_STATE_H

#include <stdint.h>

#include "curl/easy.h"
#include "util/list.h"
#include "util/timer_heap.h"

struct stook__curl_origin;
struct stook__engine;
struct stook__multi;

/* obs_fold.c: whether the next line of a header section may be taken for an obs-fold. */
enum stook__obs_fold_state { STOOK__STATUS_IS_NEXT, STOOK__FIELD_IS_NEXT, STOOK__OBS_FOLD_SAFE };

struct stook__easy {
    /* In the multi handle's `easies`, the origin's `gated`, `waiting_for_dns` or `pool`, or the
       engine's `finished`. */
    struct stook__link link;
    struct stook__link pooled; /* in the engine's `pooled` */
    struct stook__engine *engine;
    struct stook__trust *trust;
    struct stook__curl_origin *origin;
    struct stook__multi *multi; /* while in its CURLM, else NULL */
    unsigned multi_index;       /* which of its origin's multi handles that is */
    CURL *curl;
    const struct stook__attempt_events *events;
    void *owner; /* the attempt; NULL: pooled or orphaned */
    struct stook__easy_settings settings;
    int may_pool; /* it may be pooled after its attempt */
    int reused;   /* it comes from the pool */
    int orphaned;
    size_t n_ended_before; /* connections that had ended when it was pooled */
    int dns_age;           /* CURLOPT_DNS_CACHE_TIMEOUT as set, in seconds */

    /* The result of the transfer. */
    int ended; /* libcurl has completed it */
    CURLcode code;
    CURLMcode broken;
    int os_error;       /* as in struct stook__easy_info */
    int no_descriptors; /* as in struct stook__easy_info */
    int dead;           /* as in struct stook__easy_info */
    int sends;          /* how many times libcurl was about to send the request */
    long h2_error;      /* the HTTP/2 error before a second sending was refused; -1: not known */
    char error[CURL_ERROR_SIZE];

    /* The connection attempt; connect_gate.c and dns.c maintain it. */
    struct stook__link lookup; /* in the engine's `lookups` */
    uint8_t connect;           /* enum stook__connect_state; only connect_gate.c changes it */
    int64_t lookup_at;         /* when this start began to look its name up; 0: it has not */
    /* dns.c. They are independent: the first is a decision about the next start of this attempt, the
       second a fact about the present one, the third a count over all. */
    int sets_address;   /* it adds the origin's address to libcurl's cache when it starts again */
    int uses_address;   /* an address that was added may be what it connects to */
    int address_failed; /* how often such an address failed in this attempt */
    struct curl_slist *resolve_list; /* libcurl keeps the pointer */
    struct stook__link opened;       /* its open sockets; see struct stook__socket */
    int n_opened;                    /* all sockets opened for this attempt */

    /* The response body. Two flags, because each may be set without the other. */
    int paused;         /* libcurl holds it back */
    int program_paused; /* the table of sockets counts it as paused by the program */
    int last_fd;        /* the descriptor that its connection was last found at */

    /* quirks/ */
    struct stook__link next_address;       /* in the engine's `next_addresses` */
    struct stook__timer timeout_extension; /* in the engine's `timeout_extension` */
    enum stook__obs_fold_state obs_fold;
    int traced; /* CURLOPT_VERBOSE is set, for obs_fold.c */
};

/* Clears the result of the transfer, so that it can start again. */
void stook__easy_renew(struct stook__easy *easy);
/* Adds the handle to a multi handle of its origin. Returns as stook__easy_start does. */
int stook__easy_enter(struct stook__easy *easy);
/* The same for a handle that waited at the connect gate: an error completes its transfer. */
void stook__easy_launch(struct stook__easy *easy);
/* Records that the response body is not paused any more. */
void stook__easy_unpause(struct stook__easy *easy);
/* Discards what libcurl keeps of a paused response body. */
void stook__easy_discard(struct stook__easy *easy);
/* Takes a handle from its owner while its lookup runs. */
void stook__easy_orphan(struct stook__easy *easy);
/* Moves a handle whose transfer succeeded to the pool of its origin. */
void stook__easy_pool(struct stook__easy *easy);
/* Destroys a handle in any state but one: it must not be looking its name up. */
void stook__easy_destroy(struct stook__easy *easy);

#endif
