/* SPDX-License-Identifier: MIT */
/* Runs one test by its name, then counts what it left behind. */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <stook.h>

enum { SKIPPED = 77, DEFERRED_MAX = 256, FD_MAX = 4096 };

static struct test *tests;
static char note[256];
static int out = STDERR_FILENO; /* kept aside: a test may redirect stderr to see who writes there */

static struct {
    void (*call)(void *arg);
    void *arg;
} deferred[DEFERRED_MAX];
static size_t deferred_count;

void test_enlist(struct test *test)
{
    test->next = tests;
    tests = test;
}

const struct test *test_first(void)
{
    return tests;
}

void test_defer(void (*call)(void *arg), void *arg)
{
    CHECK(deferred_count < DEFERRED_MAX);
    deferred[deferred_count].call = call;
    deferred[deferred_count].arg = arg;
    deferred_count++;
}

void test_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(note, sizeof note, format, args);
    va_end(args);
}

void test_skip(const char *format, ...)
{
    va_list args;
    dprintf(out, "skipped: ");
    va_start(args, format);
    vdprintf(out, format, args);
    va_end(args);
    dprintf(out, "\n");
    test_finish();
    _Exit(SKIPPED);
}

void test_fail(const char *file, int line, const char *format, ...)
{
    va_list args;
    dprintf(out, "%s:%d: ", file, line);
    va_start(args, format);
    vdprintf(out, format, args);
    va_end(args);
    dprintf(out, "%s%s%s\n", note[0] ? " [" : "", note, note[0] ? "]" : "");
    if (getenv("TEST_ABORT")) /* for a debugger */
        abort();
    _Exit(1);
}

void test_exit_child(void)
{
    _Exit(0);
}

/* ------------------------------------------------------------------ checks */

void check_int(const char *file, int line, const char *a_text, const char *b_text, long long a,
               long long b)
{
    if (a != b)
        test_fail(file, line, "%s is %lld, not %s, which is %lld", a_text, a, b_text, b);
}

void check_size(const char *file, int line, const char *a_text, const char *b_text, size_t a,
                size_t b)
{
    if (a != b)
        test_fail(file, line, "%s is %zu, not %s, which is %zu", a_text, a, b_text, b);
}

void check_error(const char *file, int line, const char *a_text, int a, int b)
{
    if (a != b)
        test_fail(file, line, "%s is %d (%s), not %d (%s)", a_text, a, stook_err_name(a), b,
                  stook_err_name(b));
}

void check_str(const char *file, int line, const char *a_text, const char *a, const char *b)
{
    if (!a || !b ? a != b : strcmp(a, b) != 0)
        test_fail(file, line, "%s is \"%s\", not \"%s\"", a_text, a ? a : "(NULL)",
                  b ? b : "(NULL)");
}

void check_contains(const char *file, int line, const char *a_text, const char *a,
                    const char *part)
{
    if (!a || !strstr(a, part))
        test_fail(file, line, "%s is \"%s\", without \"%s\"", a_text, a ? a : "(NULL)", part);
}

/* ------------------------------------------------------------- descriptors */

/* Marks the open descriptors; `open` may be NULL. */
static size_t look_at_fds(char open[FD_MAX])
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    CHECK(dir != NULL);
    if (open)
        memset(open, 0, FD_MAX);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(dir))
            continue;
        count++;
        if (open && fd < FD_MAX)
            open[fd] = 1;
    }
    closedir(dir);
    return count;
}

size_t test_count_fds(void)
{
    return look_at_fds(NULL);
}

/* Every descriptor is as it was: none left open, none of the program's closed. */
static void check_fds(const char before[FD_MAX])
{
    static char after[FD_MAX];
    look_at_fds(after);
    for (int fd = 0; fd < FD_MAX; fd++) {
        char path[64], what[128] = "closed";
        if (before[fd] == after[fd])
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(path, what, sizeof what - 1);
        if (size >= 0)
            what[size] = '\0';
        FAIL("descriptor %d was %s before the test and is %s after it (%s)", fd,
             before[fd] ? "open" : "closed", after[fd] ? "open" : "closed", what);
    }
}

size_t test_count_threads(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/task");
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

size_t test_resident(void)
{
    size_t all, pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    CHECK(file != NULL && fscanf(file, "%zu %zu", &all, &pages) == 2);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* A thread that was let go may still be on its way out: the kernel has the last word. */
static void check_threads(size_t before)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int looks = 0; test_count_threads() != before; looks++) {
        if (looks == 5000)
            FAIL("%zu threads before the test, %zu after it", before, test_count_threads());
        nanosleep(&pause, NULL);
    }
}

static void *say_id(void *id)
{
    *(pid_t *)id = gettid();
    return NULL;
}

/* A first thread, until the kernel has forgotten it too. */
static void live_and_die(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    char path[64];
    pthread_t thread;
    pid_t id = 0;
    CHECK_EQ_INT(pthread_create(&thread, NULL, say_id, &id), 0);
    CHECK_EQ_INT(pthread_join(thread, NULL), 0);
    snprintf(path, sizeof path, "/proc/self/task/%d", (int)id);
    while (access(path, F_OK) == 0)
        nanosleep(&pause, NULL);
}

/* libuv opens two descriptors for the whole process with its first loop, and keeps them. The thread
   sanitizer starts a thread of its own with the first of the program's. */
static void warm_up(void)
{
    uv_loop_t loop;
    live_and_die();
    CHECK_EQ_INT(uv_loop_init(&loop), 0);
    CHECK_EQ_INT(uv_loop_close(&loop), 0);
}

void test_finish(void)
{
    while (deferred_count > 0) {
        deferred_count--;
        deferred[deferred_count].call(deferred[deferred_count].arg);
    }
}

int test_main(int argc, char **argv)
{
    static char fds[FD_MAX];
    struct test *test = tests;
    if (argc != 2) {
        for (; test; test = test->next)
            puts(test->name);
        return argc == 1 ? 0 : 2;
    }
    while (test && strcmp(test->name, argv[1]) != 0)
        test = test->next;
    if (!test) {
        fprintf(stderr, "%s: no test \"%s\"\n", argv[0], argv[1]);
        return 2;
    }
    out = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    warm_up();
    look_at_fds(fds);
    size_t threads = test_count_threads();
    test->run();
    test_finish();
    test_note("%s", "");
    check_fds(fds);
    check_threads(threads);
    return 0;
}
