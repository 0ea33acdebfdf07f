/* SPDX-License-Identifier: MIT */
/*
 * A table of pointers by index, in pages of 256. A page whose last pointer was cleared is given
 * back, so that a million requests that come and go cost the memory of those that are there.
 */
#ifndef STOOK_UTIL_SPARSE_ARRAY_H
#define STOOK_UTIL_SPARSE_ARRAY_H

#include "util/allocator.h"

struct stook__page;

struct stook__sparse_array {
    struct stook__page **page; /* NULL where every pointer is NULL */
    size_t capacity;           /* entries of `page` */
};

void *stook__sparse_array_get(const struct stook__sparse_array *sparse_array, size_t index);
/* `pointer` is not NULL and the entry is empty. 0 or STOOK_ENOMEM. */
int stook__sparse_array_set(struct stook__sparse_array *sparse_array,
                            struct stook__allocator *allocator, size_t index, void *pointer);
void stook__sparse_array_clear(struct stook__sparse_array *sparse_array,
                               struct stook__allocator *allocator, size_t index);
/* The first index from `index` on that has a pointer; SIZE_MAX: none. */
size_t stook__sparse_array_next(const struct stook__sparse_array *sparse_array, size_t index);
/* Frees the table, not what it points to. */
void stook__sparse_array_free(struct stook__sparse_array *sparse_array,
                              struct stook__allocator *allocator);

#endif
