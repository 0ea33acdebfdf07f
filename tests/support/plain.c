/* SPDX-License-Identifier: MIT */
#include "plain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/harness.h"
#include "process.h"
#include "sockets.h"

struct plain {
    struct process process;
    int port;
    long asked; /* connections of our own questions */
};

static void stop(void *arg)
{
    struct plain *plain = arg;
    process_stop(&plain->process);
    free(plain);
}

/* The program says where it listens in its first line: a URL or a port, the number is at the end. */
static int read_port(int fd)
{
    char line[256];
    size_t size = 0;
    while (size < sizeof line - 1 && read(fd, line + size, 1) == 1 && line[size] != '\n')
        size++;
    line[size] = '\0';
    while (size > 0 && (line[size - 1] < '0' || line[size - 1] > '9'))
        line[--size] = '\0';
    while (size > 0 && line[size - 1] >= '0' && line[size - 1] <= '9')
        size--;
    return atoi(line + size);
}

struct plain *plain_start(void)
{
    const char *argv[] = {TEST_SERVER_PROGRAM, "--until-eof", NULL};
    struct plain *plain = calloc(1, sizeof *plain);
    CHECK(plain != NULL);
    process_start(&plain->process, argv, NULL);
    test_defer(stop, plain);
    plain->port = read_port(plain->process.out);
    if (plain->port <= 0)
        FAIL("%s did not say its port", TEST_SERVER_PROGRAM);
    return plain;
}

const char *plain_url(const struct plain *plain, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *url = url_of("http", plain->port, format, args);
    va_end(args);
    return url;
}

long plain_count(struct plain *plain, const char *name)
{
    char answer[2048];
    CHECK(ask(plain->port, "/stats", answer, sizeof answer) > 0);
    plain->asked++;
    const char *number = strstr(answer, text("\"%s\":", name));
    if (!number)
        FAIL("/stats does not know \"%s\": %s", name, answer);
    return atol(number + strlen(name) + 3) - (strcmp(name, "connections_opened") == 0 ? plain->asked : 0);
}
