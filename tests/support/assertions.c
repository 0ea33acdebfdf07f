/* SPDX-License-Identifier: MIT */
#include "assertions.h"

#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static jmp_buf *caller;

/* The types of the last arguments differ among C libraries, but not how they are passed. */
void __assert_fail(const char *text, const char *file, unsigned line, const char *function) __attribute__((noreturn));

void __assert_fail(const char *text, const char *file, unsigned line, const char *function)
{
    if (caller != NULL)
        longjmp(*caller, 1);
    fprintf(stderr, "%s:%u: %s: assertion failed: %s\n", file, line, function, text);
    abort();
}

int test_fails_assertion(void (*call)(void *arg), void *arg)
{
    jmp_buf here;
    if (setjmp(here) != 0) {
        caller = NULL;
        return 1;
    }
    caller = &here;
    call(arg);
    caller = NULL;
    return 0;
}
