/* SPDX-License-Identifier: MIT */
/* A growing block of bytes; see buffer.h. */
#include "base/buffer.h"

#include <string.h>

int stook__buffer_reserve(struct stook__buffer *buffer, struct stook__heap *heap, size_t size)
{
    if (size == SIZE_MAX)
        return STOOK_ENOMEM;
    if (buffer->data != NULL && size < buffer->capacity)
        return 0;
    char *data = stook__resize(heap, buffer->data, size + 1);
    if (data == NULL)
        return STOOK_ENOMEM;
    data[buffer->size] = '\0';
    buffer->data = data;
    buffer->capacity = size + 1;
    return 0;
}

int stook__buffer_append(struct stook__buffer *buffer, struct stook__heap *heap, const void *data, size_t size)
{
    if (size > SIZE_MAX / 2 - buffer->size)
        return STOOK_ENOMEM;
    size_t wanted = buffer->size + size;
    if (wanted >= buffer->capacity) {
        /* Half as much again: few copies, and at most a third of the block is air. */
        size_t roomy = wanted + wanted / 2;
        if (stook__buffer_reserve(buffer, heap, roomy) != 0 && stook__buffer_reserve(buffer, heap, wanted) != 0)
            return STOOK_ENOMEM;
    }
    if (size > 0)
        memcpy(buffer->data + buffer->size, data, size);
    buffer->size = wanted;
    buffer->data[wanted] = '\0';
    return 0;
}

void stook__buffer_trim(struct stook__buffer *buffer, struct stook__heap *heap)
{
    char *data = buffer->capacity > buffer->size + 1 ? stook__resize(heap, buffer->data, buffer->size + 1) : NULL;
    if (data == NULL)
        return;
    buffer->data = data;
    buffer->capacity = buffer->size + 1;
}

void stook__buffer_free(struct stook__buffer *buffer, struct stook__heap *heap)
{
    stook__free(heap, buffer->data);
    *buffer = (struct stook__buffer){0};
}
