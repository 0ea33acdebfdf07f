/* SPDX-License-Identifier: MIT */
/*
 * The plain server: the todo server of examples/, in a child process. It serves /todos/N and /echo, after
 * delay_ms=N if the query says so, and counts requests and connections.
 */
#ifndef STOOK_TEST_PLAIN_H
#define STOOK_TEST_PLAIN_H

struct plain;

/* Ends with the test. */
struct plain *plain_start(void);
/* Makes a URL of it; valid as text() is. */
const char *plain_url(const struct plain *plain, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Returns a number of its /stats, such as "most_in_flight". Connections of such calls are not counted. */
long plain_count(struct plain *plain, const char *name);

#endif
