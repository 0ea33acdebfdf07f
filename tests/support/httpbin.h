/* SPDX-License-Identifier: MIT */
/*
 * httpbin as a peer that is not ours: authentication, encodings, streams, in Python. The test is
 * skipped where there is no python3-httpbin.
 */
#ifndef STOOK_TEST_HTTPBIN_H
#define STOOK_TEST_HTTPBIN_H

struct httpbin;

/* Ends with the test. `keep`: it speaks HTTP/1.1, else HTTP/1.0 and closes behind every answer. */
struct httpbin *httpbin_start(int keep);
const char *httpbin_url(const struct httpbin *httpbin, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
