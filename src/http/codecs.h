/* SPDX-License-Identifier: MIT */
/* The content codings that this build knows (RFC 9110 8.4.1, RFC 7932, RFC 8878), one stream of one coding each. */
#ifndef STOOK_HTTP_CODECS_H
#define STOOK_HTTP_CODECS_H

#include "util/allocator.h"

/* What is to be read and where to write; both move along. */
struct stook__span {
    const unsigned char *in;
    size_t in_size;
    unsigned char *out;
    size_t out_size;
};

enum stook__codec_status {
    STOOK__CODEC_MORE, /* it has taken or made what it could */
    STOOK__CODEC_END,  /* the stream has ended; what is left of the input is not of it */
    STOOK__CODEC_BROKEN,
    STOOK__CODEC_NOMEM
};

struct stook__codec {
    const char *name;
    /* NULL: no memory. */
    void *(*open)(struct stook__allocator *allocator);
    enum stook__codec_status (*run)(void *state, struct stook__span *span);
    /* Begin with another stream behind one that has ended, if this may be its first byte; else 0. */
    int (*again)(void *state, unsigned char first);
    void (*close)(void *state, struct stook__allocator *allocator);
};

/* By name, case does not matter; NULL: not known here. */
const struct stook__codec *stook__codec_find(const char *name, size_t size);
/* The field that asks for them. */
const char *stook__codecs_accepted(void);
int stook__codecs_any(void);

#endif
