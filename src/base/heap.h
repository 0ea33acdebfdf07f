/* SPDX-License-Identifier: MIT */
/*
 * The memory of one client. Counted by references, because a kept result may outlive the client:
 * the client, each batch and each record hold one.
 */
#ifndef STOOK_BASE_HEAP_H
#define STOOK_BASE_HEAP_H

#include <stddef.h>

#include <stook.h>

struct stook__heap;

/* NULL: malloc and free. Returns NULL when there is no memory. */
struct stook__heap *stook__heap_new(const struct stook_allocator *allocator);
struct stook__heap *stook__heap_ref(struct stook__heap *heap);
void stook__heap_unref(struct stook__heap *heap);

/* Zeroed; size > 0. NULL when there is no memory. */
void *stook__alloc(struct stook__heap *heap, size_t size);
/* As realloc; size > 0. What is new is not zeroed. */
void *stook__resize(struct stook__heap *heap, void *block, size_t size);
void stook__free(struct stook__heap *heap, void *block);

char *stook__copy_string(struct stook__heap *heap, const char *text);
/* A formatted string, or NULL when there is no memory. */
char *stook__format(struct stook__heap *heap, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
