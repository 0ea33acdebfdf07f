/* SPDX-License-Identifier: MIT */
/*
 * Requests that depend on each other. A load of laundry is washed, then dried, and drying cannot
 * begin before washing has ended. Twenty loads are twenty such chains, which run side by side: when
 * the first request of a load has its response, `on_result` adds the second one to the same await.
 * Usage: chain BASE_URL
 */
#include <stdio.h>
#include <stook.h>
#include <string.h>

#define LOADS 20

struct load {
    const char *base_url;
    int washed; /* the id in the response; 0: none yet */
    int dried;
};

static int id_of(const stook_result *result)
{
    int id = 0;
    const char *found = strstr(stook_result_body(result, NULL), "\"id\":");
    if (stook_result_ok(result) && found != NULL)
        sscanf(found, "\"id\":%d", &id);
    return id;
}

/* Adds the second request, made from the first response, to the await that is under way. */
static void dry(stook_batch *batch, struct load *load)
{
    char url[512];
    snprintf(url, sizeof url, "%s/todos/%d", load->base_url, load->washed + 100);
    stook_batch_add(batch, &STOOK_REQUEST(url, .user = load));
}

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    struct load *load = stook_result_user(result);
    (void)user;
    if (!stook_result_ok(result)) {
        fprintf(stderr, "chain: %s: %s\n", stook_result_url(result), stook_result_message(result));
    } else if (load->washed == 0) {
        load->washed = id_of(result);
        dry(batch, load);
    } else {
        load->dried = id_of(result);
        printf("load %d: washed, and dried as %d\n", load->washed, load->dried);
    }
}

int main(int argc, char **argv)
{
    stook_client *client;
    stook_batch *batch;
    struct load loads[LOADS] = {{NULL, 0, 0}};
    if (argc != 2) {
        fprintf(stderr, "usage: chain BASE_URL\n");
        return 2;
    }
    if (stook_client_new(NULL, NULL, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    for (int i = 0; i < LOADS; i++) {
        char url[512];
        loads[i].base_url = argv[1];
        snprintf(url, sizeof url, "%s/todos/%d", argv[1], i + 1);
        stook_batch_add(batch, &STOOK_REQUEST(url, .user = &loads[i]));
    }
    int failed = stook_gather(batch, &STOOK_GATHER(.on_result = on_result)); /* 20, then 20 more */
    int done = 0;
    for (int i = 0; i < LOADS; i++)
        done += loads[i].washed == i + 1 && loads[i].dried == loads[i].washed + 100;
    printf("%d of %d loads done, with %zu requests\n", done, LOADS, stook_batch_count(batch));
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return failed != 0 || done != LOADS;
}
