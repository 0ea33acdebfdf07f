/* SPDX-License-Identifier: MIT */
/*
 * Metadata of a response: numbers that are mostly small, and the peer's address. They are packed
 * behind the header fields in the buffer of the head, so that a result, which may be kept a million
 * times, needs no members for them.
 */
#ifndef STOOK_UTIL_METADATA_H
#define STOOK_UTIL_METADATA_H

#include <stdint.h>

#include "util/buffer.h"

enum stook__metadata_number {
    STOOK__METADATA_TRAILERS, /* bytes of the fields that are trailer fields, at their end */
    STOOK__METADATA_FLAGS,    /* STOOK_FLAG_... */
    STOOK__METADATA_REUSED,   /* 1: the connection had carried a request before */
    STOOK__METADATA_HEAD,     /* bytes of all header sections and trailers received */
    STOOK__METADATA_WIRE,     /* bytes of the body received, before decoding */
    STOOK__METADATA_BODY,     /* bytes of the body received, decoded */
    STOOK__METADATA_SENT,     /* bytes of the request's body that were sent */
    STOOK__METADATA_RESUMED,  /* bytes of the file that were there before */
    STOOK__METADATA_NUMBERS
};

enum {
    STOOK__REMOTE_MAX = 56,
    STOOK__METADATA_MAX = STOOK__METADATA_NUMBERS * 10 + STOOK__REMOTE_MAX + 1
};

struct stook__metadata {
    uint64_t number[STOOK__METADATA_NUMBERS];
    const char *remote; /* "127.0.0.1:80", less than STOOK__REMOTE_MAX bytes; "": unknown */
    size_t fields;      /* bytes of the fields, trailers included; only set by get */
};

/* Appends the metadata to the fields. 0, or STOOK_ENOMEM: the head is unchanged. */
int stook__metadata_put(struct stook__buffer *head, struct stook__allocator *allocator,
                        const struct stook__metadata *metadata);
/* Reads the metadata of a head; all zero if the head is empty. `remote` points into the head. */
void stook__metadata_get(const struct stook__buffer *head, struct stook__metadata *ret_metadata);

#endif
