/* SPDX-License-Identifier: MIT */
/* Counts forks; see fork.h. Comparing the count costs less than a getpid() in each add. */
#include "core/fork.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_uint fork_generation;

static void count_fork(void)
{
    atomic_fetch_add(&fork_generation, 1);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

unsigned stook__fork_generation(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    return atomic_load_explicit(&fork_generation, memory_order_relaxed);
}

int stook__is_forked(unsigned generation)
{
    return generation != atomic_load_explicit(&fork_generation, memory_order_relaxed);
}
