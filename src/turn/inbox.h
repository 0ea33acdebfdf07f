/* SPDX-License-Identifier: MIT */
/*
 * Letters from any thread to the loop's. Counted by references: batches outlive their client, and
 * cancelling one from another thread must find out that the client is gone.
 */
#ifndef STOOK_TURN_INBOX_H
#define STOOK_TURN_INBOX_H

#include "base/heap.h"
#include "base/list.h"

struct stook__inbox;
struct stook__loop;

struct stook__letter {
    struct stook__link link;
    stook_batch *batch; /* one that was cancelled or woken, which this letter is part of; or NULL: */
    void (*call)(stook_client *client, void *user);
    void *user;
};

/* NULL: no memory. */
struct stook__inbox *stook__inbox_new(struct stook__heap *heap);
struct stook__inbox *stook__inbox_ref(struct stook__inbox *inbox);
void stook__inbox_unref(struct stook__inbox *inbox);
/* Letters wake this loop from now on. */
void stook__inbox_open(struct stook__inbox *inbox, struct stook__loop *loop);
/* Any thread. Posts a letter that is not posted yet. 0, or STOOK_ESTATE: shut. */
int stook__inbox_post(struct stook__inbox *inbox, struct stook__letter *letter);
/* Take back a letter that was not read. */
void stook__inbox_recall(struct stook__inbox *inbox, struct stook__letter *letter);
struct stook__letter *stook__inbox_next(struct stook__inbox *inbox);
size_t stook__inbox_count(struct stook__inbox *inbox);
/* 1: nothing is posted any more. 0: there are letters, read them first. */
int stook__inbox_shut(struct stook__inbox *inbox);

#endif
