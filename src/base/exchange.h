/* SPDX-License-Identifier: MIT */
/*
 * What is asked and what is answered: plain data, the words that the rooms share. A spec is the
 * checked copy of a request; an answer is what came back.
 */
#ifndef STOOK_BASE_EXCHANGE_H
#define STOOK_BASE_EXCHANGE_H

#include "base/buffer.h"

/* Values that most requests of a client share. Times in ms; -1: off. Owned by the client, or, where
   a request differs, inside that request's block. */
struct stook__policy {
    int64_t queue_ms, attempt_ms, connect_ms, total_ms, stall_ms;
    int64_t body_max, head_max, fields_max;
    int64_t http_version;
    const char *ca_file;    /* NULL: libcurl's */
    const char *user_agent; /* NULL: none */
};

struct stook__spec {
    const char *url;
    const char *method;  /* NULL: GET, or POST with a body */
    const char *headers; /* strings one behind the other, ended by an empty one; NULL: none */
    char *body;          /* a block of its own, so that it can go before the result does */
    size_t body_size;

};

/* Everything of an attempt that the result shows. Zeroed: nothing came. */
struct stook__answer {
    int status, protocol; /* protocol: 10, 11, 20, 30 */
    int curl_code, os_error;
    char line[16]; /* "HTTP 404" */
    struct stook__buffer head; /* "name\0value\0" one behind the other */
    struct stook__buffer body;
    int64_t time_us[6]; /* by STOOK_TIME_...; the first is not set here */
};

#endif
