/* SPDX-License-Identifier: MIT */
/*
 * B06: the faults of all tables here mixed among healthy requests, one in five, a hundred in flight.
 * What each request is follows from the seed and its number, and so does what has to come of it: each
 * result is held against that. In the end as many results came as requests were made, of each class as
 * many as there had to be, and nothing is left: memory, descriptors, threads.
 *
 * STOOK_SEED=n takes another seed, SOAK_COUNT=n so many requests; `sh tests/soak.sh` a million.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "support/life.h"
#include "support/tables.h"
#include "support/process.h"
#include "support/sockets.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { REQUESTS = 30000, ROUNDS = 10, LIMIT = 100, ERRORS = 32, FLAT_FROM = 200000, FLAT_BYTES = 1 << 20 };

static const struct tables *tables;

static struct soak {
    struct life life;
    stook_batch *batch;
    uint64_t seed;
    size_t size, round; /* requests of a round, and which it is */
    int ordered;
    size_t added, results, not_ok, faults;
    size_t attempts;                       /* of those that are healthy and in the clear */
    unsigned char *had;                    /* one bit for each of the round: it had its result */
    size_t expected[ERRORS], seen[ERRORS]; /* of each class, where only one will do */
} soak;

/* -------------------------------------------------------------------- the seed */

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The nth number below `below` of a request, or of a round. */
static size_t draw(size_t round, size_t index, unsigned nth, size_t below)
{
    uint64_t x = mix(soak.seed) ^ (uint64_t)round << 48 ^ (uint64_t)nth << 40 ^ index;
    return (size_t)(mix(x) >> 8) % below;
}

/* The row of the request of that number; NULL: a healthy one without TLS, with a response of its own. */
static const struct row_of_table *row_of(size_t index)
{
    const struct rows_of_tables *from = &tables->light;
    if (draw(soak.round, index, 0, 5) > 0) {
        if (tables->healthy.count == 0 || draw(soak.round, index, 1, 8) > 0)
            return NULL;
        from = &tables->healthy;
    } else if (draw(soak.round, index, 1, 200) == 0) {
        from = &tables->costly;
    }
    return &from->of[draw(soak.round, index, 2, from->count)];
}

/* Of HTTP/2: with others of its kind, it may be on one connection. */
static int is_shared(const struct row_of_table *row)
{
    return row->fault.id[0] == 'H';
}

/* Only one error is possible, whatever the libcurl and whatever happens first. */
static int is_certain(const struct row_of_table *row)
{
    return !row || !(row->fault.direct || row->fault.or_error || row->fault.either || row->fault.silent || is_shared(row));
}

static size_t number_of(int error)
{
    return error ? (size_t)(STOOK_EARG - error + 1) : 0;
}

/* ----------------------------------------------------------- what the program does */

static int refuse_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result, (void)user;
    return -1;
}

static int refuse_body(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    (void)batch, (void)result, (void)data, (void)size, (void)user;
    return -1;
}

static int cancel_in_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)user;
    stook_batch_cancel_request(batch, stook_result_index(result));
    return 0;
}

static int cancel_in_body(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    (void)data, (void)size, (void)user;
    stook_batch_cancel_request(batch, stook_result_index(result));
    return 0;
}

#define ANSWER {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"}
#define HALF {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .then = RAW_HOLD}
#define SILENT {.then = RAW_HOLD}

/* A table of our own: clocks, cancels, callbacks, and nobody there. */
enum { CANCELLED_AT_ONCE, CANCELLED_WAITING, CANCELLED_INSIDE };
static char refused[64], silent[64];
static const struct fault ways[] = {
    [CANCELLED_AT_ONCE] = {"A06 cancelled before it starts", SILENT, .error = STOOK_ECANCELLED},
    [CANCELLED_WAITING] = {"W06 cancelled while it waits", SILENT, .error = STOOK_ECANCELLED},
    [CANCELLED_INSIDE] = {"W06 cancelled inside its body", HALF, .error = STOOK_ECANCELLED,
                          .status = FAULT_ANY_STATUS, .body = "abc"},
    {"L02 cancels itself in on_head", ANSWER, .error = STOOK_ECANCELLED, .status = 200,
     .request = {.on_head = cancel_in_head}},
    {"L02 cancels itself in on_body", ANSWER, .error = STOOK_ECANCELLED, .status = 200,
     .request = {.on_body = cancel_in_body}},
    {"L02 on_head refuses", ANSWER, .error = STOOK_ECALLBACK, .status = 200, .request = {.on_head = refuse_head}},
    {"L02 on_body refuses", ANSWER, .error = STOOK_ECALLBACK, .status = 200, .request = {.on_body = refuse_body}},
    {"W02 5 ms for an attempt", SILENT, .error = STOOK_ETIMEOUT_ATTEMPT, .request = {.attempt_timeout_ms = 5}},
    {"W02 10 ms for the whole", SILENT, .error = STOOK_ETIMEOUT_TOTAL, .request = {.timeout_ms = 10}},
    {"W03 no byte for 20 ms", SILENT, .error = STOOK_ETIMEOUT_STALL, .request = {.stall_timeout_ms = 20}},
    {"W03 not connected in 10 ms", .error = STOOK_ETIMEOUT_ATTEMPT,
     .request = {.url = silent, .connect_timeout_ms = 10}},
    {"D01 no such name", .error = STOOK_EDNS, .request = {.url = "http://no-such-name.invalid/"}},
    {"D08 refused", .error = STOOK_ECONNECT, .request = {.url = refused}},
    {"B06 404", {.bytes = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"}, .status = 404, .body = "no"},
    {"B06 503", {.bytes = "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"}, .status = 503, .body = ""},
};

static const char *url_of_way(const struct faults *faults, size_t row)
{
    return ways[row].request.url ? ways[row].request.url : raw_url(faults->server, "/f/%zu", row);
}

static void run_ways(void)
{
    snprintf(refused, sizeof refused, "http://127.0.0.1:%d/", refusing_port());
    snprintf(silent, sizeof silent, "http://127.0.0.1:%d/", silent_port());
    faults_run(&(struct faults){.rows = ways, .count = COUNT(ways), .url = url_of_way,
                                .server = faults_server(ways, COUNT(ways), NULL, 0)});
}

static int is_cancelled_at_once(const struct row_of_table *row)
{
    return row->fault.error == STOOK_ECANCELLED && row->nth == CANCELLED_AT_ONCE;
}

static int is_cancelled_later(const struct row_of_table *row)
{
    return row->fault.error == STOOK_ECANCELLED && (row->nth == CANCELLED_WAITING || row->nth == CANCELLED_INSIDE);
}

/* -------------------------------------------------------------------- requests */

static void cancel(stook_client *client, void *user)
{
    (void)client;
    if (soak.batch)
        stook_batch_cancel_request(soak.batch, (size_t)(uintptr_t)user);
}

static void add_row(const struct row_of_table *row, size_t index)
{
    CHECK_ERROR(stook_batch_add(soak.batch, &row->request), 0);
    if (is_cancelled_at_once(row))
        stook_batch_cancel_request(soak.batch, index);
    if (is_cancelled_later(row))
        CHECK_ERROR(stook_client_post(soak.life.client, cancel, (void *)(uintptr_t)index), 0);
}

/* Its answer is what was asked for, so nobody else's will do. */
static void add_healthy(size_t index)
{
    struct raw_server *server = tables->places[draw(soak.round, index, 3, tables->n_places)];
    int puts = draw(soak.round, index, 4, 4) == 0;
    char body[32];
    snprintf(body, sizeof body, "sheaf %zu", index);
    ADD(soak.batch, raw_url(server, "/echo?n=%zu", index), .method = puts ? "PUT" : NULL,
        .body = puts ? body : NULL, .body_size = puts ? STOOK_AUTO : 0);
}

static int more(stook_batch *batch, void *user)
{
    (void)user;
    for (size_t n = 0; n < LIMIT / 2; n++) {
        size_t index = stook_batch_count(batch);
        if (index == soak.size)
            return 0;
        const struct row_of_table *row = row_of(index);
        if (row)
            add_row(row, index);
        else
            add_healthy(index);
        if (is_certain(row))
            soak.expected[number_of(row ? row->fault.error : 0)]++;
        soak.faults += draw(soak.round, index, 0, 5) == 0;
        soak.added++;
    }
    return 1;
}

/* --------------------------------------------------------------------- results */

static void check_healthy(const stook_result *result, size_t index)
{
    const char *body = stook_result_body(result, NULL);
    char line[64];
    test_note("seed %" PRIu64 ", round %zu, healthy request %zu: %s (%u attempts, curl %d, os %d)", soak.seed, soak.round,
              index, stook_result_message(result), stook_result_attempts(result), stook_result_curl_code(result),
              stook_result_os_error(result));
    CHECK_ERROR(stook_result_error(result), 0);
    CHECK_EQ_INT(stook_result_status(result), 200);
    snprintf(line, sizeof line, " /echo?n=%zu HTTP/1.1\r\n", index);
    CHECK_CONTAINS(body, line);
    if (strncmp(body, "PUT", 3) == 0)
        CHECK_CONTAINS(body, text("\r\n\r\nsheaf %zu", index));
    soak.attempts += stook_result_attempts(result);
}

/* What one did to the connection, others on it may have to suffer. */
static int is_of_others(const struct row_of_table *row, int error)
{
    return is_shared(row) && (error == STOOK_ERESET || error == STOOK_ETRUNCATED || error == STOOK_EPROTOCOL ||
                              error == STOOK_ETIMEOUT_ATTEMPT);
}

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    size_t index = stook_result_index(result);
    const struct row_of_table *row = row_of(index);
    (void)batch, (void)user;
    test_note("seed %" PRIu64 ", round %zu, request %zu", soak.seed, soak.round, index);
    CHECK(index < soak.size && !(soak.had[index / 8] >> index % 8 & 1));
    soak.had[index / 8] |= (unsigned char)(1 << index % 8);
    if (soak.ordered)
        CHECK_EQ_SIZE(index, soak.results % soak.size);
    if (!row)
        check_healthy(result, index);
    else if (!is_of_others(row, stook_result_error(result)))
        fault_check(&row->fault, result);
    if (is_certain(row))
        soak.seen[number_of(stook_result_error(result))]++;
    soak.not_ok += !stook_result_ok(result);
    soak.results++;
}

/* ---------------------------------------------------------------------- a round */

/* What is in use, without what malloc keeps for the next. */
static size_t resident(void)
{
    malloc_trim(0);
    return test_resident();
}

/* A client, a batch, and a verb. */
static void run_round(void)
{
    static const int64_t origin_limits[] = {STOOK_NONE, 5, 20, 60};
    size_t before = soak.not_ok;
    memset(soak.had, 0, soak.size / 8 + 1);
    soak.ordered = (int)draw(soak.round, 0, 10, 2);
    life_begin(&soak.life, (int)(soak.round % 2));
    life_open(&soak.life, &STOOK_CLIENT(.max_decompress_ratio = STOOK_NONE,
                                        .origin_limit = origin_limits[draw(soak.round, 0, 11, 4)]));
    soak.batch = life_batch(&soak.life);
    int failed = (soak.ordered ? life_gather_ordered : life_gather)(
        &soak.life, soak.batch, &STOOK_GATHER(.limit = LIMIT, .more = more, .on_result = on_result));
    test_note("seed %" PRIu64 ", round %zu", soak.seed, soak.round);
    CHECK_EQ_SIZE((size_t)failed, soak.not_ok - before);
    CHECK_EQ_SIZE(soak.added, soak.size * (soak.round + 1));
    CHECK_EQ_SIZE(soak.results, soak.added);
    stook_batch_free(soak.batch);
    soak.batch = NULL;
    life_end(&soak.life);
}

/* No server has seen more requests than the results say. */
static void check_seen(void)
{
    size_t seen = 0;
    for (size_t i = 0; i < tables->n_places; i++)
        seen += raw_seen(tables->places[i], "/echo");
    test_note("seed %" PRIu64 ": %zu attempts, %zu seen", soak.seed, soak.attempts, seen);
    CHECK(seen <= soak.attempts);
}

static void run_rounds(const struct tables *all)
{
    size_t fds = 0, first = 0;
    tables = all;
    time_t start = time(NULL);
    for (soak.round = 0; soak.round < ROUNDS; soak.round++) {
        run_round();
        if (soak.round == 0) { /* what libraries keep, they have by now */
            fds = test_count_fds();
            first = resident();
        }
        CHECK_EQ_SIZE(test_count_fds(), fds);
    }
    size_t last = resident();
    for (size_t i = 0; i < ERRORS; i++) {
        test_note("seed %" PRIu64 ", class %zu", soak.seed, i);
        CHECK_EQ_SIZE(soak.seen[i], soak.expected[i]);
    }
    check_seen();
    printf("%zu requests, of them %zu faults of %zu kinds; %zu not ok; %ld s; %zu KiB resident after a tenth, %zu in the end\n",
           soak.results, soak.faults, all->light.count + all->costly.count, soak.not_ok, (long)(time(NULL) - start),
           first / 1024, last / 1024);
    fflush(stdout);
    if (soak.added >= FLAT_FROM && !TEST_SANITIZED)
        CHECK(last < first + FLAT_BYTES);
}

TEST(everything, slow)
{
    int has_http_2 = (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2) != 0;
    const char *const no_table[] = {
        "everything", "sessions_of_a_server_that_changed", "authorities_that_change",
        "heads_without_caps",     /* asks for more than a request may */
        "streams_beside_streams", /* the rows of "streams" */
        "resets_beside_streams",  /* those of "resets" */
        /* Up to 8.1 a reset may hit what else is on its connection; see row 0.18 of engine.md. */
        curl_version_info(CURLVERSION_NOW)->version_num < 0x080100 ? "resets" : "everything",
        has_http_2 ? NULL : "streams", has_http_2 ? NULL : "connections", NULL};
    const char *seed = getenv("STOOK_SEED"), *count = getenv("SOAK_COUNT");
    size_t requests = count ? strtoull(count, NULL, 10) : REQUESTS;
    CHECK(requests >= ROUNDS);
    soak.seed = seed ? strtoull(seed, NULL, 10) : 1;
    soak.size = requests / ROUNDS;
    soak.had = malloc(soak.size / 8 + 1);
    tables_run(no_table, run_ways, run_rounds);
    free(soak.had);
}
