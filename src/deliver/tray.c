/* SPDX-License-Identifier: MIT */
/* In which order results reach the program; see tray.h. */
#include "deliver/tray.h"

enum { HELD_MAX = 64 << 20 }; /* bytes of results that wait for the head */

void stook__tray_init(struct stook__tray *tray)
{
    stook__list_init(&tray->ring);
    stook__list_init(&tray->waiting);
}

void stook__tray_free(struct stook__tray *tray, struct stook__heap *heap)
{
    stook__list_remove(&tray->ring);
    stook__pages_free(&tray->parcels, heap);
    stook__free(heap, tray->order);
}

/* Kept results in order of arrival need a place each; it is made before it is needed. */
static int make_places(struct stook__tray *tray, struct stook__heap *heap, size_t count)
{
    if (count <= tray->order_capacity)
        return 0;
    size_t capacity = tray->order_capacity * 2 > count ? tray->order_capacity * 2 : count;
    struct stook__parcel **order = stook__resize(heap, tray->order, capacity * sizeof *order);
    if (order == NULL)
        return STOOK_ENOMEM;
    tray->order = order;
    tray->order_capacity = capacity;
    return 0;
}

int stook__tray_add(struct stook__tray *tray, struct stook__heap *heap, struct stook__parcel *parcel)
{
    if (tray->open && !tray->lent && !tray->ordered && make_places(tray, heap, tray->count + 1) != 0)
        return STOOK_ENOMEM;
    if (stook__pages_set(&tray->parcels, heap, tray->count, parcel) != 0)
        return STOOK_ENOMEM;
    stook__list_init(&parcel->link);
    parcel->index = tray->count++;
    return 0;
}

void stook__tray_started(struct stook__tray *tray, struct stook__parcel *parcel)
{
    parcel->started = 1;
    tray->out++;
}

void stook__tray_stopped(struct stook__tray *tray, struct stook__parcel *parcel)
{
    parcel->started = 0;
    tray->out--;
}

/* The head of an ordered tray: the first that was not delivered. */
static struct stook__parcel *head_of(const struct stook__tray *tray)
{
    return stook__pages_get(&tray->parcels, tray->delivered);
}

static int has_next(const struct stook__tray *tray)
{
    if (!tray->ordered)
        return !stook__list_empty(&tray->waiting);
    const struct stook__parcel *head = head_of(tray);
    return head != NULL && head->arrived;
}

static void place(struct stook__tray *tray, struct stook__link *ring)
{
    if (!tray->showing && has_next(tray) && stook__list_empty(&tray->ring))
        stook__list_append(ring, &tray->ring);
}

/* Where an arrived parcel goes, once it is known how the batch is awaited. */
static void sort_in(struct stook__tray *tray, struct stook__link *ring, struct stook__parcel *parcel)
{
    if (tray->lent) {
        if (!tray->ordered)
            stook__list_append(&tray->waiting, &parcel->link);
        place(tray, ring);
        return;
    }
    if (!tray->ordered)
        tray->order[tray->delivered] = parcel;
    tray->delivered++;
}

int stook__tray_open(struct stook__tray *tray, struct stook__heap *heap, struct stook__link *ring, int ordered, int lent,
                     size_t window)
{
    struct stook__link early, *link;
    if (!ordered && !lent && make_places(tray, heap, tray->count) != 0)
        return STOOK_ENOMEM;
    tray->open = 1;
    tray->ordered = ordered;
    tray->lent = lent;
    tray->window = window;
    stook__list_init(&early);
    while ((link = stook__list_pop(&tray->waiting)) != NULL)
        stook__list_append(&early, link);
    while ((link = stook__list_pop(&early)) != NULL)
        sort_in(tray, ring, STOOK__OF(struct stook__parcel, link, link));
    return 0;
}

void stook__tray_arrived(struct stook__tray *tray, struct stook__link *ring, struct stook__parcel *parcel, size_t bytes,
                         int ok)
{
    parcel->arrived = 1;
    tray->failed += !ok;
    tray->held += bytes;
    if (tray->open)
        sort_in(tray, ring, parcel);
    else
        stook__list_append(&tray->waiting, &parcel->link);
}

int stook__tray_has_room(const struct stook__tray *tray)
{
    if (!tray->lent || !tray->ordered)
        return 1;
    size_t kept = stook__tray_head(tray) != NULL;
    return tray->out + kept < tray->window && tray->held < HELD_MAX;
}

struct stook__parcel *stook__tray_head(const struct stook__tray *tray)
{
    if (!tray->lent || !tray->ordered)
        return NULL;
    struct stook__parcel *head = head_of(tray);
    return head == NULL || head->started || head->arrived ? NULL : head;
}

struct stook__parcel *stook__tray_next(struct stook__link *ring, struct stook__tray **ret_tray)
{
    struct stook__link *first = stook__list_pop(ring);
    if (first == NULL)
        return NULL;
    struct stook__tray *tray = STOOK__OF(struct stook__tray, ring, first);
    *ret_tray = tray;
    tray->showing = 1;
    if (tray->ordered)
        return head_of(tray);
    return STOOK__OF(struct stook__parcel, link, stook__list_pop(&tray->waiting));
}

void stook__tray_let_go(struct stook__tray *tray, struct stook__heap *heap, struct stook__link *ring,
                        struct stook__parcel *parcel, size_t bytes)
{
    stook__pages_clear(&tray->parcels, heap, parcel->index);
    tray->out -= parcel->started;
    tray->held -= bytes;
    tray->delivered++;
    tray->showing = 0;
    place(tray, ring);
}

struct stook__parcel *stook__tray_of(const struct stook__tray *tray, size_t index)
{
    struct stook__parcel *parcel = stook__pages_get(&tray->parcels, index);
    return tray->open && !tray->lent && parcel != NULL && parcel->arrived ? parcel : NULL;
}

struct stook__parcel *stook__tray_at(const struct stook__tray *tray, size_t i)
{
    if (tray->ordered || !tray->open || tray->lent)
        return stook__tray_of(tray, i);
    return i < tray->delivered ? tray->order[i] : NULL;
}
