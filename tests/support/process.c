/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/harness.h"

void process_die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before we asked */
        _exit(1);
}

enum { ARGV_MAX = 48 };

static void exec_child(const char *const argv[], const char *log, const int in[2],
                       const int out[2])
{
    char *own[ARGV_MAX + 1] = {NULL}; /* exec takes them without const, and leaves them alone */
    for (size_t i = 0; i < ARGV_MAX && argv[i]; i++)
        memcpy(&own[i], &argv[i], sizeof own[i]);
    if (log) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        int none = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (dup2(none, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
            _exit(126);
    } else if (dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0) {
        _exit(126);
    }
    execvp(own[0], own);
    _exit(127);
}

void process_start(struct process *process, const char *const argv[], const char *log)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    pid_t parent = getpid();
    if (!log)
        CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    process->pid = fork();
    CHECK(process->pid >= 0);
    if (process->pid == 0) {
        process_die_with(parent);
        exec_child(argv, log, in, out);
    }
    if (!log) {
        close(in[0]);
        close(out[1]);
    }
    process->in = in[1];
    process->out = out[0];
}

static int collect(struct process *process, int flags)
{
    pid_t pid;
    do {
        pid = waitpid(process->pid, NULL, flags);
    } while (pid < 0 && errno == EINTR);
    if (pid == process->pid)
        process->pid = 0;
    return process->pid == 0;
}

int process_ended(struct process *process)
{
    return process->pid == 0 || collect(process, WNOHANG);
}

void process_stop(struct process *process)
{
    if (process->pid > 0 && !process_ended(process)) {
        kill(process->pid, SIGKILL);
        collect(process, 0);
    }
    if (process->in >= 0)
        close(process->in);
    if (process->out >= 0)
        close(process->out);
    process->in = process->out = -1;
}

int process_try(const char *const argv[], const char *log)
{
    struct process process;
    int status = 0;
    process_start(&process, argv, log);
    while (waitpid(process.pid, &status, 0) < 0)
        CHECK_EQ_INT(errno, EINTR);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void process_run(const char *const argv[], const char *log)
{
    if (!process_try(argv, log))
        FAIL("%s failed, see %s", argv[0], log);
}

/* ------------------------------------------------------------------- files */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *level)
{
    (void)info, (void)kind, (void)level;
    return remove(path);
}

static void remove_directory(void *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(path);
}

const char *temporary_directory(void)
{
    const char *top = getenv("TMPDIR");
    char *path = strdup(text("%s/stook-test-XXXXXX", top && top[0] ? top : "/tmp"));
    CHECK(path && mkdtemp(path));
    test_defer(remove_directory, path);
    return path;
}

const char *text(const char *format, ...)
{
    static _Thread_local char texts[16][1024];
    static _Thread_local unsigned next;
    char *here = texts[next++ % 16];
    va_list args;
    va_start(args, format);
    CHECK(vsnprintf(here, sizeof texts[0], format, args) < (int)sizeof texts[0]);
    va_end(args);
    return here;
}

const char *url_of(const char *scheme, int port, const char *format, va_list args)
{
    char path[512];
    CHECK(vsnprintf(path, sizeof path, format, args) < (int)sizeof path);
    return text("%s://127.0.0.1:%d%s", scheme, port, path);
}

void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "we");
    CHECK(file != NULL);
    CHECK(fputs(content, file) >= 0);
    CHECK_EQ_INT(fclose(file), 0);
}
