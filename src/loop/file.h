/* SPDX-License-Identifier: MIT */
/*
 * Work on files, done by two threads of the process. A disk that does not respond blocks these
 * threads and no loop, and at most two operations run at a time, however many clients there are.
 * The others wait, those of one worker in order. The threads exist while a client exists that has
 * used a file, and end with the last one.
 *
 * libuv's pool does not serve. It has no openat() and no other call relative to a directory, so a
 * path could be exchanged between two calls. It has four threads for all of the program's own work.
 * And once it exists, a forked child that calls exit() dies in libuv's destructor (libuv
 * issue 4443; seen with 1.44.2).
 *
 * An operation is a function that makes the system calls which belong together. It touches only
 * what belongs to its owner, allocates nothing and calls nothing back.
 */
#ifndef STOOK_LOOP_FILE_H
#define STOOK_LOOP_FILE_H

#include <sys/types.h>

#include "util/list.h"

struct stook__loop;

/* Runs one operation at a time for its owner. */
struct stook__worker;

/* Creates a worker. NULL: out of memory. */
struct stook__worker *stook__worker_new(struct stook__loop *loop, void *owner);
/* Frees a worker that is not busy, or NULL. */
void stook__worker_free(struct stook__worker *worker);
/* Calls `run` in a thread of the pool, then `done` on the loop's thread, and requests a turn. The
   worker must not be busy; when `done` is called it is not busy any more. Never fails: if no thread
   can be created, `run` is called at once. May be called from a callback of libcurl. */
void stook__worker_start(struct stook__worker *worker, void (*run)(void *owner),
                         void (*done)(void *owner));
/* Whether an operation was started whose `done` was not called yet. */
int stook__worker_busy(const struct stook__worker *worker);
/* Recalls an operation that no thread has begun: returns 1, and neither function is called. Returns
   0 if one has. */
int stook__worker_recall(struct stook__worker *worker);

/* Returns the number of busy workers of a loop. */
size_t stook__workers_busy(const struct stook__loop *loop);
/* Calls `done` of each operation that is over. */
void stook__workers_complete(struct stook__loop *loop);
/* The loop closes; it has no busy worker. The last loop that has used files ends the threads. */
void stook__workers_detach(struct stook__loop *loop);

/* openat() with O_CLOEXEC, and never a descriptor below 3. -1 with errno. */
int stook__file_open(int directory, const char *path, int flags, mode_t mode);
/* Says which kind of file has this st_mode. NULL: a regular file. */
const char *stook__file_kind(mode_t mode);

/*
 * A locked descriptor that a forked child closes. flock() belongs to the open file, which parent
 * and child share, so a child that kept the descriptor would keep the lock after its parent ended.
 * Both functions may be called from any thread.
 */
struct stook__file_guard {
    struct stook__link link;
    int fd;
};
void stook__file_guard(struct stook__file_guard *guard, int fd);
/* Unlocks and closes the descriptor. */
void stook__file_unguard(struct stook__file_guard *guard);

#endif
