/* SPDX-License-Identifier: MIT */
/* Every table of faults at once; see tables.h. */
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "harness.h"

enum { NEIGHBOURS = 8 };

static struct tables tables;
static const char *const *left_out;
static const struct test *next_test;
static void (*next_table)(void), (*at_last)(const struct tables *tables);

static void take(struct rows_of_tables *rows, const struct faults *faults, const struct fault *fault, size_t nth,
                 const char *url)
{
    struct row_of_table *row = &rows->of[rows->count++];
    struct stook_request *request = &row->request;
    CHECK(rows->count <= TABLES_ROWS);
    *row = (struct row_of_table){.fault = *fault, .request = fault->request, .nth = nth};
    request->size = sizeof *request;
    request->url = strdup(url);
    request->http_version = faults->client.http_version;
    request->decompress = faults->client.decompress;
    request->max_body_bytes = faults->client.max_body_bytes;
    request->max_decompress_ratio = faults->client.max_decompress_ratio ? faults->client.max_decompress_ratio : 1000;
    if (!request->ca_file)
        request->ca_file = faults->client.ca_file;
    if (request->stall_timeout_ms && fault->hangs)
        request->stall_timeout_ms = TABLES_CLOCK_MS;
    else if (fault->hangs || fault->silent)
        request->attempt_timeout_ms = TABLES_CLOCK_MS;
}

/* Up to 8.1 libcurl may forget what else is on a connection of HTTP/2, row 0.18 of engine.md. */
static int forgets(const struct faults *faults)
{
    return faults->rows[0].id[0] == 'H' && curl_version_info(CURLVERSION_NOW)->version_num < 0x080100;
}

static void take_healthy(const struct faults *faults)
{
    static char bodies[NEIGHBOURS][16];
    for (size_t n = 0; n < NEIGHBOURS; n++) {
        snprintf(bodies[n], sizeof bodies[n], "/path/%zu", n);
        struct fault none = {.id = "healthy", .status = 200, .body = bodies[n]};
        take(&tables.healthy, faults, &none, n, faults_neighbour(faults, 0, n));
    }
}

static int is_wanted(const struct test *test)
{
    for (const char *const *name = left_out; *name; name++)
        if (strcmp(test->name, *name) == 0)
            return 0;
    return 1;
}

/* Called again by each table that is met on the way. */
static void go_on(void)
{
    while (next_test) {
        const struct test *test = next_test;
        next_test = test->next;
        if (is_wanted(test))
            test->run();
    }
    if (next_table) {
        void (*table)(void) = next_table;
        next_table = NULL;
        table();
    }
    if (at_last) {
        void (*run)(const struct tables *) = at_last;
        at_last = NULL;
        run(&tables);
    }
}

static void take_down(const struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->rows[i];
        int seldom = fault->hangs || fault->silent || fault->costly;
        take(seldom ? &tables.costly : &tables.light, faults, fault, i, faults_url(faults, i));
    }
    if (!faults->neighbour) {
        CHECK(tables.n_places < TABLES_PLACES);
        tables.places[tables.n_places++] = faults->server;
    } else if (!forgets(faults)) {
        take_healthy(faults);
    }
    go_on();
}

static void free_urls(struct rows_of_tables *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        char *url;
        memcpy(&url, &rows->of[i].request.url, sizeof url); /* ours, and const for others only */
        free(url);
    }
}

void tables_run(const char *const *without, void (*own)(void), void (*run)(const struct tables *tables))
{
    left_out = without;
    next_test = test_first();
    next_table = own;
    at_last = run;
    faults_taker = take_down;
    go_on();
    faults_taker = NULL;
    free_urls(&tables.light);
    free_urls(&tables.costly);
    free_urls(&tables.healthy);
}
