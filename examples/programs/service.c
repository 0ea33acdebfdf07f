/* SPDX-License-Identifier: MIT */
/*
 * What the service does with stook: each request that it receives becomes ten requests to another
 * server, whose bodies, in order, are the response. Nothing blocks the loop: the await is started,
 * and its `done` responds.
 */
#include "service.h"

#include <stdio.h>
#include <stdlib.h>

struct call {
    struct conn *conn; /* NULL: responded to, or closed by its client */
    stook_batch *batch;
};

/* Returns all bodies as one JSON array, which the caller frees. NULL: out of memory. */
static char *join(const stook_batch *batch)
{
    char *json = NULL;
    size_t size;
    FILE *out = open_memstream(&json, &size);
    for (size_t i = 0; out != NULL && i < stook_batch_count(batch); i++) {
        const stook_result *result = stook_batch_result(batch, i);
        fprintf(out, "%c%s", i == 0 ? '[' : ',',
                stook_result_ok(result) ? (const char *)stook_result_body(result, NULL) : "null");
    }
    return out != NULL && fputs("]", out) >= 0 && fclose(out) == 0 ? json : NULL;
}

static void on_gathered(stook_batch *batch, int failed, void *user)
{
    struct call *call = user;
    if (call->conn != NULL) {
        struct reply reply;
        struct service *service = call->conn->tcp.loop->data;
        char *json = join(batch);
        reply_json(&reply, failed == 0 ? 200 : 502, json != NULL ? json : "[]");
        conn_respond(call->conn, &reply, true);
        free(json);
        if (--service->left == 0)
            service_end(service);
    }
    stook_batch_free(batch);
    free(call);
}

static void on_request(struct conn *conn, const struct http_head *head)
{
    struct service *service = conn->tcp.loop->data;
    struct call *call = calloc(1, sizeof *call);
    (void)head; /* every request has the same response */
    if (call == NULL)
        abort();
    conn->user = call;
    conn->is_last = true; /* one request a connection */
    call->conn = conn;
    stook_batch_new(service->client, &call->batch);
    for (int i = 1; i <= 10; i++) {
        char url[512];
        snprintf(url, sizeof url, "%s/todos/%d", service->upstream, i);
        stook_batch_add(call->batch, &STOOK_REQUEST(url));
    }
    if (stook_gather_ordered_start(call->batch, NULL, on_gathered, call) != 0)
        on_gathered(call->batch, 1, call); /* after an error the library never calls it */
}

/* The connection is over. If its client has closed it early, the ten requests are not needed. */
static void on_over(struct conn *conn)
{
    struct call *call = conn->user;
    call->conn = NULL;
    stook_batch_cancel(call->batch);
}

const struct conn_events service_events = {.request = on_request, .over = on_over};
