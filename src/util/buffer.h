/* SPDX-License-Identifier: MIT */
/* A growing block of bytes. Always followed by a NUL that is not counted, once anything was reserved. */
#ifndef STOOK_UTIL_BUFFER_H
#define STOOK_UTIL_BUFFER_H

#include "util/allocator.h"

struct stook__buffer {
    char *data;
    size_t size, capacity;
};

/* Room for `size` bytes in all and the NUL. 0 or STOOK_ENOMEM; then the buffer is as before. */
int stook__buffer_reserve(struct stook__buffer *buffer, struct stook__allocator *allocator,
                          size_t size);
/* 0 or STOOK_ENOMEM; then the buffer is as before. */
int stook__buffer_append(struct stook__buffer *buffer, struct stook__allocator *allocator,
                         const void *data, size_t size);
/* Gives back what is not used. */
void stook__buffer_trim(struct stook__buffer *buffer, struct stook__allocator *allocator);
void stook__buffer_free(struct stook__buffer *buffer, struct stook__allocator *allocator);

#endif
