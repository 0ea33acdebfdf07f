/* SPDX-License-Identifier: MIT */
/*
 * The packed form of metadata.h: each number in groups of seven bits, the lowest first, the top bit
 * of a byte set if another follows; the address with its NUL; one byte: how many bytes that was.
 */
#include "util/metadata.h"

#include <string.h>

int stook__metadata_put(struct stook__buffer *head, struct stook__allocator *allocator,
                        const struct stook__metadata *metadata)
{
    char packed[STOOK__METADATA_MAX], *at = packed;
    for (int i = 0; i < STOOK__METADATA_NUMBERS; i++) {
        uint64_t left = metadata->number[i];
        for (; left > 127; left >>= 7)
            *at++ = (char)(left | 128);
        *at++ = (char)left;
    }
    size_t size = strlen(metadata->remote) + 1;
    at = (char *)memcpy(at, metadata->remote, size) + size;
    *at = (char)(at - packed);
    size = (size_t)(at + 1 - packed);
    if (stook__buffer_reserve(head, allocator, head->size + size) != 0)
        return STOOK_ENOMEM;
    memcpy(head->data + head->size, packed, size);
    head->size += size;
    head->data[head->size] = '\0';
    return 0;
}

void stook__metadata_get(const struct stook__buffer *head, struct stook__metadata *ret_metadata)
{
    *ret_metadata = (struct stook__metadata){.remote = ""};
    if (head->size == 0)
        return;
    const unsigned char *end = (const unsigned char *)head->data + head->size - 1, *at = end - *end;
    ret_metadata->fields = head->size - 1 - *end;
    for (int i = 0; i < STOOK__METADATA_NUMBERS; i++) {
        for (int shift = 0;; shift += 7) {
            ret_metadata->number[i] |= (uint64_t)(*at & 127) << shift;
            if (*at++ < 128)
                break;
        }
    }
    ret_metadata->remote = (const char *)at;
}
