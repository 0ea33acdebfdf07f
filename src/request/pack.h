/* SPDX-License-Identifier: MIT */
/* Several strings in one block: the same function is run twice, to measure and then to copy. */
#ifndef STOOK_REQUEST_PACK_H
#define STOOK_REQUEST_PACK_H

#include <stddef.h>
#include <string.h>

struct stook__pack {
    char *at;    /* where the next goes; NULL: only measured */
    size_t size; /* of all until now */
};

/* Room for what is put there later; NULL if it is only measured. */
static inline void *stook__pack_room(struct stook__pack *pack, size_t size)
{
    char *room = pack->at;
    pack->size += size;
    if (room != NULL)
        pack->at += size;
    return room;
}

/* The copy; NULL if it is only measured. */
static inline char *stook__pack_bytes(struct stook__pack *pack, const void *bytes, size_t size)
{
    char *copy = pack->at;
    pack->size += size;
    if (copy == NULL)
        return NULL;
    pack->at += size;
    return memcpy(copy, bytes, size);
}

static inline char *stook__pack_text(struct stook__pack *pack, const char *text)
{
    return text != NULL ? stook__pack_bytes(pack, text, strlen(text) + 1) : NULL;
}

#endif
