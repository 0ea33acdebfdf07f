/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2 written frame by frame, behind a door with TLS, so that any frame can be wrong. It reads only the
 * path of a request, and serves one stream after the other.
 *
 *     {.serve = raw_tls_serve, .arg = &(struct raw_tls){.alpn = "h2", .inside = raw_h2_serve, ...}}
 *
 * The path decides what it does, by the table `raw_h2_answers`. The response to /path/N is "/path/N".
 */
#ifndef STOOK_TEST_RAW_H2_H
#define STOOK_TEST_RAW_H2_H

#include <stdint.h>

#include "raw_server.h"

enum h2_type { H2_DATA = 0, H2_HEADERS = 1, H2_RST_STREAM = 3, H2_SETTINGS = 4, H2_PUSH_PROMISE = 5,
               H2_PING = 6, H2_GOAWAY = 7, H2_WINDOW_UPDATE = 8, H2_CONTINUATION = 9 };
enum h2_flag { H2_NONE = 0, H2_END_STREAM = 1, H2_ACK = 1, H2_END_HEADERS = 4 };
enum h2_code { H2_NO_ERROR = 0, H2_PROTOCOL_ERROR = 1, H2_INTERNAL_ERROR = 2, H2_REFUSED_STREAM = 7,
               H2_CANCEL = 8, H2_ENHANCE_YOUR_CALM = 11 };

struct h2 {
    struct raw_call *call;
    uint32_t stream;  /* of the request */
    char path[128];   /* its path */
    unsigned nth;     /* requests on this connection, with this one */
    int done;         /* 1: close the connection */
};

struct h2_answer {
    const char *path;
    void (*answer)(struct h2 *h2);
    void (*greet)(struct h2 *h2); /* instead of an empty SETTINGS, for a door of its own; or NULL */
};

/* Set before the server starts: a table that ends with a row without a path. The `user` of a door's TLS
   is NULL, or the row that greets. */
extern const struct h2_answer *raw_h2_answers;
void raw_h2_serve(struct raw_call *call);

/* All return 0 if the client has closed the connection. */
int h2_frame(struct h2 *h2, unsigned type, unsigned flags, uint32_t stream, const void *bytes,
             size_t size);
/* Sends a header section with that status and the fields "name", "value", ..., NULL. */
int h2_head(struct h2 *h2, unsigned flags, int status, ...);
int h2_data(struct h2 *h2, unsigned flags, const char *bytes);
int h2_number(struct h2 *h2, unsigned type, uint32_t stream, uint32_t number);
int h2_setting(struct h2 *h2, unsigned id, uint32_t value);
int h2_goaway(struct h2 *h2, uint32_t last, uint32_t code);
/* As any server would. */
void h2_ok(struct h2 *h2, const char *body);

#endif
