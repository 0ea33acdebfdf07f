/* SPDX-License-Identifier: MIT */
/*
 * The server behind nginx in tls.c: it holds its answers back until so many requests wait, then
 * answers the oldest, and another for each that comes. So as many are in flight as the program
 * under measurement is told to have, and each answer comes alone, however fast the machine is and
 * whatever else it does. When nothing comes for a while, those that wait are the last: all are
 * answered.
 *
 *   /hold/N   from now on N have to wait; this is answered at once
 *   /other    {"userId":50001,...}: 74 bytes
 *
 * Prints its port, and ends when its input does.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

enum { HEAD_MAX = 4096, QUIET_MS = 1000 };

#define BODY "{\"userId\":50001,\"id\":1000003,\"title\":\"stook the barley\",\"completed\":false}"

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 74\r\n\r\n" BODY;

_Static_assert(sizeof BODY == 74 + 1, "it is a rule of the figures");

struct connection {
    uv_tcp_t tcp;
    uv_write_t write;
    struct connection *older, *newer; /* in the queue */
    int waits, last; /* last: closed when it is answered */
    size_t size;
    char head[HEAD_MAX];
};

static uv_loop_t loop;
static uv_timer_t quiet;
static uv_pipe_t input;
static struct connection *oldest, *newest;
static size_t waiting, hold = 1;

static void fail(const char *what)
{
    fprintf(stderr, "holder: %s\n", what);
    exit(1);
}

static void line_up(struct connection *connection)
{
    connection->waits = 1;
    connection->older = newest;
    connection->newer = NULL;
    *(newest ? &newest->newer : &oldest) = connection;
    newest = connection;
    waiting++;
}

static void leave(struct connection *connection)
{
    if (!connection->waits)
        return;
    connection->waits = 0;
    *(connection->older ? &connection->older->newer : &oldest) = connection->newer;
    *(connection->newer ? &connection->newer->older : &newest) = connection->older;
    waiting--;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void end(struct connection *connection)
{
    leave(connection);
    if (!uv_is_closing((uv_handle_t *)&connection->tcp))
        uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

static void on_written(uv_write_t *write, int status)
{
    struct connection *connection = write->data;
    if (status < 0 || connection->last)
        end(connection);
}

static void give_answer(struct connection *connection)
{
    uv_buf_t bytes = {.base = (char *)(size_t)answer, .len = sizeof answer - 1};
    leave(connection);
    connection->write.data = connection;
    if (uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &bytes, 1, on_written) != 0)
        end(connection);
}

static void on_quiet(uv_timer_t *timer)
{
    (void)timer;
    while (oldest != NULL)
        give_answer(oldest);
}

static void on_request(struct connection *connection)
{
    static const char order[] = "GET /hold/";
    line_up(connection);
    if (strncmp(connection->head, order, sizeof order - 1) == 0) {
        hold = strtoul(connection->head + sizeof order - 1, NULL, 10);
        connection->last = 1;
        give_answer(connection);
        return;
    }
    uv_timer_start(&quiet, on_quiet, QUIET_MS, 0);
    while (oldest != NULL && waiting >= hold)
        give_answer(oldest);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct connection *connection = handle->data;
    (void)suggested;
    *room = uv_buf_init(connection->head + connection->size, (unsigned)(HEAD_MAX - 1 - connection->size));
}

/* One request at a time: nginx does not send the next before the answer. */
static void on_bytes(uv_stream_t *stream, ssize_t size, const uv_buf_t *bytes)
{
    struct connection *connection = stream->data;
    (void)bytes;
    if (size < 0) {
        end(connection);
        return;
    }
    connection->size += (size_t)size;
    connection->head[connection->size] = '\0';
    if (connection->size < 4 || strcmp(connection->head + connection->size - 4, "\r\n\r\n") != 0)
        return;
    connection->size = 0;
    on_request(connection);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (status != 0 || connection == NULL)
        fail("cannot take a connection");
    uv_tcp_init(&loop, &connection->tcp);
    connection->tcp.data = connection;
    if (uv_accept(listener, (uv_stream_t *)&connection->tcp) != 0)
        fail("cannot accept a connection");
    uv_tcp_nodelay(&connection->tcp, 1);
    uv_read_start((uv_stream_t *)&connection->tcp, on_room, on_bytes);
}

static void on_input_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    static char waste[64];
    (void)handle, (void)suggested;
    *room = uv_buf_init(waste, sizeof waste);
}

static void on_input(uv_stream_t *stream, ssize_t size, const uv_buf_t *bytes)
{
    (void)stream, (void)bytes;
    if (size < 0)
        exit(0);
}

/* Below the ports that the kernel gives to clients. */
static int bind_somewhere(int fd)
{
    for (int i = 0; i < 1000; i++) {
        uint16_t number;
        if (uv_random(NULL, NULL, &number, sizeof number, 0, NULL) != 0)
            break;
        int port = 10240 + number % (32768 - 10240);
        struct sockaddr_in address;
        uv_ip4_addr("127.0.0.1", port, &address);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
            return port;
    }
    fail("no port is free");
    return -1;
}

static int listen_somewhere(uv_tcp_t *listener)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), port = bind_somewhere(fd);
    if (uv_tcp_init(&loop, listener) != 0 || uv_tcp_open(listener, fd) != 0 ||
        uv_listen((uv_stream_t *)listener, 4096, on_connection) != 0)
        fail("cannot listen");
    return port;
}

int main(void)
{
    static uv_tcp_t listener;
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    uv_timer_init(&loop, &quiet);
    uv_pipe_init(&loop, &input, 0);
    if (uv_pipe_open(&input, 0) != 0 || uv_read_start((uv_stream_t *)&input, on_input_room, on_input) != 0)
        fail("the input is not a pipe");
    printf("%d\n", listen_somewhere(&listener));
    fflush(stdout);
    return uv_run(&loop, UV_RUN_DEFAULT);
}
