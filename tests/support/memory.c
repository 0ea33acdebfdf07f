/* SPDX-License-Identifier: MIT */
/* The counting allocator. Live blocks hang in a hash table, so a stale pointer is never read. */
#include "memory.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

struct memory_block {
    alignas(max_align_t) struct memory_block *next;
    size_t size;
    size_t call; /* which allocation it was */
};

static struct memory_block **find(struct memory *memory, const void *content)
{
    size_t hash = ((uintptr_t)content >> 4) * 2654435761u;
    struct memory_block **link = &memory->buckets[hash % MEMORY_BUCKETS];
    while (*link && (const void *)(*link + 1) != content)
        link = &(*link)->next;
    return link;
}

static void *make(struct memory *memory, size_t size)
{
    size_t call = ++memory->calls;
    struct memory_block *block;
    if (memory->fail_at && (call == memory->fail_at || (memory->fail_on && call > memory->fail_at)))
        block = NULL;
    else
        block = malloc(sizeof *block + size);
    if (!block) {
        memory->refused++;
        return NULL;
    }
    block->next = NULL;
    block->size = size;
    block->call = call;
    memset(block + 1, 0xa5, size);
    *find(memory, block + 1) = block;
    memory->blocks++;
    memory->bytes += size;
    if (memory->bytes > memory->peak)
        memory->peak = memory->bytes;
    return block + 1;
}

static void unmake(struct memory *memory, void *content)
{
    struct memory_block **link = find(memory, content);
    struct memory_block *block = *link;
    if (!block)
        FAIL("a block is freed that is not live: freed twice, or never ours");
    *link = block->next;
    memory->blocks--;
    memory->bytes -= block->size;
    memset(block, 0xdd, sizeof *block + block->size);
    free(block);
}

static void *resize(void *content, size_t size, void *user)
{
    struct memory *memory = user;
    void *fresh;
    if (size == 0)
        FAIL("the allocator is asked for 0 bytes");
    pthread_mutex_lock(&memory->lock);
    fresh = make(memory, size);
    if (fresh && content) {
        struct memory_block *block = *find(memory, content);
        if (!block)
            FAIL("a block is resized that is not live");
        memcpy(fresh, content, block->size < size ? block->size : size);
        unmake(memory, content);
    }
    pthread_mutex_unlock(&memory->lock);
    return fresh;
}

static void release(void *content, void *user)
{
    struct memory *memory = user;
    if (!content)
        return;
    pthread_mutex_lock(&memory->lock);
    unmake(memory, content);
    pthread_mutex_unlock(&memory->lock);
}

void memory_begin(struct memory *memory)
{
    memset(memory, 0, sizeof *memory);
    pthread_mutex_init(&memory->lock, NULL);
    memory->allocator.resize = resize;
    memory->allocator.release = release;
    memory->allocator.user = memory;
}

void memory_fail(struct memory *memory, size_t nth, int from_there_on)
{
    pthread_mutex_lock(&memory->lock);
    memory->fail_at = nth;
    memory->fail_on = from_there_on;
    pthread_mutex_unlock(&memory->lock);
}

void memory_check_empty(struct memory *memory)
{
    if (memory->blocks == 0)
        return;
    for (size_t i = 0; i < MEMORY_BUCKETS; i++)
        if (memory->buckets[i])
            FAIL("%zu blocks are live; one of %zu bytes, from allocation %zu", memory->blocks,
                 memory->buckets[i]->size, memory->buckets[i]->call);
}
