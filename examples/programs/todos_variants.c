/* SPDX-License-Identifier: MIT */
/*
 * The five programs of the article, one function each, from slow to fast to fast and stable.
 * The first is in todos_synchronous.c; the other four are what stook is about.
 */
#include "todos.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ------------------------------------------------------------ what they share */

double todos_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Real servers take now longer, now shorter. So does this: up to a fifth around `delay_ms`, by a
   pattern that is the same in every run, or order would be kept by luck where nothing keeps it. */
static int64_t delay_of(const struct todos_plan *plan, int64_t id)
{
    int64_t spread = plan->delay_ms / 10;
    return plan->delay_ms - spread + id * 7919 % (2 * spread + 1);
}

void todos_url(const struct todos_plan *plan, int64_t id, char *url)
{
    int size = snprintf(url, TODOS_URL_MAX, "%s/todos/%" PRId64, plan->base_url, id);
    if (plan->delay_ms < 0)
        return;
    size += snprintf(url + size, TODOS_URL_MAX - (size_t)size, "?delay_ms=%" PRId64,
                     delay_of(plan, id));
    if (plan->slots > 0)
        snprintf(url + size, TODOS_URL_MAX - (size_t)size, "&slots=%" PRId64 "&overload=%s",
                 plan->slots, plan->overload_hangs ? "hang" : "503");
}

const char *todos_answer_text(int answer, char *room, size_t size)
{
    if (answer < 0)
        return stook_strerror(answer);
    snprintf(room, size, "HTTP %d", answer);
    return room;
}

/* The order is judged by what is in the bodies, as whoever reads the output would. */
static void look_at_order(struct todos_run *run, const char *body)
{
    const char *key = strstr(body, "\"id\":");
    int64_t id = key != NULL ? strtoll(key + 5, NULL, 10) : 0;
    if (id > 0 && id <= run->last_id)
        run->order_lost = true;
    if (id > 0)
        run->last_id = id;
}

void todos_take(struct todos_run *run, int answer, const char *body)
{
    char room[32];
    run->taken++;
    if (answer >= 200 && answer < 300) {
        look_at_order(run, body);
        if (run->plan->bodies != NULL)
            fprintf(run->plan->bodies, "%s\n", body);
        return;
    }
    run->failed++;
    run->last_lost = answer;
    if (run->plan->bodies != NULL)
        fprintf(stderr, "not answered: %s\n", todos_answer_text(answer, room, sizeof room));
}

static void take_all(struct todos_run *run, const stook_batch *batch)
{
    for (size_t i = 0; i < stook_batch_count(batch); i++) {
        const stook_result *result = stook_batch_result(batch, i);
        int error = stook_result_error(result);
        todos_take(run, error != 0 ? error : stook_result_status(result),
                   stook_result_body(result, NULL));
    }
}

/* Lining up costs next to nothing: no request starts before its batch is awaited. A call that fails
   here is not lost: the await says so, also where there is no batch. */
static stook_batch *line_up(stook_client *client, const struct todos_plan *plan, int64_t first,
                            int64_t last)
{
    stook_batch *batch = NULL;
    stook_batch_new(client, &batch);
    for (int64_t id = first; id <= last; id++) {
        char url[TODOS_URL_MAX];
        todos_url(plan, id, url);
        stook_batch_add(batch, &STOOK_REQUEST(url));
    }
    return batch;
}

typedef int await_verb(stook_batch *batch, const struct stook_gather_options *options);

static bool await_ids(struct todos_run *run, stook_client *client, int64_t first, int64_t last,
                      await_verb *verb, int64_t limit)
{
    stook_batch *batch = line_up(client, run->plan, first, last);
    int failed = verb(batch, &STOOK_GATHER(.limit = limit));
    if (failed >= 0)
        take_all(run, batch);
    stook_batch_free(batch);
    return failed >= 0;
}

static stook_client *open_client(const struct todos_plan *plan)
{
    stook_client *client = NULL;
    stook_client_new(NULL, &STOOK_CLIENT(.attempt_timeout_ms = plan->attempt_timeout_ms), &client);
    return client;
}

static bool await_all(struct todos_run *run, await_verb *verb, int64_t limit)
{
    stook_client *client = open_client(run->plan);
    bool good = await_ids(run, client, 1, run->plan->count, verb, limit);
    stook_client_close(client, NULL, NULL);
    return good;
}

/* --------------------------------------------------------------- the variants */

/* The article's mistake: each request is awaited before the next one exists. It looks as if it ran
   beside others, and takes as long as if it did not. */
static bool awaited_in_a_loop(struct todos_run *run)
{
    bool good = true;
    stook_client *client = open_client(run->plan);
    for (int64_t id = 1; good && id <= run->plan->count; id++)
        good = await_ids(run, client, id, id, stook_gather, 0);
    stook_client_close(client, NULL, NULL);
    return good;
}

/* All at once, as they come: as fast as it gets, as long as the server can stand it. */
static bool gather(struct todos_run *run)
{
    return await_all(run, stook_gather, 0);
}

/* All at once, and still in the order in which they were lined up. */
static bool gather_ordered(struct todos_run *run)
{
    return await_all(run, stook_gather_ordered, 0);
}

/* Fast and stable: in order, and never more in flight than the server can stand. */
static bool gather_ordered_limited(struct todos_run *run)
{
    return await_all(run, stook_gather_ordered, run->plan->limit);
}

/* The same without a number from anybody: the limit finds itself. What the search loses is sent
   again. */
static bool gather_ordered_found(struct todos_run *run)
{
    stook_client *client = NULL;
    stook_client_new(NULL,
                     &STOOK_CLIENT(.attempt_timeout_ms = run->plan->attempt_timeout_ms,
                                   .max_retries = 5, .retry_delay_ms = 50),
                     &client);
    bool good = await_ids(run, client, 1, run->plan->count, stook_gather_ordered, STOOK_AUTO);
    stook_client_close(client, NULL, NULL);
    return good;
}

const struct todos_variant todos_found = {"gather_ordered, limit found by itself", false, true,
                                          gather_ordered_found};

const struct todos_variant todos_variants[] = {
    {"synchronous", false, true, todos_synchronous},
    {"awaited_in_a_loop", false, true, awaited_in_a_loop},
    {"gather", false, false, gather},
    {"gather_ordered", false, true, gather_ordered},
    {"gather_ordered_limited", true, true, gather_ordered_limited},
    {NULL, false, false, NULL},
};

const struct todos_variant *todos_variant_named(const char *name)
{
    const struct todos_variant *variant = todos_variants;
    while (variant->name != NULL && strcmp(variant->name, name) != 0)
        variant++;
    return variant->name != NULL ? variant : NULL;
}

bool todos_run(const struct todos_variant *variant, const struct todos_plan *plan,
               struct todos_run *ret_run)
{
    *ret_run = (struct todos_run){.plan = plan};
    double start = todos_clock();
    bool good = variant->run(ret_run) && ret_run->taken == plan->count;
    ret_run->seconds = todos_clock() - start;
    if (!good)
        fprintf(stderr, "gather_todos: %s: %" PRId64 " of %" PRId64 " results came\n",
                variant->name, ret_run->taken, plan->count);
    return good;
}
