/* SPDX-License-Identifier: MIT */
#include "arrivals.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "harness.h"

enum { ARRIVALS = 20000 };

static struct list {
    atomic_size_t count;
    struct arrival all[ARRIVALS];
} *list;

static void stop(void *arg)
{
    munmap(arg, sizeof *list);
    list = NULL;
}

void arrivals_begin(void)
{
    if (list == NULL) {
        list = mmap(NULL, sizeof *list, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        CHECK(list != MAP_FAILED);
        test_defer(stop, list);
    }
    atomic_store(&list->count, 0);
}

void arrivals_note(const struct raw_call *call)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    size_t i = atomic_fetch_add(&list->count, 1);
    if (i < ARRIVALS)
        list->all[i] = (struct arrival){now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000, call->door->port, raw_number(call, "n")};
}

size_t arrivals_count(void)
{
    return atomic_load(&list->count);
}

struct arrival arrivals_at(size_t i)
{
    CHECK(i < ARRIVALS && i < arrivals_count());
    return list->all[i];
}

size_t arrivals_of(int port)
{
    size_t count = 0;
    for (size_t i = 0; i < arrivals_count(); i++)
        count += port == 0 || arrivals_at(i).port == port;
    return count;
}

size_t arrivals_within(int port, int64_t span_us)
{
    size_t most = 0, all = arrivals_count();
    for (size_t first = 0; first < all; first++) {
        size_t count = 0;
        for (size_t i = first; i < all && arrivals_at(i).at_us <= arrivals_at(first).at_us + span_us; i++)
            count += port == 0 || arrivals_at(i).port == port;
        most = count > most ? count : most;
    }
    return most;
}
