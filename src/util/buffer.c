/* SPDX-License-Identifier: MIT */
/* A block of bytes that grows; see buffer.h. */
#include "util/buffer.h"

#include <string.h>

int stook__buffer_reserve(struct stook__buffer *buffer, struct stook__allocator *allocator,
                          size_t size)
{
    if (size == SIZE_MAX)
        return STOOK_ENOMEM;
    if (buffer->data != NULL && size < buffer->capacity)
        return 0;
    char *data = stook__resize(allocator, buffer->data, size + 1);
    if (data == NULL)
        return STOOK_ENOMEM;
    data[buffer->size] = '\0';
    buffer->data = data;
    buffer->capacity = size + 1;
    return 0;
}

int stook__buffer_append(struct stook__buffer *buffer, struct stook__allocator *allocator,
                         const void *data, size_t size)
{
    if (size > SIZE_MAX / 2 - buffer->size)
        return STOOK_ENOMEM;
    size_t wanted = buffer->size + size;
    if (wanted >= buffer->capacity) {
        /* Growing by half copies each byte a few times only and leaves a third of the block unused
           at most. When memory is short, exactly the bytes needed will do. */
        size_t generous = wanted + wanted / 2;
        if (stook__buffer_reserve(buffer, allocator, generous) != 0 &&
            stook__buffer_reserve(buffer, allocator, wanted) != 0)
            return STOOK_ENOMEM;
    }
    if (size > 0)
        memcpy(buffer->data + buffer->size, data, size);
    buffer->size = wanted;
    buffer->data[wanted] = '\0';
    return 0;
}

void stook__buffer_trim(struct stook__buffer *buffer, struct stook__allocator *allocator)
{
    char *data = buffer->capacity > buffer->size + 1
                     ? stook__resize(allocator, buffer->data, buffer->size + 1)
                     : NULL;
    if (data == NULL)
        return;
    buffer->data = data;
    buffer->capacity = buffer->size + 1;
}

void stook__buffer_free(struct stook__buffer *buffer, struct stook__allocator *allocator)
{
    stook__free(allocator, buffer->data);
    *buffer = (struct stook__buffer){0};
}
