/* SPDX-License-Identifier: MIT */
/*
 * A fan-out with quorum and deadline, on the libuv loop of a service. The same question goes to
 * five servers, three good responses are enough, and the await ends after 300 ms at the latest.
 * Three such awaits run at once: in the second two servers are slow, in the third three do not
 * respond at all.
 * Usage: fan_out BASE_URL
 */
#include <stdio.h>
#include <stook.h>
#include <uv.h>

enum { QUESTIONS = 3, SERVERS = 5, ENOUGH = 3, DEADLINE_MS = 300 };

struct service { /* `data` of the loop */
    uv_loop_t loop;
    uv_timer_t timer;
    stook_client *client;
    long ticks;
    int asked, met;
};

struct question {
    struct service *service;
    const char *name;
    int delays_ms[SERVERS]; /* after which each server responds */
};

static struct question questions[QUESTIONS] = {
    {NULL, "all are fast", {5, 5, 5, 5, 5}},
    {NULL, "two are slow", {5, 60000, 5, 60000, 5}},
    {NULL, "three are silent", {60000, 5, 60000, 5, 60000}},
};

static void on_tick(uv_timer_t *timer)
{
    struct service *service = timer->loop->data;
    service->ticks++;
}

static void end(struct service *service)
{
    uv_close((uv_handle_t *)&service->timer, NULL);
    stook_client_close(service->client, NULL, NULL);
}

/* Prints whether the quorum was reached, and the result of each server. Requests that were no
   longer needed are cancelled. */
static void on_answered(stook_batch *batch, int failed, void *user)
{
    struct question *question = user;
    struct service *service = question->service;
    printf("%s: %s, %d of %d without a good response\n", question->name,
           stook_batch_satisfied(batch) ? "quorum" : "no quorum", failed, SERVERS);
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
    uv_timer_init(&service.loop, &service.timer);
    uv_timer_start(&service.timer, on_tick, 5, 5);
    if (stook_client_new(&service.loop, &STOOK_CLIENT(.origin_limit = 20), &service.client) != 0)
        return 2;
    for (int i = 0; i < QUESTIONS; i++)
        if (ask(&service, &questions[i], argv[1]) != 0)
            return 2;
    uv_run(&service.loop, UV_RUN_DEFAULT);
    printf("%d of %d with a quorum, and the timer ran: %s\n", service.met, QUESTIONS,
           service.ticks > 0 ? "yes" : "no");
    if (uv_loop_close(&service.loop) != 0)
        fprintf(stderr, "fan_out: a handle is left on the loop\n");
    return service.met != 2;
}
