/* SPDX-License-Identifier: MIT */
/* A table of pointers by index, in pages; see pages.h. */
#include "base/pages.h"

enum { PAGE = 256 };

struct stook__page {
    size_t used;
    void *pointer[PAGE];
};

void *stook__pages_get(const struct stook__pages *pages, size_t index)
{
    size_t at = index / PAGE;
    if (at >= pages->capacity || pages->page[at] == NULL)
        return NULL;
    return pages->page[at]->pointer[index % PAGE];
}

static int grow(struct stook__pages *pages, struct stook__heap *heap, size_t at)
{
    size_t capacity = pages->capacity != 0 ? pages->capacity : 1;
    while (capacity <= at)
        capacity *= 2;
    struct stook__page **page = stook__resize(heap, pages->page, capacity * sizeof *page);
    if (page == NULL)
        return STOOK_ENOMEM;
    for (size_t i = pages->capacity; i < capacity; i++)
        page[i] = NULL;
    pages->page = page;
    pages->capacity = capacity;
    return 0;
}

int stook__pages_set(struct stook__pages *pages, struct stook__heap *heap, size_t index, void *pointer)
{
    size_t at = index / PAGE;
    if (at >= pages->capacity && grow(pages, heap, at) != 0)
        return STOOK_ENOMEM;
    if (pages->page[at] == NULL) {
        pages->page[at] = stook__alloc(heap, sizeof **pages->page);
        if (pages->page[at] == NULL)
            return STOOK_ENOMEM;
    }
    pages->page[at]->pointer[index % PAGE] = pointer;
    pages->page[at]->used++;
    return 0;
}

void stook__pages_clear(struct stook__pages *pages, struct stook__heap *heap, size_t index)
{
    struct stook__page **page = &pages->page[index / PAGE];
    (*page)->pointer[index % PAGE] = NULL;
    if (--(*page)->used == 0) {
        stook__free(heap, *page);
        *page = NULL;
    }
}

size_t stook__pages_next(const struct stook__pages *pages, size_t index)
{
    while (index / PAGE < pages->capacity) {
        const struct stook__page *page = pages->page[index / PAGE];
        if (page != NULL && page->pointer[index % PAGE] != NULL)
            return index;
        index = page != NULL ? index + 1 : (index / PAGE + 1) * PAGE;
    }
    return SIZE_MAX;
}

void stook__pages_free(struct stook__pages *pages, struct stook__heap *heap)
{
    for (size_t i = 0; i < pages->capacity; i++)
        stook__free(heap, pages->page[i]);
    stook__free(heap, pages->page);
    *pages = (struct stook__pages){0};
}
