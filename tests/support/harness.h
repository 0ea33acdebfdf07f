/* SPDX-License-Identifier: MIT */
/*
 * What every test stands on. A test is a function in its own process:
 *
 *     TEST(adds_up) { CHECK_EQ_INT(1 + 1, 2); }
 *
 * Behind the name may stand labels of CTest: TEST(adds_up, slow); tests/CMakeLists.txt says which. A check
 * that fails prints both values and ends the process on the spot: no jump out of a callback, no
 * clean-up that could hide what happened. Checks are never compiled out.
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
/* The first of the tests of this program, in no order. */
const struct test *test_first(void);

/* The first of several: the name before the labels. */
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

/* Have `call` run when the test is over, the last one first; then descriptors are counted. */
void test_defer(void (*call)(void *arg), void *arg);

/* What main() of a test program does: main.c, which a program with a main() of its own leaves out. */
int test_main(int argc, char **argv);
/* Run what was deferred. test_main() does it, and a main() of another kind has to. */
void test_finish(void);

/* Said beside a failure: which life, which allocation. */
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Not a failure: this machine lacks what the test needs. */
void test_skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));

/* How many descriptors are open. */
size_t test_count_fds(void);
/* How many threads there are. */
size_t test_count_threads(void);
/* How many bytes of memory are resident. */
size_t test_resident(void);

/* A sanitizer keeps memory aside that was freed, and has its report on stderr. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { TEST_SANITIZED = 1 };
#else
enum { TEST_SANITIZED = 0 };
#endif

/* In a child made by fork(): its parent's deferred calls are not its own. */
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
/* Like CHECK_EQ_INT, and names the errors. */
#define CHECK_ERROR(a, b) check_error(__FILE__, __LINE__, #a, (a), (b))
#define CHECK_STR(a, b) check_str(__FILE__, __LINE__, #a, (a), (b))
#define CHECK_CONTAINS(a, part) check_contains(__FILE__, __LINE__, #a, (a), (part))

#endif
