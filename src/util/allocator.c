/* SPDX-License-Identifier: MIT */
/* The memory of one client; see allocator.h. No other file calls malloc or free; lint checks it. */
#include "util/allocator.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stook__allocator {
    struct stook_allocator functions;
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

struct stook__allocator *stook__allocator_new(const struct stook_allocator *functions)
{
    static const struct stook_allocator libc = {default_resize, default_release, NULL};
    if (functions == NULL)
        functions = &libc;
    struct stook__allocator *allocator =
        functions->resize(NULL, sizeof *allocator, functions->user);
    if (allocator == NULL)
        return NULL;
    allocator->functions = *functions;
    atomic_init(&allocator->refs, 1);
    return allocator;
}

struct stook__allocator *stook__allocator_ref(struct stook__allocator *allocator)
{
    atomic_fetch_add_explicit(&allocator->refs, 1, memory_order_relaxed);
    return allocator;
}

void stook__allocator_unref(struct stook__allocator *allocator)
{
    if (allocator == NULL ||
        atomic_fetch_sub_explicit(&allocator->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct stook_allocator functions = allocator->functions;
    functions.release(allocator, functions.user);
}

void *stook__alloc(struct stook__allocator *allocator, size_t size)
{
    void *block = allocator->functions.resize(NULL, size, allocator->functions.user);
    if (block != NULL)
        memset(block, 0, size);
    return block;
}

void *stook__resize(struct stook__allocator *allocator, void *block, size_t size)
{
    return allocator->functions.resize(block, size, allocator->functions.user);
}

void stook__free(struct stook__allocator *allocator, void *block)
{
    if (block != NULL)
        allocator->functions.release(block, allocator->functions.user);
}

char *stook__copy_string(struct stook__allocator *allocator, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = stook__resize(allocator, NULL, size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

char *stook__format(struct stook__allocator *allocator, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        return NULL;
    char *text = stook__resize(allocator, NULL, (size_t)length + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}
