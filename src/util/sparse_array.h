/* SPDX-License-Identifier: MIT */
/*
 * An array of pointers by index, in pages of 256. A page is freed when its last pointer is cleared,
 * so a million requests that come and go need memory only for those that exist at one time.
 */
#ifndef STOOK_UTIL_SPARSE_ARRAY_H
#define STOOK_UTIL_SPARSE_ARRAY_H

#include "util/allocator.h"

struct stook__page;

struct stook__sparse_array {
    struct stook__page **page; /* a NULL page has no pointers */
    size_t capacity;           /* entries of `page` */
};

/* NULL: the entry is empty, or beyond the end. */
void *stook__sparse_array_get(const struct stook__sparse_array *array, size_t index);
/* Sets an entry that is empty to a pointer that is not NULL. 0 or STOOK_ENOMEM. */
int stook__sparse_array_set(struct stook__sparse_array *array, struct stook__allocator *allocator,
                            size_t index, void *pointer);
/* Empties an entry that is set. */
void stook__sparse_array_clear(struct stook__sparse_array *array,
                               struct stook__allocator *allocator, size_t index);
/* Returns the first index from `index` on whose entry is set; SIZE_MAX: there is none. */
size_t stook__sparse_array_next(const struct stook__sparse_array *array, size_t index);
/* Frees the pages, not what the pointers point to. */
void stook__sparse_array_free(struct stook__sparse_array *array,
                              struct stook__allocator *allocator);

#endif
