/* SPDX-License-Identifier: MIT */
/*
 * The allocator of one client: the program's functions, or malloc() and free(). It is counted by
 * references, because a result may outlive its client. The client, each batch and each record hold
 * one reference.
 */
#ifndef STOOK_UTIL_ALLOCATOR_H
#define STOOK_UTIL_ALLOCATOR_H

#include <stddef.h>

#include <stook.h>

struct stook__allocator;

/* Returns an allocator with one reference, or NULL when out of memory. `allocator` NULL: malloc()
   and free(). */
struct stook__allocator *stook__allocator_new(const struct stook_allocator *allocator);
struct stook__allocator *stook__allocator_ref(struct stook__allocator *allocator);
void stook__allocator_unref(struct stook__allocator *allocator);

/* Returns a zeroed block, or NULL when out of memory. `size` is above 0. */
void *stook__alloc(struct stook__allocator *allocator, size_t size);
/* Works like realloc(). `size` is above 0. New bytes are not zeroed. */
void *stook__resize(struct stook__allocator *allocator, void *block, size_t size);
/* `block` may be NULL. */
void stook__free(struct stook__allocator *allocator, void *block);

/* Returns a copy of a string, or NULL when out of memory. */
char *stook__copy_string(struct stook__allocator *allocator, const char *text);
/* Returns a string formatted as by printf(), or NULL when out of memory. */
char *stook__format(struct stook__allocator *allocator, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
