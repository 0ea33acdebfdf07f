/* SPDX-License-Identifier: MIT */
/*
 * The connect gate of an origin: which easy handles may start, and which may look the name up.
 *
 * An origin is cold while it has had no connection for a minute. Towards a cold origin one easy
 * handle starts first, the probe. The others wait at the gate. The gate opens when the probe has
 * connected, or a short time (the cap) after its name was resolved. So a name is looked up once
 * however many requests wait for it, and the HTTP version is known before many connections are
 * made. The number of look-ups is bounded per client, the number of connecting handles per origin.
 *
 * libcurl may drop a name of a warm origin from its cache. Then the first easy handle that needs
 * the name becomes the probe. The look-up of every other is refused: its transfer ends with nothing
 * sent, waits for DNS and starts again after the probe's look-up. A start that finds a kept
 * connection needs no look-up and is not affected. If the client has too many look-ups under way,
 * the origin is lookup-limited: all that need the name wait until one ends.
 *
 * A probe that is cancelled during its look-up is orphaned and remains the probe: the others still
 * use its look-up.
 *
 * The files of easy handles and multi.c call these functions; engine.c runs the gates once per
 * turn. The functions called from inside libcurl's callbacks call no libcurl themselves.
 */
#ifndef STOOK_CURL_CONNECT_GATE_H
#define STOOK_CURL_CONNECT_GATE_H

#include <curl/curl.h>
#include <stdint.h>

struct stook__curl_origin;
struct stook__easy;
struct stook__engine;

/*
 * How far an easy handle has come on its way to a connection. easy->connect holds it, and one
 * function in connect_gate.c changes it.
 *
 *   NONE ----> GATED ----> LAUNCHED ----> RESOLVING ----> CONNECTING ----> CONNECTED
 *     \----------------------^  |  \           \-> HUNG ---^  ^                 |
 *                ^              |   \-----------------------/                  |
 *                |              v                     RESOLVING, CONNECTING <--/
 *         WAITING_FOR_DNS <-- LOOKUP_REFUSED
 *
 * LAUNCHED moves straight to CONNECTING if libcurl knows the address, and straight to CONNECTED
 * over a kept connection. LAUNCHED and CONNECTING move to WAITING_FOR_DNS if a cached address
 * failed. CONNECTED moves back if libcurl sends the request again (401, 417) over another
 * connection. The end of the transfer leads from every value to NONE. The table in connect_gate.c
 * allows a few more: moves that libcurl could make, but has not been seen to make.
 */
enum stook__connect_state {
    STOOK__CONNECT_NONE,            /* not started, or ended */
    STOOK__CONNECT_GATED,           /* waits at its origin's gate; libcurl does not have it */
    STOOK__CONNECT_LAUNCHED,        /* given to libcurl, which has asked for nothing yet */
    STOOK__CONNECT_RESOLVING,       /* its look-up is under way */
    STOOK__CONNECT_HUNG,            /* and has been for a second; the limits count it apart */
    STOOK__CONNECT_CONNECTING,      /* the address is known, sockets are being connected */
    STOOK__CONNECT_CONNECTED,       /* a connection carries the request */
    STOOK__CONNECT_LOOKUP_REFUSED,  /* its look-up was refused; libcurl is about to end it */
    STOOK__CONNECT_WAITING_FOR_DNS, /* waits for another's look-up; libcurl does not have it */
};

/* Whether a look-up is under way, for which the removal of the handle would wait. */
int stook__connect_gate_is_resolving(const struct stook__easy *easy);

/* Returns 1 if the easy handle may start now. Returns 0 if it waits. Then one of
   stook__connect_gates_open() and stook__connect_gates_next() returns it when the gate opens. */
int stook__connect_gate_pass(struct stook__easy *easy);

/* A look-up is about to begin. Returns 0 if it must not: another one of the origin is under way,
   the client has too many, or there are no descriptors for it. From inside libcurl. */
int stook__connect_gate_resolving(struct stook__easy *easy);
/* The address is known, and a socket is about to be opened. From inside libcurl. */
void stook__connect_gate_resolved(struct stook__easy *easy);
/* The easy handle has a connection, to that address. From inside libcurl. */
void stook__connect_gate_connected(struct stook__easy *easy, const char *address);

/* A kept connection of the origin is used without the gate. */
void stook__connect_gate_used(struct stook__curl_origin *origin);

/* Whether a transfer that ended with `code` starts again: its look-up was refused, or it used a
   cached address that failed. Nothing was sent. */
int stook__connect_gate_restarts(struct stook__easy *easy, CURLcode code);
/* Makes such an easy handle wait for DNS, to start again. It must have left its multi handle. */
void stook__connect_gate_restart(struct stook__easy *easy);
/* The easy handle needs the gate no more: its transfer has ended, with libcurl's `code`, or it is
   given up, with CURLE_OK. A second call has no effect. */
void stook__connect_gate_ended(struct stook__easy *easy, CURLcode code);

/* The starts of one turn, in all origins. */
struct stook__connect_round {
    struct stook__engine *engine;
    int64_t now;
    int budget;                        /* how many more may start */
    struct stook__curl_origin *origin; /* whose gate returned the last one; NULL: none did yet */
};

/* Begins the starts of a turn, and returns the first easy handle that may start; NULL if none may.
   Then there is no next one either. The caller gives each to libcurl before it asks for the next.
   */
struct stook__easy *stook__connect_gates_open(struct stook__engine *engine, int64_t now,
                                              struct stook__connect_round *ret_round);
/* Returns the next one, or NULL. */
struct stook__easy *stook__connect_gates_next(struct stook__connect_round *round);
/* Whether the next turn can start more. */
int stook__connect_gates_busy(const struct stook__engine *engine);
/* Returns when a gate opens because time has passed; 0: never. */
int64_t stook__connect_gates_alarm(const struct stook__engine *engine);

#endif
