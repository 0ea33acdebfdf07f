/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files of gather_todos: a plan (what to request) and a run (the results).
 */
#ifndef STOOK_EXAMPLES_TODOS_H
#define STOOK_EXAMPLES_TODOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stook.h>

#define TODOS_URL_MAX 1024

struct todos_plan {
    const char *base_url;
    int64_t count;              /* /todos/1 to /todos/count */
    int64_t limit;              /* of the variant that has one */
    int64_t delay_ms;           /* of a response, asked of the server; negative: not asked */
    int64_t slots;              /* asked of the server; 0: no limit */
    bool overload_hangs;        /* beyond the slots, instead of 503 */
    int64_t attempt_timeout_ms; /* 0: that of the library */
    FILE *bodies;               /* where bodies are printed; NULL: nowhere */
};

struct todos_run {
    const struct todos_plan *plan;
    int64_t taken;   /* results seen */
    int64_t failed;  /* results that are not ok */
    int last_lost;   /* status or STOOK_E value of the last of them */
    int64_t last_id; /* in the last body; 0: none had an id */
    bool order_lost;
    double seconds; /* with creating and closing the client */
};

/* ------------------------------------------------ todos_variants.c: the five programs */

struct todos_variant {
    const char *name;
    bool has_limit;
    bool keeps_order; /* as documented; the tables measure it */
    bool (*run)(struct todos_run *run);
};

/** The five variants of the article, in its order. The entry after the last has no name. */
extern const struct todos_variant todos_variants[];

/** The article's advice taken by the library: the limit finds itself, and what was lost on the way is
    sent again. It is in none of the tables by that name. */
extern const struct todos_variant todos_found;

/** Returns the variant of that name. NULL: there is none. */
const struct todos_variant *todos_variant_named(const char *name);

/** Runs a variant. Prints the reason and returns false if it could not run. */
bool todos_run(const struct todos_variant *variant, const struct todos_plan *plan,
               struct todos_run *ret_run);

/** Writes the URL of the id-th todo, with the query of the plan, into TODOS_URL_MAX bytes. */
void todos_url(const struct todos_plan *plan, int64_t id, char *url);

/** Counts a result, prints its body, checks the order. `answer`: HTTP status or STOOK_E value. */
void todos_take(struct todos_run *run, int answer, const char *body);

/** Returns "HTTP 503", written into `room`, or the text of a STOOK_E value. */
const char *todos_answer_text(int answer, char *room, size_t size);

double todos_clock(void);

/* ------------------------------------------------ todos_tables.c: the tables */

/** Each prints one table and returns whether the table shows what it should. */
bool todos_compare(const struct todos_plan *plan);
bool todos_overload(const struct todos_plan *plan);
bool todos_sweep(const struct todos_plan *plan);

/* ------------------------------------------------ todos_synchronous.c: libcurl alone */

bool todos_synchronous(struct todos_run *run);

/** Returns the most requests in flight that the server has counted since the last call. -1: it has
    no counters. */
int64_t todos_most_in_flight(const char *base_url);

#endif
