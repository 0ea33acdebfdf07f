/* SPDX-License-Identifier: MIT */
/*
 * A table of pointers by index, in pages of 256. A page whose last pointer was cleared is given
 * back, so that a million requests that come and go cost the memory of those that are there.
 */
#ifndef STOOK_BASE_PAGES_H
#define STOOK_BASE_PAGES_H

#include "base/heap.h"

struct stook__page;

struct stook__pages {
    struct stook__page **page; /* NULL where every pointer is NULL */
    size_t capacity;           /* entries of `page` */
};

void *stook__pages_get(const struct stook__pages *pages, size_t index);
/* `pointer` is not NULL and the entry is empty. 0 or STOOK_ENOMEM. */
int stook__pages_set(struct stook__pages *pages, struct stook__heap *heap, size_t index, void *pointer);
void stook__pages_clear(struct stook__pages *pages, struct stook__heap *heap, size_t index);
/* The first index from `index` on that has a pointer; SIZE_MAX: none. */
size_t stook__pages_next(const struct stook__pages *pages, size_t index);
/* Frees the table, not what it points to. */
void stook__pages_free(struct stook__pages *pages, struct stook__heap *heap);

#endif
