/* SPDX-License-Identifier: MIT */
/*
 * The tables of faults of several programs, all at once: their files are linked to one, where each of their
 * tests sets up its peers as ever and calls faults_run(). That takes the table down and goes on with the
 * next test from there, so in the end all peers are there; what a test has to see afterwards, it sees then.
 */
#ifndef STOOK_TEST_TABLES_H
#define STOOK_TEST_TABLES_H

#include "faults.h"

enum { TABLES_ROWS = 512, TABLES_PLACES = 32, TABLES_CLOCK_MS = 500 };

struct row_of_table {
    struct fault fault;
    struct stook_request request; /* whole, with what its table asks of a client */
    size_t nth;                   /* of its table */
};

struct rows_of_tables {
    size_t count;
    struct row_of_table of[TABLES_ROWS];
};

struct tables {
    struct rows_of_tables light, costly; /* costly: those that hang, too */
    struct rows_of_tables healthy;       /* neighbours with a peer of their own kind */
    struct raw_server *places[TABLES_PLACES]; /* these answer /echo and the like, in the clear */
    size_t n_places;
};

/* Take down the tables of all tests of this program but those named, a list that ends with NULL, and
   `own` as the last; then `run` is called, while all peers are there. */
void tables_run(const char *const *without, void (*own)(void), void (*run)(const struct tables *tables));

#endif
