/* SPDX-License-Identifier: MIT */
/*
 * Messages from any thread to the thread of the loop: posted calls, one message each, and for each
 * batch one message that it was cancelled or woken. That one says only that the batch has to be
 * looked at: a cancel is noted in the batch itself. So wake-ups coalesce and none is lost.
 *
 * The mailbox is counted by references. A batch may outlive its client, and a cancel from another
 * thread has to find out that the client is gone.
 */
#ifndef STOOK_CORE_MAILBOX_H
#define STOOK_CORE_MAILBOX_H

#include "util/allocator.h"
#include "util/list.h"

struct stook__mailbox;
struct stook__loop;

struct stook__message {
    struct stook__link link;
    stook_batch *batch; /* cancelled or woken: the message is a member of it. NULL: a posted call */
    void (*call)(stook_client *client, void *user);
    void *user;
};

/* Makes a mailbox with one reference, that is shut. NULL: no memory. */
struct stook__mailbox *stook__mailbox_new(struct stook__allocator *allocator);
struct stook__mailbox *stook__mailbox_ref(struct stook__mailbox *mailbox);
void stook__mailbox_unref(struct stook__mailbox *mailbox);
/* Takes messages from now on, and wakes this loop for them. */
void stook__mailbox_open(struct stook__mailbox *mailbox, struct stook__loop *loop);
/* Posts a message, unless it is posted already. Any thread. 0, or STOOK_ESTATE: the mailbox is
   shut, or of a parent process. */
int stook__mailbox_post(struct stook__mailbox *mailbox, struct stook__message *message);
/* Wakes the loop, unless the mailbox is shut. Any thread, and signal handlers. */
void stook__mailbox_wake(struct stook__mailbox *mailbox);
/* Takes a message back, if it was not read yet. */
void stook__mailbox_recall(struct stook__mailbox *mailbox, struct stook__message *message);
/* The next message, which leaves the mailbox; NULL: there is none. */
struct stook__message *stook__mailbox_next(struct stook__mailbox *mailbox);
size_t stook__mailbox_count(struct stook__mailbox *mailbox);
/* 1: the mailbox is shut. 0: it is not, because there are messages to read first. */
int stook__mailbox_close(struct stook__mailbox *mailbox);

#endif
