/* SPDX-License-Identifier: MIT */
/*
 * Circular lists, intrusive: a link is a member of what is listed. The head is a link too. A link
 * that is in no list points to itself, so each link must be initialised; zero is not enough.
 */
#ifndef STOOK_UTIL_LIST_H
#define STOOK_UTIL_LIST_H

#include <stddef.h>

struct stook__link {
    struct stook__link *next, *prev;
};

/* The struct that has `pointer` as its `member`. */
#define STOOK__OF(type, member, pointer) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void stook__list_init(struct stook__link *link)
{
    link->next = link->prev = link;
}

static inline int stook__list_empty(const struct stook__link *head)
{
    return head->next == head;
}

/* Removing a link that is in no list does nothing. */
static inline void stook__list_remove(struct stook__link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    stook__list_init(link);
}

static inline void stook__list_append(struct stook__link *head, struct stook__link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

/* Removes the first link and returns it. NULL: the list is empty. */
static inline struct stook__link *stook__list_pop(struct stook__link *head)
{
    struct stook__link *first = head->next;
    if (first == head)
        return NULL;
    stook__list_remove(first);
    return first;
}

/* Moves all links of `from`, in their order, to the end of `head`. */
static inline void stook__list_move_all(struct stook__link *from, struct stook__link *head)
{
    if (stook__list_empty(from))
        return;
    from->next->prev = head->prev;
    head->prev->next = from->next;
    from->prev->next = head;
    head->prev = from->prev;
    stook__list_init(from);
}

#endif
