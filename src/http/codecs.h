/* SPDX-License-Identifier: MIT */
/*
 * The content codings of this build (RFC 9110 8.4.1, RFC 7932, RFC 8878) behind one interface. A
 * codec decodes one coding; decoder.c calls it.
 */
#ifndef STOOK_HTTP_CODECS_H
#define STOOK_HTTP_CODECS_H

#include "util/allocator.h"

/* Input to read and room to write. A codec advances both. */
struct stook__span {
    const unsigned char *in;
    size_t in_size;
    unsigned char *out;
    size_t out_size;
};

enum stook__codec_status {
    STOOK__CODEC_MORE,   /* It read and wrote what it could. */
    STOOK__CODEC_END,    /* The stream has ended; the input that remains does not belong to it. */
    STOOK__CODEC_BROKEN, /* The input is not valid. */
    STOOK__CODEC_NOMEM
};

struct stook__codec {
    const char *name;
    /* Returns the state of a new stream; NULL: no memory. */
    void *(*open)(struct stook__allocator *allocator);
    enum stook__codec_status (*run)(void *state, struct stook__span *span);
    /* Starts another stream after one that ended. 0 if `first` cannot be the first byte of one. */
    int (*again)(void *state, unsigned char first);
    void (*close)(void *state, struct stook__allocator *allocator);
};

/* Finds a codec by name, without regard to case. NULL: this build does not have it. */
const struct stook__codec *stook__codec_find(const char *name, size_t size);
/* Returns the Accept-Encoding field line that names the codecs of this build. */
const char *stook__codecs_accepted(void);
/* Whether this build has any codec. */
int stook__codecs_any(void);

#endif
