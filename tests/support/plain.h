/* SPDX-License-Identifier: MIT */
/*
 * The plain peer: the todo server of examples/, in a child process. It answers /todos/N and /echo,
 * after delay_ms=N if asked, and counts what it sees.
 */
#ifndef STOOK_TEST_PLAIN_H
#define STOOK_TEST_PLAIN_H

struct plain;

/* Ends with the test. */
struct plain *plain_start(void);
/* An URL of it; valid as text() is. */
const char *plain_url(const struct plain *plain, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A number of its /stats, such as "most_in_flight"; connections without those of such questions. */
long plain_count(struct plain *plain, const char *name);

#endif
