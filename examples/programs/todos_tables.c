/* SPDX-License-Identifier: MIT */
/*
 * The three tables of gather_todos: the variants compared, what happens to them when a server has
 * too little room, and which limit suits it. Rows are printed as soon as they are known.
 */
#include "todos.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* "-" where the server does not count. */
static const char *most_text(int64_t most, char *room, size_t size)
{
    if (most < 0)
        return "-";
    snprintf(room, size, "%" PRId64, most);
    return room;
}

static const char *label_of(const struct todos_variant *variant, const struct todos_plan *plan,
                            char *room, size_t size)
{
    if (!variant->has_limit)
        return variant->name;
    snprintf(room, size, "%s (%" PRId64 ")", variant->name, plan->limit);
    return room;
}

static void print_intro(const struct todos_plan *plan)
{
    int64_t spread = plan->delay_ms / 10;
    printf("%" PRId64 " requests to %s", plan->count, plan->base_url);
    if (plan->delay_ms >= 0 && spread == 0)
        printf(", each answered after %" PRId64 " ms", plan->delay_ms);
    if (spread > 0)
        printf(", each answered after %" PRId64 " to %" PRId64 " ms", plan->delay_ms - spread,
               plan->delay_ms + spread);
    printf(".\n");
}

static bool is_within_limit(const struct todos_variant *variant, const struct todos_plan *plan,
                            int64_t most)
{
    return !variant->has_limit || most <= plan->limit;
}

/* ------------------------------------------------------------------- compare */

static const char *order_text(const struct todos_run *run)
{
    if (run->last_id == 0)
        return "-"; /* no body said which one it was */
    return run->order_lost ? "no" : "yes";
}

static bool compare_one(const struct todos_variant *variant, const struct todos_plan *plan,
                        double *synchronous)
{
    char most_room[32], label_room[64];
    struct todos_run run;
    if (!todos_run(variant, plan, &run))
        return false;
    if (*synchronous == 0)
        *synchronous = run.seconds;
    int64_t most = todos_most_in_flight(plan->base_url);
    printf("%-27s %8.3f %13.1f %11s %7" PRId64 " %15s\n",
           label_of(variant, plan, label_room, sizeof label_room), run.seconds,
           *synchronous / run.seconds, order_text(&run), run.failed,
           most_text(most, most_room, sizeof most_room));
    fflush(stdout);
    return run.failed == 0 && !(variant->keeps_order && run.order_lost) &&
           is_within_limit(variant, plan, most);
}

bool todos_compare(const struct todos_plan *plan)
{
    bool good = true;
    double synchronous = 0;
    print_intro(plan);
    printf("\n%-27s %8s %13s %11s %7s %15s\n", "variant", "seconds", "times faster", "order kept",
           "failed", "most in flight");
    todos_most_in_flight(plan->base_url); /* from here on only ours are counted */
    for (const struct todos_variant *variant = todos_variants; variant->name != NULL; variant++)
        good = compare_one(variant, plan, &synchronous) && good;
    return good;
}

/* ------------------------------------------------------------------ overload */

static bool overload_one(const struct todos_variant *variant, const struct todos_plan *plan)
{
    char most_room[32], label_room[64], lost_room[32];
    struct todos_run run;
    if (!todos_run(variant, plan, &run))
        return false;
    int64_t most = todos_most_in_flight(plan->base_url);
    printf("%-15s %-37s %8.3f %9" PRId64 " %5" PRId64 " %15s",
           plan->overload_hangs ? "never answers" : "answers 503",
           label_of(variant, plan, label_room, sizeof label_room), run.seconds,
           run.taken - run.failed, run.failed, most_text(most, most_room, sizeof most_room));
    if (run.failed > 0)
        printf("  %s", todos_answer_text(run.last_lost, lost_room, sizeof lost_room));
    printf("\n");
    fflush(stdout);
    return !variant->has_limit || plan->limit > plan->slots || run.failed == 0;
}

bool todos_overload(const struct todos_plan *plan)
{
    bool good = true;
    struct todos_plan asked = *plan;
    print_intro(plan);
    printf("The server has %" PRId64 " slots. Beyond them it answers 503 at once, or never:\n"
           "then an attempt is given up after %" PRId64 " ms.\n\n%-15s %-37s %8s %9s %5s %15s\n",
           plan->slots, plan->attempt_timeout_ms, "beyond slots", "variant", "seconds", "answered",
           "lost", "most in flight");
    todos_most_in_flight(plan->base_url);
    for (int hangs = 0; hangs < 2; hangs++) {
        asked.overload_hangs = hangs;
        good = overload_one(todos_variant_named("gather"), &asked) && good;
        good = overload_one(todos_variant_named("gather_ordered_limited"), &asked) && good;
        good = overload_one(&todos_found, &asked) && good;
    }
    return good;
}

/* --------------------------------------------------------------------- sweep */

struct sweep {
    const struct todos_plan *plan;
    int64_t *ids; /* those not answered so far */
    int64_t open;
    int64_t lost; /* attempts that came to nothing */
    int64_t rounds;
};

/* Await what is still open, and keep what was lost for the next round. */
static bool sweep_round(struct sweep *sweep, stook_client *client, int64_t limit)
{
    int64_t open = 0;
    stook_batch *batch = NULL;
    stook_batch_new(client, &batch);
    for (int64_t i = 0; i < sweep->open; i++) {
        char url[TODOS_URL_MAX];
        todos_url(sweep->plan, sweep->ids[i], url);
        stook_batch_add(batch, &STOOK_REQUEST(url));
    }
    int failed = stook_gather(batch, &STOOK_GATHER(.limit = limit));
    for (int64_t i = 0; failed >= 0 && i < sweep->open; i++)
        if (!stook_result_ok(stook_batch_result_by_index(batch, (size_t)i)))
            sweep->ids[open++] = sweep->ids[i];
    stook_batch_free(batch);
    if (failed < 0 || open == sweep->open)
        return false; /* not one was answered: another round would be no better */
    sweep->open = open;
    sweep->lost += open;
    sweep->rounds++;
    return true;
}

/* The limit that was found for the one origin of the sweep. */
static int64_t found_limit(const stook_client *client)
{
    struct stook_origin origin = STOOK_ORIGIN();
    return stook_client_origin_at(client, 0, &origin) == 0 ? origin.limit : 0;
}

/* Seconds until all were answered, or negative. With STOOK_AUTO, *limit becomes the one found. */
static double sweep_one(struct sweep *sweep, int64_t *limit)
{
    int64_t of_batch = *limit == STOOK_AUTO ? STOOK_NONE : *limit;
    stook_client *client = NULL;
    bool good = true;
    double start = todos_clock();
    sweep->open = sweep->plan->count;
    sweep->lost = 0;
    sweep->rounds = 0;
    for (int64_t i = 0; i < sweep->open; i++)
        sweep->ids[i] = i + 1;
    stook_client_new(NULL,
                     &STOOK_CLIENT(.attempt_timeout_ms = sweep->plan->attempt_timeout_ms,
                                   .origin_limit = *limit == STOOK_AUTO ? STOOK_AUTO : STOOK_NONE),
                     &client);
    while (good && sweep->open > 0)
        good = sweep_round(sweep, client, of_batch);
    if (*limit == STOOK_AUTO)
        *limit = found_limit(client);
    stook_client_close(client, NULL, NULL);
    return good ? todos_clock() - start : -1;
}

static void sweep_print(const struct sweep *sweep, const char *limit, double seconds)
{
    char most_room[32];
    const char *most =
        most_text(todos_most_in_flight(sweep->plan->base_url), most_room, sizeof most_room);
    if (seconds < 0)
        printf("%5s  gave up: %" PRId64 " not answered\n", limit, sweep->open);
    else
        printf("%5s %8.3f %5" PRId64 " %7" PRId64 " %15s\n", limit, seconds, sweep->lost,
               sweep->rounds, most);
    fflush(stdout);
}

bool todos_sweep(const struct todos_plan *plan)
{
    static const int limits[] = {1, 2, 5, 10, 20, 50, 0};
    char name[16], best[16] = "";
    double best_seconds = 0;
    struct sweep sweep = {.plan = plan, .ids = malloc((size_t)plan->count * sizeof *sweep.ids)};
    print_intro(plan);
    printf("Beyond %" PRId64
           " at once the server never answers; an attempt is given up after %" PRId64
           " ms.\nWhat is lost is asked for again, in another round, until all is "
           "answered.\n\n%5s %8s %5s %7s %15s\n",
           plan->slots, plan->attempt_timeout_ms, "limit", "seconds", "lost", "rounds",
           "most in flight");
    todos_most_in_flight(plan->base_url);
    for (size_t i = 0; sweep.ids != NULL && i < sizeof limits / sizeof limits[0]; i++) {
        snprintf(name, sizeof name, limits[i] == 0 ? "none" : "%d", limits[i]);
        int64_t limit = limits[i];
        double seconds = sweep_one(&sweep, &limit);
        sweep_print(&sweep, name, seconds);
        if (seconds >= 0 && (*best == '\0' || seconds < best_seconds)) {
            best_seconds = seconds;
            memcpy(best, name, sizeof best);
        }
    }
    int64_t found = STOOK_AUTO;
    double seconds = sweep.ids != NULL ? sweep_one(&sweep, &found) : -1;
    sweep_print(&sweep, "found", seconds);
    free(sweep.ids);
    printf("\nbest limit: %s; found by itself: %" PRId64 "\n",
           *best != '\0' ? best : "none of these", found);
    return *best != '\0';
}
