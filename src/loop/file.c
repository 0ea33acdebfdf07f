/* SPDX-License-Identifier: MIT */
/* The two threads, and what waits for them; see file.h. */
#include "loop/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/handles.h"

enum { THREADS = 2, FIRST_FD = 3 };

enum state { IDLE, WAITING, RUNNING };

struct stook__worker {
    struct stook__link
        link; /* among those that wait for a thread, or whose loop is to hear that they are done */
    struct stook__loop *loop;
    void *owner;
    void (*run)(void *owner);
    void (*done)(void *owner);
    enum state state;
};

/* Of the process. What is done under the lock is short: no file is touched there. */
static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct stook__link waiting; /* workers */
    size_t n_waiting, n_running;
    pthread_t threads[THREADS];
    size_t n_threads;
    unsigned life;  /* of the threads: those of an earlier one end */
    size_t n_loops; /* that have had a worker and are not closed */
    struct stook__link guards;
} pool = {.once = PTHREAD_ONCE_INIT,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .changed = PTHREAD_COND_INITIALIZER};

/* -------------------------------------------------------------------------- forks */

static void before_fork(void)
{
    pthread_mutex_lock(&pool.lock);
}

static void in_parent(void)
{
    pthread_mutex_unlock(&pool.lock);
}

/* The child has none of the threads, and none of the parent's clients may be used in it. */
static void in_child(void)
{
    for (struct stook__link *link = pool.guards.next; link != &pool.guards; link = link->next)
        close(STOOK__OF(struct stook__file_guard, link, link)->fd);
    stook__list_init(&pool.guards);
    stook__list_init(&pool.waiting);
    pool.n_waiting = pool.n_running = pool.n_threads = pool.n_loops = 0;
    pool.changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pthread_mutex_unlock(&pool.lock);
}

static void set_up(void)
{
    stook__list_init(&pool.guards);
    stook__list_init(&pool.waiting);
    pthread_atfork(before_fork, in_parent, in_child);
}

static void lock(void)
{
    pthread_once(&pool.once, set_up);
    pthread_mutex_lock(&pool.lock);
}

static void unlock(void)
{
    pthread_mutex_unlock(&pool.lock);
}

/* ------------------------------------------------------------------------ threads */

/* Under the lock, which is given up meanwhile. */
static void run_next(void)
{
    struct stook__worker *worker =
        STOOK__OF(struct stook__worker, link, stook__list_pop(&pool.waiting));
    worker->state = RUNNING;
    pool.n_waiting--;
    pool.n_running++;
    unlock();
    worker->run(worker->owner);
    lock();
    pool.n_running--;
    stook__list_append(&worker->loop->done, &worker->link);
    stook__loop_wake(worker->loop); /* it is not closed before it has heard of it */
}

static void *work(void *arg)
{
    unsigned life = (unsigned)(uintptr_t)arg;
    lock();
    while (life == pool.life) {
        if (stook__list_empty(&pool.waiting))
            pthread_cond_wait(&pool.changed, &pool.lock);
        else
            run_next();
    }
    unlock();
    return NULL;
}

/* Under the lock. Signals are for the program's threads. */
static void add_thread(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&pool.threads[pool.n_threads], NULL, work, (void *)(uintptr_t)pool.life) ==
        0)
        pool.n_threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void stook__workers_detach(struct stook__loop *loop)
{
    pthread_t threads[THREADS];
    size_t count = 0;
    if (!loop->works)
        return;
    loop->works = 0;
    lock();
    if (--pool.n_loops == 0) {
        pool.life++;
        for (; count < pool.n_threads; count++)
            threads[count] = pool.threads[count];
        pool.n_threads = 0;
        pthread_cond_broadcast(&pool.changed);
    }
    unlock();
    while (count > 0)
        pthread_join(threads[--count], NULL); /* they have nothing to do */
}

/* ------------------------------------------------------------------------ workers */

struct stook__worker *stook__worker_new(struct stook__loop *loop, void *owner)
{
    struct stook__worker *worker = stook__alloc(loop->allocator, sizeof *worker);
    if (worker == NULL)
        return NULL;
    stook__list_init(&worker->link);
    worker->loop = loop;
    worker->owner = owner;
    return worker;
}

void stook__worker_free(struct stook__worker *worker)
{
    if (worker != NULL)
        stook__free(worker->loop->allocator, worker);
}

int stook__worker_busy(const struct stook__worker *worker)
{
    return worker->done != NULL;
}

size_t stook__workers_busy(const struct stook__loop *loop)
{
    return loop->working;
}

void stook__worker_start(struct stook__worker *worker, void (*run)(void *owner),
                         void (*done)(void *owner))
{
    struct stook__loop *loop = worker->loop;
    worker->run = run;
    worker->done = done;
    loop->working++;
    lock();
    pool.n_loops += !loop->works;
    loop->works = 1;
    worker->state = WAITING;
    stook__list_append(&pool.waiting, &worker->link);
    pool.n_waiting++;
    if (pool.n_threads < THREADS && pool.n_running + pool.n_waiting > pool.n_threads)
        add_thread();
    pthread_cond_broadcast(&pool.changed);
    while (pool.n_threads == 0 && pool.n_waiting > 0)
        run_next(); /* there are no threads to be had: here then */
    unlock();
}

static int end(struct stook__worker *worker)
{
    worker->state = IDLE;
    worker->done = NULL;
    worker->loop->working--;
    return 1;
}

int stook__worker_recall(struct stook__worker *worker)
{
    lock();
    int waits = worker->state == WAITING;
    if (waits) {
        stook__list_remove(&worker->link);
        pool.n_waiting--;
    }
    unlock();
    return waits ? end(worker) : 0;
}

void stook__workers_complete(struct stook__loop *loop)
{
    struct stook__link *link = NULL;
    while (loop->works) {
        lock();
        link = stook__list_pop(&loop->done);
        unlock();
        if (link == NULL)
            return;
        struct stook__worker *worker = STOOK__OF(struct stook__worker, link, link);
        void (*done)(void *owner) = worker->done;
        end(worker);
        done(worker->owner);
    }
}

/* --------------------------------------------------------------------- descriptors */

int stook__file_open(int directory, const char *path, int flags, mode_t mode)
{
    int fd = openat(directory, path, flags | O_CLOEXEC, mode);
    if (fd < 0 || fd >= FIRST_FD)
        return fd;
    /* The program has closed its standard streams: what it prints must not go into this file. */
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD), error = errno;
    close(fd);
    errno = error;
    return higher;
}

const char *stook__file_kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return NULL;
    case S_IFDIR:
        return "it is a directory";
    case S_IFLNK:
        return "it is a symbolic link";
    case S_IFIFO:
        return "it is a FIFO";
    case S_IFSOCK:
        return "it is a socket";
    default:
        return "it is a device";
    }
}

void stook__file_guard(struct stook__file_guard *guard, int fd)
{
    lock();
    guard->fd = fd;
    stook__list_append(&pool.guards, &guard->link);
    unlock();
}

void stook__file_unguard(struct stook__file_guard *guard)
{
    flock(guard->fd, LOCK_UN); /* also for a child that was forked before it was guarded */
    lock();
    stook__list_remove(&guard->link);
    unlock();
    close(guard->fd);
}
