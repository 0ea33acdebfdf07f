/* SPDX-License-Identifier: MIT */
/*
 * The memory of one client. Counted by references, because a kept result may outlive the client:
 * the client, each batch and each record hold one.
 */
#ifndef STOOK_UTIL_ALLOCATOR_H
#define STOOK_UTIL_ALLOCATOR_H

#include <stddef.h>

#include <stook.h>

struct stook__allocator;

/* NULL: malloc and free. Returns NULL when there is no memory. */
struct stook__allocator *stook__allocator_new(const struct stook_allocator *allocator);
struct stook__allocator *stook__allocator_ref(struct stook__allocator *allocator);
void stook__allocator_unref(struct stook__allocator *allocator);

/* Zeroed; size > 0. NULL when there is no memory. */
void *stook__alloc(struct stook__allocator *allocator, size_t size);
/* As realloc; size > 0. What is new is not zeroed. */
void *stook__resize(struct stook__allocator *allocator, void *block, size_t size);
void stook__free(struct stook__allocator *allocator, void *block);

char *stook__copy_string(struct stook__allocator *allocator, const char *text);
/* A formatted string, or NULL when there is no memory. */
char *stook__format(struct stook__allocator *allocator, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
