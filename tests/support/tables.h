/* SPDX-License-Identifier: MIT */
/*
 * All tables of faults at once. The files of several programs are linked into one, where each of their
 * tests starts its peers as usual and calls faults_run(). That records the table and runs the next test
 * from inside, so that in the end all peers are running. What a test checks after faults_run(), it checks
 * when everything returns.
 */
#ifndef STOOK_TEST_TABLES_H
#define STOOK_TEST_TABLES_H

#include "faults.h"

enum { TABLES_ROWS = 512, TABLES_PLACES = 32, TABLES_CLOCK_MS = 500 };

struct row_of_table {
    struct fault fault;
    struct stook_request request; /* whole, with what its table asks of a client */
    size_t nth;                   /* row of its table */
};

struct rows_of_tables {
    size_t count;
    struct row_of_table of[TABLES_ROWS];
};

struct tables {
    struct rows_of_tables light, costly; /* costly: also those that hang */
    struct rows_of_tables healthy;       /* neighbours with a peer of their own kind */
    struct raw_server *places[TABLES_PLACES]; /* these answer /echo and the like, in the clear */
    size_t n_places;
};

/* Records the tables of all tests of this program except `without`, a list that ends with NULL, and that of
   `own` last. Then calls `run` while all peers are running. */
void tables_run(const char *const *without, void (*own)(void), void (*run)(const struct tables *tables));

#endif
