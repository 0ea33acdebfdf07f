/* SPDX-License-Identifier: MIT */
/*
 * Child processes and directories of a test. All end with it: the test kills them by their id, or the
 * kernel does if the test dies first.
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
 * Starts a program. If `log` is NULL, its stdin and stdout are pipes and its stderr is the test's.
 * Otherwise there are no pipes, and its output is appended to that file.
 */
void process_start(struct process *process, const char *const argv[], const char *log);
/* In a child made by fork(): makes it die with the test. `parent` is the test's id, taken before. */
void process_die_with(pid_t parent);
/* Kills it by its id and waits for it. */
void process_stop(struct process *process);
/* Returns 1 if it has ended, and has then waited for it; otherwise 0. */
int process_ended(struct process *process);
/* Runs a program to its end. If it does not return 0, the test fails and names the log. */
void process_run(const char *const argv[], const char *log);
/* The same, and returns whether it returned 0. */
int process_try(const char *const argv[], const char *log);

/* Makes a directory that is removed with all its files when the test is over. */
const char *temporary_directory(void);
/* Makes a short text (a path, a URL) as printf does. It is valid until 16 more were made. */
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Makes SCHEME://127.0.0.1:PORT and a path; valid as text() is. */
const char *url_of(const char *scheme, int port, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
void write_file(const char *path, const char *content);

#endif
