/* SPDX-License-Identifier: MIT */
/*
 * One question, five servers that could answer it, three answers that are enough, and no more than
 * 300 ms: an API fan-out with quorum and deadline, on the loop of a service that has other things
 * to do. Three such questions are asked at once; of the second two servers are slow, of the third
 * three never answer.
 * Usage: fan_out BASE_URL
 */
#include <stdio.h>
#include <stook.h>
#include <uv.h>

enum { QUESTIONS = 3, SERVERS = 5, ENOUGH = 3, DEADLINE_MS = 300 };

struct service {
    uv_loop_t loop;
    uv_timer_t heart;
    stook_client *client;
    long beats;
    int asked, met;
};

struct question {
    struct service *service;
    const char *name;
    int delays_ms[SERVERS]; /* what each server takes */
};

static struct question questions[QUESTIONS] = {
    {NULL, "all are fast", {5, 5, 5, 5, 5}},
    {NULL, "two are slow", {5, 60000, 5, 60000, 5}},
    {NULL, "three are silent", {60000, 5, 60000, 5, 60000}},
};

static void on_beat(uv_timer_t *heart)
{
    struct service *service = heart->loop->data;
    service->beats++;
}

static void end(struct service *service)
{
    uv_close((uv_handle_t *)&service->heart, NULL);
    stook_client_close(service->client, NULL, NULL);
}

/* The verdict, and what became of each: those that were not needed any more say so. */
static void on_answered(stook_batch *batch, int failed, void *user)
{
    struct question *question = user;
    struct service *service = question->service;
    printf("%s: %s, %d of %d without an answer\n", question->name,
           stook_batch_satisfied(batch) ? "met" : "not met", failed, SERVERS);
    for (size_t i = 0; i < stook_batch_count(batch); i++)
        printf("    server %zu: %s\n", i + 1,
               stook_result_message(stook_batch_result_by_index(batch, i)));
    service->met += stook_batch_satisfied(batch);
    stook_batch_free(batch);
    if (--service->asked == 0)
        end(service);
}

static int ask(struct service *service, struct question *question, const char *base_url)
{
    stook_batch *batch;
    question->service = service;
    if (stook_batch_new(service->client, &batch) != 0)
        return -1;
    for (int i = 0; i < SERVERS; i++) {
        char url[512];
        snprintf(url, sizeof url, "%s/todos/%d?delay_ms=%d", base_url, i + 1,
                 question->delays_ms[i]);
        stook_batch_add(batch, &STOOK_REQUEST(url));
    }
    service->asked++;
    return stook_gather_start(
        batch,
        &STOOK_GATHER(.policy = STOOK_POLICY_QUORUM, .quorum = ENOUGH, .timeout_ms = DEADLINE_MS),
        on_answered, question);
}

int main(int argc, char **argv)
{
    static struct service service;
    if (argc != 2) {
        fprintf(stderr, "usage: fan_out BASE_URL\n");
        return 2;
    }
    uv_loop_init(&service.loop);
    service.loop.data = &service;
    uv_timer_init(&service.loop, &service.heart);
    uv_timer_start(&service.heart, on_beat, 5, 5);
    if (stook_client_new(&service.loop, &STOOK_CLIENT(.origin_limit = 20), &service.client) != 0)
        return 2;
    for (int i = 0; i < QUESTIONS; i++)
        if (ask(&service, &questions[i], argv[1]) != 0)
            return 2;
    uv_run(&service.loop, UV_RUN_DEFAULT);
    printf("%d of %d met, and the service went on: %s\n", service.met, QUESTIONS,
           service.beats > 0 ? "yes" : "no");
    if (uv_loop_close(&service.loop) != 0)
        fprintf(stderr, "fan_out: something was left on the loop\n");
    return service.met != 2;
}
