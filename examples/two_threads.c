/* SPDX-License-Identifier: MIT */
/*
 * Two threads. A client belongs to one thread, so each thread has its own. A result may cross from
 * one thread to another: stook_result_ref() makes it outlive its batch and its client, and any
 * thread may read and unreference it.
 * Usage: two_threads BASE_URL [BASE_URL]
 */
#include <pthread.h>
#include <stdio.h>
#include <stook.h>

#define REQUESTS 20

struct worker {
    pthread_t thread;
    const char *base_url;
    int failed;
    const stook_result *slowest; /* referenced: stays valid until stook_result_unref() */
};

static const stook_result *slower(const stook_result *a, const stook_result *b)
{
    int64_t a_us = stook_result_time_us(a, STOOK_TIME_TOTAL); /* 0 for NULL */
    return b != NULL && stook_result_time_us(b, STOOK_TIME_TOTAL) >= a_us ? b : a;
}

static void *run_worker(void *user)
{
    struct worker *worker = user;
    stook_client *client;
    stook_batch *batch;
    const stook_result *slowest = NULL;
    worker->failed = -1;
    if (stook_client_new(NULL, NULL, &client) != 0)
        return NULL;
    if (stook_batch_new(client, &batch) == 0) {
        for (int i = 1; i <= REQUESTS; i++) {
            char url[512];
            snprintf(url, sizeof url, "%s/todos/%d", worker->base_url, i);
            stook_batch_add(batch, &STOOK_REQUEST(url));
        }
        worker->failed = stook_gather(batch, &STOOK_GATHER(.limit = 10));
        for (size_t i = 0; i < stook_batch_count(batch); i++)
            slowest = slower(slowest, stook_batch_result(batch, i));
        worker->slowest = stook_result_ref(slowest);
        stook_batch_free(batch);
    }
    stook_client_close(client, NULL, NULL);
    return NULL;
}

int main(int argc, char **argv)
{
    int good = 0;
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: two_threads BASE_URL [BASE_URL]\n");
        return 2;
    }
    struct worker workers[2] = {{.base_url = argv[1]}, {.base_url = argv[argc - 1]}};
    for (int i = 0; i < 2; i++)
        if (pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]) != 0)
            return 2;
    for (int i = 0; i < 2; i++) {
        pthread_join(workers[i].thread, NULL);
        printf("thread %d: %d of %d failed, the slowest was %s\n", i + 1, workers[i].failed,
               REQUESTS, stook_result_url(workers[i].slowest));
        good += workers[i].failed == 0 && stook_result_ok(workers[i].slowest);
        stook_result_unref(workers[i].slowest);
    }
    return good != 2;
}
