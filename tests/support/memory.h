/* SPDX-License-Identifier: MIT */
/*
 * An allocator for one client. It knows every block: it counts them, fails the test if one is freed
 * twice, moves a block at every resize, fills new and freed memory with garbage, and fails on request.
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
    size_t blocks;  /* allocated now */
    size_t bytes;   /* in them */
    size_t peak;    /* most bytes at any moment */
    size_t calls;   /* allocations requested */
    size_t fail_at; /* the call that fails, counted from 1; 0: none */
    size_t refused; /* calls that failed */
    int fail_on;    /* all later ones fail too */
    int unused;
    struct memory_block *buckets[MEMORY_BUCKETS];
};

void memory_begin(struct memory *memory);
/* Fails the nth allocation counted from the beginning; with `from_there_on` all later ones too. */
void memory_fail(struct memory *memory, size_t nth, int from_there_on);
void memory_check_empty(struct memory *memory);

#endif
