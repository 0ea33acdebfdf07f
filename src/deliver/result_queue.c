/* SPDX-License-Identifier: MIT */
/* The order of results; see result_queue.h. */
#include "deliver/result_queue.h"

void stook__result_queue_init(struct stook__result_queue *queue)
{
    stook__list_init(&queue->ring);
    stook__list_init(&queue->waiting);
    stook__flow_init(&queue->flow);
}

void stook__result_queue_free(struct stook__result_queue *queue, struct stook__allocator *allocator)
{
    stook__list_remove(&queue->ring);
    stook__flow_end(&queue->flow);
    stook__sparse_array_free(&queue->entries, allocator);
    stook__free(allocator, queue->order);
}

/* Results that are kept in the order of completion need a place each. It is allocated with the
   add, so that a result never fails for memory. */
static int reserve_order(struct stook__result_queue *queue, struct stook__allocator *allocator,
                         size_t count)
{
    if (count <= queue->order_capacity)
        return 0;
    size_t capacity = queue->order_capacity * 2 > count ? queue->order_capacity * 2 : count;
    struct stook__result_entry **order =
        stook__resize(allocator, queue->order, capacity * sizeof *order);
    if (order == NULL)
        return STOOK_ENOMEM;
    queue->order = order;
    queue->order_capacity = capacity;
    return 0;
}

int stook__result_queue_add(struct stook__result_queue *queue, struct stook__allocator *allocator,
                            struct stook__result_entry *entry)
{
    if (queue->open && !queue->options.borrowed && !queue->options.ordered &&
        reserve_order(queue, allocator, queue->count + 1) != 0)
        return STOOK_ENOMEM;
    if (stook__sparse_array_set(&queue->entries, allocator, queue->count, entry) != 0)
        return STOOK_ENOMEM;
    stook__list_init(&entry->link);
    entry->index = queue->count++;
    return 0;
}

void stook__result_queue_started(struct stook__result_queue *queue,
                                 struct stook__result_entry *entry)
{
    entry->started = 1;
    stook__flow_started(&queue->flow);
}

void stook__result_queue_stopped(struct stook__result_queue *queue,
                                 struct stook__result_entry *entry)
{
    entry->started = 0;
    stook__flow_stopped(&queue->flow);
}

/* The head of the order: the first that is not delivered. */
static struct stook__result_entry *head_of(const struct stook__result_queue *queue)
{
    return stook__sparse_array_get(&queue->entries, queue->delivered);
}

static int has_next(const struct stook__result_queue *queue)
{
    if (!queue->options.ordered)
        return !stook__list_empty(&queue->waiting);
    const struct stook__result_entry *head = head_of(queue);
    return head != NULL && head->arrived;
}

static void place(struct stook__result_queue *queue, struct stook__link *ring)
{
    if (!queue->delivering && !queue->paused && !queue->options.pulled && has_next(queue) &&
        stook__list_empty(&queue->ring))
        stook__list_append(ring, &queue->ring);
}

/* Files an arrived entry, once it is known how the batch is awaited. */
static void file_entry(struct stook__result_queue *queue, struct stook__link *ring,
                       struct stook__result_entry *entry)
{
    if (queue->options.borrowed) {
        if (!queue->options.ordered)
            stook__list_append(&queue->waiting, &entry->link);
        place(queue, ring);
        return;
    }
    if (!queue->options.ordered)
        queue->order[queue->delivered] = entry;
    queue->delivered++; /* the batch has it: a kept result counts as delivered at once */
}

int stook__result_queue_open(struct stook__result_queue *queue, struct stook__allocator *allocator,
                             struct stook__link *ring, const struct stook__gather_options *options)
{
    struct stook__link early, *link;
    if (!options->ordered && !options->borrowed &&
        reserve_order(queue, allocator, queue->count) != 0)
        return STOOK_ENOMEM;
    queue->open = 1;
    queue->options = *options;
    stook__flow_open(&queue->flow, options->window, options->max_buffered_bytes,
                     options->ordered && options->borrowed);
    stook__list_init(&early);
    stook__list_move_all(&queue->waiting, &early);
    while ((link = stook__list_pop(&early)) != NULL)
        file_entry(queue, ring, STOOK__OF(struct stook__result_entry, link, link));
    return 0;
}

void stook__result_queue_finished(struct stook__result_queue *queue, struct stook__link *ring,
                                  struct stook__result_entry *entry, size_t bytes, int ok)
{
    entry->arrived = 1;
    queue->arrived++;
    queue->failed += !ok;
    stook__flow_arrived(&queue->flow, bytes);
    if (queue->open)
        file_entry(queue, ring, entry);
    else
        stook__list_append(&queue->waiting, &entry->link);
}

void stook__result_queue_set_window(struct stook__result_queue *queue, size_t window)
{
    enum { WINDOW_MIN = 64 };
    queue->options.window = window > WINDOW_MIN ? window : WINDOW_MIN;
    queue->flow.window = queue->options.window;
}

int stook__result_queue_has_room(const struct stook__result_queue *queue)
{
    if (!queue->options.borrowed)
        return 1;
    /* One place in the window is kept for the head until it starts. */
    const struct stook__result_entry *head = queue->options.ordered ? head_of(queue) : NULL;
    size_t reserved = head != NULL && !head->started;
    return stook__flow_has_room(&queue->flow, stook__result_queue_is_windowed(queue), reserved);
}

struct stook__result_entry *stook__result_queue_head(const struct stook__result_queue *queue)
{
    if (!queue->options.borrowed || !queue->options.ordered)
        return NULL;
    struct stook__result_entry *head = head_of(queue);
    return head == NULL || head->started || head->arrived ? NULL : head;
}

struct stook__result_entry *stook__result_queue_next_head(const struct stook__result_queue *queue)
{
    enum { LOOKS = 8 };
    if (!queue->options.borrowed || !queue->options.ordered)
        return NULL;
    size_t looks = queue->options.window < LOOKS ? queue->options.window : LOOKS;
    for (size_t i = 0; i < looks; i++) {
        struct stook__result_entry *entry =
            stook__sparse_array_get(&queue->entries, queue->delivered + i);
        if (entry == NULL || !entry->arrived)
            return entry == NULL || entry->started ? NULL : entry;
    }
    return NULL;
}

/* Takes the next result to deliver; there is one. */
static struct stook__result_entry *take(struct stook__result_queue *queue)
{
    queue->delivering = 1;
    if (queue->options.ordered)
        return head_of(queue);
    return STOOK__OF(struct stook__result_entry, link, stook__list_pop(&queue->waiting));
}

struct stook__result_entry *stook__result_queue_pull(struct stook__result_queue *queue)
{
    return queue->options.pulled && !queue->delivering && has_next(queue) ? take(queue) : NULL;
}

int stook__result_queue_has_next(const struct stook__result_queue *queue)
{
    return has_next(queue);
}

int stook__result_queue_is_done(const struct stook__result_queue *queue)
{
    return (queue->options.pulled ? queue->arrived : queue->delivered) == queue->count;
}

void stook__result_queue_pause(struct stook__result_queue *queue, struct stook__link *ring,
                               int paused)
{
    queue->paused = paused;
    if (paused)
        stook__list_remove(&queue->ring);
    else if (queue->open && queue->options.borrowed)
        place(queue, ring);
}

struct stook__result_entry *stook__result_queue_next(struct stook__link *ring,
                                                     struct stook__result_queue **ret_queue)
{
    struct stook__link *first = stook__list_pop(ring);
    if (first == NULL)
        return NULL;
    struct stook__result_queue *queue = STOOK__OF(struct stook__result_queue, ring, first);
    *ret_queue = queue;
    return take(queue);
}

void stook__result_queue_release(struct stook__result_queue *queue,
                                 struct stook__allocator *allocator, struct stook__link *ring,
                                 struct stook__result_entry *entry, size_t bytes)
{
    stook__sparse_array_clear(&queue->entries, allocator, entry->index);
    stook__flow_delivered(&queue->flow, bytes, entry->started);
    queue->delivered++;
    queue->delivering = 0;
    place(queue, ring);
}

struct stook__result_entry *stook__result_queue_by_index(const struct stook__result_queue *queue,
                                                         size_t index)
{
    struct stook__result_entry *entry = stook__sparse_array_get(&queue->entries, index);
    return queue->open && !queue->options.borrowed && entry != NULL && entry->arrived ? entry
                                                                                      : NULL;
}

struct stook__result_entry *stook__result_queue_at(const struct stook__result_queue *queue,
                                                   size_t i)
{
    if (queue->options.ordered || !queue->open || queue->options.borrowed)
        return stook__result_queue_by_index(queue, i);
    return i < queue->delivered ? queue->order[i] : NULL;
}
