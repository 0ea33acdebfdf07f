/* SPDX-License-Identifier: MIT */
/* Nothing is printed, and the state of the process is left as it was. */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"

/* A bit of everything, good and bad. */
static void do_all(struct life *life)
{
    static const char *const paths[] = {
        "/ok", "/status?code=404", "/short", "/rst", "/rst-body", "/garbage", "/bad-chunk", "/bad-length",
        "/two-lengths", "/http9", "/headers?n=300&size=10", "/swallow", "/stall", "/until-close"};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = 300));
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        add(batch, raw_url(server, "%s", paths[i]));
    add(batch, text("http://127.0.0.1:%d/", refusing_port()));
    add(batch, text("https://127.0.0.1:%d/", raw_port(server))); /* not TLS */
    add(batch, "nonsense");
    ADD(batch, .url = raw_url(server, "/ok"), .method = "NO\n");
    CHECK(life_gather(life, batch, NULL) > 5);
    CHECK_ERROR(stook_gather(batch, NULL), STOOK_ESTATE);
    stook_batch_free(batch);
    batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, NULL), STOOK_EARG);
    stook_batch_free(batch);
    life_close(life);
}

TEST_BOTH(nothing_is_printed)
{
    struct stat info;
    const char *path = text("%s/printed", temporary_directory());
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    CHECK(file >= 0 && out >= 0 && err >= 0);
    fflush(NULL);
    CHECK(dup2(file, STDOUT_FILENO) >= 0 && dup2(file, STDERR_FILENO) >= 0);
    do_all(life);
    fflush(NULL);
    CHECK(dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0);
    CHECK_EQ_INT(fstat(file, &info), 0);
    CHECK_EQ_INT(info.st_size, 0);
    close(file);
    close(out);
    close(err);
}

static void mark(int number)
{
    (void)number;
}

TEST_BOTH(signals_are_left_alone)
{
    struct sigaction before[NSIG], after;
    sigset_t mask_before, mask_after;
    signal(SIGUSR1, mark);
    for (int i = 1; i < NSIG; i++)
        if (sigaction(i, NULL, &before[i]) != 0)
            before[i].sa_handler = SIG_ERR;
    CHECK_EQ_INT(sigprocmask(SIG_SETMASK, NULL, &mask_before), 0);
    do_all(life);
    CHECK_EQ_INT(sigprocmask(SIG_SETMASK, NULL, &mask_after), 0);
    for (int i = 1; i < NSIG; i++) {
        test_note("signal %d", i);
        CHECK_EQ_INT(sigismember(&mask_before, i), sigismember(&mask_after, i));
        if (sigaction(i, NULL, &after) != 0)
            continue;
        CHECK(after.sa_handler == before[i].sa_handler);
        CHECK_EQ_INT(after.sa_flags, before[i].sa_flags);
    }
}

/* A peer that resets while a long body is sent to it: no SIGPIPE, whose default is to kill us. */
TEST_BOTH(no_sigpipe)
{
    enum { LONG = 8 << 20 };
    struct raw_server *server = raw_server_start(NULL);
    char *body = calloc(1, LONG);
    CHECK(body != NULL);
    signal(SIGPIPE, SIG_DFL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        ADD(batch, raw_url(server, "/rst-early"), .body = body, .body_size = LONG);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 3);
    for (size_t i = 0; i < 3; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), STOOK_ERESET);
    stook_batch_free(batch);
    free(body);
}

extern char **environ;

/* A proxy of the environment would get every request: here nobody is there. */
TEST_BOTH(environment)
{
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                        "all_proxy", "ALL_PROXY"};
    struct raw_server *server = raw_server_start(NULL);
    const char *proxy = text("http://127.0.0.1:%d", refusing_port());
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    for (size_t i = 0; i < 6; i++)
        setenv(names[i], proxy, 1);
    size_t count = 0;
    while (environ[count])
        count++;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    add(batch, text("http://localhost:%d/ok", raw_port(server)));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    for (size_t i = 0; i < 6; i++)
        CHECK_STR(getenv(names[i]), proxy);
    CHECK(environ[count] == NULL && environ[count - 1] != NULL);
    stook_batch_free(batch);
}

/* A .netrc in the home directory names a password for this host: it stays there. */
TEST_BOTH(home)
{
    struct raw_server *server = raw_server_start(NULL);
    const char *directory = temporary_directory();
    write_file(text("%s/.netrc", directory), "machine 127.0.0.1 login me password secret\n"
                                             "default login me password secret\n");
    setenv("HOME", directory, 1);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/echo"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK(strcasestr(stook_result_body(stook_batch_result(batch, 0), NULL), "Authorization") == NULL);
    stook_batch_free(batch);
}

TEST_BOTH(locale)
{
    char before[256];
    snprintf(before, sizeof before, "%s", setlocale(LC_ALL, NULL));
    do_all(life);
    CHECK_STR(setlocale(LC_ALL, NULL), before);
}

/* Cookies are not remembered: what a server sets goes to the program and nowhere else. */
static enum raw_then set_cookie(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n");
    return RAW_KEEP;
}

TEST_BOTH(no_cookies)
{
    static const struct raw_behaviour own[] = {{.path = "/set-cookie", .answer = set_cookie}, {.path = NULL}};
    struct raw_server *server = raw_server_start(own);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/set-cookie"));
    add(batch, raw_url(server, "/echo"));
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    CHECK_STR(stook_result_header(stook_batch_result(batch, 0), "set-cookie"), "a=b");
    CHECK(strcasestr(stook_result_body(stook_batch_result(batch, 1), NULL), "Cookie") == NULL);
    stook_batch_free(batch);
}
