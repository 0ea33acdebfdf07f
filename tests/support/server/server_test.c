/* SPDX-License-Identifier: MIT */
/*
 * Is the example server worth being measured against? Speaks raw bytes to it: heads cut anywhere,
 * pipelined requests, nonsense, overload, counters.
 *
 * Nothing here sleeps. Where the server must have seen bytes before others are sent, a question on
 * a second connection is asked and answered: the loop has then turned, and seen the first.
 */
#include "http_head.h"
#include "server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CHECK(condition) check((condition), #condition, __LINE__)

static int failures;
static struct todo_server_thread *server;

static void check(bool good, const char *condition, int line)
{
    if (good)
        return;
    fprintf(stderr, "server_test.c:%d: not true: %s\n", line, condition);
    failures++;
}

/* ------------------------------------------------------------------ sockets */

/* A receive that takes ten seconds counts as the end of the connection, so that this program ends. */
static int dial(void)
{
    int on = 1;
    struct timeval receive_limit = {.tv_sec = 10};
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int port = atoi(strrchr(todo_server_thread_url(server), ':') + 1);
    uv_ip4_addr("127.0.0.1", port, &address);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &receive_limit, sizeof receive_limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("server_test: connect");
        exit(1);
    }
    return fd;
}

static void say(int fd, const char *bytes)
{
    size_t size = strlen(bytes);
    CHECK(send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size);
}

/* Read on until `last` was seen, or the end where it is NULL. A static buffer: one at a time. */
static const char *hear(int fd, const char *last)
{
    static char bytes[65536];
    size_t size = 0;
    ssize_t got = 1;
    bytes[0] = '\0';
    while (got > 0 && (last == NULL || strstr(bytes, last) == NULL)) {
        got = recv(fd, bytes + size, sizeof bytes - 1 - size, 0);
        size += got > 0 ? (size_t)got : 0;
        bytes[size] = '\0';
    }
    CHECK(last == NULL || got > 0); /* it must not end before */
    CHECK(last != NULL || got == 0);
    return bytes;
}

static bool is_silent(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) < 0;
}

/* One question on a connection of its own. */
static const char *ask(const char *request)
{
    int fd = dial();
    say(fd, request);
    const char *answer = hear(fd, NULL);
    close(fd);
    return answer;
}

static int64_t stat_of(const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *found = strstr(ask("GET /stats HTTP/1.0\r\n\r\n"), key);
    CHECK(found != NULL);
    return found != NULL ? atoll(found + strlen(key)) : -1;
}

static void reset_stats(void)
{
    ask("GET /stats?reset=1 HTTP/1.0\r\n\r\n");
}

/* -------------------------------------------------------------------- tests */

static void test_head_cut_anywhere(void)
{
    static const char bytes[] = "\r\nPOST /echo?a=1&b=22 HTTP/1.1\r\nHost: x\r\n"
                                "Content-Length: 12\r\nCONNECTION: foo, close\r\n\r\nbody";
    struct http_head head;
    size_t whole = sizeof bytes - 1 - strlen("body");
    for (size_t size = 0; size < whole; size++)
        CHECK(http_head_parse(bytes, size, &head) == 0);
    CHECK(http_head_parse(bytes, sizeof bytes - 1, &head) == 1);
    CHECK(head.size == whole && head.content_length == 12 && !head.keep_alive);
    CHECK(text_is(head.method, "POST") && text_is(head.path, "/echo"));
    CHECK(query_number(head.query, "b", -1) == 22 && query_number(head.query, "c", -1) == -1);
}

static void test_partial_requests(void)
{
    int fd = dial();
    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Le");
    reset_stats();
    CHECK(is_silent(fd));
    say(fd, "ngth: 5\r\n\r\nsh");
    reset_stats();
    CHECK(is_silent(fd));
    say(fd, "eaf");
    CHECK(strstr(hear(fd, "sheaf"), "HTTP/1.1 200 OK\r\n") != NULL);
    for (const char *at = "GET /todos/9 HTTP/1.1\r\nHost: x\r\n\r\n"; *at != '\0'; at++)
        say(fd, (char[2]){*at, '\0'});
    CHECK(strstr(hear(fd, "}"), "\"id\":9,") != NULL);
    close(fd);
}

/* The answer to the first takes longest, and all the same it comes first. */
static void test_pipelining(void)
{
    int fd = dial();
    say(fd, "GET /todos/1?delay_ms=30 HTTP/1.1\r\nHost: x\r\n\r\n"
            "HEAD /todos/2 HTTP/1.1\r\nHost: x\r\n\r\n"
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nGET "
            "GET /todos/3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const char *answers = hear(fd, NULL);
    const char *first = strstr(answers, "\"id\":1,");
    const char *third = strstr(answers, "GET HTTP/1.1 200");
    const char *fourth = strstr(answers, "\"id\":3,");
    CHECK(first != NULL && third != NULL && fourth != NULL && first < third && third < fourth);
    CHECK(strstr(answers, "\"id\":2,") == NULL); /* HEAD */
    close(fd);
}

static void test_refusals(void)
{
    static const struct {
        const char *bytes, *answer;
    } rows[] = {
        {"nonsense\r\n", "HTTP/1.1 400 "},
        {"GET /\r\n", "HTTP/1.1 400 "},
        {"GET  / HTTP/1.1\r\n", "HTTP/1.1 400 "},
        {"GET todos HTTP/1.1\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/1.1\n", "HTTP/1.1 400 "},
        {"GET / HTTP/2.0\r\n", "HTTP/1.1 505 "},
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "}, /* no Host */
        {"GET / HTTP/1.1\r\nHost : x\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n", "HTTP/1.1 400 "},
        {"POST / HTTP/1.1\r\nContent-Length: +1\r\n", "HTTP/1.1 400 "},
        {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n", "HTTP/1.1 400 "},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", "HTTP/1.1 501 "},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", "HTTP/1.1 413 "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *answer = ask(rows[i].bytes); /* hears until the end: it must close */
        if (strncmp(answer, rows[i].answer, strlen(rows[i].answer)) != 0)
            fprintf(stderr, "row %zu: %s\n", i, answer);
        CHECK(strncmp(answer, rows[i].answer, strlen(rows[i].answer)) == 0);
    }
}

static void test_long_head(void)
{
    static char head[HTTP_HEAD_MAX + 100];
    memset(head, 'a', sizeof head - 1);
    memcpy(head, "GET / HTTP/1.1\r\nX: ", 19);
    CHECK(strncmp(ask(head), "HTTP/1.1 431 ", 13) == 0);
}

static void test_routes(void)
{
    CHECK(strstr(ask("GET /todos/0 HTTP/1.0\r\n\r\n"), " 404 ") != NULL);
    CHECK(strstr(ask("GET /todos/1x HTTP/1.0\r\n\r\n"), " 404 ") != NULL);
    CHECK(strstr(ask("PUT /todos/1 HTTP/1.0\r\n\r\n"), "\r\nAllow: GET, HEAD\r\n") != NULL);
    CHECK(strstr(ask("GET http://y/todos/4 HTTP/1.0\r\n\r\n"),
                 "{\"userId\":1,\"id\":4,\"title\":\"stook the spelt\",\"completed\":true}") !=
          NULL);
    int fd = dial();
    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    CHECK(strcmp(hear(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n") == 0);
    say(fd, "ok");
    CHECK(strstr(hear(fd, "ok"), " 200 OK\r\n") != NULL);
    close(fd);
}

static void test_counters(void)
{
    reset_stats();
    for (int i = 0; i < 3; i++)
        ask("GET /todos/1 HTTP/1.0\r\n\r\n");
    CHECK(stat_of("requests") == 3);
    CHECK(stat_of("most_in_flight") == 1);
    CHECK(stat_of("in_flight") == 0);
    CHECK(stat_of("connections_opened") >= 3);
    reset_stats();
    CHECK(stat_of("requests") == 0);
}

/* One slot. The first takes it, the second hangs, the third is refused, the fourth finds it free. */
static void test_overload(void)
{
    int first = dial(), second = dial();
    reset_stats();
    say(first, "GET /todos/1?slots=1&delay_ms=86400000 HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(stat_of("in_flight") == 1);
    say(second, "GET /todos/2?slots=1&overload=hang HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(stat_of("in_flight") == 2);
    CHECK(is_silent(second));
    CHECK(strstr(ask("GET /todos/3?slots=1 HTTP/1.0\r\n\r\n"), " 503 ") != NULL);
    CHECK(stat_of("overloaded") == 2);
    CHECK(stat_of("requests") == 1);
    CHECK(stat_of("most_in_flight") == 3);
    close(first);
    close(second);
    CHECK(stat_of("in_flight") == 0);
    CHECK(strstr(ask("GET /todos/4?slots=1 HTTP/1.0\r\n\r\n"), " 200 ") != NULL);
}

int main(void)
{
    struct todo_server_options options = {.delay_ms = 0};
    if (todo_server_start(&options, &server) != 0)
        return 1;
    int port = atoi(strrchr(todo_server_thread_url(server), ':') + 1);
    CHECK(port >= 10240 && port <= 32767);
    test_head_cut_anywhere();
    test_partial_requests();
    test_pipelining();
    test_refusals();
    test_long_head();
    test_routes();
    test_counters();
    test_overload();
    int idle = dial(); /* still open when the server stops: it must not wait for it */
    todo_server_stop(server);
    close(idle);
    return failures == 0 ? 0 : 1;
}
