/* SPDX-License-Identifier: MIT */
/* The list of followed redirects; see hops.h. */
#include "request/hops.h"

#include <stook.h>

struct stook__hops *stook__hops_new(struct stook__allocator *allocator, const char *first_url)
{
    struct stook__hops *hops = stook__alloc(allocator, sizeof *hops);
    if (hops == NULL)
        return NULL;
    hops->first_url = stook__copy_string(allocator, first_url);
    if (hops->first_url != NULL)
        return hops;
    stook__free(allocator, hops);
    return NULL;
}

int stook__hops_add(struct stook__hops *hops, struct stook__allocator *allocator, char *url,
                    int status)
{
    struct stook__hop *list =
        stook__resize(allocator, hops->list, (hops->count + 1) * sizeof *hops->list);
    if (list == NULL)
        return STOOK_ENOMEM;
    list[hops->count++] = (struct stook__hop){url, status};
    hops->list = list;
    hops->changes++;
    return 0;
}

void stook__hops_begin_mirror(struct stook__hops *hops, struct stook__allocator *allocator,
                              char *mirror_url)
{
    while (hops->count > 0)
        stook__free(allocator, hops->list[--hops->count].url);
    stook__free(allocator, hops->mirror_url);
    hops->mirror_url = mirror_url;
    hops->changes++;
}

struct stook__hops *stook__hops_copy(const struct stook__hops *hops,
                                     struct stook__allocator *allocator)
{
    struct stook__hops *copy = stook__hops_new(allocator, hops->first_url);
    if (copy != NULL && hops->mirror_url != NULL) {
        copy->mirror_url = stook__copy_string(allocator, hops->mirror_url);
        if (copy->mirror_url == NULL) {
            stook__hops_free(copy, allocator);
            return NULL;
        }
    }
    for (size_t i = 0; copy != NULL && i < hops->count; i++) {
        char *url = stook__copy_string(allocator, hops->list[i].url);
        if (url != NULL && stook__hops_add(copy, allocator, url, hops->list[i].status) == 0)
            continue;
        stook__free(allocator, url);
        stook__hops_free(copy, allocator);
        return NULL;
    }
    if (copy != NULL)
        copy->changes = hops->changes;
    return copy;
}

void stook__hops_free(struct stook__hops *hops, struct stook__allocator *allocator)
{
    if (hops == NULL)
        return;
    for (size_t i = 0; i < hops->count; i++)
        stook__free(allocator, hops->list[i].url);
    stook__free(allocator, hops->list);
    stook__free(allocator, hops->fields);
    stook__free(allocator, hops->mirror_url);
    stook__free(allocator, hops->first_url);
    stook__free(allocator, hops);
}
