/* SPDX-License-Identifier: MIT */
/* In which order results reach the program; see tray.h. */
#include "deliver/tray.h"

void stook__tray_init(struct stook__tray *tray)
{
    stook__list_init(&tray->ring);
    stook__list_init(&tray->waiting);
    stook__gauge_init(&tray->gauge);
}

void stook__tray_free(struct stook__tray *tray, struct stook__heap *heap)
{
    stook__list_remove(&tray->ring);
    stook__gauge_end(&tray->gauge);
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
    if (tray->open && !tray->terms.lent && !tray->terms.ordered && make_places(tray, heap, tray->count + 1) != 0)
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
    if (!tray->terms.ordered)
        return !stook__list_empty(&tray->waiting);
    const struct stook__parcel *head = head_of(tray);
    return head != NULL && head->arrived;
}

static void place(struct stook__tray *tray, struct stook__link *ring)
{
    if (!tray->showing && !tray->paused && !tray->terms.pulled && has_next(tray) && stook__list_empty(&tray->ring))
        stook__list_append(ring, &tray->ring);
}

/* Where an arrived parcel goes, once it is known how the batch is awaited. */
static void sort_in(struct stook__tray *tray, struct stook__link *ring, struct stook__parcel *parcel)
{
    if (tray->terms.lent) {
        if (!tray->terms.ordered)
            stook__list_append(&tray->waiting, &parcel->link);
        place(tray, ring);
        return;
    }
    if (!tray->terms.ordered)
        tray->order[tray->delivered] = parcel;
    tray->delivered++;
}

int stook__tray_open(struct stook__tray *tray, struct stook__heap *heap, struct stook__link *ring,
                     const struct stook__terms *terms)
{
    struct stook__link early, *link;
    if (!terms->ordered && !terms->lent && make_places(tray, heap, tray->count) != 0)
        return STOOK_ENOMEM;
    tray->open = 1;
    tray->terms = *terms;
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
    tray->arrived++;
    tray->failed += !ok;
    tray->held += bytes;
    if (tray->open)
        sort_in(tray, ring, parcel);
    else
        stook__list_append(&tray->waiting, &parcel->link);
}

int stook__tray_has_room(const struct stook__tray *tray)
{
    if (!tray->terms.lent)
        return 1;
    /* In order of arrival results wait for nothing but the program. */
    int waits = tray->terms.ordered || tray->terms.pulled || tray->paused;
    /* A place for the head while it has none; if it never takes it, for the next head. */
    const struct stook__parcel *head = tray->terms.ordered ? head_of(tray) : NULL;
    size_t kept = head != NULL && !head->started;
    return (!waits || tray->out + kept < tray->terms.window) && tray->held + tray->gauge.bytes < tray->terms.held_max;
}

struct stook__parcel *stook__tray_head(const struct stook__tray *tray)
{
    if (!tray->terms.lent || !tray->terms.ordered)
        return NULL;
    struct stook__parcel *head = head_of(tray);
    return head == NULL || head->started || head->arrived ? NULL : head;
}

/* The one to be shown next; there is one. */
static struct stook__parcel *take(struct stook__tray *tray)
{
    tray->showing = 1;
    if (tray->terms.ordered)
        return head_of(tray);
    return STOOK__OF(struct stook__parcel, link, stook__list_pop(&tray->waiting));
}

struct stook__parcel *stook__tray_pull(struct stook__tray *tray)
{
    return tray->terms.pulled && !tray->showing && has_next(tray) ? take(tray) : NULL;
}

int stook__tray_has_next(const struct stook__tray *tray)
{
    return has_next(tray);
}

int stook__tray_over(const struct stook__tray *tray)
{
    return (tray->terms.pulled ? tray->arrived : tray->delivered) == tray->count;
}

void stook__tray_pause(struct stook__tray *tray, struct stook__link *ring, int paused)
{
    tray->paused = paused;
    if (paused)
        stook__list_remove(&tray->ring);
    else if (tray->open && tray->terms.lent)
        place(tray, ring);
}

struct stook__parcel *stook__tray_next(struct stook__link *ring, struct stook__tray **ret_tray)
{
    struct stook__link *first = stook__list_pop(ring);
    if (first == NULL)
        return NULL;
    struct stook__tray *tray = STOOK__OF(struct stook__tray, ring, first);
    *ret_tray = tray;
    return take(tray);
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
    return tray->open && !tray->terms.lent && parcel != NULL && parcel->arrived ? parcel : NULL;
}

struct stook__parcel *stook__tray_at(const struct stook__tray *tray, size_t i)
{
    if (tray->terms.ordered || !tray->open || tray->terms.lent)
        return stook__tray_of(tray, i);
    return i < tray->delivered ? tray->order[i] : NULL;
}
