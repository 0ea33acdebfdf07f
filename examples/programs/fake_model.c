/* SPDX-License-Identifier: MIT */
/*
 * A fake API of a language model, on 127.0.0.1. Each key has a quota of requests and one of tokens:
 * buckets that hold two seconds' worth. A call that they have no room for is refused with 429 and
 * the fields that services of this kind send.
 *
 *   POST /v1/chat   {"max_tokens":N, ...}   1 to N words as server-sent events, then the tokens
 *   GET /stats      what was counted, as JSON
 *
 * Usage: fake_model REQUESTS_A_MINUTE TOKENS_A_MINUTE      It ends when its stdin, a pipe, does.
 */
#include "loopback.h"
#include "server_conn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 8, WORDS_MAX = 200 };

struct bucket { /* times in seconds */
    double left, filled_at;
};

struct key {
    char text[64];
    struct bucket requests, tokens;
};

struct call { /* of a connection */
    long tokens;
    size_t words;
};

static struct {
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_pipe_t input;
    double requests_a_second, tokens_a_second;
    struct key keys[KEYS];
    long answered, refused, tokens;
    double first_at, last_at; /* calls that were admitted */
} model;

/* -------------------------------------------------------------------- quotas */

/* Fills a bucket. Returns the seconds until it holds `wanted`, or all that it can; 0: it does. */
static double seconds_until(struct bucket *bucket, double a_second, double wanted)
{
    double now = (double)uv_hrtime() / 1e9, most = 2 * a_second;
    double left = bucket->left + (now - bucket->filled_at) * a_second;
    bucket->left = left < most ? left : most;
    bucket->filled_at = now;
    wanted = wanted < most ? wanted : most;
    return bucket->left >= wanted ? 0 : (wanted - bucket->left) / a_second;
}

/* The key of a request. A new one has full buckets. NULL: there is none, or too many have come. */
static struct key *key_of(const struct http_head *head)
{
    char text[sizeof model.keys[0].text];
    int size = (int)head->authorization.size;
    if (size == 0 || size >= (int)sizeof text)
        return NULL;
    snprintf(text, sizeof text, "%.*s", size, head->authorization.at);
    for (int i = 0; i < KEYS; i++) {
        struct key *key = &model.keys[i];
        if (key->text[0] == '\0') {
            memcpy(key->text, text, sizeof text);
            key->requests.left = 2 * model.requests_a_second;
            key->tokens.left = 2 * model.tokens_a_second;
        }
        if (strcmp(key->text, text) == 0)
            return key;
    }
    return NULL;
}

/* Takes a call from both buckets of a key, or refuses it. */
static bool is_admitted(struct conn *conn, struct key *key, const struct call *call)
{
    double requests_in = seconds_until(&key->requests, model.requests_a_second, 1);
    double tokens_in = seconds_until(&key->tokens, model.tokens_a_second, (double)call->tokens);
    struct reply reply;
    char fields[300];
    if (requests_in <= 0 && tokens_in <= 0) {
        key->requests.left -= 1;
        key->tokens.left -= (double)call->tokens;
        model.tokens += call->tokens;
        model.last_at = key->tokens.filled_at;
        model.first_at = model.first_at > 0 ? model.first_at : model.last_at;
        return true;
    }
    snprintf(fields, sizeof fields,
             "x-ratelimit-remaining-requests: %.0f\r\nx-ratelimit-reset-requests: %.0fms\r\n"
             "x-ratelimit-remaining-tokens: %.0f\r\nx-ratelimit-reset-tokens: %.0fms\r\n",
             requests_in > 0 ? 0 : key->requests.left, requests_in * 1000 + 1,
             tokens_in > 0 ? 0 : key->tokens.left, tokens_in * 1000 + 1);
    reply_json(&reply, 429, "{\"error\":\"the quota is used up\"}");
    reply.fields = fields;
    model.refused++;
    conn_respond(conn, &reply, true);
    return false;
}

/* --------------------------------------------------------------------- calls */

/* What a call costs: its tokens, four bytes each, and a number of words that its text decides. */
static struct call measure(const char *text)
{
    const char *max_tokens = strstr(text, "\"max_tokens\":");
    long most = max_tokens != NULL ? atol(max_tokens + strlen("\"max_tokens\":")) : 16;
    size_t size = strlen(text), sum = 0;
    for (size_t i = 0; i < size; i++)
        sum = sum * 31 + (unsigned char)text[i];
    most = most < 1 ? 1 : most > WORDS_MAX ? WORDS_MAX : most;
    size_t words = 1 + sum % (size_t)most;
    return (struct call){(long)(size / 4 + words), words};
}

/* The tokens that were used, in percent of those that the quotas gave in that time and a second. */
static double percent_used(void)
{
    int keys = 0;
    while (keys < KEYS && model.keys[keys].text[0] != '\0')
        keys++;
    double seconds = model.last_at - model.first_at + 1;
    return keys > 0 ? 100 * (double)model.tokens / (keys * model.tokens_a_second * seconds) : 0;
}

static void answer(uv_timer_t *timer)
{
    static const char *const words[] = {"bind ", "the ", "rye ", "before ", "it ", "rains, "};
    static char events[WORDS_MAX * 32 + 128];
    struct conn *conn = timer->data;
    const struct call *call = conn->user;
    struct reply reply;
    size_t size = 0;
    for (size_t i = 0; i < call->words; i++)
        size += (size_t)sprintf(events + size, "data: {\"text\":\"%s\"}\n\n", words[i % 6]);
    sprintf(events + size, "data: {\"total_tokens\":%ld}\n\ndata: [DONE]\n\n", call->tokens);
    reply_json(&reply, 200, events);
    reply.type = (struct text){"text/event-stream", strlen("text/event-stream")};
    model.answered++;
    conn_respond(conn, &reply, true);
}

static void on_request(struct conn *conn, const struct http_head *head)
{
    struct call *call = conn->user;
    struct key *key = key_of(head);
    struct reply reply;
    char text[4096];
    if (text_is(head->path, "/stats")) {
        snprintf(reply.json, sizeof reply.json,
                 "{\"answered\":%ld,\"refused\":%ld,\"tokens\":%ld,\"percent\":%.0f}\n",
                 model.answered, model.refused, model.tokens, percent_used());
        reply_json(&reply, 200, reply.json);
        conn_respond(conn, &reply, true);
        return;
    }
    if (key == NULL || !text_is(head->path, "/v1/chat") || head->content_length >= sizeof text) {
        reply_json(&reply, key == NULL ? 401 : 404, "{}");
        conn_respond(conn, &reply, true);
        return;
    }
    snprintf(text, sizeof text, "%.*s", (int)head->content_length, conn->bytes + head->size);
    *call = measure(text);
    if (is_admitted(conn, key, call))
        uv_timer_start(&conn->timer, answer, 20 + 2 * (uint64_t)call->words, 0);
}

static void on_over(struct conn *conn)
{
    (void)conn; /* nothing was counted that ends now */
}

static void on_closed(struct conn *conn)
{
    free(conn->user);
}

/* ---------------------------------------------------------------------- main */

static void on_connection(uv_stream_t *listener, int error)
{
    static const struct conn_events events = {on_request, on_over, on_closed};
    struct call *call = error == 0 ? calloc(1, sizeof *call) : NULL;
    if (call != NULL && conn_accept(listener, &events, call) == NULL)
        free(call);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    static char room[64];
    (void)handle, (void)suggested;
    *buf = uv_buf_init(room, sizeof room);
}

static void on_input(uv_stream_t *input, ssize_t size, const uv_buf_t *buf)
{
    (void)buf;
    if (size < 0)
        uv_stop(input->loop);
}

int main(int argc, char **argv)
{
    if (argc != 3 || atol(argv[1]) < 1 || atol(argv[2]) < 1) {
        fprintf(stderr, "usage: fake_model REQUESTS_A_MINUTE TOKENS_A_MINUTE\n");
        return 2;
    }
    model.requests_a_second = (double)atol(argv[1]) / 60;
    model.tokens_a_second = (double)atol(argv[2]) / 60;
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&model.loop);
    int port = loopback_listen(&model.loop, &model.listener, on_connection);
    uv_pipe_init(&model.loop, &model.input, 0);
    if (uv_guess_handle(0) == UV_NAMED_PIPE && uv_pipe_open(&model.input, 0) == 0)
        uv_read_start((uv_stream_t *)&model.input, on_room, on_input);
    if (port < 0)
        return 1;
    printf("listening on http://127.0.0.1:%d\n", port);
    fflush(stdout);
    uv_run(&model.loop, UV_RUN_DEFAULT);
    return 0;
}
