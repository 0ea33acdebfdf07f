/* SPDX-License-Identifier: MIT */
/*
 * What is known of an answer beside its fields: numbers that are mostly small, and the peer's
 * address. Packed behind the fields of the head, where a kept result has room for a few bytes.
 */
#ifndef STOOK_BASE_FACTS_H
#define STOOK_BASE_FACTS_H

#include <stdint.h>

#include "base/buffer.h"

enum stook__fact {
    STOOK__FACT_TRAILERS, /* how many bytes of the fields are trailers */
    STOOK__FACT_FLAGS,
    STOOK__FACT_REUSED,
    STOOK__FACT_HEAD,
    STOOK__FACT_WIRE,
    STOOK__FACT_BODY,
    STOOK__FACT_SENT,
    STOOK__FACTS
};

enum { STOOK__REMOTE_MAX = 56, STOOK__FACTS_MAX = STOOK__FACTS * 10 + STOOK__REMOTE_MAX + 1 };

struct stook__facts {
    uint64_t number[STOOK__FACTS];
    const char *remote; /* "127.0.0.1:80", below STOOK__REMOTE_MAX bytes; "" if it is not known */
    size_t fields;      /* bytes of fields before them, trailers included; get only */
};

/* 0 or STOOK_ENOMEM; then the head is as before. */
int stook__facts_put(struct stook__buffer *head, struct stook__heap *heap, const struct stook__facts *facts);
/* Of a head that they were put behind, or of an empty one. `remote` points into it. */
void stook__facts_get(const struct stook__buffer *head, struct stook__facts *ret_facts);

#endif
