/* SPDX-License-Identifier: MIT */
/* In which order results reach the program, and how many are held back. */
#include <stdlib.h>
#include <string.h>

#include "deliver/result_queue.h"
#include "support/harness.h"

enum { ENTRIES = 600 };

static struct stook__allocator *allocator;
static struct stook__link ring;
static struct stook__result_queue queue;
static struct stook__result_entry entries[ENTRIES];

static void begin(void)
{
    allocator = stook__allocator_new(NULL);
    memset(&queue, 0, sizeof queue);
    memset(entries, 0, sizeof entries);
    stook__list_init(&ring);
    stook__result_queue_init(&queue);
    for (size_t i = 0; i < ENTRIES; i++) {
        CHECK_EQ_INT(stook__result_queue_add(&queue, allocator, &entries[i]), 0);
        CHECK_EQ_SIZE(entries[i].index, i);
    }
}

static int open_queue(int ordered, int borrowed, size_t window)
{
    const struct stook__gather_options options = {.window = window, .max_buffered_bytes = 64 << 20, .ordered = ordered, .borrowed = borrowed};
    return stook__result_queue_open(&queue, allocator, &ring, &options);
}

static void end(void)
{
    stook__result_queue_free(&queue, allocator);
    stook__allocator_unref(allocator);
}

static void arrive(size_t i)
{
    stook__result_queue_finished(&queue, &ring, &entries[i], 10, i % 3 != 0);
}

/* Delivers all that can be delivered; returns the index of the last. */
static size_t deliver(size_t *count)
{
    struct stook__result_queue *found;
    struct stook__result_entry *entry;
    size_t last = 0;
    while ((entry = stook__result_queue_next(&ring, &found)) != NULL) {
        CHECK(found == &queue);
        last = entry->index;
        stook__result_queue_release(&queue, allocator, &ring, entry, 10);
        ++*count;
    }
    return last;
}

TEST(kept_in_order_of_arrival)
{
    begin();
    arrive(5); /* before the await */
    CHECK(stook__result_queue_by_index(&queue, 5) == NULL);
    CHECK_EQ_INT(open_queue(0, 0, SIZE_MAX), 0);
    arrive(9);
    arrive(2);
    CHECK(stook__result_queue_at(&queue, 0) == &entries[5]);
    CHECK(stook__result_queue_at(&queue, 1) == &entries[9]);
    CHECK(stook__result_queue_at(&queue, 2) == &entries[2]);
    CHECK(stook__result_queue_at(&queue, 3) == NULL);
    CHECK(stook__result_queue_by_index(&queue, 9) == &entries[9]);
    CHECK(stook__result_queue_by_index(&queue, 3) == NULL);
    CHECK(stook__list_empty(&ring)); /* kept results are not delivered */
    CHECK_EQ_SIZE(queue.failed, 1);
    end();
}

TEST(kept_in_order_of_the_adds)
{
    begin();
    CHECK_EQ_INT(open_queue(1, 0, SIZE_MAX), 0);
    arrive(9);
    CHECK(stook__result_queue_at(&queue, 9) == &entries[9]);
    CHECK(stook__result_queue_at(&queue, 0) == NULL);
    CHECK(stook__result_queue_at(&queue, ENTRIES) == NULL);
    end();
}

TEST(borrowed_in_order_of_arrival)
{
    size_t count = 0;
    begin();
    CHECK_EQ_INT(open_queue(0, 1, SIZE_MAX), 0);
    arrive(7);
    arrive(3);
    CHECK_EQ_SIZE(deliver(&count), 3);
    CHECK_EQ_SIZE(count, 2);
    CHECK_EQ_SIZE(queue.flow.result_bytes, 0);
    CHECK(stook__result_queue_by_index(&queue, 7) == NULL);
    end();
}

/* The head is delivered when it arrives, and those behind it that wait. */
TEST(borrowed_in_order_of_the_adds)
{
    size_t count = 0;
    begin();
    CHECK_EQ_INT(open_queue(1, 1, SIZE_MAX), 0);
    arrive(2);
    arrive(1);
    deliver(&count);
    CHECK_EQ_SIZE(count, 0);
    CHECK_EQ_SIZE(queue.flow.result_bytes, 20);
    arrive(0);
    CHECK_EQ_SIZE(deliver(&count), 2);
    CHECK_EQ_SIZE(count, 3);
    end();
}

TEST(window)
{
    size_t count = 0;
    begin();
    CHECK_EQ_INT(open_queue(1, 1, 3), 0);
    for (size_t i = 0; i < 3; i++) {
        CHECK(stook__result_queue_has_room(&queue));
        stook__result_queue_started(&queue, &entries[i]);
    }
    CHECK(!stook__result_queue_has_room(&queue));
    arrive(1);
    arrive(2);
    deliver(&count);
    CHECK(!stook__result_queue_has_room(&queue)); /* the head is late */
    arrive(0);
    deliver(&count);
    CHECK_EQ_SIZE(count, 3);
    CHECK(stook__result_queue_has_room(&queue));
    stook__result_queue_finished(&queue, &ring, &entries[4], 64 << 20, 1);
    CHECK(!stook__result_queue_has_room(&queue)); /* bytes count too */
    end();
}

/* The head is cancelled before it starts: its place in the window is the next head's. */
TEST(place_of_the_head)
{
    size_t count = 0;
    begin();
    CHECK_EQ_INT(open_queue(1, 1, 2), 0);
    CHECK(stook__result_queue_has_room(&queue));
    stook__result_queue_started(&queue, &entries[5]);
    CHECK(!stook__result_queue_has_room(&queue));
    CHECK(stook__result_queue_head(&queue) == &entries[0]);
    arrive(0);
    CHECK(stook__result_queue_head(&queue) == NULL);
    CHECK(!stook__result_queue_has_room(&queue));
    deliver(&count);
    CHECK(stook__result_queue_head(&queue) == &entries[1]);
    CHECK(!stook__result_queue_has_room(&queue));
    end();
}

/* In any order of completion each is delivered exactly once, in the order of the adds. */
TEST(random_arrivals)
{
    for (unsigned seed = 0; seed < 100; seed++) {
        size_t order[ENTRIES], count = 0;
        test_note("seed %u", seed);
        srand(seed);
        begin();
        CHECK_EQ_INT(open_queue(1, 1, SIZE_MAX), 0);
        for (size_t i = 0; i < ENTRIES; i++) {
            size_t j = (size_t)rand() % (i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        for (size_t i = 0; i < ENTRIES; i++) {
            arrive(order[i]);
            size_t before = count, last = deliver(&count);
            if (count > before)
                CHECK_EQ_SIZE(last, count - 1);
        }
        CHECK_EQ_SIZE(count, ENTRIES);
        CHECK_EQ_SIZE(queue.failed, ENTRIES / 3);
        end();
    }
}
