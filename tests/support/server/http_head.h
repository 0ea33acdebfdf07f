/* SPDX-License-Identifier: MIT */
/*
 * The head of an HTTP/1.1 request, for the example server.
 */
#ifndef STOOK_SERVER_HTTP_HEAD_H
#define STOOK_SERVER_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A longer head is refused. */
#define HTTP_HEAD_MAX 16384

/** A view into bytes that belong to somebody else; no NUL at its end. */
struct text {
    const char *at;
    size_t size;
};

struct http_head {
    struct text method;
    struct text path;  /* "/todos/7" */
    struct text query; /* "delay_ms=50", without the question mark */
    struct text content_type;
    struct text cookie;
    struct text authorization;
    size_t size; /* bytes of the head with its empty line: the body starts there */
    uint64_t content_length;
    bool has_content_length;
    bool has_host;
    bool is_http_1_0;
    bool keep_alive;
    bool expects_continue;
};

/**
 * Read a head from as many bytes as are there so far.
 * @param ret_head set when the head is whole; its views point into `bytes`
 * @return 1: whole; 0: more bytes are needed; negative: refuse it with the status of that number,
 *         such as -400, and close, because where the next request starts is not known
 */
int http_head_parse(const char *bytes, size_t size, struct http_head *ret_head);

bool text_is(struct text text, const char *word);

/** The number behind `name=` in a query, or `otherwise` where there is none. */
int64_t query_number(struct text query, const char *name, int64_t otherwise);

/** The value behind `name=` in a query; of size 0 where there is none. */
struct text query_value(struct text query, const char *name);

#endif
