/* SPDX-License-Identifier: MIT */
/*
 * Two ways to end early. A cancel ends the requests of one batch: those that are not finished get
 * the result STOOK_ECANCELLED at once. A drain ends a client gently: it accepts nothing new, lets
 * the awaits that are under way finish, and then closes.
 * Usage: cancel_and_drain BASE_URL
 */
#include <stdio.h>
#include <stook.h>

enum { REQUESTS = 10, ENOUGH = 3 };

static int add_all(stook_batch *batch, const char *base_url)
{
    int error = 0;
    for (int i = 1; i <= REQUESTS; i++) {
        char url[512];
        snprintf(url, sizeof url, "%s/todos/%d", base_url, i);
        error |= stook_batch_add(batch, &STOOK_REQUEST(url));
    }
    return error;
}

/* Each request has exactly one result, also after a cancel, so this runs ten times. */
static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    int *ok = user;
    *ok += stook_result_ok(result);
    if (*ok == ENOUGH)
        stook_batch_cancel(batch); /* allowed from any thread and in any callback */
}

static int cancel(stook_client *client, const char *base_url)
{
    stook_batch *batch;
    int ok = 0;
    if (stook_batch_new(client, &batch) != 0 || add_all(batch, base_url) != 0)
        return -1;
    int failed =
        stook_gather(batch, &STOOK_GATHER(.limit = 1, .on_result = on_result, .user = &ok));
    printf("cancel: %d ok, %d cancelled\n", ok, failed);
    stook_batch_free(batch);
    return ok == ENOUGH && failed == REQUESTS - ENOUGH ? 0 : -1;
}

/* The last callback of the client, which is freed after it. */
static void on_closed(void *user)
{
    *(int *)user = 1;
}

static int drain(stook_client *client, const char *base_url)
{
    stook_batch *batch, *refused;
    int closed = 0, ok = 0;
    if (stook_batch_new(client, &batch) != 0 || add_all(batch, base_url) != 0)
        return -1;
    if (stook_gather_start(batch, &STOOK_GATHER(.limit = 2), NULL, NULL) != 0)
        return -1;
    /* At most ten seconds, then what is left is cut off. The call itself does not wait. */
    if (stook_client_drain(client, 10000, on_closed, &closed) != 0)
        return -1;
    printf("drain: a new batch is %s\n", stook_err_name(stook_batch_new(client, &refused)));
    stook_client_run(client); /* all ten requests, those that still wait too, and then the close */
    for (size_t i = 0; i < stook_batch_count(batch); i++)
        ok += stook_result_ok(stook_batch_result(batch, i));
    printf("drain: %d ok, and the client is %s\n", ok, closed ? "closed" : "open");
    stook_batch_free(batch); /* a batch outlives its client */
    return closed && ok == REQUESTS ? 0 : -1;
}

int main(int argc, char **argv)
{
    stook_client *client;
    if (argc != 2) {
        fprintf(stderr, "usage: cancel_and_drain BASE_URL\n");
        return 2;
    }
    if (stook_client_new(NULL, NULL, &client) != 0)
        return 2;
    return cancel(client, argv[1]) != 0 || drain(client, argv[1]) != 0;
}
