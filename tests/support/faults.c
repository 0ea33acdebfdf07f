/* SPDX-License-Identifier: MIT */
/* Runs each fault in its thirteen ways, and checks what has to hold whatever the fault is. */
#include "faults.h"
#include "life.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "../support/process.h"
#include "life.h"

enum { NEIGHBOURS = 8, ALL = NEIGHBOURS + 1, ATTEMPT_MS = 20000 };

static const char secret[] = "hush-hush-7355608";

struct run {
    const struct faults *faults;
    const struct fault *fault;
    size_t row;
    size_t count;           /* of requests: one, or all */
    size_t place;           /* of the fault among them */
    int ordered;
    int64_t limit;
    unsigned results[ALL];  /* how many each request had */
    unsigned delivered;
    int failed;             /* results that are not ok */
    struct life life;
};

/* ----------------------------------------------------------------- requests */

const char *faults_url(const struct faults *faults, size_t row)
{
    if (faults->url)
        return faults->url(faults, row);
    return raw_url(faults->server, "/f/%zu?token=%s", row, secret);
}

const char *faults_neighbour(const struct faults *faults, size_t row, size_t n)
{
    if (faults->neighbour)
        return faults->neighbour(faults, row, n);
    return raw_url(faults->server, "/path/%zu", n);
}

static void add_fault(const struct run *run, stook_batch *batch)
{
    static const char *const headers[] = {"X-Api-Key: hush-hush-7355608",
                                          "Authorization: Bearer hush-hush-7355608", NULL};
    struct stook_request request = run->fault->request;
    request.size = sizeof request;
    request.url = faults_url(run->faults, run->row);
    if (!request.headers) /* with a secret for libcurl to know of, and without */
        request.headers = &headers[2 - run->place % 3];
    if (run->fault->hangs && request.attempt_timeout_ms == 0)
        request.attempt_timeout_ms = FAULT_DEADLINE_MS;
    if (run->fault->silent)
        request.attempt_timeout_ms = FAULT_SILENT_MS;
    CHECK_ERROR(stook_batch_add(batch, &request), 0);
}

static void add_all(const struct run *run, stook_batch *batch)
{
    for (size_t i = 0; i < run->count; i++) {
        if (i == run->place)
            add_fault(run, batch);
        else
            add(batch, faults_neighbour(run->faults, run->row, i));
    }
}

/* ------------------------------------------------------------------ results */

static void check_body(const struct fault *fault, const stook_result *result)
{
    size_t size, sent;
    const char *body = stook_result_body(result, &size);
    CHECK(body[size] == '\0');
    if (!fault->body)
        return;
    sent = strlen(fault->body);
    if (stook_result_error(result) == 0)
        CHECK_EQ_SIZE(size, sent);
    CHECK(size <= sent && memcmp(body, fault->body, size) == 0);
}

static int is_expected(const struct fault *fault, int error)
{
    if (fault->direct && life_is_direct())
        return error == (fault->direct == FAULT_NONE ? 0 : fault->direct);
    return error == fault->error || (fault->or_error && error == fault->or_error) ||
           (fault->either && error == 0) || (fault->silent && error == STOOK_ETIMEOUT_ATTEMPT);
}

void fault_check(const struct fault *fault, const stook_result *result)
{
    int error = stook_result_error(result);
    const char *message = stook_result_message(result);
    test_note("%s; it says: %s", fault->id, message);
    if (!is_expected(fault, error))
        CHECK_ERROR(error, fault->error);
    if (fault->status != FAULT_ANY_STATUS && !(fault->either && error != 0))
        CHECK_EQ_INT(stook_result_status(result), fault->status);
    CHECK_EQ_INT(stook_result_ok(result), error == 0 && stook_result_status(result) / 100 == 2);
    if (error)
        CHECK(strncmp(message, stook_strerror(error), strlen(stook_strerror(error))) == 0);
    if (fault->says && !(fault->direct && life_is_direct()))
        CHECK_CONTAINS(message, fault->says);
    CHECK(strstr(message, secret) == NULL);
    CHECK(stook_result_attempts(result) <= 2 + fault->hops);
    if (error == 0 && strcmp(stook_result_protocol(result), "HTTP/2") == 0 && fault->body && *fault->body &&
        stook_result_header(result, "Content-Length") == NULL)
        CHECK(stook_result_flags(result) & STOOK_FLAG_END_UNSEEN);
    check_body(fault, result);
}

static void check_neighbour(const struct run *run, const stook_result *result)
{
    size_t index = stook_result_index(result);
    test_note("%s; beside it, request %zu: %s", run->fault->id, index, stook_result_message(result));
    CHECK_ERROR(stook_result_error(result), 0);
    CHECK_EQ_INT(stook_result_status(result), 200);
    CHECK_STR(stook_result_body(result, NULL), text("/path/%zu", index));
}

static void check_result(struct run *run, const stook_result *result)
{
    size_t index = stook_result_index(result);
    CHECK(index < run->count);
    CHECK_EQ_INT(++run->results[index], 1);
    if (run->ordered)
        CHECK_EQ_SIZE(index, run->delivered);
    run->delivered++;
    run->failed += !stook_result_ok(result);
    if (index == run->place)
        fault_check(run->fault, result);
    else
        check_neighbour(run, result);
}

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch;
    check_result(user, result);
}

/* ----------------------------------------------------------------- one run */

static double seconds(clockid_t clock)
{
    struct timespec now;
    CHECK_EQ_INT(clock_gettime(clock, &now), 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int await(struct run *run, stook_batch *batch)
{
    struct stook_gather_options options = STOOK_GATHER(.limit = run->limit);
    if (run->count > 1) { /* alone, the batch keeps it */
        options.on_result = on_result;
        options.user = run;
    }
    return (run->ordered ? life_gather_ordered : life_gather)(&run->life, batch, &options);
}

static void gather_once(struct run *run)
{
    stook_batch *batch = life_batch(&run->life);
    add_all(run, batch);
    raw_peak_of_all(run->faults->server);
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    int failed = await(run, batch);
    wall = seconds(CLOCK_MONOTONIC) - wall;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (run->count == 1)
        check_result(run, stook_batch_result(batch, 0));
    test_note("%s, %zu of %zu, limit %lld, %s", run->fault->id, run->place, run->count,
              (long long)run->limit, run->ordered ? "ordered" : "as they come");
    CHECK_EQ_INT(run->delivered, (long long)run->count);
    CHECK_EQ_INT(failed, run->failed);
    if (run->limit > 0)
        CHECK(raw_peak_of_all(run->faults->server) <= (unsigned)run->limit);
    if (run->fault->hangs) {
        CHECK(wall < 5); /* on a busy machine */
        if (curl_version_info(CURLVERSION_NOW)->version_num >= run->fault->spins_before)
            CHECK(cpu < 0.04 + wall / 4);
    }
    stook_batch_free(batch);
}

/* The same client, as if nothing had been. */
static void ask_normally(struct run *run)
{
    stook_batch *batch = life_batch(&run->life);
    add(batch, faults_neighbour(run->faults, run->row, 99));
    life_gather(&run->life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    test_note("%s, afterwards: %s", run->fault->id, stook_result_message(result));
    CHECK_ERROR(stook_result_error(result), 0);
    CHECK_STR(stook_result_body(result, NULL), "/path/99");
    stook_batch_free(batch);
}

static void run_once(const struct faults *faults, size_t row, size_t count, size_t place, int ordered,
                     int64_t limit)
{
    static struct run run;
    struct stook_client_options client = faults->client;
    memset(&run, 0, sizeof run);
    run.faults = faults;
    run.fault = &faults->rows[row];
    run.row = row;
    run.count = count;
    run.place = place;
    run.ordered = ordered;
    run.limit = limit;
    test_note("%s", run.fault->id);
    life_begin(&run.life, (int)(place + (size_t)ordered) % 2);
    client.size = sizeof client;
    if (client.attempt_timeout_ms == 0)
        client.attempt_timeout_ms = ATTEMPT_MS;
    life_open(&run.life, &client);
    gather_once(&run);
    ask_normally(&run);
    life_end(&run.life);
}

static void run_row(const struct faults *faults, size_t row)
{
    static const size_t places[] = {0, ALL / 2, ALL - 1};
    run_once(faults, row, 1, 0, 0, 0);
    for (int ordered = 0; ordered <= 1; ordered++)
        for (size_t place = 0; place < 3; place++)
            for (int64_t limit = 1; limit <= 8; limit += 7)
                run_once(faults, row, ALL, places[place], ordered, limit);
}

/* -------------------------------------------------------------- a whole table */

struct output {
    int file, out, err;
};

static void hold_output(struct output *output)
{
    fflush(NULL);
    output->file = open(text("%s/printed", temporary_directory()), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    output->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    output->err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    CHECK(output->file >= 0 && output->out >= 0 && output->err >= 0);
    if (!TEST_SANITIZED)
        CHECK(dup2(output->file, STDOUT_FILENO) >= 0 && dup2(output->file, STDERR_FILENO) >= 0);
}

static void check_output(struct output *output)
{
    struct stat info;
    fflush(NULL);
    CHECK(dup2(output->out, STDOUT_FILENO) >= 0 && dup2(output->err, STDERR_FILENO) >= 0);
    test_note("printed");
    CHECK_EQ_INT(fstat(output->file, &info), 0);
    CHECK_EQ_INT(info.st_size, 0);
    close(output->file);
    close(output->out);
    close(output->err);
}

void (*faults_taker)(const struct faults *faults);

void faults_run(const struct faults *faults)
{
    struct output output;
    const char *only = getenv("FAULT"); /* one row, for whoever looks into it: FAULT=F01 */
    size_t fds = 0;
    if (faults_taker) {
        faults_taker(faults);
        return;
    }
    hold_output(&output);
    for (size_t row = 0; row < faults->count; row++) {
        if (only && strncmp(faults->rows[row].id, only, strlen(only)) != 0)
            continue;
        run_row(faults, row);
        if (fds == 0) /* what libraries keep, they have by now */
            fds = test_count_fds();
        CHECK_EQ_SIZE(test_count_fds(), fds);
    }
    check_output(&output);
}

struct raw_server *faults_server(const struct fault *rows, size_t count, struct raw_door *doors,
                                 size_t n_doors)
{
    return faults_server_with(rows, count, NULL, 0, doors, n_doors);
}

struct raw_server *faults_server_with(const struct fault *rows, size_t count, const struct raw_behaviour *more,
                                      size_t n_more, struct raw_door *doors, size_t n_doors)
{
    static char paths[512][32];
    static struct raw_behaviour peers[512 + 1];
    CHECK(count <= 512 && n_more <= 512 - count);
    for (size_t i = 0; i < count; i++) {
        snprintf(paths[i], sizeof paths[i], "/f/%zu", i);
        peers[i] = rows[i].peer;
        peers[i].path = paths[i];
    }
    for (size_t i = 0; i < n_more; i++)
        peers[count + i] = more[i];
    peers[count + n_more].path = NULL;
    return raw_server_open(peers, doors, n_doors);
}

void faults_in_the_clear(const struct fault *rows, size_t count)
{
    struct faults faults = {.rows = rows, .count = count,
                            .server = faults_server(rows, count, NULL, 0)};
    faults_run(&faults);
}
