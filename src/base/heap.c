/* SPDX-License-Identifier: MIT */
/* The memory of one client; see heap.h. Nothing else in the library calls malloc or free. */
#include "base/heap.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stook__heap {
    struct stook_allocator allocator;
    atomic_size_t refs;
};

static void *default_resize(void *block, size_t size, void *user)
{
    (void)user;
    return realloc(block, size);
}

static void default_release(void *block, void *user)
{
    (void)user;
    free(block);
}

struct stook__heap *stook__heap_new(const struct stook_allocator *allocator)
{
    static const struct stook_allocator libc = {default_resize, default_release, NULL};
    if (allocator == NULL)
        allocator = &libc;
    struct stook__heap *heap = allocator->resize(NULL, sizeof *heap, allocator->user);
    if (heap == NULL)
        return NULL;
    heap->allocator = *allocator;
    atomic_init(&heap->refs, 1);
    return heap;
}

struct stook__heap *stook__heap_ref(struct stook__heap *heap)
{
    atomic_fetch_add_explicit(&heap->refs, 1, memory_order_relaxed);
    return heap;
}

void stook__heap_unref(struct stook__heap *heap)
{
    if (heap == NULL || atomic_fetch_sub_explicit(&heap->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct stook_allocator allocator = heap->allocator;
    allocator.release(heap, allocator.user);
}

void *stook__alloc(struct stook__heap *heap, size_t size)
{
    void *block = heap->allocator.resize(NULL, size, heap->allocator.user);
    if (block != NULL)
        memset(block, 0, size);
    return block;
}

void *stook__resize(struct stook__heap *heap, void *block, size_t size)
{
    return heap->allocator.resize(block, size, heap->allocator.user);
}

void stook__free(struct stook__heap *heap, void *block)
{
    if (block != NULL)
        heap->allocator.release(block, heap->allocator.user);
}

char *stook__copy_string(struct stook__heap *heap, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = stook__resize(heap, NULL, size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

char *stook__format(struct stook__heap *heap, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        return NULL;
    char *text = stook__resize(heap, NULL, (size_t)length + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}
