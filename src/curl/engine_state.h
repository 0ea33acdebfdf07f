/* SPDX-License-Identifier: MIT */
/*
 * The engine's state, for the files of this room. A list or a counter is maintained by the file
 * that its comment names. No file of the room lies below this one.
 */
#ifndef STOOK_CURL_ENGINE_STATE_H
#define STOOK_CURL_ENGINE_STATE_H

#include <stdint.h>

#include "util/list.h"
#include "util/map.h"
#include "util/timer_heap.h"

struct stook__address_rules;
struct stook__allocator;
struct stook__cidr;
struct stook__cookies;
struct stook__loop;
struct stook__multi;
struct stook__socket;

/* The table of sockets, by descriptor; see socket.h. */
struct stook__sockets {
    struct stook__socket **by_fd;
    size_t capacity;
    size_t n_dead;  /* connections that were closed while idle and that libcurl still keeps */
    size_t n_ended; /* connections that have ended, ever */
};

/* The addresses of this machine; see address_filter.c. */
struct stook__own_addresses {
    struct stook__cidr *at; /* each a range of one */
    size_t count;
    int64_t read_at; /* 0: never */
};

struct stook__engine {
    struct stook__allocator *allocator;
    struct stook__loop *loop;
    unsigned quirks; /* STOOK__QUIRK_... of the libcurl that runs */
    int64_t now;     /* the time of the current iteration, for callbacks of libcurl */

    /* multi_state.c and multi.c */
    struct stook__link multis;         /* all multi handles */
    struct stook__link unread;         /* those that may have messages of libcurl */
    struct stook__link due;            /* those whose timeout is due */
    struct stook__timer_heap timeouts; /* of the other multi handles */
    size_t n_running;                  /* easy handles in a CURLM */
    int64_t polled_at;                 /* when all timeouts were last made due; see engine.c */
    struct stook__sockets sockets;     /* socket.c */
    struct stook__link completed;      /* easy handles whose transfer has completed */
    struct stook__link ready_owners;   /* see stook__engine_ready */
    size_t orphaned;                   /* orphaned easy handles */

    /* direct.c, origin.c: connections on which we speak HTTP/1.1 */
    struct stook__link dead; /* handles whose idle connection has ended: multi.c closes them */
    struct stook__link idle; /* pooled handles with a connection, the longest idle first */
    size_t n_idle;
    char *room; /* of STOOK__HTTP1_ROOM bytes; NULL until it is needed */
    void (*connected)(struct stook__multi *multi); /* reads its messages, at once */

    /* trust.c, origin.c: lists start with the longest unused */
    struct stook__map trusts;
    struct stook__link unused_trusts;
    struct stook__link unused; /* origins without a request */
    struct stook__link pooled; /* easy handles in the pools of all origins */
    size_t n_unused_trusts, n_unused, n_pooled;

    struct stook__cookies *cookies; /* cookies.c; NULL until a request has some */

    /* connect_gate.c */
    struct stook__timer_heap caps;
    struct stook__link ready, waiting_for_lookup; /* origins */
    struct stook__link lookups; /* easy handles, by start; those that hang are not among them */
    size_t n_lookups, n_hung;
    size_t n_probing; /* probes started since libcurl last ran; which look a name up is not known */

    /* address_filter.c */
    const struct stook__address_rules *address_rules; /* of the client */
    struct stook__own_addresses own_addresses;

    /* quirks/ */
    struct stook__link next_addresses;          /* next_address.c: easy handles */
    struct stook__timer_heap timeout_extension; /* timeout_extension.c: easy handles */
    int64_t tls_close_at; /* tls_close.c: when to check for connections in TLS shutdown; 0: never */
};

#endif
