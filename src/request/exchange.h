/* SPDX-License-Identifier: MIT */
/*
 * What is asked and what is answered: plain data, the words that the rooms share. A spec is the
 * checked copy of a request; an answer is what came back.
 */
#ifndef STOOK_REQUEST_EXCHANGE_H
#define STOOK_REQUEST_EXCHANGE_H

#include <string.h>

#include "util/buffer.h"
#include "util/list.h"

/* How a peer is found and known, and who we are to it, where that is not libcurl's own way. */
struct stook__peer {
    const char *ca_data;
    const char *client_cert, *client_key, *key_password; /* the first NULL: so are the others */
    const char *pinned_key;
    const char *resolve; /* "host:port:address" one behind the other, ended by an empty one */
};

/* Values that most requests of a client share. Times in ms; -1: off. Owned by the client, or, where
   a request differs, inside that request's block. */
struct stook__settings {
    int64_t queue_ms, attempt_ms, connect_ms, total_ms, stall_ms;
    int64_t max_body_bytes, max_header_bytes, max_header_count;
    int64_t http_version;
    int64_t decompress;           /* 1: content codings are asked for and taken off */
    int64_t strict;               /* 1: nothing is taken that is only nearly right */
    int64_t max_decompress_ratio; /* decoded bytes for each that came */
    int64_t unset; /* STOOK__UNSET_... : what is the library's default, not the program's word */
    const char *ca_file;            /* NULL: libcurl's */
    const char *user_agent;         /* NULL: none */
    const struct stook__peer *peer; /* NULL: nothing of it was asked for */
};

/* Of a multipart/form-data: a value, or a file. */
struct stook__part {
    const char *name, *value, *file, *filename, *type;
    size_t value_size;
};

/* What few requests ask for: a block beside the record, made only when one of these is used. */
struct stook__optional {
    int (*on_head)(stook_batch *batch, const stook_result *result, void *user);
    int (*on_body)(stook_batch *batch, const stook_result *result, const void *data, size_t size,
                   void *user);
    void (*on_progress)(stook_batch *batch, const stook_result *result,
                        const struct stook_progress *progress, void *user);
    struct stook__peer peer; /* the policy's, if it is not the client's */
    const char *unix_socket;
    const char *username, *password; /* for Digest; Basic is a header field already */
    int64_t (*body_read)(stook_batch *batch, size_t index, void *buffer, size_t size, void *user);
    int (*body_rewind)(stook_batch *batch, size_t index, void *user);
    int64_t read_size; /* of what body_read gives; -1: unknown */
    int asked;         /* body_read was called */
    const char *body_file;
    const char *output_file;
    int resume;
    struct stook__part *parts; /* of them: */
    size_t n_parts;
    void (*body_release)(void *body, void *user); /* NULL: it is our own */
    void *body, *user;
    struct stook_result *snapshot; /* what its callbacks are shown; NULL: none was called */
    struct stook__link link;       /* among those whose body is to be given back */
    int expect;
};

/* Of these the default is another one where a body streams. */
enum { STOOK__UNSET_ATTEMPT = 1, STOOK__UNSET_TOTAL = 2, STOOK__UNSET_BODY_MAX = 4 };

struct stook__spec {
    const char *url;
    const char *
        method_headers; /* the method and the header fields, one behind the other, ended by an empty one; NULL: neither */
    char *body; /* a block of its own, so that it can go before the result does */
    size_t body_size;
    union {
        struct stook__optional *optional; /* until it is over; NULL: nothing of it was asked for */
        struct stook_result
            *snapshot; /* from then on: what the program took of it lives as long as the result */
    };
};

/* Whether the body comes from somewhere else than memory. */
static inline int stook__spec_has_source(const struct stook__spec *spec)
{
    return spec->optional != NULL &&
           (spec->optional->body_file != NULL || spec->optional->n_parts > 0 ||
            spec->optional->body_read != NULL);
}

static inline int stook__spec_has_body(const struct stook__spec *spec)
{
    return spec->body_size > 0 || stook__spec_has_source(spec);
}

/* Leave is asked for a body, not where there is none. */
static inline int stook__spec_expects(const struct stook__spec *spec)
{
    return spec->optional != NULL && spec->optional->expect && stook__spec_has_body(spec);
}

/* NULL: GET, or POST with a body. */
static inline const char *stook__spec_method(const struct stook__spec *spec)
{
    return spec->method_headers != NULL && *spec->method_headers != '\0' ? spec->method_headers
                                                                         : NULL;
}

/* Strings one behind the other, ended by an empty one. */
static inline const char *stook__spec_headers(const struct stook__spec *spec)
{
    return spec->method_headers != NULL ? spec->method_headers + strlen(spec->method_headers) + 1
                                        : "";
}

/*
 * Everything of an attempt that the result shows. Zeroed: nothing came. When the request is over this
 * lies where sched's part of the record was: no byte is spare.
 */
struct stook__answer {
    struct stook__buffer
        head; /* "name\0 value\0" one behind the other, blanks or none as they came */
    struct stook__buffer body;
    int64_t time_us[6];        /* by STOOK_TIME_...; the first is not an attempt's to know */
    uint16_t status, attempts; /* nor is how many there were */
    int16_t os_error;
    uint8_t curl_code, protocol; /* protocol: 10, 11, 20, 30 */
};

/* Of the field of a head that begins here. */
static inline const char *stook__field_value(const char *field)
{
    const char *value = field + strlen(field) + 1;
    return value + strspn(value, " \t");
}

void stook__answer_free(struct stook__answer *answer, struct stook__allocator *allocator);

#endif
