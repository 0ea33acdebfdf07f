/* SPDX-License-Identifier: MIT */
/*
 * A fault is a row: what the peer does, and what the result must be. Each row runs thirteen times, on an
 * owned and on a borrowed loop in turn, each time with a new client:
 *
 *   alone           a batch of one
 *   gather          among eight healthy neighbours: first, in the middle, last; limit 1 and limit 8
 *   gather_ordered  the same
 *
 * Each time all of this is checked, whatever the fault:
 *
 *   every request has exactly one result, and `done` runs once
 *   gather_ordered keeps the order of the adds
 *   the error, the status, and the text of the message
 *   the server never has more requests at once than the limit
 *   the body is what the server sent for this request, or the beginning of that
 *   memory, handles of the loop and descriptors are as before
 *   a fault that hangs ends at its deadline without spinning; other requests do not wait for it
 *   each neighbour has its own response
 *   the same client serves a normal request afterwards
 *   nothing is printed, and no secret of the request is in its message
 */
#ifndef STOOK_TEST_FAULTS_H
#define STOOK_TEST_FAULTS_H

#include <stook.h>

#include "../support/raw_server.h"

enum { FAULT_ANY_STATUS = -1, FAULT_NONE = 1, FAULT_DEADLINE_MS = 200, FAULT_SILENT_MS = 800 };

struct fault {
    const char *id;            /* of docs/internals/faults.md, and what it is: "F01 short body" */
    struct raw_behaviour peer; /* what it does; asked for at /FAULT's number, its path is not used */
    int error;                 /* a STOOK_E, or 0 */
    int or_error;              /* the error with another libcurl; 0: the same */
    int direct;                /* the error on the direct way, FAULT_NONE: none; 0: the same */
    int status;                /* FAULT_ANY_STATUS where libcurls differ */
    const char *body;          /* all that the peer sends of it; NULL: not looked at */
    const char *says;          /* part of the message; NULL: only what every message has */
    struct stook_request request; /* more than the URL; faults_run sets `size` and `url` */
    int either;                /* `error` or none at all: a race that the kernel decides */
    int hangs;                 /* ends only at FAULT_DEADLINE_MS */
    int silent;                /* some versions of libcurl do not notice it, and then it hangs */
    unsigned spins_before;     /* libcurl spins meanwhile before this version; 0: none does */
    unsigned hops;             /* redirects that are followed: so many more attempts */
    int costly;                /* megabytes, or thousands of frames: faults/soak uses it more seldom */
};

/* A table of them, and where they are to be found. */
struct faults {
    const struct fault *rows;
    size_t count;
    struct raw_server *server; /* answers /path/N, in the clear */
    struct stook_client_options client;
    /* The URL of a row; NULL: /f/ROW of the server. */
    const char *(*url)(const struct faults *faults, size_t row);
    /* The URL of a healthy neighbour, which answers "/path/N"; NULL: that of the server. */
    const char *(*neighbour)(const struct faults *faults, size_t row, size_t n);
    const void *user;
};

/* Start the server of a table whose peers are bytes or functions; see raw_server_open(). */
struct raw_server *faults_server(const struct fault *rows, size_t count, struct raw_door *doors,
                                 size_t n_doors);
/* The same with more behaviours than those of the rows. */
struct raw_server *faults_server_with(const struct fault *rows, size_t count, const struct raw_behaviour *more,
                                      size_t n_more, struct raw_door *doors, size_t n_doors);
void faults_run(const struct faults *faults);

/* A table in the clear. */
void faults_in_the_clear(const struct fault *rows, size_t count);

/* Set, faults_run() gives the table to it instead: its peers are there as long as it has not returned. */
extern void (*faults_taker)(const struct faults *faults);
/* What a taker needs: the URL of a row, that of a healthy neighbour, and what of a result has to hold. */
const char *faults_url(const struct faults *faults, size_t row);
const char *faults_neighbour(const struct faults *faults, size_t row, size_t n);
void fault_check(const struct fault *fault, const stook_result *result);

#endif
