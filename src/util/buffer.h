/* SPDX-License-Identifier: MIT */
/* A block of bytes that grows. Once it is allocated, a NUL follows the bytes; `size` does not count
   it. */
#ifndef STOOK_UTIL_BUFFER_H
#define STOOK_UTIL_BUFFER_H

#include "util/allocator.h"

struct stook__buffer {
    char *data;
    size_t size, capacity;
};

/* Allocates room for `size` bytes in all and the NUL. 0, or STOOK_ENOMEM: the buffer is
   unchanged. */
int stook__buffer_reserve(struct stook__buffer *buffer, struct stook__allocator *allocator,
                          size_t size);
/* 0, or STOOK_ENOMEM: the buffer is unchanged. */
int stook__buffer_append(struct stook__buffer *buffer, struct stook__allocator *allocator,
                         const void *data, size_t size);
/* Frees the capacity that is not used. If that fails, the buffer is unchanged. */
void stook__buffer_trim(struct stook__buffer *buffer, struct stook__allocator *allocator);
void stook__buffer_free(struct stook__buffer *buffer, struct stook__allocator *allocator);

#endif
