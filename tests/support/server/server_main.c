/* SPDX-License-Identifier: MIT */
/*
 * The example server as a program. It says where it listens, on one line, and ends on SIGINT,
 * SIGTERM or, with --until-eof, when its stdin ends: whoever holds the other end of that pipe can
 * die in any way and leaves no server behind.
 */
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct program {
    uv_loop_t loop;
    uv_signal_t signals[2];
    union {
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tty_t tty;
    } input;
    struct todo_server *server;
    struct todo_server_options options;
    bool until_eof;
    bool has_input;
    bool ending;
};

/* Closing the watchers gives the signals back their deadly default. Whoever closes our stdin and
   sends SIGTERM, too, is to see us end and not die: from here on they are held back. */
static void block_signals(void)
{
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    sigprocmask(SIG_BLOCK, &both, NULL);
}

static void end(struct program *program)
{
    if (program->ending)
        return;
    program->ending = true;
    block_signals();
    todo_server_close(program->server);
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&program->signals[i], NULL);
    if (program->has_input)
        uv_close((uv_handle_t *)&program->input.stream, NULL);
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    end(signal->data);
}

static void on_input_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    static char room[4096]; /* what is typed is of no interest */
    (void)handle;
    (void)suggested;
    *buf = uv_buf_init(room, sizeof room);
}

static void on_input(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    (void)buf;
    if (size < 0)
        end(stream->data);
}

/* Pipes, sockets and terminals can be waited for. A file, or /dev/null, ends without waiting. */
static void watch_input(struct program *program)
{
    int error = UV_EINVAL;
    uv_handle_type type = uv_guess_handle(0);
    if (type == UV_NAMED_PIPE || type == UV_TCP) {
        uv_pipe_init(&program->loop, &program->input.pipe, 0);
        program->has_input = true;
        error = uv_pipe_open(&program->input.pipe, 0);
    } else if (type == UV_TTY) {
        error = uv_tty_init(&program->loop, &program->input.tty, 0, 1);
        program->has_input = error == 0;
    }
    if (error == 0) {
        program->input.stream.data = program;
        error = uv_read_start(&program->input.stream, on_input_room, on_input);
    }
    if (error != 0)
        end(program);
}

static bool take_number(const char *value, int64_t *ret_number)
{
    char *rest;
    if (value == NULL || *value < '0' || *value > '9')
        return false;
    *ret_number = strtoll(value, &rest, 10);
    return *rest == '\0' && *ret_number <= 86400000;
}

static bool take_overload(const char *value, bool *ret_hangs)
{
    if (value == NULL || (strcmp(value, "503") != 0 && strcmp(value, "hang") != 0))
        return false;
    *ret_hangs = strcmp(value, "hang") == 0;
    return true;
}

/* argv ends with NULL, so argv[i + 1] may always be looked at. */
static bool read_arguments(char **argv, struct program *program)
{
    for (int i = 1; argv[i] != NULL; i++) {
        bool good;
        if (strcmp(argv[i], "--until-eof") == 0)
            good = program->until_eof = true;
        else if (strcmp(argv[i], "--uneven") == 0)
            good = program->options.uneven = true;
        else if (strcmp(argv[i], "--delay-ms") == 0)
            good = take_number(argv[++i], &program->options.delay_ms);
        else if (strcmp(argv[i], "--slots") == 0)
            good = take_number(argv[++i], &program->options.slots);
        else if (strcmp(argv[i], "--overload") == 0)
            good = take_overload(argv[++i], &program->options.overload_hangs);
        else
            good = false;
        if (!good) {
            fprintf(stderr, "usage: server [--delay-ms N] [--uneven] [--slots N] "
                            "[--overload 503|hang] [--until-eof]\n");
            return false;
        }
    }
    return true;
}

static void run(struct program *program)
{
    static const int numbers[2] = {SIGINT, SIGTERM};
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&program->loop, &program->signals[i]);
        program->signals[i].data = program;
        uv_signal_start(&program->signals[i], on_signal, numbers[i]);
    }
    printf("listening on %s\n", todo_server_url(program->server));
    fflush(stdout); /* it is a pipe where tests read it */
    if (program->until_eof)
        watch_input(program);
    uv_run(&program->loop, UV_RUN_DEFAULT);
}

int main(int argc, char **argv)
{
    static struct program program;
    (void)argc;
    if (!read_arguments(argv, &program))
        return 2;
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&program.loop);
    int error = todo_server_open(&program.loop, &program.options, &program.server);
    if (error == 0)
        run(&program);
    else
        fprintf(stderr, "server: cannot listen: %s\n", uv_strerror(error));
    uv_run(&program.loop, UV_RUN_DEFAULT);
    return error == 0 && uv_loop_close(&program.loop) == 0 ? 0 : 1;
}
