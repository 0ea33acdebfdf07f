/* SPDX-License-Identifier: MIT */
/* Letters from any thread; see inbox.h. */
#include "turn/inbox.h"

#include <pthread.h>

#include "loop/loop.h"

struct stook__inbox {
    struct stook__heap *heap;
    struct stook__loop *loop; /* NULL: shut */
    pthread_mutex_t lock;
    struct stook__link letters;
    size_t count;
    size_t refs;
};

struct stook__inbox *stook__inbox_new(struct stook__heap *heap)
{
    struct stook__inbox *inbox = stook__alloc(heap, sizeof *inbox);
    if (inbox == NULL)
        return NULL;
    if (pthread_mutex_init(&inbox->lock, NULL) != 0) {
        stook__free(heap, inbox);
        return NULL;
    }
    inbox->heap = stook__heap_ref(heap);
    inbox->refs = 1;
    stook__list_init(&inbox->letters);
    return inbox;
}

struct stook__inbox *stook__inbox_ref(struct stook__inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->refs++;
    pthread_mutex_unlock(&inbox->lock);
    return inbox;
}

void stook__inbox_unref(struct stook__inbox *inbox)
{
    if (inbox == NULL)
        return;
    pthread_mutex_lock(&inbox->lock);
    size_t left = --inbox->refs;
    pthread_mutex_unlock(&inbox->lock);
    if (left > 0)
        return;
    struct stook__heap *heap = inbox->heap;
    pthread_mutex_destroy(&inbox->lock);
    stook__free(heap, inbox);
    stook__heap_unref(heap);
}

void stook__inbox_open(struct stook__inbox *inbox, struct stook__loop *loop)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->loop = loop;
    pthread_mutex_unlock(&inbox->lock);
}

int stook__inbox_post(struct stook__inbox *inbox, struct stook__letter *letter)
{
    pthread_mutex_lock(&inbox->lock);
    int shut = inbox->loop == NULL;
    if (!shut && stook__list_empty(&letter->link)) {
        stook__list_append(&inbox->letters, &letter->link);
        inbox->count++;
        /* Under the lock: once it is let go the loop may be closing. */
        stook__loop_wake(inbox->loop);
    }
    pthread_mutex_unlock(&inbox->lock);
    return shut ? STOOK_ESTATE : 0;
}

static void take(struct stook__inbox *inbox, struct stook__letter *letter)
{
    stook__list_remove(&letter->link);
    inbox->count--;
}

void stook__inbox_recall(struct stook__inbox *inbox, struct stook__letter *letter)
{
    pthread_mutex_lock(&inbox->lock);
    if (!stook__list_empty(&letter->link))
        take(inbox, letter);
    pthread_mutex_unlock(&inbox->lock);
}

struct stook__letter *stook__inbox_next(struct stook__inbox *inbox)
{
    struct stook__letter *letter = NULL;
    pthread_mutex_lock(&inbox->lock);
    if (inbox->count > 0) {
        letter = STOOK__OF(struct stook__letter, link, inbox->letters.next);
        take(inbox, letter);
    }
    pthread_mutex_unlock(&inbox->lock);
    return letter;
}

size_t stook__inbox_count(struct stook__inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    size_t count = inbox->count;
    pthread_mutex_unlock(&inbox->lock);
    return count;
}

int stook__inbox_shut(struct stook__inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    int empty = inbox->count == 0;
    if (empty)
        inbox->loop = NULL;
    pthread_mutex_unlock(&inbox->lock);
    return empty;
}
