/* SPDX-License-Identifier: MIT */
/*
 * httpbin, a server in Python that is not ours: authentication, encodings, streams. Where python3-httpbin
 * is not installed, the test is skipped.
 */
#ifndef STOOK_TEST_HTTPBIN_H
#define STOOK_TEST_HTTPBIN_H

struct httpbin;

/* Ends with the test. `keep`: it speaks HTTP/1.1; otherwise HTTP/1.0, and closes after every response. */
struct httpbin *httpbin_start(int keep);
const char *httpbin_url(const struct httpbin *httpbin, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
