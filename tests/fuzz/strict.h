/* SPDX-License-Identifier: MIT */
/*
 * A server's parser of requests, as strict as RFC 9110 and RFC 9112 let it be; what it refuses fails the
 * test. It is written from the standards alone and knows nothing of the library.
 */
#ifndef STOOK_TEST_FUZZ_STRICT_H
#define STOOK_TEST_FUZZ_STRICT_H

#include <stddef.h>

enum { STRICT_FIELDS = 64 };

struct strict_bytes {
    const char *at;
    size_t size;
};

struct strict_field {
    struct strict_bytes name, value; /* the value without the blanks around it */
};

struct strict_request {
    struct strict_bytes method, target;
    struct strict_field fields[STRICT_FIELDS];
    size_t n_fields;
    size_t head_size; /* 0: the head is not complete */
    int has_length, is_chunked, expects;
    size_t length;  /* by Content-Length */
    char *body;     /* without chunks, with a NUL behind */
    size_t body_size;
};

/* How many of the bytes are a whole request, 0: more are needed. They live longer than it. */
size_t strict_parse(const char *bytes, size_t size, struct strict_request *ret_request);
void strict_free(struct strict_request *request);

int strict_is(struct strict_bytes bytes, const char *text);
/* The same, where case does not matter. */
int strict_is_named(struct strict_bytes bytes, const char *text);
struct strict_bytes strict_trimmed(const char *text, size_t size);

/* The parts of a multipart/form-data (RFC 7578), in the order in which they stand. */
struct strict_part {
    struct strict_bytes name, filename, type, value; /* at NULL: it has none */
};

size_t strict_parts(struct strict_bytes type, const char *body, size_t size, struct strict_part *ret_parts, size_t room);

#endif
