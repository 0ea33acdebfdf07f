/* SPDX-License-Identifier: MIT */
/*
 * What an assertion of the library refuses. A program that calls this has an __assert_fail() of its own, which is
 * that of glibc and musl for assert(); outside of the call it prints and aborts as theirs does.
 */
#ifndef STOOK_TEST_ASSERTIONS_H
#define STOOK_TEST_ASSERTIONS_H

#ifdef NDEBUG
enum { TEST_ASSERTS = 0 };
#else
enum { TEST_ASSERTS = 1 }; /* library and tests are built alike */
#endif

/* Calls `call`, which owns nothing. Returns 1 if an assertion failed in it, and 0 if it returned. */
int test_fails_assertion(void (*call)(void *arg), void *arg);

#endif
