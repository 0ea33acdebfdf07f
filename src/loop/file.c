/* SPDX-License-Identifier: MIT */
/* The two threads, and the operations that wait for them; see file.h. */
#include "loop/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/handles.h"
#include "util/allocator.h"
#include "util/trace.h"

enum { THREADS = 2, FIRST_FD = 3 };

/*
 * The states of a worker. Only move_worker() changes them, under the lock of the pool, or on the
 * loop's thread while no list of the pool has the worker.
 *
 *             start             a thread takes it        the operation is over
 *     IDLE ----------> WAITING -------------------> RUNNING ----------------> COMPLETED
 *       ^                 |                                                        |
 *       |     recall      |               `done` is called                         |
 *       +-----------------+--------------------------------------------------------+
 */
enum worker_state {
    IDLE,     /* no operation, or none any more */
    WAITING,  /* in `waiting` of the pool */
    RUNNING,  /* a thread calls `run` */
    COMPLETED /* in `completed` of its loop */
};

struct stook__worker {
    struct stook__link link; /* in the list that the state names */
    struct stook__loop *loop;
    void *owner;
    void (*run)(void *owner);
    void (*done)(void *owner); /* not NULL: busy. The loop's thread reads this, without the lock */
    enum worker_state state;
};

/* The pool of the process. No file is touched under the lock, so it is never held for long. */
static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct stook__link waiting; /* workers */
    size_t n_waiting, n_running;
    pthread_t threads[THREADS];
    size_t n_threads;
    unsigned generation; /* of the threads; those of an earlier one end */
    size_t n_loops;      /* open loops that have used files */
    struct stook__link guards;
} pool = {.once = PTHREAD_ONCE_INIT,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .changed = PTHREAD_COND_INITIALIZER};

static void move_worker(struct stook__worker *worker, enum worker_state to)
{
    static const unsigned char allowed[] = {
        [IDLE] = 1u << WAITING,
        [WAITING] = 1u << RUNNING | 1u << IDLE,
        [RUNNING] = 1u << COMPLETED,
        [COMPLETED] = 1u << IDLE,
    };
    static const char *const names[] = {"IDLE", "WAITING", "RUNNING", "COMPLETED"};
    assert(allowed[worker->state] & 1u << to);
    STOOK__TRACE("loop", "worker %p: %s -> %s", (void *)worker, names[worker->state], names[to]);
    (void)allowed, (void)names; /* in release builds */
    worker->state = to;
}

/* -------------------------------------------------------------------------- forks */

static void before_fork(void)
{
    pthread_mutex_lock(&pool.lock);
}

static void in_parent(void)
{
    pthread_mutex_unlock(&pool.lock);
}

/* The child has none of the threads, and may use none of the parent's clients. */
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

static void init_pool(void)
{
    stook__list_init(&pool.guards);
    stook__list_init(&pool.waiting);
    pthread_atfork(before_fork, in_parent, in_child);
}

static void lock(void)
{
    pthread_once(&pool.once, init_pool);
    pthread_mutex_lock(&pool.lock);
}

static void unlock(void)
{
    pthread_mutex_unlock(&pool.lock);
}

/* ------------------------------------------------------------------------ threads */

/* Runs the operation that has waited longest. Called under the lock, and runs it without. */
static void run_next(void)
{
    struct stook__worker *worker =
        STOOK__OF(struct stook__worker, link, stook__list_pop(&pool.waiting));
    move_worker(worker, RUNNING);
    pool.n_waiting--;
    pool.n_running++;
    unlock();
    worker->run(worker->owner);
    lock();
    pool.n_running--;
    move_worker(worker, COMPLETED);
    stook__list_append(&worker->loop->completed, &worker->link);
    uv_async_send(&worker->loop->async); /* it does not close before it has called `done` */
}

static void *run_thread(void *arg)
{
    unsigned generation = (unsigned)(uintptr_t)arg;
    lock();
    while (generation == pool.generation) {
        if (stook__list_empty(&pool.waiting))
            pthread_cond_wait(&pool.changed, &pool.lock);
        else
            run_next();
    }
    unlock();
    return NULL;
}

/* Adds a thread, under the lock. It blocks all signals, which are for the program's threads. */
static void add_thread(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&pool.threads[pool.n_threads], NULL, run_thread,
                       (void *)(uintptr_t)pool.generation) == 0)
        pool.n_threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void stook__workers_detach(struct stook__loop *loop)
{
    pthread_t threads[THREADS];
    size_t count = 0;
    if (!loop->uses_files)
        return;
    loop->uses_files = 0;
    lock();
    if (--pool.n_loops == 0) {
        pool.generation++;
        for (; count < pool.n_threads; count++)
            threads[count] = pool.threads[count];
        pool.n_threads = 0;
        pthread_cond_broadcast(&pool.changed);
    }
    unlock();
    while (count > 0)
        pthread_join(threads[--count], NULL); /* at once: no loop has an operation */
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
    return loop->n_busy;
}

void stook__worker_start(struct stook__worker *worker, void (*run)(void *owner),
                         void (*done)(void *owner))
{
    struct stook__loop *loop = worker->loop;
    worker->run = run;
    worker->done = done;
    loop->n_busy++;
    lock();
    pool.n_loops += !loop->uses_files;
    loop->uses_files = 1;
    move_worker(worker, WAITING);
    stook__list_append(&pool.waiting, &worker->link);
    pool.n_waiting++;
    if (pool.n_threads < THREADS && pool.n_running + pool.n_waiting > pool.n_threads)
        add_thread();
    pthread_cond_broadcast(&pool.changed);
    while (pool.n_threads == 0 && pool.n_waiting > 0)
        run_next(); /* no thread could be created */
    unlock();
}

static void end_operation(struct stook__worker *worker)
{
    move_worker(worker, IDLE);
    worker->done = NULL;
    worker->loop->n_busy--;
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
    if (waits)
        end_operation(worker);
    return waits;
}

void stook__workers_complete(struct stook__loop *loop)
{
    struct stook__link *link = NULL;
    while (loop->uses_files) {
        lock();
        link = stook__list_pop(&loop->completed);
        unlock();
        if (link == NULL)
            return;
        struct stook__worker *worker = STOOK__OF(struct stook__worker, link, link);
        void (*done)(void *owner) = worker->done;
        end_operation(worker);
        done(worker->owner);
    }
}

/* --------------------------------------------------------------------- descriptors */

int stook__file_open(int directory, const char *path, int flags, mode_t mode)
{
    int fd = openat(directory, path, flags | O_CLOEXEC, mode);
    if (fd < 0 || fd >= FIRST_FD)
        return fd;
    /* The program has closed its standard streams. What it prints must not go into this file. */
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
    flock(guard->fd, LOCK_UN); /* frees the lock of a child that was forked before the guard, too */
    lock();
    stook__list_remove(&guard->link);
    unlock();
    close(guard->fd);
}
