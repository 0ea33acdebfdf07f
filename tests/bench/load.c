/* SPDX-License-Identifier: MIT */
/* The work of baseline.c, through stook. */
#include <stdio.h>
#include <stdlib.h>

#include <stook.h>
#include <time.h>
#include <uv.h>

#include "work.h"

static struct work work;
static size_t added;

static int more(stook_batch *batch, void *user)
{
    (void)user;
    if (added == work.requests)
        return 0;
    if (stook_batch_add(batch, &STOOK_REQUEST(work_url(&work, added))) != 0)
        return -1;
    added++;
    return 1;
}

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    size_t size;
    (void)batch, (void)user;
    stook_result_body(result, &size);
    if (stook_result_error(result) != 0) {
        fprintf(stderr, "load: %s\n", stook_result_message(result));
        exit(1);
    }
    work_answered(&work, stook_result_status(result), size);
}

/* What the loop's thread computes from before one poll to before the next. */
static double longest, computed;

static void look(uv_prepare_t *prepare)
{
    struct timespec time;
    (void)prepare;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    double now = (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
    if (computed > 0 && now - computed > longest)
        longest = now - computed;
    computed = now;
}

static int failures;

static void done(stook_batch *batch, int failed, void *user)
{
    failures = failed;
    stook_batch_free(batch);
    stook_client_close(user, NULL, NULL);
}

static int on_a_loop(const struct stook_client_options *options, const struct stook_gather_options *how)
{
    uv_loop_t loop;
    uv_prepare_t prepare;
    stook_client *client;
    stook_batch *batch;
    if (uv_loop_init(&loop) != 0 || uv_prepare_init(&loop, &prepare) != 0 || uv_prepare_start(&prepare, look) != 0)
        return -1;
    uv_unref((uv_handle_t *)&prepare);
    if (stook_client_new(&loop, options, &client) != 0 || stook_batch_new(client, &batch) != 0 ||
        stook_gather_start(batch, how, done, client) != 0)
        return -1;
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    printf("longest: %.3f ms\n", longest);
    return uv_loop_close(&loop) != 0 ? -1 : failures;
}

/* The clocks run as they do for everyone, but valgrind on a busy machine may take its time. */
enum { HOUR = 3600 * 1000 };

int main(int argc, char **argv)
{
    stook_client *client;
    stook_batch *batch;
    work_read(&work, argc, argv);
    struct stook_client_options options =
        STOOK_CLIENT(.ca_file = work.ca_file, .direct = getenv("STOOK_BENCH_LIBCURL") != NULL ? STOOK_NONE : 0, .http_version = STOOK_HTTP_1_1, .attempt_timeout_ms = HOUR,
                     .max_redirects = work.redirects, .connect_timeout_ms = HOUR, .timeout_ms = HOUR, .stall_timeout_ms = HOUR);
    struct stook_gather_options how =
        STOOK_GATHER(.limit = (int64_t)work.in_flight, .more = more, .on_result = on_result);
    if (work.on_a_loop)
        return on_a_loop(&options, &how) != 0 || work_end(&work) != 0;
    if (stook_client_new(NULL, &options, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    int failed = work.ordered ? stook_gather_ordered(batch, &how) : stook_gather(batch, &how);
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return work_end(&work) != 0 || failed != 0;
}
