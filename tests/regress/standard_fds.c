/* SPDX-License-Identifier: MIT */
/* A program that has closed descriptors 0, 1 or 2, as daemons do: no socket of ours gets these numbers. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { COMBINATIONS = 8 };

/* Where the child says how far it came: its exit status, because it has nowhere to print. */
#define ENSURE(condition) ((condition) ? (void)0 : _exit(__LINE__ % 200 + 1))

static void check_numbers(unsigned closed)
{
    for (int fd = 0; fd < 3; fd++)
        if (closed & (1u << fd)) {
            char byte = 'x';
            /* As before: it can be neither read nor written. */
            ENSURE(write(fd, &byte, 1) < 0 && read(fd, &byte, 1) < 0);
        }
}

/* On a loop of its own, or on the program's, which was made before. */
static void one_life(const char *const urls[2], unsigned closed, uv_loop_t *loop)
{
    stook_client *client;
    stook_batch *batch;
    ENSURE(stook_client_new(loop, NULL, &client) == 0 && stook_batch_new(client, &batch) == 0);
    check_numbers(closed);
    for (int i = 0; i < 10; i++)
        ENSURE(stook_batch_add(batch, &STOOK_REQUEST(.url = urls[i % 2])) == 0);
    if (loop != NULL) {
        ENSURE(stook_gather_start(batch, NULL, NULL, NULL) == 0);
        uv_run(loop, UV_RUN_DEFAULT);
    } else {
        ENSURE(stook_gather(batch, NULL) == 0);
    }
    for (size_t i = 0; i < 10; i++)
        ENSURE(stook_result_ok(stook_batch_result(batch, i)));
    check_numbers(closed);
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    if (loop != NULL)
        uv_run(loop, UV_RUN_DEFAULT);
}

/* In a process of its own, because it closes descriptors of the test. */
static void child(const char *const urls[2], unsigned closed)
{
    uv_loop_t loop;
    ENSURE(uv_loop_init(&loop) == 0);
    for (int fd = 0; fd < 3; fd++)
        if (closed & (1u << fd))
            close(fd);
    for (int life = 0; life < 4; life++)
        one_life(urls, closed, life % 2 ? &loop : NULL);
    ENSURE(uv_loop_close(&loop) == 0);
    for (int fd = 0; fd < 3; fd++)
        if (closed & (1u << fd))
            ENSURE(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
    _exit(0);
}

static void run_child(void (*call)(const char *const urls[2], unsigned closed), unsigned closed)
{
    struct raw_server *server = raw_server_start(NULL);
    const char *const urls[2] = {text("http://127.0.0.1:%d/ok", raw_port(server)), text("http://localhost:%d/path/1", raw_port(server))};
    int status;
    pid_t parent = getpid(), pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        process_die_with(parent);
        call(urls, closed);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    test_note("closed: %u, status %x", closed, (unsigned)status);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(closed_by_the_program)
{
    for (unsigned closed = 0; closed < COMBINATIONS; closed++)
        run_child(child, closed);
}

/* What the program opens in place of a stand-in is the program's, and stays when the client closes. */
static void replace(const char *const urls[2], unsigned closed)
{
    stook_client *client;
    struct stat before, after;
    int ends[2];
    (void)urls, (void)closed;
    ENSURE(pipe(ends) == 0 && ends[0] > 2);
    close(1);
    close(2);
    ENSURE(stook_client_new(NULL, NULL, &client) == 0);
    ENSURE(dup2(ends[1], 1) == 1 && fstat(1, &before) == 0);
    stook_client_close(client, NULL, NULL);
    ENSURE(fstat(1, &after) == 0 && before.st_ino == after.st_ino && write(1, "x", 1) == 1);
    ENSURE(fcntl(2, F_GETFD) < 0);
    _exit(0);
}

TEST(replaced_by_the_program)
{
    run_child(replace, 0);
}

/* Several clients hold them together: they are free again after the last one. */
static void share(const char *const urls[2], unsigned closed)
{
    stook_client *clients[2];
    (void)urls, (void)closed;
    close(1);
    ENSURE(stook_client_new(NULL, NULL, &clients[0]) == 0 && stook_client_new(NULL, NULL, &clients[1]) == 0);
    stook_client_close(clients[0], NULL, NULL);
    ENSURE(fcntl(1, F_GETFD) >= 0);
    stook_client_close(clients[1], NULL, NULL);
    ENSURE(fcntl(1, F_GETFD) < 0);
    _exit(0);
}

TEST(held_by_several_clients)
{
    run_child(share, 0);
}
