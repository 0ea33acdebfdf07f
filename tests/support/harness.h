/* SPDX-License-Identifier: MIT */
/*
 * The base of every test. A test is a function that runs in a process of its own:
 *
 *     TEST(adds_up) { CHECK_EQ_INT(1 + 1, 2); }
 *
 * Labels for CTest follow the name: TEST(adds_up, slow). tests/CMakeLists.txt lists them. A check that
 * fails prints both values and ends the process at once: it does not jump out of a callback, and no
 * clean-up hides what happened. Checks are never compiled out.
 */
#ifndef STOOK_TEST_SUPPORT_H
#define STOOK_TEST_SUPPORT_H

#include <stddef.h>

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

void test_enlist(struct test *test);
/* Returns the first test of this program. They are linked in no order. */
const struct test *test_first(void);

/* The name, without the labels that follow it. */
#define TEST_FIRST_(first_, ...) first_
#define TEST(...) TEST_NAMED_(TEST_FIRST_(__VA_ARGS__, ))
#define TEST_NAMED_(name_) TEST_DEFINE_(name_)
#define TEST_DEFINE_(name_)                                                                       \
    static void test_##name_(void);                                                               \
    __attribute__((constructor)) static void enlist_##name_(void)                                 \
    {                                                                                             \
        static struct test self = {#name_, test_##name_, NULL};                                   \
        test_enlist(&self);                                                                       \
    }                                                                                             \
    static void test_##name_(void)

/* Calls `call` when the test is over, the last deferred one first. Descriptors are counted after that. */
void test_defer(void (*call)(void *arg), void *arg);

/* What main.c calls. A program with a main() of its own does not link main.c. */
int test_main(int argc, char **argv);
/* Runs what was deferred. test_main() calls it; another main() must do so too. */
void test_finish(void);

/* Sets a text that a failure prints too: which life, which allocation. */
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the test as skipped: this machine lacks what it needs. */
void test_skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));

/* Returns the number of open descriptors. */
size_t test_count_fds(void);
/* Returns the number of threads. */
size_t test_count_threads(void);
/* Returns the resident memory in bytes. */
size_t test_resident(void);

/* A sanitizer keeps freed memory for a while, and prints its report to stderr. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { TEST_SANITIZED = 1 };
#else
enum { TEST_SANITIZED = 0 };
#endif

/* Ends a child made by fork() without the deferred calls, which are its parent's. */
void test_exit_child(void) __attribute__((noreturn));

void check_int(const char *file, int line, const char *a_text, const char *b_text, long long a,
               long long b);
void check_size(const char *file, int line, const char *a_text, const char *b_text, size_t a,
                size_t b);
void check_error(const char *file, int line, const char *a_text, int a, int b);
void check_str(const char *file, int line, const char *a_text, const char *a, const char *b);
void check_contains(const char *file, int line, const char *a_text, const char *a,
                    const char *part);

#define CHECK(condition)                                                                          \
    ((condition) ? (void)0 : test_fail(__FILE__, __LINE__, "not true: %s", #condition))
#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK_EQ_INT(a, b) check_int(__FILE__, __LINE__, #a, #b, (a), (b))
#define CHECK_EQ_SIZE(a, b) check_size(__FILE__, __LINE__, #a, #b, (a), (b))
/* As CHECK_EQ_INT, and prints the names of the errors. */
#define CHECK_ERROR(a, b) check_error(__FILE__, __LINE__, #a, (a), (b))
#define CHECK_STR(a, b) check_str(__FILE__, __LINE__, #a, (a), (b))
#define CHECK_CONTAINS(a, part) check_contains(__FILE__, __LINE__, #a, (a), (part))

#endif
