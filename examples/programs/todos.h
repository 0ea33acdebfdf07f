/* SPDX-License-Identifier: MIT */
/*
 * What the parts of gather_todos share: a plan of what to ask, and a run, what came of it.
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
    int64_t delay_ms;           /* asked of the server, around it; negative: whatever it takes */
    int64_t slots;              /* asked of the server; 0: no limit */
    bool overload_hangs;        /* beyond the slots, instead of 503 */
    int64_t attempt_timeout_ms; /* 0: that of the library */
    FILE *bodies;               /* where bodies are printed; NULL: nowhere */
};

struct todos_run {
    const struct todos_plan *plan;
    int64_t taken;   /* results seen */
    int64_t failed;  /* of them not ok */
    int last_lost;   /* what the last of those came to, as todos_take() was told */
    int64_t last_id; /* in the body that came last; 0: no body with an id so far */
    bool order_lost;
    double seconds; /* from the first call to the last, everything made and closed again */
};

/* ------------------------------------------------ todos_variants.c: the five programs */

struct todos_variant {
    const char *name;
    bool has_limit;
    bool keeps_order; /* what it promises; whether it does is measured */
    bool (*run)(struct todos_run *run);
};

/** The five variants of the article, in its order; the one after the last has no name. */
extern const struct todos_variant todos_variants[];

/** NULL: there is none of that name. */
const struct todos_variant *todos_variant_named(const char *name);

/** Run one. Returns false, having said why on stderr, where it could not run at all. */
bool todos_run(const struct todos_variant *variant, const struct todos_plan *plan,
               struct todos_run *ret_run);

/** The URL of the id-th todo, with what is asked of the server; TODOS_URL_MAX bytes. */
void todos_url(const struct todos_plan *plan, int64_t id, char *url);

/** Count one result, print its body, look at the order. `answer`: HTTP status or STOOK_E value. */
void todos_take(struct todos_run *run, int answer, const char *body);

/** "HTTP 503", made in `room`, or the text of a STOOK_E value. */
const char *todos_answer_text(int answer, char *room, size_t size);

double todos_clock(void);

/* ------------------------------------------------ todos_tables.c: what they are compared by */

/** Each prints one table and returns whether everything it shows is as it must be. */
bool todos_compare(const struct todos_plan *plan);
bool todos_overload(const struct todos_plan *plan);
bool todos_sweep(const struct todos_plan *plan);

/* ------------------------------------------------ todos_synchronous.c: the one without stook */

bool todos_synchronous(struct todos_run *run);

/** The most requests in flight since it was last asked, as the server counted; -1: it does not. */
int64_t todos_most_in_flight(const char *base_url);

#endif
