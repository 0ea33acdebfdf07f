/* SPDX-License-Identifier: MIT */
/*
 * An allocator for one client that knows each of its blocks: counts them, refuses to free one
 * twice, moves at every resize, spoils what is fresh and what is freed, and fails when told to.
 */
#ifndef STOOK_TEST_MEMORY_H
#define STOOK_TEST_MEMORY_H

#include <pthread.h>
#include <stddef.h>

#include <stook.h>

enum { MEMORY_BUCKETS = 4096 };

struct memory_block;

struct memory {
    struct stook_allocator allocator;
    pthread_mutex_t lock;
    size_t blocks;  /* live now */
    size_t bytes;   /* in them */
    size_t peak;    /* most bytes at any moment */
    size_t calls;   /* allocations asked for */
    size_t fail_at; /* the call that fails, counted from 1; 0: none */
    size_t refused; /* calls that failed */
    int fail_on;    /* and all after it */
    int unused;
    struct memory_block *buckets[MEMORY_BUCKETS];
};

void memory_begin(struct memory *memory);
/* Fail the nth allocation from the beginning, and with `from_there_on` all later ones. */
void memory_fail(struct memory *memory, size_t nth, int from_there_on);
void memory_check_empty(struct memory *memory);

#endif
