/* SPDX-License-Identifier: MIT */
/*
 * Letters from any thread to the loop's. Counted by references: batches outlive their client, and
 * cancelling one from another thread must find out that the client is gone.
 */
#ifndef STOOK_CORE_MAILBOX_H
#define STOOK_CORE_MAILBOX_H

#include "util/allocator.h"
#include "util/list.h"

struct stook__mailbox;
struct stook__loop;

struct stook__message {
    struct stook__link link;
    stook_batch
        *batch; /* one that was cancelled or woken, which this message is part of; or NULL: */
    void (*call)(stook_client *client, void *user);
    void *user;
};

/* NULL: no memory. */
struct stook__mailbox *stook__mailbox_new(struct stook__allocator *allocator);
struct stook__mailbox *stook__mailbox_ref(struct stook__mailbox *mailbox);
void stook__mailbox_unref(struct stook__mailbox *mailbox);
/* Letters wake this loop from now on. */
void stook__mailbox_open(struct stook__mailbox *mailbox, struct stook__loop *loop);
/* Any thread. Posts a message that is not posted yet. 0, or STOOK_ESTATE: shut. */
int stook__mailbox_post(struct stook__mailbox *mailbox, struct stook__message *message);
/* Any thread, and signal handlers: wakes the loop, unless it is shut. */
void stook__mailbox_wake(struct stook__mailbox *mailbox);
/* Take back a message that was not read. */
void stook__mailbox_recall(struct stook__mailbox *mailbox, struct stook__message *message);
struct stook__message *stook__mailbox_next(struct stook__mailbox *mailbox);
size_t stook__mailbox_count(struct stook__mailbox *mailbox);
/* 1: nothing is posted any more. 0: there are messages, read them first. */
int stook__mailbox_close(struct stook__mailbox *mailbox);

#endif
