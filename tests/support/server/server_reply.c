/* SPDX-License-Identifier: MIT */
/*
 * What the example server answers to what. Functions of the request alone, so that server.c can be
 * about connections and nothing else.
 */
#include "server_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SESSION "session=ears-of-rye"
#define SESSION_SET "Set-Cookie: " SESSION "; Path=/; HttpOnly\r\n"

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } rows[] = {
        {200, "OK"},
        {302, "Found"},
        {401, "Unauthorized"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content Too Large"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].status == status)
            return rows[i].reason;
    return "Bad Request";
}

/* The length is that of the body also where the answer to HEAD leaves the body out. */
size_t reply_head(const struct reply *reply, bool is_last, char *head)
{
    int type_size = reply->type.size < 200 ? (int)reply->type.size : 0; /* it may be an echo */
    int to_size = reply->location.size < 200 ? (int)reply->location.size : 0;
    const char *allow = reply->status == 405 ? "Allow: GET, HEAD\r\n" : "";
    int size =
        snprintf(head, REPLY_HEAD_MAX,
                 "HTTP/1.1 %d %s\r\n%s%s%s%s%.*s%sContent-Type: %.*s\r\nContent-Length: %zu\r\n"
                 "Connection: %s\r\n\r\n",
                 reply->status, reason(reply->status), allow, reply->fields,
                 reply->logs_in ? SESSION_SET : "", to_size > 0 ? "Location: " : "", to_size,
                 to_size > 0 ? reply->location.at : "", to_size > 0 ? "\r\n" : "", type_size,
                 reply->type.at, reply->body.size, is_last ? "close" : "keep-alive");
    return (size_t)size;
}

static struct text text_of(const char *string)
{
    return (struct text){string, strlen(string)};
}

void reply_json(struct reply *reply, int status, const char *json)
{
    reply->status = status;
    reply->type = text_of("application/json");
    reply->location = text_of("");
    reply->fields = "";
    reply->logs_in = false;
    reply->body = text_of(json);
}

static void reply_todo(struct reply *reply, long id)
{
    static const char *const works[] = {"sow", "weed", "mow", "bind", "stook", "cart", "thresh"};
    static const char *const crops[] = {"rye", "oats", "wheat", "barley", "spelt"};
    snprintf(reply->json, sizeof reply->json,
             "{\"userId\":%ld,\"id\":%ld,\"title\":\"%s the %s\",\"completed\":%s}",
             (id - 1) / 20 + 1, id, works[id % 7], crops[id % 5], id % 4 == 0 ? "true" : "false");
    reply_json(reply, 200, reply->json);
}

static void reply_echo(struct reply *reply, const struct http_head *head, const char *bytes)
{
    bool has_type = head->content_type.size > 0;
    reply->status = 200;
    reply->type = has_type ? head->content_type : text_of("application/octet-stream");
    reply->body = (struct text){bytes + head->size, (size_t)head->content_length};
}

/* The number of "/todos/N", or 0. */
static long todo_id(struct text path)
{
    static const char prefix[] = "/todos/";
    long id = 0;
    size_t i = sizeof prefix - 1;
    if (path.size <= i || path.size > i + 9 || memcmp(path.at, prefix, i) != 0)
        return 0;
    for (; i < path.size; i++) {
        if (path.at[i] < '0' || path.at[i] > '9')
            return 0;
        id = id * 10 + (path.at[i] - '0');
    }
    return id;
}

static bool is_echo(struct text path)
{
    return text_is(path, "/echo") || (path.size > 6 && memcmp(path.at, "/echo/", 6) == 0);
}

/* "/moved/todos/1" has moved to "/todos/1". */
static bool is_moved(struct text path, struct text *ret_to)
{
    static const char prefix[] = "/moved/";
    size_t skipped = sizeof prefix - 2;
    if (path.size < sizeof prefix || memcmp(path.at, prefix, sizeof prefix - 1) != 0)
        return false;
    *ret_to = (struct text){path.at + skipped, path.size - skipped};
    return true;
}

/* "/login" takes any name and password, "/account" whoever was there. */
static void reply_account(struct reply *reply, const struct http_head *head)
{
    if (text_is(head->path, "/login") && text_is(head->method, "POST")) {
        reply_json(reply, 302, "{}");
        reply->location = text_of("/account");
        reply->logs_in = true;
    } else if (text_is(head->path, "/account") && text_is(head->cookie, SESSION)) {
        reply_json(reply, 200, "{\"name\":\"ruth\"}");
    } else {
        reply_json(reply, 401, "{}");
    }
}

void reply_to(struct reply *reply, const struct http_head *head, const char *bytes)
{
    long id = todo_id(head->path);
    struct text to;
    reply_json(reply, 302, "{}");
    if (is_moved(head->path, &to))
        reply->location = to;
    else if (is_echo(head->path))
        reply_echo(reply, head, bytes);
    else if (text_is(head->path, "/login") || text_is(head->path, "/account"))
        reply_account(reply, head);
    else if (id == 0)
        reply_json(reply, 404, "{}");
    else if (!text_is(head->method, "GET") && !text_is(head->method, "HEAD"))
        reply_json(reply, 405, "{}");
    else
        reply_todo(reply, id);
}

void reply_stats(struct reply *reply, const struct http_head *head, struct counters *count)
{
    snprintf(reply->json, sizeof reply->json,
             "{\"requests\":%" PRId64 ",\"overloaded\":%" PRId64 ",\"in_flight\":%" PRId64
             ",\"most_in_flight\":%" PRId64 ",\"connections_opened\":%" PRId64
             ",\"connections_open\":%" PRId64 "}",
             count->requests, count->overloaded, count->in_flight, count->most_in_flight,
             count->opened, count->open);
    reply_json(reply, 200, reply->json);
    if (query_number(head->query, "reset", 0) != 0)
        *count = (struct counters){
            .in_flight = count->in_flight,
            .most_in_flight = count->in_flight,
            .open = count->open,
        };
}
