/* SPDX-License-Identifier: MIT */
/* Messages between threads; see mailbox.h. */
#include "core/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "core/fork.h"
#include "loop/loop.h"

struct stook__mailbox {
    struct stook__allocator *allocator;
    unsigned fork_generation; /* a child shares the wake-up, and maybe a lock that is held */
    struct stook__loop *_Atomic loop; /* NULL: the mailbox is shut */
    atomic_uint wakers;               /* threads inside stook__mailbox_wake() */
    pthread_mutex_t lock;
    struct stook__link messages;
    atomic_size_t count; /* of messages; changed under the lock, read without */
    size_t refs;
};

struct stook__mailbox *stook__mailbox_new(struct stook__allocator *allocator)
{
    struct stook__mailbox *mailbox = stook__alloc(allocator, sizeof *mailbox);
    if (mailbox == NULL)
        return NULL;
    if (pthread_mutex_init(&mailbox->lock, NULL) != 0) {
        stook__free(allocator, mailbox);
        return NULL;
    }
    mailbox->allocator = stook__allocator_ref(allocator);
    mailbox->fork_generation = stook__fork_generation();
    mailbox->refs = 1;
    stook__list_init(&mailbox->messages);
    return mailbox;
}

struct stook__mailbox *stook__mailbox_ref(struct stook__mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    mailbox->refs++;
    pthread_mutex_unlock(&mailbox->lock);
    return mailbox;
}

void stook__mailbox_unref(struct stook__mailbox *mailbox)
{
    if (mailbox == NULL)
        return;
    pthread_mutex_lock(&mailbox->lock);
    size_t left = --mailbox->refs;
    pthread_mutex_unlock(&mailbox->lock);
    if (left > 0)
        return;
    struct stook__allocator *allocator = mailbox->allocator;
    pthread_mutex_destroy(&mailbox->lock);
    stook__free(allocator, mailbox);
    stook__allocator_unref(allocator);
}

void stook__mailbox_open(struct stook__mailbox *mailbox, struct stook__loop *loop)
{
    pthread_mutex_lock(&mailbox->lock);
    mailbox->loop = loop;
    pthread_mutex_unlock(&mailbox->lock);
}

int stook__mailbox_post(struct stook__mailbox *mailbox, struct stook__message *message)
{
    if (stook__is_forked(mailbox->fork_generation))
        return STOOK_ESTATE;
    pthread_mutex_lock(&mailbox->lock);
    int shut = mailbox->loop == NULL;
    if (!shut && stook__list_empty(&message->link)) {
        stook__list_append(&mailbox->messages, &message->link);
        mailbox->count++;
        /* libuv skips the wake-up if it finds one pending, in a read that is not ordered: the count
           must be seen by the turn for which that one is. */
        atomic_thread_fence(memory_order_seq_cst);
        /* Under the lock: behind it the loop may be closing. */
        stook__loop_wake(mailbox->loop);
    }
    pthread_mutex_unlock(&mailbox->lock);
    return shut ? STOOK_ESTATE : 0;
}

_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_POINTER_LOCK_FREE == 2,
               "signal handlers may wake");

/* Without the lock: a signal handler may interrupt the thread that holds it. `wakers` keeps the
   loop from closing meanwhile. */
void stook__mailbox_wake(struct stook__mailbox *mailbox)
{
    int before = errno; /* a signal handler must not change it */
    atomic_fetch_add(&mailbox->wakers, 1);
    struct stook__loop *loop = atomic_load(&mailbox->loop);
    if (loop != NULL)
        stook__loop_wake(loop);
    atomic_fetch_sub(&mailbox->wakers, 1);
    errno = before;
}

static void take(struct stook__mailbox *mailbox, struct stook__message *message)
{
    stook__list_remove(&message->link);
    mailbox->count--;
}

void stook__mailbox_recall(struct stook__mailbox *mailbox, struct stook__message *message)
{
    pthread_mutex_lock(&mailbox->lock);
    if (!stook__list_empty(&message->link))
        take(mailbox, message);
    pthread_mutex_unlock(&mailbox->lock);
}

struct stook__message *stook__mailbox_next(struct stook__mailbox *mailbox)
{
    struct stook__message *message = NULL;
    pthread_mutex_lock(&mailbox->lock);
    if (mailbox->count > 0) {
        message = STOOK__OF(struct stook__message, link, mailbox->messages.next);
        take(mailbox, message);
    }
    pthread_mutex_unlock(&mailbox->lock);
    return message;
}

size_t stook__mailbox_count(struct stook__mailbox *mailbox)
{
    /* Each turn asks twice. A message that is missed here has a wake-up on its way. */
    return atomic_load(&mailbox->count);
}

int stook__mailbox_close(struct stook__mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    int empty = mailbox->count == 0;
    if (empty)
        atomic_store(&mailbox->loop, NULL);
    pthread_mutex_unlock(&mailbox->lock);
    /* A waker that has read the loop makes one more system call with it. */
    while (empty && atomic_load(&mailbox->wakers) > 0)
        sched_yield();
    return empty;
}
