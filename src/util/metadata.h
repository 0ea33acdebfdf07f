/* SPDX-License-Identifier: MIT */
/*
 * What is known of an answer beside its fields: numbers that are mostly small, and the peer's
 * address. Packed behind the fields of the head, where a kept result has room for a few bytes.
 */
#ifndef STOOK_UTIL_METADATA_H
#define STOOK_UTIL_METADATA_H

#include <stdint.h>

#include "util/buffer.h"

enum stook__metadata_number {
    STOOK__METADATA_TRAILERS, /* how many bytes of the fields are trailers */
    STOOK__METADATA_FLAGS,
    STOOK__METADATA_REUSED,
    STOOK__METADATA_HEAD,
    STOOK__METADATA_WIRE,
    STOOK__METADATA_BODY,
    STOOK__METADATA_SENT,
    STOOK__METADATA_NUMBERS
};

enum {
    STOOK__REMOTE_MAX = 56,
    STOOK__METADATA_MAX = STOOK__METADATA_NUMBERS * 10 + STOOK__REMOTE_MAX + 1
};

struct stook__metadata {
    uint64_t number[STOOK__METADATA_NUMBERS];
    const char *remote; /* "127.0.0.1:80", below STOOK__REMOTE_MAX bytes; "" if it is not known */
    size_t fields;      /* bytes of fields before them, trailers included; get only */
};

/* 0 or STOOK_ENOMEM; then the head is as before. */
int stook__metadata_put(struct stook__buffer *head, struct stook__allocator *allocator,
                        const struct stook__metadata *facts);
/* Of a head that they were put behind, or of an empty one. `remote` points into it. */
void stook__metadata_get(const struct stook__buffer *head, struct stook__metadata *ret_facts);

#endif
