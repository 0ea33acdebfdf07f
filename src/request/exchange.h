/* SPDX-License-Identifier: MIT */
/*
 * The data of one exchange, as all rooms read it: the spec is the checked copy of a request, the
 * answer is the response as the result keeps it. Plain data; copy.c makes a spec, http/ fills an
 * answer.
 */
#ifndef STOOK_REQUEST_EXCHANGE_H
#define STOOK_REQUEST_EXCHANGE_H

#include <string.h>

#include "request/history.h"
#include "request/hops.h"
#include "request/mirrors.h"
#include "request/settings.h"
#include "util/buffer.h"
#include "util/list.h"

/* A part of a multipart/form-data body: `value`, or the content of `file`. */
struct stook__part {
    const char *name, *value, *file, *filename, *type;
    size_t value_size;
};

struct stook__attempt;
struct stook__share;

/* Members that few requests use. They have a block beside the record, which exists only when one of
   them is set (request/optional.h) and lives until the request is finished. */
struct stook__optional {
    int (*on_head)(stook_batch *batch, const stook_result *result, void *user);
    int (*on_body)(stook_batch *batch, const stook_result *result, const void *data, size_t size,
                   void *user);
    void (*on_progress)(stook_batch *batch, const stook_result *result,
                        const struct stook_progress *progress, void *user);
    struct stook__peer peer; /* the settings' peer, if it is not the client's */
    const char *unix_socket;
    const char *rate_key;
    const char *username, *password; /* for Digest. Basic is a header field already */
    int64_t (*body_read)(stook_batch *batch, size_t index, void *buffer, size_t size, void *user);
    int (*body_rewind)(stook_batch *batch, size_t index, void *user);
    int64_t read_size; /* length of the body that body_read gives; -1: unknown */
    int read_called;   /* body_read was called, so the body may have to be rewound */
    const char *body_file;
    const char *output_file;
    struct stook__mirrors *mirrors; /* NULL: there are none */
    int resume, output_sync;
    const char *sha256;           /* 64 hexadecimal digits, or NULL */
    const char *redirect_headers; /* names in sequence, ended by ""; NULL: those of the settings */
    struct stook__hops *hops;     /* redirects that were followed; NULL: none */
    struct stook__history *history; /* attempts that were followed by others; NULL: none */
    struct stook__part *parts;
    size_t n_parts;
    void (*body_release)(void *body, void *user); /* NULL: the body is a copy of ours */
    void *body, *user;
    struct stook_result *snapshot; /* what callbacks get as `result`; NULL: none was called yet */
    struct stook__link link;       /* in the batch's list of bodies to release */
    int expect;
    struct stook__share *share;   /* of core/share.h: it is the sender, or follows; NULL: neither */
    struct stook__link sharing;   /* of a follower: in `followers` of its share */
    struct stook_result *record;  /* of a follower: its record */
    struct stook__attempt *hedge; /* a second attempt beside the record's; see core/hedge.h */
};

struct stook__spec {
    const char *url;
    /* The method, then the header fields, each a string of its own, ended by an empty string. An
       empty method is the default. NULL: default method and no header fields. */
    union {
        const char *method_headers;
        struct stook__history *history; /* when the request is finished; may be NULL */
    };
    union {
        char
            *body; /* until the request is finished: a block of its own, because it is freed then */
        struct stook__hops
            *hops; /* after that, and of a SNAPSHOT; NULL: no redirect was followed */
    };
    size_t body_size;
    union {
        struct stook__optional *optional; /* until the request is finished; may be NULL */
        struct stook_result *snapshot;    /* after that, so that it lives as long as the result */
    };
#ifdef STOOK_TRACE
    const void *batch; /* for the lines of the trace */
    size_t index;
#endif
};

/* 1: the body does not come from memory. */
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

/* 1: the request sends Expect: 100-continue. RFC 9110 10.1.1 forbids it without content. */
static inline int stook__spec_expects(const struct stook__spec *spec)
{
    return spec->optional != NULL && spec->optional->expect && stook__spec_has_body(spec);
}

/* NULL selects the default: GET, or POST with a body. */
static inline const char *stook__spec_method(const struct stook__spec *spec)
{
    return spec->method_headers != NULL && *spec->method_headers != '\0' ? spec->method_headers
                                                                         : NULL;
}

/* The method that is sent. */
static inline const char *stook__spec_effective_method(const struct stook__spec *spec)
{
    const char *method = stook__spec_method(spec);
    if (method != NULL)
        return method;
    return stook__spec_has_body(spec) ? "POST" : "GET";
}

/* Header fields as strings in sequence, ended by an empty string. */
static inline const char *stook__spec_headers(const struct stook__spec *spec)
{
    return spec->method_headers != NULL ? spec->method_headers + strlen(spec->method_headers) + 1
                                        : "";
}

/*
 * What a result keeps of its last attempt. All zero means that no response came. When the request
 * is finished this takes the place of sched's part of the record, so it must not be larger.
 */
struct stook__answer {
    struct stook__buffer head; /* "name\0 value\0" in sequence, blanks as received, then metadata */
    struct stook__buffer body;
    int64_t time_us[6];          /* by STOOK_TIME_...; core sets the first, attempts the others */
    uint16_t status, attempts;   /* an attempt counts the times that it sent, core adds attempts */
    int16_t os_error;            /* errno, or 0 */
    uint8_t curl_code, protocol; /* protocol: 10, 11, 20, 30; 0: no response */
};

/* The value of the header field that begins at `field`, without leading blanks. */
static inline const char *stook__field_value(const char *field)
{
    const char *value = field + strlen(field) + 1;
    return value + strspn(value, " \t");
}

static inline void stook__answer_free(struct stook__answer *answer,
                                      struct stook__allocator *allocator)
{
    stook__buffer_free(&answer->head, allocator);
    stook__buffer_free(&answer->body, allocator);
}

#endif
