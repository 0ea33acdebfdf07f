/* SPDX-License-Identifier: MIT */
/*
 * Child processes and directories of a test. All end with it: by their id when the test is over,
 * and by the kernel if the test dies first.
 */
#ifndef STOOK_TEST_PROCESS_H
#define STOOK_TEST_PROCESS_H

#include <stdarg.h>
#include <sys/types.h>

struct process {
    pid_t pid;
    int in;  /* writes to its stdin; -1: it has none */
    int out; /* reads its stdout; -1: it goes to the log */
};

/*
 * Start a program. With `log` NULL both stdin and stdout are pipes to it and stderr is the test's;
 * otherwise there are no pipes, and what it prints is appended to that file.
 */
void process_start(struct process *process, const char *const argv[], const char *log);
/* In a child made by fork(): die with the test. `parent` is the test's id, taken before. */
void process_die_with(pid_t parent);
/* Kill by id, and collect. */
void process_stop(struct process *process);
/* 1 if it has ended (then it is collected), else 0. */
int process_ended(struct process *process);
/* Run a program to its end; fails the test, naming the log, if it does not return 0. */
void process_run(const char *const argv[], const char *log);

/* A fresh directory, removed with all its files when the test is over. */
const char *temporary_directory(void);
/* A short text (a path, a URL) made as printf does; valid until 16 more were made. */
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* SCHEME://127.0.0.1:PORT and a path; valid as text() is. */
const char *url_of(const char *scheme, int port, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
void write_file(const char *path, const char *content);

#endif
