/* SPDX-License-Identifier: MIT */
/* In which order results reach the program, and how many are held. */
#include <stdlib.h>
#include <string.h>

#include "deliver/tray.h"
#include "harness/harness.h"

enum { PARCELS = 600 };

static struct stook__heap *heap;
static struct stook__link ring;
static struct stook__tray tray;
static struct stook__parcel parcels[PARCELS];

static void begin(void)
{
    heap = stook__heap_new(NULL);
    memset(&tray, 0, sizeof tray);
    memset(parcels, 0, sizeof parcels);
    stook__list_init(&ring);
    stook__tray_init(&tray);
    for (size_t i = 0; i < PARCELS; i++) {
        CHECK_EQ_INT(stook__tray_add(&tray, heap, &parcels[i]), 0);
        CHECK_EQ_SIZE(parcels[i].index, i);
    }
}

static int open_tray(int ordered, int lent, size_t window)
{
    const struct stook__terms terms = {.window = window, .held_max = 64 << 20, .ordered = ordered, .lent = lent};
    return stook__tray_open(&tray, heap, &ring, &terms);
}

static void end(void)
{
    stook__tray_free(&tray, heap);
    stook__heap_unref(heap);
}

static void arrive(size_t i)
{
    stook__tray_arrived(&tray, &ring, &parcels[i], 10, i % 3 != 0);
}

/* Shows all that can be shown; returns the index of the last. */
static size_t show(size_t *count)
{
    struct stook__tray *whose;
    struct stook__parcel *parcel;
    size_t last = 0;
    while ((parcel = stook__tray_next(&ring, &whose)) != NULL) {
        CHECK(whose == &tray);
        last = parcel->index;
        stook__tray_let_go(&tray, heap, &ring, parcel, 10);
        ++*count;
    }
    return last;
}

TEST(kept_in_order_of_arrival)
{
    begin();
    arrive(5); /* before the await */
    CHECK(stook__tray_of(&tray, 5) == NULL);
    CHECK_EQ_INT(open_tray(0, 0, SIZE_MAX), 0);
    arrive(9);
    arrive(2);
    CHECK(stook__tray_at(&tray, 0) == &parcels[5]);
    CHECK(stook__tray_at(&tray, 1) == &parcels[9]);
    CHECK(stook__tray_at(&tray, 2) == &parcels[2]);
    CHECK(stook__tray_at(&tray, 3) == NULL);
    CHECK(stook__tray_of(&tray, 9) == &parcels[9]);
    CHECK(stook__tray_of(&tray, 3) == NULL);
    CHECK(stook__list_empty(&ring)); /* nobody is shown them */
    CHECK_EQ_SIZE(tray.failed, 1);
    end();
}

TEST(kept_in_order_of_the_adds)
{
    begin();
    CHECK_EQ_INT(open_tray(1, 0, SIZE_MAX), 0);
    arrive(9);
    CHECK(stook__tray_at(&tray, 9) == &parcels[9]);
    CHECK(stook__tray_at(&tray, 0) == NULL);
    CHECK(stook__tray_at(&tray, PARCELS) == NULL);
    end();
}

TEST(lent_in_order_of_arrival)
{
    size_t count = 0;
    begin();
    CHECK_EQ_INT(open_tray(0, 1, SIZE_MAX), 0);
    arrive(7);
    arrive(3);
    CHECK_EQ_SIZE(show(&count), 3);
    CHECK_EQ_SIZE(count, 2);
    CHECK_EQ_SIZE(tray.held, 0);
    CHECK(stook__tray_of(&tray, 7) == NULL);
    end();
}

/* The head is shown the moment it is there, and those behind it that wait. */
TEST(lent_in_order_of_the_adds)
{
    size_t count = 0;
    begin();
    CHECK_EQ_INT(open_tray(1, 1, SIZE_MAX), 0);
    arrive(2);
    arrive(1);
    show(&count);
    CHECK_EQ_SIZE(count, 0);
    CHECK_EQ_SIZE(tray.held, 20);
    arrive(0);
    CHECK_EQ_SIZE(show(&count), 2);
    CHECK_EQ_SIZE(count, 3);
    end();
}

TEST(window)
{
    size_t count = 0;
    begin();
    CHECK_EQ_INT(open_tray(1, 1, 3), 0);
    for (size_t i = 0; i < 3; i++) {
        CHECK(stook__tray_has_room(&tray));
        stook__tray_started(&tray, &parcels[i]);
    }
    CHECK(!stook__tray_has_room(&tray));
    arrive(1);
    arrive(2);
    show(&count);
    CHECK(!stook__tray_has_room(&tray)); /* the head is late */
    arrive(0);
    show(&count);
    CHECK_EQ_SIZE(count, 3);
    CHECK(stook__tray_has_room(&tray));
    stook__tray_arrived(&tray, &ring, &parcels[4], 64 << 20, 1);
    CHECK(!stook__tray_has_room(&tray)); /* bytes count too */
    end();
}

/* The head is cancelled before it starts: its place in the window is the next head's. */
TEST(place_of_the_head)
{
    size_t count = 0;
    begin();
    CHECK_EQ_INT(open_tray(1, 1, 2), 0);
    CHECK(stook__tray_has_room(&tray));
    stook__tray_started(&tray, &parcels[5]);
    CHECK(!stook__tray_has_room(&tray));
    CHECK(stook__tray_head(&tray) == &parcels[0]);
    arrive(0);
    CHECK(stook__tray_head(&tray) == NULL);
    CHECK(!stook__tray_has_room(&tray));
    show(&count);
    CHECK(stook__tray_head(&tray) == &parcels[1]);
    CHECK(!stook__tray_has_room(&tray));
    end();
}

/* Any order of arrival: shown exactly once each, in the order of the adds. */
TEST(random_arrivals)
{
    for (unsigned seed = 0; seed < 100; seed++) {
        size_t order[PARCELS], count = 0;
        test_note("seed %u", seed);
        srand(seed);
        begin();
        CHECK_EQ_INT(open_tray(1, 1, SIZE_MAX), 0);
        for (size_t i = 0; i < PARCELS; i++) {
            size_t j = (size_t)rand() % (i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        for (size_t i = 0; i < PARCELS; i++) {
            arrive(order[i]);
            size_t before = count, last = show(&count);
            if (count > before)
                CHECK_EQ_SIZE(last, count - 1);
        }
        CHECK_EQ_SIZE(count, PARCELS);
        CHECK_EQ_SIZE(tray.failed, PARCELS / 3);
        end();
    }
}
