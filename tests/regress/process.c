/* SPDX-License-Identifier: MIT */
/* What a library shares with its process: signals, descriptors that children inherit, numbers of descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "regress/spy.h"

static void ask_for(struct life *life, const char *url, int times, int64_t limit)
{
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < times; i++)
        add(batch, url);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = limit)), 0);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------- signals */

static unsigned dispositions;

int sigaction(int number, const struct sigaction *action, struct sigaction *before)
{
    SPY_REAL(sigaction);
    dispositions++;
    return real(number, action, before);
}

/* Not even for a moment, and not asked for either: it is slow, and other threads see it. */
TEST_BOTH(no_signal_is_looked_at)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    ask_for(life, raw_url(server, "/ok"), 1, 0);
    dispositions = 0;
    ask_for(life, raw_url(server, "/ok"), 50, 5);
    ask_for(life, raw_url(server, "/until-close"), 10, 5);
    CHECK_EQ_INT(dispositions, 0);
}

static volatile sig_atomic_t alarms;

static void ring(int number)
{
    (void)number;
    alarms++;
}

/* A signal a millisecond interrupts whatever waits. */
TEST_BOTH(interrupted)
{
    struct itimerval often = {.it_interval = {.tv_usec = 1000}, .it_value = {.tv_usec = 1000}}, never = {.it_value = {0}};
    struct sigaction action = {.sa_handler = ring};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    CHECK_EQ_INT(sigaction(SIGALRM, &action, NULL), 0);
    CHECK_EQ_INT(setitimer(ITIMER_REAL, &often, NULL), 0);
    alarms = 0;
    for (int i = 0; i < 5; i++) {
        ask_for(life, raw_url(server, "/ok"), 100, 10);
        ask_for(life, raw_url(server, "/until-close"), 20, 10);
        ask_for(life, raw_url(server, "/delay?ms=20"), 5, 0);
    }
    CHECK_EQ_INT(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK(alarms > 20);
}

/* Every kind of lost connection, with SIGPIPE at its default, which would kill the process. */
TEST_BOTH(no_sigpipe)
{
    static const char *const paths[] = {"/rst", "/rst-early", "/rst-head", "/rst-body", "/too-early", "/swallow", "/short"};
    static char body[1 << 20];
    struct raw_server *server = raw_server_start(NULL);
    signal(SIGPIPE, SIG_DFL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
            CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "%s", paths[i]), .body = body, .body_size = sizeof body)), 0);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 4)), 21);
    stook_batch_free(batch);
}

/* -------------------------------------------------------------------- children */

enum { FDS = 4096 };

static int is_connection(int fd)
{
    int domain = 0;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &(socklen_t){sizeof domain}) == 0 && domain == AF_INET;
}

static int is_ours(const char *line)
{
    char name[64], what[64];
    for (int fd = 3; fd < FDS; fd++) {
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        ssize_t size = is_connection(fd) ? readlink(name, what, sizeof what - 1) : 0;
        if (size > 0 && strncmp(what, line, (size_t)size) == 0)
            return 1;
    }
    return 0;
}

/* What is open in a program that is executed from here. A pair of libcurl's own to wake a multi,
   which we do not use, is not closed there up to 8.18. */
static int count_in_a_program(void)
{
    char line[256];
    int count = 0;
    FILE *list = popen("for fd in /proc/self/fd/*; do readlink $fd; done; true", "re");
    CHECK(list != NULL);
    while (fgets(line, sizeof line, list))
        count += is_ours(line) || strstr(line, "eventpoll") || strstr(line, "eventfd");
    CHECK_EQ_INT(pclose(list), 0);
    return count;
}

static void look_from_a_program(stook_batch *batch, const stook_result *result, void *user)
{
    int *looks = user;
    (void)batch, (void)result;
    CHECK_EQ_INT(count_in_a_program(), 0);
    ++*looks;
}

/* Connections in use and idle: a program that is executed inherits none of them. */
TEST_BOTH(nothing_is_inherited)
{
    int looks = 0;
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    ask_for(life, raw_url(server, "/after?path=/after&n=3"), 3, 0);
    CHECK_EQ_INT(count_in_a_program(), 0);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/stall"), .attempt_timeout_ms = 500)), 0);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.on_result = look_from_a_program, .user = &looks)), 1);
    CHECK_EQ_INT(looks, 2);
    stook_batch_free(batch);
}

/* Children that end in any way: nothing is sent twice, and the parent continues. */
static void end_children(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    for (int way = 0; way < 3; way++) {
        int status = 0;
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0 && way == 0)
            _exit(0);
        if (child == 0 && way == 1)
            exit(0); /* with all that is done at exit */
        if (child == 0)
            execlp("true", "true", (char *)NULL);
        CHECK_EQ_INT(waitpid(child, &status, 0), child);
        CHECK_EQ_INT(status, 0);
    }
    CHECK_EQ_INT(stook_result_ok(result), 1);
}

TEST_BOTH(children_that_end)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    ask_for(life, raw_url(server, "/ok"), 5, 5);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 5; i++)
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/echo"), .body = "order", .body_size = 5)), 0);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 2, .on_result = end_children)), 0);
    CHECK_EQ_INT(raw_seen(server, "/echo"), 5);
    stook_batch_free(batch);
}

/* ----------------------------------------------------------------- high numbers */

static void close_all(void *user)
{
    int *fds = user;
    for (int i = 0; i < 2000; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(fds);
}

/* Descriptors above 1024, and above what the table began with. */
TEST_BOTH(high_descriptors)
{
    struct rlimit limit;
    CHECK_EQ_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 3000) {
        limit.rlim_cur = limit.rlim_max < 4000 ? limit.rlim_max : 4000;
        if (limit.rlim_cur < 3000 || setrlimit(RLIMIT_NOFILE, &limit) != 0)
            test_skip("no 3000 descriptors");
    }
    struct raw_server *server = raw_server_start(NULL);
    int *fds = malloc(2000 * sizeof *fds);
    CHECK(fds != NULL);
    for (int i = 0; i < 2000; i++)
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    life_open(life, NULL);
    ask_for(life, raw_url(server, "/ok"), 20, 5);
    ask_for(life, raw_url(server, "/until-close"), 20, 5);
    life_close(life);
    close_all(fds);
}

/* ---------------------------------------------------------- closed by somebody */

static int close_sockets(void)
{
    int count = 0;
    for (int fd = 3; fd < FDS; fd++)
        if (is_connection(fd) && close(fd) == 0) {
            /* Its number is taken at once, so that nobody else's is closed later. */
            CHECK_EQ_INT(open("/dev/null", O_RDONLY | O_CLOEXEC), fd);
            count++;
        }
    return count;
}

/* A mistake of the program's, and not the end of it: a connection in flight is lost, an idle one is
   not used. */
TEST_BOTH(closed_by_somebody)
{
    static const char *const paths[] = {NULL, "/stall", "/stall-body", "/drip?n=1000&ms=1"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct raw_server *server = raw_server_start(NULL);
        struct done done = {0, 0};
        life_open(life, NULL);
        /* The kernel knows of the poll when it is answered late; before, libuv could only abort. */
        ask_for(life, raw_url(server, "/delay?ms=20"), 1, 0);
        stook_batch *batch = life_batch(life);
        if (paths[i]) {
            ADD(batch, raw_url(server, "%s", paths[i]), .attempt_timeout_ms = 300);
            CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
            for (int turns = 0; life->borrowed && turns < 20; turns++)
                uv_run(&life->loop, UV_RUN_NOWAIT);
        }
        CHECK_EQ_INT(close_sockets(), 1);
        life_run(life);
        CHECK_EQ_INT(done.calls, paths[i] != NULL);
        ask_for(life, raw_url(server, "/ok"), 3, 1);
        stook_batch_free(batch);
        life_close(life);
    }
}
