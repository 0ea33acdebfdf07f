/* SPDX-License-Identifier: MIT */
/* An array of pointers by index, in pages; see sparse_array.h. */
#include "util/sparse_array.h"

enum { PAGE = 256 };

struct stook__page {
    size_t used;
    void *pointer[PAGE];
};

void *stook__sparse_array_get(const struct stook__sparse_array *array, size_t index)
{
    size_t at = index / PAGE;
    if (at >= array->capacity || array->page[at] == NULL)
        return NULL;
    return array->page[at]->pointer[index % PAGE];
}

static int grow(struct stook__sparse_array *array, struct stook__allocator *allocator, size_t at)
{
    size_t capacity = array->capacity != 0 ? array->capacity : 1;
    while (capacity <= at)
        capacity *= 2;
    struct stook__page **page = stook__resize(allocator, array->page, capacity * sizeof *page);
    if (page == NULL)
        return STOOK_ENOMEM;
    for (size_t i = array->capacity; i < capacity; i++)
        page[i] = NULL;
    array->page = page;
    array->capacity = capacity;
    return 0;
}

int stook__sparse_array_set(struct stook__sparse_array *array, struct stook__allocator *allocator,
                            size_t index, void *pointer)
{
    size_t at = index / PAGE;
    if (at >= array->capacity && grow(array, allocator, at) != 0)
        return STOOK_ENOMEM;
    if (array->page[at] == NULL) {
        array->page[at] = stook__alloc(allocator, sizeof **array->page);
        if (array->page[at] == NULL)
            return STOOK_ENOMEM;
    }
    array->page[at]->pointer[index % PAGE] = pointer;
    array->page[at]->used++;
    return 0;
}

void stook__sparse_array_clear(struct stook__sparse_array *array,
                               struct stook__allocator *allocator, size_t index)
{
    struct stook__page **page = &array->page[index / PAGE];
    (*page)->pointer[index % PAGE] = NULL;
    if (--(*page)->used == 0) {
        stook__free(allocator, *page);
        *page = NULL;
    }
}

size_t stook__sparse_array_next(const struct stook__sparse_array *array, size_t index)
{
    while (index / PAGE < array->capacity) {
        const struct stook__page *page = array->page[index / PAGE];
        if (page != NULL && page->pointer[index % PAGE] != NULL)
            return index;
        index = page != NULL ? index + 1 : (index / PAGE + 1) * PAGE;
    }
    return SIZE_MAX;
}

void stook__sparse_array_free(struct stook__sparse_array *array, struct stook__allocator *allocator)
{
    for (size_t i = 0; i < array->capacity; i++)
        stook__free(allocator, array->page[i]);
    stook__free(allocator, array->page);
    *array = (struct stook__sparse_array){0};
}
