/* SPDX-License-Identifier: MIT */
/*
 * Several strings in one block. The same function runs twice with a pack: once to measure, with
 * `at` NULL, and once to copy into a block of the size that was measured.
 */
#ifndef STOOK_REQUEST_PACK_H
#define STOOK_REQUEST_PACK_H

#include <stddef.h>
#include <string.h>

struct stook__pack {
    char *at;    /* where the next bytes go; NULL: the pack only measures */
    size_t size; /* bytes packed so far */
};

/* Reserves bytes that the caller fills later. NULL while measuring. */
static inline void *stook__pack_reserve(struct stook__pack *pack, size_t size)
{
    char *reserved = pack->at;
    pack->size += size;
    if (reserved != NULL)
        pack->at += size;
    return reserved;
}

/* Returns the copy; NULL while measuring. */
static inline char *stook__pack_bytes(struct stook__pack *pack, const void *bytes, size_t size)
{
    char *copy = stook__pack_reserve(pack, size);
    return copy != NULL ? memcpy(copy, bytes, size) : NULL;
}

/* Copies a string with its NUL. Returns the copy; NULL while measuring, or if `text` is NULL. */
static inline char *stook__pack_text(struct stook__pack *pack, const char *text)
{
    return text != NULL ? stook__pack_bytes(pack, text, strlen(text) + 1) : NULL;
}

#endif
